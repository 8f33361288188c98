"""A seeded sample of the campaign in which controllers are killed; the full count is `make kill-campaign`."""

from pathlib import Path

import pytest

from tests.system.kill_controller import kill_controllers

pytestmark = [pytest.mark.anyio, pytest.mark.slow]


@pytest.mark.timeout(240)
async def test_a_controller_that_is_killed_in_a_run_is_followed_by_one_that_knows_everything(tmp_path: Path) -> None:
    tally = await kill_controllers(2, 11, tmp_path, minutes=3)
    assert tally.faults == []
    assert (tally.kills, tally.lost) == (2, 0)
    assert tally.acknowledged > 4
