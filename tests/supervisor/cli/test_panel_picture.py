"""What the panel makes of the values it gets: never an old or a Bad value as a number, never a move beyond limits."""

import math
from typing import Any

import pytest

from supervisor.cli.panel import views
from supervisor.cli.panel.catalogue import AlarmInfo, Catalogue, InterlockInfo, TagInfo
from supervisor.cli.panel.picture import Picture

VALVE = TagInfo("Equipment/gas/sih4.valve", "gas", "sih4.valve", "", 0, 1, ("closed", "open"), movable=True)
HEAT = TagInfo("Equipment/heater/t_c", "heater", "t_c", "°C", 0, 950, (), movable=False)
GUARD = InterlockInfo("hot", "heater.t_c > 900 °C", "trip", "high", "melts", "wait", {"gas.sih4.valve": "0"}, True, 60)


@pytest.fixture
def picture() -> Picture:
    shown = Picture()
    alarms = {
        name: AlarmInfo(name, priority, "c", "a", False, 0) for name, priority in (("slow", "low"), ("hot", "high"))
    }
    shown.begin(Catalogue("T", {one.path: one for one in (VALVE, HEAT)}, {"hot": GUARD}, alarms, ("vent",)))
    return shown


@pytest.mark.parametrize(
    ("info", "text", "value"), [(VALVE, "open", 1.0), (VALVE, " closed ", 0.0), (HEAT, "12.5", 12.5), (HEAT, "0", 0.0)]
)
def test_what_is_entered_is_read(info: TagInfo, text: str, value: float) -> None:
    assert info.entered(text) == value


@pytest.mark.parametrize(
    ("info", "text", "why"),
    [
        (VALVE, "1", "none of: closed | open"),
        (HEAT, "951", "outside 0 … 950 °C"),
        (HEAT, "-1", "outside"),
        (HEAT, "nan", "outside"),
        (HEAT, "inf", "outside"),
        (HEAT, "hot", "no number"),
        (HEAT, "", "no number"),
    ],
)
def test_what_cannot_be_is_refused_with_the_reason(info: TagInfo, text: str, why: str) -> None:
    with pytest.raises(ValueError, match=why.replace("|", r"\|")):
        info.entered(text)


def test_a_bad_value_is_no_number_and_no_state(picture: Picture) -> None:
    picture.take(HEAT.path, 640.0, True)
    assert picture.tag(HEAT) == "640"
    picture.take(HEAT.path, 640.0, False)
    picture.take(VALVE.path, 1.0, False)
    assert picture.tag(HEAT) == picture.tag(VALVE) == "Bad"
    assert picture.number(HEAT.path) is None
    picture.take(VALVE.path, 7.0, True)
    assert picture.tag(VALVE) == "state 7?"


def test_nothing_old_stays_when_the_connection_is_lost(picture: Picture) -> None:
    picture.take(HEAT.path, 640.0, True)
    picture.take("State/Mode", "Ready", True)
    picture.lose()
    assert picture.tag(HEAT) == "Bad"
    assert picture.text("State/Mode") == "?"


@pytest.mark.parametrize(
    ("state", "held"), [("Active", True), ("Latched", True), ("Normal", False), ("Bypassed", False)]
)
def test_why_not_names_the_interlocks_in_force_with_their_causes(picture: Picture, state: str, held: bool) -> None:
    picture.take("Interlocks/hot/State", state, True)
    picture.take("Interlocks/hot/Why", "it is 930 °C", True)
    chain = [f"gas.sih4.valve = 0 ← hot (trip, {state}) ← it is 930 °C"] if held else []
    assert picture.why_not("gas.sih4.valve") == chain
    assert picture.why_not("gas.other") == []


def test_the_most_urgent_alarm_is_first_and_what_asks_for_nothing_is_not_there(picture: Picture) -> None:
    for name in ("slow", "hot"):
        picture.take(f"Alarms/{name}/Retain", True, True)
    assert [line.name for line in picture.alarms()] == ["hot", "slow"]
    picture.take("Alarms/hot/Retain", False, True)
    assert [line.name for line in picture.alarms()] == ["slow"]


def test_a_trend_has_a_gap_where_the_value_was_bad(picture: Picture) -> None:
    values: list[tuple[Any, bool]] = [(600.0, True), (None, False), (700.0, True)]
    for value, good in values:
        picture.take(HEAT.path, value, good)
        picture.remember([HEAT.path])
    past = list(picture.past[HEAT.path])
    assert past[::2] == [600, 700]
    assert math.isnan(past[1])
    head, curve, _ = views.trends(picture, [HEAT.path], 80)
    assert head == "heater.t_c   700 °C   600 … 700"
    assert curve == "▁ █"


def test_the_matrix_has_a_column_for_each_output(picture: Picture) -> None:
    picture.take("Interlocks/hot/State", "Normal", True)
    assert list(views.matrix_heads(picture)) == ["interlock", "class", "state", "1"]
    assert list(views.matrix(picture)) == [("hot", ["hot", "trip", "Normal", "0"])]
    assert views.legend(picture) == "1 gas.sih4.valve"
