"""A tool whose parts do not fit is refused: every fault at once, each with its path and what to do."""

import sys
import time
import zlib
from typing import Any

import pytest

from config.checks.settings import image_size
from config.faults import ConfigError, Fault
from config.gases import gas_table
from config.tool import Tool
from tests.config.minimal_tool import change, minimal_data, minimal_tool, tool_of

# Where things are in minimal.toml
PANEL, CHAMBER, VACUUM = "modules[0]", "modules[1]", "modules[2]"
FLOW, GAS_SETPOINT, VALVE = f"{PANEL}.tags[0]", f"{PANEL}.tags[1]", f"{PANEL}.tags[2]"
PRESSURE, WANTED, MODE, THROTTLE = (f"{CHAMBER}.tags[{i}]" for i in range(4))
TEMPERATURE, WALL, TARGET, HEAT_MODE, HEATER, SPREAD = (f"{CHAMBER}.tags[{i}]" for i in range(4, 10))
TRIP, HOLD, ALARM = "interlocks[0]", "interlocks[1]", "alarms[0]"
SAFE, LEAK = "safe_sequence.steps[0]", "operations[0].steps[0]"

Edits = dict[str, Any]


def faults_of(edits: Edits) -> tuple[Fault, ...]:
    data = minimal_data()
    for path, value in edits.items():
        change(data, path, value)
    with pytest.raises(ConfigError) as caught:
        tool_of(data)
    return caught.value.faults


def condition(name: str, **fields: Any) -> dict[str, Any]:
    return {
        "name": name, "description": "d", "when": "not vacuum.pump.running", "priority": "low", "consequence": "c",
        "action": "a",
    } | fields  # fmt: skip


def another_trip(value: float = 0, output: str = "chamber.throttle_pct", **fields: Any) -> dict[str, Any]:
    """A trip with a cause of its own: of one cause the second effect on an output would be unreachable."""
    limit = zlib.crc32(fields.get("name", "other").encode()) / 2**32
    cause = f"chamber.pressure_torr > {limit:.9f} Torr"
    return condition("other", when=cause) | {"class": "trip", "effects": [{"output": output, "value": value}]} | fields


def nested(depth: int) -> dict[str, Any]:
    return {"name": "a", "min_s": 1} if depth == 0 else {"name": "a", "steps": [nested(depth - 1)]}


