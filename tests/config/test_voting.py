"""Votes among redundant causes: what a tool file may say of them, and what they come to."""

from typing import Any

import pytest

from config.checks import check_tool
from config.faults import ConfigError
from config.loading import load_model, load_tool, shipped_tool
from config.matrix import matrix
from config.text import Syntax
from config.tool import InterlockClass, Tool, Vote
from tests.config.small_furnace import text

ZONE, SPIKE = "heater.zone1.temperature_c > 950 °C", "heater.zone1.spike_c > 1050 °C"


def furnace(**changed: Any) -> list[str]:
    """Faults of the furnace with other fields in the interlock of its first zone."""
    tool = load_tool(shipped_tool("lpcvd_furnace"))
    rows = [
        row.model_validate(row.model_dump(by_alias=True, exclude={"when", "vote", "causes"}) | changed)
        if row.name == "zone1_overtemperature"
        else row
        for row in tool.interlocks
    ]
    return [f"{fault.path}: {fault.reason}" for fault in check_tool(tool.model_copy(update={"interlocks": rows}), "f")]


@pytest.mark.parametrize(
    ("vote", "unknown", "left"),
    [
        (Vote.ONE_OUT_OF_TWO, 0, "1oo2"),
        (Vote.ONE_OUT_OF_TWO, 1, "trips: an unknown cause is a vote to trip"),
        (Vote.TWO_OUT_OF_TWO, 1, "1oo1"),
        (Vote.TWO_OUT_OF_THREE, 1, "1oo2"),
        (Vote.TWO_OUT_OF_THREE, 2, "trips: an unknown cause is a vote to trip"),
    ],
)
def test_a_vote_degrades_towards_the_trip(vote: Vote, unknown: int, left: str) -> None:
    assert vote.degraded(unknown) == left


def test_redundant_thermocouples_of_the_shipped_tools_vote() -> None:
    voted = {
        f"{tool.name}.{row.name}": (row.vote, row.when)
        for tool in map(load_tool, map(shipped_tool, ("lpcvd_furnace", "pecvd_showerhead")))
        for row in tool.interlocks
        if row.vote is not None
    }
    assert voted["LPCVD-1.zone1_overtemperature"] == (Vote.ONE_OUT_OF_TWO, f"vote(1, ({ZONE}), ({SPIKE}))")
    assert voted["PECVD-1.susceptor_overtemperature"][0] is Vote.ONE_OUT_OF_TWO


def test_the_matrix_tells_the_vote_and_what_a_reset_needs() -> None:
    rows = {row.name: row for row in matrix(load_tool(shipped_tool("lpcvd_furnace"))).rows}
    assert rows["zone2_overtemperature"].manner.startswith("votes 1oo2, after 0.3 s, ")


@pytest.mark.parametrize(
    ("changed", "fault"),
    [
        ({"vote": Vote.TWO_OUT_OF_TWO, "causes": (ZONE, "heater.zone1.spike_c > 1 Torr")}, "].causes[1]: column"),
        (
            {"vote": Vote.TWO_OUT_OF_TWO, "causes": (ZONE, "heater.zone1.temperature_c > 940 °C")},
            "need instruments of",
        ),
        ({"when": ZONE, "reset_when": "heater.zone1.nothing"}, "].reset_when: column"),
        ({"when": ZONE, "class": InterlockClass.WARNING}, "].effects: a warning moves nothing"),
    ],
    ids=["a voter at fault", "one instrument twice", "reset of an unknown tag", "a warning with effects"],
)
def test_what_a_vote_cannot_be(changed: dict[str, Any], fault: str) -> None:
    assert [one for one in furnace(**changed) if fault in one]


@pytest.mark.parametrize(
    ("lines", "fault"),
    [
        ('vote = "2oo3"\ncauses = ["true_a", "true_b"]', "2oo3 is a vote of 3 causes, not of 2"),
        ('vote = "1oo2"', "vote and causes go together"),
        ('when = "a.b"\nvote = "1oo2"\ncauses = ["a.b", "a.c"]', "has two causes"),
        ("", "has no cause: give when, or vote and causes"),
    ],
)
def test_a_vote_that_does_not_add_up_is_told_when_it_is_read(lines: str, fault: str) -> None:
    row = (
        f'\n[[interlocks]]\nname = "odd"\nclass = "trip"\ndescription = "Odd"\npriority = "low"\n'
        f'consequence = "c"\naction = "a"\n{lines}\n'
    )
    whole = text()
    at = whole.index("\n[[interlocks]]")
    with pytest.raises(ConfigError, match=fault):
        load_model(whole[:at] + row + whole[at:], Tool, syntax=Syntax.TOML, file="f")
