"""The worst reaction to a silent instrument is worked out from the file and the profiles."""

import pytest

from config.profiles import profiles_of
from config.reaction import reactions
from tests.config.minimal_tool import tool_of
from tests.supervisor.controller.wired_stand import wired_data


def test_staleness_two_scans_and_the_slowest_other_link_add_up() -> None:
    tool = tool_of(wired_data())
    rows = {row.device: row for row in reactions(tool, profiles_of(tool))}
    # Gauge: read every 0.25 s, Bad after five periods. The slowest write elsewhere is the valve's: 10 ms until the
    # output is looked at, 0.5 s for an exchange that fails, 0.5 s of quiet, 0.5 s + 10 ms gap for the write itself.
    assert rows["gauge"].staleness_s == pytest.approx(1.25)
    assert rows["valve"].write_s == pytest.approx(0.01 + 0.5 + 0.5 + 0.51)
    assert rows["gauge"].slowest == "valve"
    assert rows["gauge"].total_s == pytest.approx(1.25 + 0.02 + 1.52)
    assert rows["gauge"].write_s is None
    assert rows["io"].watchdog_s == 1.0
    assert rows["valve"].staleness_s is None
    assert rows["valve"].total_s is None
