"""A sample of the campaign that executes every shipped recipe again from its tape: `make replay-campaign` has all."""

from pathlib import Path

from tests.system.replay_campaign import replayed


def test_a_shipped_recipe_is_executed_again_bit_for_bit(tmp_path: Path) -> None:
    found = replayed("hwcvd_asi_100nm", tmp_path)
    assert found["identical"]
    assert found["digests"] > 500