BROKEN: list[tuple[str, Edits, str, str]] = [
    # -- a field by itself
    ("unknown field", {"nam": "x"}, "nam", "unknown field; did you mean 'name'?"),
    ("unknown field of a tag", {f"{FLOW}.lo": 1}, f"{FLOW}.lo", "unknown field; did you mean 'low'?"),
    ("missing section", {"scan": ...}, "scan", "is missing"),
    ("missing field", {f"{TRIP}.consequence": ...}, f"{TRIP}.consequence", "is missing"),
    ("text for a number", {f"{FLOW}.low": "0"}, f"{FLOW}.low", "must be a number, is text '0'"),
    ("truth for a number", {f"{FLOW}.high": True}, f"{FLOW}.high", "must be a number, is true"),
    ("number for text", {"title": 5}, "title", "must be text, is the number 5"),
    ("number for truth", {f"{TRIP}.latch": 1}, f"{TRIP}.latch", "must be true or false, is the number 1"),
    ("fraction for a count", {"scan.log_every": 2.5}, "scan.log_every", "must be a whole number, is the number 2.5"),
    ("table for a list", {"gases": {}}, "gases", "must be a list, is a table"),
    ("list for a table", {"scan": []}, "scan", "must be a table, is a list"),
    ("null", {f"{TRIP}.when": None}, f"{TRIP}.when", "must be text, is null"),
    ("zero period", {"scan.period_ms": 0}, "scan.period_ms", "must be above 0, is 0"),
    ("priority above 99", {"scan.priority": 100}, "scan.priority", "must be at most 99, is 100"),
    ("negative delay", {f"{TRIP}.on_delay_s": -1}, f"{TRIP}.on_delay_s", "must be at least 0, is -1"),
    ("unknown kind", {f"{FLOW}.kind": "inptu"}, f"{FLOW}.kind", "did you mean 'input'?"),
    ("unknown class", {f"{TRIP}.class": "trp"}, f"{TRIP}.class", "must be trip, hold, permissive or warning, is text"),
    ("another version", {"schema_version": 2}, "schema_version", "must be 1, is the number 2"),
    ("capital letters", {f"{FLOW}.name": "Flow"}, f"{FLOW}.name", "up to three lower-case words"),
    ("half a tag name", {"loops[0].pv": "temperature"}, "loops[0].pv", "the full name of a tag: module.tag"),
    ("no tags at all", {"modules": []}, "modules", "must have at least 1 entry, has 0"),
    ("empty text", {"title": ""}, "title", "must not be empty"),
    ("long text", {"title": "x" * 2001}, "title", "must have at most 2000 characters"),
    ("limits upside down", {f"{FLOW}.low": 200}, FLOW, "low 200 is above high 105"),
    ("wait without an end", {f"{LEAK}.timeout_s": ...}, LEAK, "needs a timeout_s"),
    ("bad key", {"recipe.pump_down": {"Bad": 1.0}}, "recipe.pump_down.Bad", "as a key: text 'Bad' is not the full"),
    # -- tags
    ("unknown unit", {f"{FLOW}.unit": "scm"}, f"{FLOW}.unit", "unknown unit 'scm'; did you mean 'sccm'?"),
    ("another spelling", {f"{THROTTLE}.unit": "pct"}, f"{THROTTLE}.unit", "write '%' for 'pct'"),
    ("name says another unit", {f"{SPREAD}.name": "spread_mtorr", f"{ALARM}.when": "bad(chamber.wall_c)",
      f"{ALARM}.hysteresis": ...}, f"{SPREAD}.name", "'chamber.spread_mtorr' says mTorr, but its unit is K"),
    ("no limits", {f"{WALL}.low": ...}, WALL, "needs low and high: what is plausible"),
    ("no room", {f"{GAS_SETPOINT}.high": 0}, f"{GAS_SETPOINT}.high", "the tag cannot change"),
    ("safe but energised", {f"{HEATER}.safe": 10}, f"{HEATER}.safe", "safe when it is de-energised, at 0, not at 10"),
    ("field of another kind", {f"{WALL}.rate_per_s": 3}, f"{WALL}.rate_per_s", "only for output"),
    ("age below a scan", {f"{WALL}.period_s": 0.005}, f"{WALL}.period_s", "shorter than a scan (0.01 s)"),
    ("rate of days", {f"{THROTTLE}.rate_per_s": 1e-5}, f"{THROTTLE}.rate_per_s", "more than a day"),
    ("a state twice", {f"{VACUUM}.tags[0].states": ["no", "no"]}, f"{VACUUM}.tags[0].states[1]", "'no' exists already"),
    ("a reserved state", {f"{VACUUM}.tags[0].states": ["not", "yes"]}, f"{VACUUM}.tags[0].states[0]", "'not' is not"),
    ("tag below a tag", {f"{PANEL}.tags[3]": {"name": "sih4.valve.open", "kind": "input", "description": "d",
      "low": 0, "high": 1}}, f"{PANEL}.tags[3].name", "lies below 'panel.sih4.valve', which is a tag itself"),
    ("the scan's own name", {"modules[3]": {"name": "system", "kind": "control", "description": "d", "tags": []}},
     "modules[3].name", "'system' is the scan's own"),
    ("module twice", {"modules[3]": {"name": "panel", "kind": "control", "description": "d", "tags": []}},
     "modules[3].name", "module 'panel' exists already, at modules[0].name"),
    ("computed in another unit", {f"{SPREAD}.expression": "chamber.pressure_torr"}, f"{SPREAD}.expression",
     "column 1: is Torr (pressure), but must be K"),
    ("computed from itself", {f"{SPREAD}.expression": "chamber.spread_k + 1 K"}, f"{SPREAD}.expression", "uses itself"),
    ("computed too early", {f"{PANEL}.tags[3]": {"name": "early", "kind": "computed", "unit": "K", "description": "d",
      "expression": "2 * chamber.spread_k"}}, f"{PANEL}.tags[3].expression", "computed after it: move that above"),
    ("a long name", {"modules[3]": {"name": "m" * 48, "kind": "control", "description": "d", "tags": [
      {"name": "x" * 60, "kind": "input", "description": "d", "low": 0, "high": 1}]}}, "modules[3].tags[0].name",
     "has 109 characters; at most 96"),
    ("states with a unit", {f"{VACUUM}.tags[0].unit": "s"}, f"{VACUUM}.tags[0].unit", "a tag with states has no unit"),
    ("one state only", {f"{PANEL}.tags[3]": {"name": "lid", "kind": "input", "description": "d", "low": 0, "high": 0,
      "states": ["shut"]}}, f"{PANEL}.tags[3].states", "one state is no choice"),
    ("an expression of an input", {f"{FLOW}.expression": "1 sccm"}, FLOW, "a computed tag, and only that, has an"),
    ("a hazardous input", {f"{FLOW}.hazardous": True}, FLOW, "only an output can be hazardous"),
    ("starts out of limits", {f"{WANTED}.initial": 101}, WANTED, "initial 101 is outside 0 … 100"),
    ("safe out of limits", {f"{THROTTLE}.safe": 101}, THROTTLE, "safe 101 is outside 0 … 100"),
    ("states and other limits", {f"{MODE}.high": 3}, MODE, "a tag with 3 states has low 0 and high 2"),
    # -- conditions
    ("no expression", {f"{TRIP}.when": "chamber.pressure_torr >"}, f"{TRIP}.when", "column 24: expected a value"),
    ("unknown tag", {f"{TRIP}.when": "chamber.presure_torr > 1 Torr"}, f"{TRIP}.when", "did you mean"),
    ("other dimension", {f"{TRIP}.when": "chamber.pressure_torr > 5 °C"}, f"{TRIP}.when", "cannot be compared"),
    ("a value, no condition", {f"{TRIP}.when": "chamber.pressure_torr"}, f"{TRIP}.when", "must be a condition"),
    ("hysteresis of something else", {f"{TRIP}.hysteresis": "2 K"}, f"{TRIP}.hysteresis", "no comparison that a hyst"),
    ("hysteresis without unit", {f"{TRIP}.hysteresis": "two"}, f"{TRIP}.hysteresis", "is not a quantity"),
    ("no hysteresis", {f"{TRIP}.hysteresis": "0 Torr"}, f"{TRIP}.hysteresis", "must be above 0"),
    ("condition twice", {"alarms[1]": condition("pump_lost")}, "alarms[1].name", "'pump_lost' exists already"),
    ("effect on an input", {f"{HOLD}.effects[0].output": "chamber.pressure_torr"}, f"{HOLD}.effects[0].output",
     "'chamber.pressure_torr' is an input; it must be an output"),
    ("effect outside of limits", {f"{HOLD}.effects[1]": {"output": "chamber.throttle_pct", "value": 150}},
     f"{HOLD}.effects[1].value", "150 % is outside the limits 0 … 100 %"),
    ("effect twice", {f"{HOLD}.effects[1]": {"output": "panel.sih4.valve", "value": 0}}, f"{HOLD}.effects[1].output",
     "has an effect already, effects[0]"),
    ("effect that energises", {f"{HOLD}.effects[0]": {"output": "chamber.heater_pct", "value": 50}},
     f"{HOLD}.effects[0].value", "only set it to its safe value 0"),
    ("two trips that disagree", {"interlocks[2]": another_trip(100), "interlocks[3]": another_trip(0, name="third")},
     "interlocks[3].effects[0].value", "contradicts 'other' (interlocks[2]), which sets it to 100: both may"),
    ("a hold above a trip", {"interlocks[2]": another_trip(100, **{"class": "hold"}),
      "interlocks[3]": another_trip(0, name="third")}, "interlocks[3].effects[0].value",
     "loses against the hold 'other' (interlocks[2]), which sets it to 100: move this one above it"),
    ("unguarded heater", {f"{TRIP}.effects": [{"output": "panel.sih4.valve", "value": 0}]}, HEATER,
     "unguarded hazardous output: no trip sets 'chamber.heater_pct' to its safe value 0"),
    ("guarded by a hold only", {f"{TRIP}.effects": [{"output": "panel.sih4.valve", "value": 0}],
      f"{HOLD}.effects[1]": {"output": "chamber.heater_pct", "value": 0}}, HEATER, "unguarded hazardous output"),
    ("bypassed to the last", {f"{TRIP}.bypassable": True, f"{TRIP}.max_bypass_s": 60,
      f"{TRIP}.effects": [{"output": "chamber.heater_pct", "value": 0}],
      "interlocks[2]": another_trip(0, "panel.sih4.valve")}, HEATER, "every trip that guards it can be bypassed"),
    ("endless bypass", {f"{HOLD}.max_bypass_s": 0}, f"{HOLD}.max_bypass_s", "a bypass needs an end"),
    ("bypass that may not be", {f"{TRIP}.max_bypass_s": 60}, f"{TRIP}.max_bypass_s", "not bypassable"),
    ("trip that forgets", {f"{TRIP}.latch": False}, f"{TRIP}.latch", "a trip latches"),
    ("hold from idle", {f"{HOLD}.safe_from_idle": True}, f"{HOLD}.safe_from_idle", "only a trip"),
    ("permissive for nothing", {"interlocks[2]": condition("idle", **{"class": "permissive"})}, "interlocks[2].effects",
     "a permissive without effects does nothing"),
    ("first of one", {f"{HOLD}.group": ...}, f"{TRIP}.group", "the first-out group 'gas' has only this member"),
    ("no time to respond", {f"{ALARM}.response_time_s": 0}, f"{ALARM}.response_time_s", "nobody acts in no time"),
    # -- loops and maps
    ("loop twice", {"loops[1].name": "temperature"}, "loops[1].name", "loop 'temperature' exists already"),
    ("two masters", {"loops[1].out": "chamber.heater_pct", "loops[1].off": 0,
      f'{SAFE}.set["chamber.pressure_mode"]': 0}, "loops[1].out", "exists already, at loops[0].out"),
    ("units of a loop", {"loops[1].sp": "chamber.temperature_setpoint_c"}, "loops[1].sp", "they must have one unit"),
    ("mode without states", {"loops[1].mode": "chamber.pressure_setpoint_torr"}, "loops[1].mode",
     "must have the states off, manual, auto"),
    ("output of a loop is read", {"loops[1].out": "chamber.wall_c"}, "loops[1].out", "must be a set point or"),
    ("range upside down", {"loops[1].low": 100}, "loops[1].high", "must be above low"),
    ("loop beyond its output", {"loops[1].high": 120}, "loops[1].high", "outside the limits"),
    ("loop that leaves heat on", {"loops[0].off": 5}, "loops[0].off", "must leave it at its safe value 0"),
    ("gain of nothing", {"loops[0].feed_forward_gain": 2}, "loops[0].feed_forward_gain", "without feed_forward"),
    ("a loop on itself", {"loops[1].out": "chamber.pressure_setpoint_torr", "loops[1].off": 0}, "loops[1].out",
     "cannot be output and another tag of the same loop"),
    ("forward from nowhere", {"loops[0].feed_forward": "chamber.power_w"}, "loops[0].feed_forward", "unknown tag"),
    ("inner loop first", {"loops[2]": {"name": "outer", "pv": "chamber.wall_c", "sp": "chamber.temperature_c",
      "out": "chamber.temperature_setpoint_c", "mode": "chamber.temperature_mode", "kp": 1, "ti_s": 1, "low": 20,
      "high": 1200, "off": 20}}, "loops[0].sp", "is the output of the outer loop 'outer', which must stand above"),
    ("line of one point", {"maps": [{"source": "chamber.wall_c", "target": "chamber.pressure_setpoint_torr",
      "x": [1, 1], "y": [0, 1]}]}, "maps[0].x", "both ends are at 1"),
    ("map beyond its target", {"maps": [{"source": "chamber.wall_c", "target": "chamber.pressure_setpoint_torr",
      "x": [1, 2], "y": [0, 101]}]}, "maps[0].y[1]", "101 Torr is outside the limits"),
    ("maps upside down", {"maps": [
        {"source": "chamber.pressure_setpoint_torr", "target": "panel.sih4.setpoint_sccm", "x": [0, 1], "y": [0, 1]},
        {"source": "chamber.wall_c", "target": "chamber.pressure_setpoint_torr", "x": [0, 1], "y": [0, 1]},
      ]}, "maps[0].source", "is the target of maps[1], which must stand above"),
    ("map onto itself", {"maps": [{"source": "chamber.pressure_setpoint_torr",
      "target": "chamber.pressure_setpoint_torr", "x": [0, 1], "y": [0, 1]}]}, "maps[0].target", "is its own source"),
    ("map from the scan", {"maps": [{"source": "system.cycle", "target": "chamber.pressure_setpoint_torr", "x": [0, 1],
      "y": [0, 1]}]}, "maps[0].source", "belongs to the scan and drives nothing"),
    # -- gases, recipe, telemetry
    ("unknown gas", {"gases[0].name": "SiH5", "recipe.purge_gas": "SiH5", "telemetry.gas_flows_sccm": {}},
     "gases[0].name", "unknown gas 'SiH5'; did you mean 'SiH4'?"),
    ("flow that is none", {"gases[0].flow": "chamber.pressure_torr"}, "gases[0].flow", "it must be a molar flow"),
    ("harmless valve", {f"{VALVE}.hazardous": False}, "gases[0].valve", "feeds SiH4 (pyrophoric, flammable, toxic)"),
    ("purge without gas", {"recipe.purge_gas": "N2"}, "recipe.purge_gas", "the tool feeds no 'N2'; it has SiH4"),
    ("zone twice", {"recipe.zones[1]": {"zone": 1, "setpoint": "chamber.temperature_setpoint_c",
      "process_value": "chamber.wall_c", "mode": "chamber.temperature_mode"}}, "recipe.zones[1].zone", "zone '1'"),
    ("standby too hot", {"recipe.standby_temperature_c": 1300}, "recipe.standby_temperature_c", "outside 20 … 1200 °C"),
    ("pumps to nowhere", {'recipe.pump_down["chamber.throttle_pct"]': 101},
     'recipe.pump_down["chamber.throttle_pct"]', "outside the limits"),
    ("operation that is not", {"recipe.before": ["leak_chek"]}, "recipe.before[0]", "did you mean 'leak_check'?"),
    ("signal in another unit", {"telemetry.signals": {"rf_power_w": "chamber.throttle_pct"}},
     "telemetry.signals.rf_power_w", "is in %; it must be in W"),
    ("signal from nowhere", {"telemetry.chamber_pressure_torr": "chamber.presure_torr"},
     "telemetry.chamber_pressure_torr", "unknown tag 'chamber.presure_torr'; did you mean"),
    # -- sequences
    ("gas stays open", {f'{SAFE}.set["panel.sih4.valve"]': ...}, f"{SAFE}.set",
     "the first step must set the hazardous output 'panel.sih4.valve' to its safe value 0"),
    ("heat comes back", {f'{SAFE}.set["chamber.temperature_mode"]': ...}, f"{SAFE}.set", "its loop would drive"),
    ("nothing safe to do", {"safe_sequence.steps": []}, "safe_sequence.steps", "it would do nothing"),
    ("branches when unsafe", {"safe_sequence.steps[1].parallel": [[{"name": "a"}], [{"name": "b"}]]},
     "safe_sequence.steps[1].parallel", "runs on one channel"),
    ("bound too short", {"safe_sequence.bound_s": 60}, "safe_sequence.bound_s", "60 s is less than the 60.1 s"),
    ("writes an input", {f"{LEAK}.set": {"chamber.wall_c": 5}}, f'{LEAK}.set["chamber.wall_c"]', "is an input"),
    ("writes the scan's", {f"{LEAK}.set": {"system.armed": 1}}, f'{LEAK}.set["system.armed"]', "belongs to the scan"),
    ("between two states", {f"{LEAK}.set": {"chamber.pressure_mode": 0.5}}, f'{LEAK}.set["chamber.pressure_mode"]',
     "has the states 0 … 2 (off, manual, auto), not 0.5"),
    ("ramp too high", {f"{LEAK}.ramp": {"chamber.temperature_setpoint_c": {"to": 2000, "per_min": 10}}},
     f'{LEAK}.ramp["chamber.temperature_setpoint_c"].to', "2000 °C is outside the limits 20 … 1200 °C"),
    ("ramp from elsewhere", {f"{LEAK}.ramp": {"chamber.temperature_setpoint_c": {"to": 200, "over_s": 10,
      "start": "chamber.pressure_torr"}}}, f'{LEAK}.ramp["chamber.temperature_setpoint_c"].start', "one unit"),
    ("stores a pressure as heat", {f"{LEAK}.store": {"chamber.temperature_setpoint_c": "chamber.pressure_torr"}},
     f'{LEAK}.store["chamber.temperature_setpoint_c"]', "column 1: is Torr (pressure), but must be °C"),
    ("waits for nonsense", {f"{LEAK}.until": "chamber.pressure_torr < 1"}, f"{LEAK}.until", "as in '5 Torr'"),
    ("checks nonsense", {"operations[0].steps[1].check[0].that": "5 Torr"}, "operations[0].steps[1].check[0].that",
     "must be a condition"),
    ("guards nonsense", {f"{LEAK}.guard": {"that": "1 > 2"}}, f"{LEAK}.guard.that", "compares two numbers"),
    ("timeout before its time", {f"{LEAK}.min_s": 61, "operations[0].bound_s": 200}, f"{LEAK}.timeout_s", "always"),
    ("timeout of nothing", {f"{LEAK}.until": ...}, f"{LEAK}.timeout_s", "means nothing without until"),
    ("repeats nothing", {f"{LEAK}.repeat": 3}, f"{LEAK}.repeat", "means nothing without steps"),
    ("cycle without time", {f"{LEAK}.repeat": 3, f"{LEAK}.steps": [{"name": "a"}]}, f"{LEAK}.steps", "must take time"),
    ("too many branches", {f"{LEAK}.parallel": [[{"name": "a"}]] * 8}, "operations[0].steps", "has 8 branches in all"),
    ("hold out of limits", {"operations[0].hold": {"chamber.throttle_pct": -1}},
     'operations[0].hold["chamber.throttle_pct"]', "-1 % is outside"),
    ("ramp of two speeds", {f"{LEAK}.ramp": {"chamber.temperature_setpoint_c": {"to": 200, "over_s": 1, "per_min": 1}}},
     f'{LEAK}.ramp["chamber.temperature_setpoint_c"]', "give either"),
    ("timeout within a scan", {f"{LEAK}.timeout_s": 0.001, f"{LEAK}.min_s": 0}, f"{LEAK}.timeout_s", "than a scan"),
    ("one branch", {f"{LEAK}.parallel": [[{"name": "a"}]]}, f"{LEAK}.parallel", "one branch is not parallel"),
    ("no branch", {f"{LEAK}.parallel": [[{"name": "a"}], []]}, f"{LEAK}.parallel[1]", "is empty"),
    ("cycle and branches", {f"{LEAK}.steps": [{"name": "a"}], f"{LEAK}.parallel": [[{"name": "b"}], [{"name": "c"}]]},
     LEAK, "has both steps and parallel"),
    ("cycles in cycles", {"operations[0].steps": [nested(9)]}, "operations[0].steps", "nests cycles 9 deep"),
    ("operation twice", {"operations[1]": {"name": "leak_check", "title": "t", "description": "d", "bound_s": 1,
      "steps": [{"name": "a"}]}}, "operations[1].name", "operation 'leak_check' exists already"),
    # -- the scan and its memory
    ("too much memory", {"scan.flight_s": 500, "scan.image_budget_mb": 1}, "scan.image_budget_mb", "shorten flight_s"),
    ("rare history", {"scan.log_every": 2000}, "scan.log_every", "a row every 20 s is too rare"),
    ("scans too fast", {"scan.period_ms": 0.01}, "scan.period_ms", "must be at least 0.1 ms"),
    ("short flight", {"scan.flight_s": 0.5}, "scan.flight_s", "0.5 s hold 50 scans"),
]  # fmt: skip


