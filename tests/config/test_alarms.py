"""Alarms of a tool file: what each kind means to the scan, and every mistake told at once."""

from typing import Any

import pytest

from config.alarm_list import alarm_list
from config.alarms import points
from config.checks import check_tool
from config.layout import Layout
from config.tool import Alarm, AlarmKind, Priority, Tool
from kernels.tables import Op
from supervisor.controller.compile import compile_tool
from tests.config.small_furnace import small_furnace

SAID: dict[str, Any] = {
    "description": "something",
    "priority": Priority.LOW,
    "consequence": "scrap",
    "action": "look",
}


def alarm(name: str = "watched", **fields: Any) -> Alarm:
    return Alarm(name=name, **{**SAID, **fields})


def faults(*alarms: Alarm) -> list[str]:
    tool: Tool = small_furnace().model_copy(update={"alarms": alarms})
    return [f"{fault.path}: {fault.reason}" for fault in check_tool(tool, "t.toml") if "alarms" in fault.path]


def test_every_kind_becomes_the_cause_that_it_means() -> None:
    tag = "chamber.pressure_torr"
    meant = {
        "limit": alarm(kind=AlarmKind.LIMIT, tag=tag, high="2 Torr"),
        "level": alarm(kind=AlarmKind.LEVEL, tag=tag, low="1 Torr", only_when="chamber.mode == auto"),
        "deviation": alarm(kind=AlarmKind.DEVIATION, tag=tag, setpoint="chamber.setpoint_torr", low="-1 Torr"),
        "part": alarm(kind=AlarmKind.DEVIATION, tag=tag, setpoint="chamber.setpoint_torr", high="10 %"),
        "rate": alarm(kind=AlarmKind.RATE_OF_CHANGE, tag=tag, window_s=10.0, high="5 Torr/min"),
        "off": alarm(kind=AlarmKind.OFF_NORMAL, tag="chamber.mode", normal="auto"),
        "lost": alarm(kind=AlarmKind.COMMUNICATION, tags=(tag, "chamber.mode")),
        "free": alarm(when=f"{tag} > 1 Torr"),
    }
    causes = {name: [point.when for point in points(one)] for name, one in meant.items()}
    assert causes == {
        "limit": [f"{tag} > 2 Torr"],
        "level": [f"(chamber.mode == auto) and ({tag} < 1 Torr)"],
        "deviation": [f"{tag} - chamber.setpoint_torr < -1 Torr"],
        "part": [f"{tag} - chamber.setpoint_torr > 0.1 * chamber.setpoint_torr"],
        "rate": [f"rate({tag}, 10 s) > 5 Torr/min"],
        "off": ["chamber.mode != auto"],
        "lost": [f"bad({tag}) or bad(chamber.mode)"],
        "free": [f"{tag} > 1 Torr"],
    }


def test_each_limit_is_a_condition_of_its_own_the_most_urgent_first() -> None:
    both = alarm(
        kind=AlarmKind.LEVEL, tag="chamber.pressure_torr", high="1 Torr", high_high="2 Torr", low_low="0.1 Torr",
        outer_priority=Priority.HIGH,
    )  # fmt: skip
    made = points(both)
    assert [(point.name, point.priority) for point in made] == [
        ("watched.high_high", Priority.HIGH),
        ("watched.low_low", Priority.HIGH),
        ("watched.high", Priority.LOW),
    ]
    tool = small_furnace().model_copy(update={"alarms": (both,)})
    listed = alarm_list(Layout(tool))["watched"]
    assert (listed.module, listed.tag) == ("chamber", "chamber.pressure_torr")
    assert [listed.severity(place) for place in range(3)] == [700, 700, 200]


def test_trips_and_holds_ask_for_an_answer_and_permissives_do_not() -> None:
    listed = alarm_list(Layout(small_furnace()))
    declared = {one.name: one.cls.value for one in small_furnace().interlocks}
    assert {name for name, one in listed.items() if one.alarm is None} == {
        name for name, cls in declared.items() if cls != "permissive"
    }
    assert all(one.safety and one.max_shelve_s == 0 for one in listed.values() if one.alarm is None)


