"""What a crew sees and counts on every chamber: stack light and horn, wear, what is left in bottles, the clock."""

from collections.abc import Iterator
from typing import Any

from chamber_spec import Gas, Spec

Table = dict[str, Any]

HOURS_OF_A_BOTTLE = 100
"""A bottle is taken to last so long at full scale (engineering default)."""
YEAR_H = 8760
LIGHTS = (
    ("red", "system.tripped > 0 or system.latched > 0", "A trip or hold is in force, or latched"),
    ("yellow", "facilities.alarms_active > 0", "An alarm is present"),
    ("green", "system.run_state == running", "A program runs"),
    ("blue", "system.run_state == held or system.run_state == paused", "A program waits for a person"),
)
NO_YES = {"states": ["no", "yes"], "low": 0, "high": 1}
OFF_ON = {"states": ["off", "on"], "low": 0, "high": 1, "safe": 0}


def lights() -> Iterator[Table]:
    """Tags of the stack light and the horn, below `facilities`."""
    yield {"name": "alarms_active", "kind": "setpoint", "low": 0, "high": 10000, "resolution": 1,
           "description": "Alarms whose cause is present, interlocks left out; kept by the controller"}  # fmt: skip
    yield {"name": "horn_silenced", "kind": "setpoint", **NO_YES, "role": "operator",
           "description": "Silences the horn until something new happens"}  # fmt: skip
    for colour, when, what in LIGHTS:
        yield {"name": f"light.{colour}_wanted", "kind": "computed", **NO_YES, "expression": when, "description": what}
    yield {"name": "horn_wanted", "kind": "computed", **NO_YES,
           "expression": "system.tripped > 0 and not facilities.horn_silenced",
           "description": "A trip or hold is in force, and nobody has silenced it"}  # fmt: skip
    for colour, _, _ in LIGHTS:
        yield {"name": f"light.{colour}", "kind": "output", **OFF_ON, "description": f"Stack light, {colour}"}
    yield {"name": "horn", "kind": "output", **OFF_ON, "description": "Horn of the stack light"}


def clock() -> Table:
    """The clock's state, below `control`."""
    return {"name": "clock", "kind": "setpoint", "states": ["free", "synchronised"], "low": 0, "high": 1, "initial": 1,
            "description": "What the system says of its clock; synchronised until it has been asked"}  # fmt: skip


def maps() -> Iterator[Table]:
    """Lamps and horn follow what is computed: no program and no person writes them."""
    for name in ("horn", *(f"light.{colour}" for colour, _, _ in LIGHTS)):
        yield {"source": f"facilities.{name}_wanted", "target": f"facilities.{name}", "x": [0, 1], "y": [0, 1]}


def bottles(spec: Spec) -> list[tuple[Gas, float]]:
    """Gases from bottles, with the litres of a full one."""
    return [(gas, gas.full / 1000 * 60 * HOURS_OF_A_BOTTLE) for gas in spec.gases if gas.bottled]


def _hours(spec: Spec) -> Iterator[tuple[str, str, str, float | None, str]]:
    """Counters of hours: name, what it is, the tag that runs, where it ends, what to do then."""
    fan = spec.vacuum.kind == "exhaust"
    if not fan:
        yield "pump_h", "Dry pump, running", "vacuum.dry_pump.running", YEAR_H, (
            "Overhaul the dry pump and report pump_overhaul"
        )  # fmt: skip
        yield "booster_h", "Booster or turbo pump, running", "vacuum.booster.running", 2 * YEAR_H, (
            "Overhaul the booster and report booster_overhaul"
        )  # fmt: skip
    yield "heater_h", "Heater, with power", "heater.zone1.power_pct", None, "Look at the elements' resistance"
    yield "throttle_h", "Throttle valve, in control", "vacuum.throttle_valve.mode", None, "Clean the throttle valve"
    if spec.source is not None:
        yield "source_h", f"{spec.source.title}, on", f"{spec.source.name}.on", None, "Look at the source"