@pytest.mark.parametrize(("edits", "path", "words"), [c[1:] for c in BROKEN], ids=[c[0] for c in BROKEN])
def test_a_broken_tool_is_refused_with_path_and_reason(edits: Edits, path: str, words: str) -> None:
    """One thing is broken, so one fault is told: nothing follows from it."""
    faults = faults_of(edits)
    assert [fault.path for fault in faults] == [path]
    assert words in faults[0].reason


def test_there_are_many_ways_to_break_a_tool() -> None:
    assert len(BROKEN) >= 60
    assert len({name for name, *_ in BROKEN}) == len(BROKEN)


def test_the_smallest_tool_is_valid() -> None:
    assert isinstance(minimal_tool(), Tool)


def test_every_fault_of_a_file_is_told_at_once() -> None:
    """Wrong types do not hide unknown tags, contradictions or unguarded outputs."""
    broken = {
        f"{FLOW}.resolution": "fine",
        f"{HOLD}.priorty": "high",
        f"{ALARM}.when": "chamber.spread > 50 K",
        "loops[1].high": 120,
        "telemetry.chamber_pressure_torr": "chamber.wall_c",
        f"{LEAK}.until": "chamber.pressure_torr < 1",
        "safe_sequence.bound_s": 1,
        "title": "",
    }
    assert {fault.path for fault in faults_of(broken)} == {*broken}