def test_all_mistakes_of_all_alarms_are_told_at_once() -> None:
    told = faults(
        alarm("a", kind=AlarmKind.LEVEL),
        alarm("b", kind=AlarmKind.LEVEL, tag="chamber.pressure_torr", high="1 Torr", low="2 Torr", normal="auto"),
        alarm("c", kind=AlarmKind.OFF_NORMAL, tag="chamber.mode", normal="autoo"),
        alarm("d", kind=AlarmKind.DISCRETE),
        alarm("e", kind=AlarmKind.LIMIT, tag="chamber.pressure_torr", high="5 °C"),
        alarm("f", when="chamber.mode == auto", safety=True, max_shelve_s=60.0, suppress={"idle": True}),
        alarm("g", when="chamber.mode == auto", re_alarm_s=1.0),
        alarm("h", kind=AlarmKind.COMMUNICATION, tags=("chamber.presure_torr",)),
        alarm("i", kind=AlarmKind.RATE_OF_CHANGE, tag="chamber.pressure_torr", high="1 Torr"),
        alarm("j", kind=AlarmKind.LIMIT, tag="chamber.pressure_torr", high="1e9 Torr"),
        alarm("k", kind=AlarmKind.LIMIT, tag="chamber.pressure_torr", high="much"),
        alarm("l", when="chamber.mode == auto", outer_priority=Priority.HIGH, max_shelve_s=1e6),
    )
    wanted = [
        "alarms[0].tag: an alarm of kind level needs it",
        "alarms[0]: needs at least one limit",
        "alarms[1].normal: means nothing",
        "alarms[1].high: must be above low",
        "alarms[2].normal: 'chamber.mode' has no state 'autoo'",
        "alarms[3].when: an alarm of kind discrete needs it",
        "alarms[4].high: '5 °C' is a temperature",
        "alarms[5].suppress: an alarm of the safety class is never suppressed",
        "alarms[5].max_shelve_s: an alarm of the safety class cannot be shelved",
        "alarms[6].re_alarm_s: 1 s is shorter than the time to respond",
        "alarms[7].tags[0]: unknown tag 'chamber.presure_torr'; did you mean",
        "alarms[8].tag: 'chamber.pressure_torr' is in Torr, which is no rate",
        "alarms[9].high: 1e9 Torr is outside of what",
        "alarms[10].high: 'much' is no quantity",
        "alarms[11].outer_priority: means nothing",
        "alarms[11].max_shelve_s: is above a week",
    ]
    missing = [one for one in wanted if not any(fault.startswith(one) for fault in told)]
    assert not missing, "\n".join(told)


@pytest.mark.parametrize(
    ("tag", "high", "low"),
    [
        ("chamber.pressure_torr", "5 Torr/min", "-100 Pa/s"),
        ("chamber.pressure_torr", "2 kPa/h", "-2 mbar/min"),
        ("zone1.temperature_c", "10 °C/min", "-0.1 K/s"),
        ("n2.flow_sccm", "100 sccm/min", "-0.1 slm/min"),
        ("throttle_pct", "10 %/s", "-20 %/min"),
    ],
)
def test_any_analogue_tag_may_change_too_fast(tag: str, high: str, low: str) -> None:
    (tag,) = [name for name in Layout(small_furnace()).declared if name.endswith(tag)]
    one = alarm(
        kind=AlarmKind.RATE_OF_CHANGE, tag=tag, window_s=10.0, high=high, low=low, hysteresis=high.replace("-", "")
    )
    assert not faults(one)
    tool = compile_tool(small_furnace().model_copy(update={"alarms": (one,)}))
    rates = tool.tables.code[tool.tables.code["op"] == Op.RATE]
    assert rates["arg"].tolist() == [tool.layout.index[tag]] * 2
    assert rates["value"].tolist() == [100.0, 100.0]  # scans of 0.1 s


@pytest.mark.parametrize(
    ("fields", "wanted"),
    [
        (
            {"high": "5 Torr"},
            "alarms[0].high: '5 Torr' is a pressure; the rate of 'chamber.pressure_torr' is in Torr/s",
        ),
        ({"high": "5 K/min"}, "alarms[0].high: '5 K/min' is a temperature rate"),
        ({"high": "1e5 Torr/s"}, "alarms[0].high: 1e5 Torr/s is more than the whole range of"),
        (
            {"high": "5 Torr/min", "window_s": 0.1},
            "alarms[0].high: column 29: a rate over 0.1 s has less than two scans",
        ),
        ({"high": "5 Torr/min", "low": "6 Torr/min"}, "alarms[0].high: must be above low"),
        ({"high": "5 Torr/min", "hysteresis": "1 Torr"}, "alarms[0].hysteresis: the expression has no comparison"),
        ({"high": "5 Torr/min", "tag": "chamber.mode"}, "alarms[0].tag: 'chamber.mode' has states"),
        ({"high": "5 Torr", "kind": AlarmKind.LIMIT}, "alarms[0].window_s: means nothing for an alarm of kind limit"),
    ],
)
def test_a_rate_that_cannot_be_is_refused_with_the_reason(fields: dict[str, Any], wanted: str) -> None:
    said: dict[str, Any] = {"kind": AlarmKind.RATE_OF_CHANGE, "tag": "chamber.pressure_torr", "window_s": 10.0}
    told = faults(alarm(**{**said, **fields}))
    assert any(fault.startswith(wanted) for fault in told), told


def test_a_window_with_too_few_values_of_its_instrument_is_refused() -> None:
    tool = small_furnace()
    modules = tuple(
        module.model_copy(
            update={"tags": tuple(
                tag.model_copy(update={"period_s": 5.0}) if tag.name == "pressure_torr" else tag for tag in module.tags
            )}
        )
        for module in tool.modules
    )  # fmt: skip
    one = alarm(kind=AlarmKind.RATE_OF_CHANGE, tag="chamber.pressure_torr", window_s=10.0, high="5 Torr/min")
    told = [f.reason for f in check_tool(tool.model_copy(update={"modules": modules, "alarms": (one,)}), "t.toml")]
    assert "'chamber.pressure_torr' has a new value only each 5 s: take its rate over at least 20 s" in told


@pytest.mark.parametrize("group", ["alone"])
def test_a_first_out_group_may_hold_alarms_and_needs_two(group: str) -> None:
    one = alarm(when="chamber.mode == auto", group=group)
    assert any("has only this member" in fault for fault in faults(one))
    assert not faults(one, alarm("other", when="chamber.mode != auto", group=group))