def module(spec: Spec) -> Table:
    """The counters as tags."""
    hours = [
        {"name": name, "kind": "setpoint", "unit": "h", "low": 0, "high": 1e6, "resolution": 0.01, "description": what}
        for name, what, *_ in _hours(spec)
    ]
    strokes = {"name": "isolation_valve", "kind": "setpoint", "low": 0, "high": 1e9, "resolution": 1,
               "description": "Strokes of the isolation valve"}  # fmt: skip
    left = [
        {"name": f"{gas.tag}_l", "kind": "setpoint", "unit": "L", "low": 0, "high": 10 * litres, "initial": litres,
         "resolution": 0.01,
         "description": f"{gas.label.capitalize()} left in the bottle, as gas at 0 °C, by what has flowed"}
        for gas, litres in bottles(spec)
    ]  # fmt: skip
    return {"name": "care", "kind": "control", "description": "Wear and use, counted by the controller and kept over "
            "restarts", "tags": [*hours, strokes, *left]}  # fmt: skip


def care(spec: Spec) -> Table:
    """The table `[care]`."""
    counters = [
        {"tag": f"care.{name}", "kind": "hours", "of": of} | ({"stop_above": ends} if ends else {}) | {"remedy": remedy}
        for name, _, of, ends, remedy in _hours(spec)
    ]
    counters.append({"tag": "care.isolation_valve", "kind": "cycles", "of": "vacuum.isolation_valve.shut",
                     "stop_above": 250000, "remedy": "Change the bellows and report isolation_valve"})  # fmt: skip
    counters += [
        {"tag": f"care.{gas.tag}_l", "kind": "amount", "of": gas.flow, "factor": -1 / 60000, "only": gas.valve,
         "renewed_by": [f"change_bottle_{gas.tag}"], "stop_below": round(0.02 * litres, 3),
         "remedy": f"Run change_bottle_{gas.tag}"}
        for gas, litres in bottles(spec)
    ]  # fmt: skip
    tasks: list[Table] = [{"name": "wet_clean", "title": "Wet clean", "action": "Open, wipe and season the chamber",
                           "every_days": 90}]  # fmt: skip
    if spec.vacuum.kind != "exhaust":
        tasks += [
            {"name": "pump_overhaul", "title": "Dry pump overhaul", "action": "Send the dry pump to its overhaul, fit "
             "the spare", "counter": "care.pump_h", "at": 8000},
            {"name": "booster_overhaul", "title": "Booster overhaul", "action": "Oil, seals and bearings of the "
             "booster", "counter": "care.booster_h", "at": 16000},
        ]  # fmt: skip
    tasks += [
        {"name": "isolation_valve", "title": "Isolation valve", "action": "Change the bellows, then leak check",
         "counter": "care.isolation_valve", "at": 200000},
        {"name": "throttle_clean", "title": "Throttle valve", "action": "Clean the throttle valve, then learn its "
         "ends", "counter": "care.throttle_h", "at": 4000},
    ]  # fmt: skip
    return {"clock": "control.clock", "horn_silenced": "facilities.horn_silenced",
            "warnings": "facilities.alarms_active", "counters": counters, "tasks": tasks}  # fmt: skip


def alarms(spec: Spec) -> Iterator[Table]:
    """The clock runs free; a bottle is nearly empty."""
    yield {"name": "clock_free", "kind": "off_normal", "description": "The computer's clock is not synchronised",
           "tag": "control.clock", "normal": "synchronised", "suppress": {"modes": ["Init"]}, "on_delay_s": 600,
           "priority": "low", "response_time_s": 28800, "consequence": "Records of this tool and of others cannot be "
           "laid beside each other; control does not depend on it", "action": "Check the time service (chrony, ptp4l) "
           "and the network"}  # fmt: skip
    for gas, litres in bottles(spec):
        yield {"name": f"{gas.tag}_bottle_low", "kind": "level", "description": f"Less than 10 % of {gas.label} left "
               "in its bottle", "tag": f"care.{gas.tag}_l", "low": f"{0.1 * litres:g} L",
               "hysteresis": f"{0.01 * litres:g} L", "on_delay_s": 5, "priority": "medium", "response_time_s": 28800,
               "consequence": "No recipe starts below 2 %", "action": f"Have a bottle ready and run "
               f"change_bottle_{gas.tag}"}  # fmt: skip