def test_a_tag_that_cannot_be_read_is_not_told_again_wherever_it_is_named() -> None:
    assert [fault.path for fault in faults_of({f"{PRESSURE}.unit": 5})] == [f"{PRESSURE}.unit"]


def test_a_tag_with_an_unknown_unit_agrees_with_everything() -> None:
    assert [fault.path for fault in faults_of({f"{PRESSURE}.unit": "Tor"})] == [f"{PRESSURE}.unit"]


def test_a_duplicate_tag_is_told_with_both_places() -> None:
    (fault,) = faults_of({f"{CHAMBER}.tags[10]": minimal_data()["modules"][1]["tags"][0]})
    assert str(fault) == (
        "tool.json: modules[1].tags[10].name: tag 'chamber.pressure_torr' exists already, at modules[1].tags[0]"
    )


def test_a_trip_above_a_hold_may_ask_for_another_value() -> None:
    """The order of the file is the precedence, and the stronger class comes first: no contradiction."""
    data = minimal_data()
    change(data, "interlocks[2]", another_trip(100))
    change(data, "interlocks[3]", another_trip(0, name="third", **{"class": "hold"}))
    assert tool_of(data).interlocks[3].name == "third"


def test_two_trips_that_agree_are_no_contradiction() -> None:
    data = minimal_data()
    change(data, "interlocks[2]", another_trip(100))
    change(data, "interlocks[3]", another_trip(100, name="third"))
    assert len(tool_of(data).interlocks) == 4


