"""Every interlock of the furnace and of the plasma reactor is violated once, and every effect of it is seen."""

import pytest

from config.loading import load_tool, shipped_tool
from tests.supervisor.controller.violation import Search, complaint, play


@pytest.mark.parametrize("name", ["lpcvd_furnace", "pecvd_showerhead"])
def test_each_interlock_acts_in_the_scan_in_which_its_cause_has_lasted_for_its_delay(name: str) -> None:
    search = Search(load_tool(shipped_tool(name)))
    assert [told for told in (complaint(search, row) for row in search.interlocks) if told] == []


def test_an_interlock_that_had_lost_an_effect_would_be_found() -> None:
    tool = load_tool(shipped_tool("pecvd_showerhead"))
    search = Search(tool)
    index = search.layout.condition_index["susceptor_overtemperature"]
    search.tables.conditions["effect_count"][index] -= 1
    assert complaint(search, index).startswith("susceptor_overtemperature: ")


def test_an_interlock_that_comes_late_would_be_found() -> None:
    search = Search(load_tool(shipped_tool("pecvd_showerhead")))
    index = search.layout.condition_index["susceptor_overtemperature"]
    (values, *_) = search.violations(index)
    assert play(search, index, values).active
    search.tables.conditions["on_delay"][index] += 5
    played = play(search, index, values, delay=search.tables.conditions["on_delay"][index] - 5)
    assert not played.active
