"""A tag's or signal's name says its unit, with or without `per` (the guide writes `nm_per_min`)."""

import pytest

from config.checks.tags import unit_of_name


@pytest.mark.parametrize(
    ("name", "symbol"),
    [
        ("metrology.deposition_rate_nm_min", "nm/min"),
        ("deposition_rate_nm_per_min", "nm/min"),
        ("qcm_rate_nm_per_s", "nm/s"),
        ("heater.zone1.temperature_c", None),
        ("step_elapsed_min", "min"),
    ],
)
def test_the_last_words_of_a_name_are_its_unit(name: str, symbol: str | None) -> None:
    unit = unit_of_name(name)
    assert (unit.symbol if unit else None) == symbol