def test_a_hazardous_output_behind_a_map_is_made_safe_through_its_source() -> None:
    data = minimal_data()
    change(data, "loops[0].out", "chamber.power_setpoint_pct")
    change(data, f"{CHAMBER}.tags[10]", {"name": "power_setpoint_pct", "kind": "setpoint", "unit": "%",
                                         "description": "d", "low": 0, "high": 100})  # fmt: skip
    line = {"source": "chamber.power_setpoint_pct", "target": "chamber.heater_pct", "x": [0, 100], "y": [0, 100]}
    change(data, "maps", [line])
    with pytest.raises(ConfigError, match=r"must set 'chamber.power_setpoint_pct' so that its map brings"):
        tool_of(data)
    change(data, f'{SAFE}.set["chamber.power_setpoint_pct"]', 0)
    assert tool_of(data).maps[0].target == "chamber.heater_pct"


def test_the_bound_of_an_operation_counts_cycles_timeouts_and_branches() -> None:
    steps = [
        {"name": "cycle", "repeat": 5, "steps": [
            {"name": "a", "min_s": 2}, {"name": "b", "until": "vacuum.pump.running", "timeout_s": 8},
        ]},
        {"name": "both", "parallel": [[{"name": "c", "min_s": 30}], [{"name": "d", "min_s": 20}]]},
    ]  # fmt: skip
    faults = faults_of({"operations[0].steps": steps, "operations[0].bound_s": 79})
    assert [fault.reason for fault in faults] == [
        "79 s is less than the 80 s that its waits, timeouts and cycles can take"
    ]


def test_the_numbers_of_a_refused_image_are_told() -> None:
    (fault,) = faults_of({"scan.flight_s": 500, "scan.image_budget_mb": 1})
    assert "25 tags × (50000 rows of the flight ring + 600 of the logging ring)" in fault.reason


def test_a_tool_of_ten_thousand_tags_is_checked_in_seconds() -> None:
    data = minimal_data()
    spare = {"kind": "input", "description": "d", "low": 0, "high": 1}
    data["modules"].append({
        "name": "many", "kind": "control", "description": "d",
        "tags": [{"name": f"spare{i}", **spare} for i in range(10_000)],
    })  # fmt: skip
    data["scan"]["image_budget_mb"] = 1000.0
    assert len(tool_of(data).modules[3].tags) == 10_000


def test_a_renamed_module_of_a_large_tool_is_told_in_seconds() -> None:
    """Hundreds of unknown names, each compared with thousands for its suggestion."""
    data = minimal_data()
    spare = {"kind": "input", "description": "d", "low": 0, "high": 1}
    data["modules"].append({
        "name": "many", "kind": "control", "description": "d",
        "tags": [{"name": f"spare{i:04}", **spare} for i in range(8_000)],
    })  # fmt: skip
    data["scan"]["image_budget_mb"] = 1000.0
    data["alarms"] = [condition(f"alarm{i}", when=f"mony.spare{i:04}") for i in range(300)]
    began = time.monotonic()
    with pytest.raises(ConfigError) as caught:
        tool_of(data)
    assert time.monotonic() - began < 60
    assert len(caught.value.faults) == 300
    assert caught.value.faults[7].reason.endswith("did you mean 'many.spare0007'?")


def test_thousands_of_effects_on_one_output_do_not_take_long() -> None:
    data = minimal_data()
    many = [another_trip(i % 50, name=f"trip{i}") for i in range(4_000)]
    data["interlocks"] += many
    began = time.monotonic()
    with pytest.raises(ConfigError) as caught:
        tool_of(data)
    assert time.monotonic() - began < 60
    assert len(caught.value.faults) == 4_000 - 80


def test_a_hazardous_output_behind_a_map_that_stays_open_is_refused() -> None:
    line = {"source": "chamber.pressure_setpoint_torr", "target": "panel.sih4.valve", "x": [0, 100], "y": [0, 1]}
    faults = faults_of({"maps": [line], f'{SAFE}.set["chamber.pressure_setpoint_torr"]': 50})
    assert [fault.path for fault in faults] == [f"{SAFE}.set"]


def test_a_gas_has_one_name() -> None:
    alias, formula = next((alias, gas.formula) for gas in gas_table().gas for alias in gas.aliases)
    (fault,) = faults_of({"gases[0].name": alias, "recipe.purge_gas": alias, "telemetry.gas_flows_sccm": {}})
    assert (fault.path, fault.reason) == ("gases[0].name", f"write '{formula}' for '{alias}'")


def test_without_built_kernels_the_least_size_of_an_image_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "kernels.image", None)
    assert image_size(tags=100, conditions=10, flight_rows=1000, log_rows=600) == 1600 * (16 + 100 * 20)
    assert isinstance(minimal_tool(), Tool)


def test_the_alarm_of_a_bypass_has_a_name_of_its_own() -> None:
    (fault,) = faults_of({f"{ALARM}.name": "bypass_pump_lost"})
    assert (fault.path, fault.reason) == (
        f"{HOLD}.bypassable", f"condition 'bypass_pump_lost' exists already, at {ALARM}.name"
    )  # fmt: skip
