"""Heat: the published laser case, radiation beside its definition."""

import pytest

from kernels import thermal


def test_radiation_of_a_black_square_metre() -> None:
    """5.67 kW/m² at 562.34 K (σT⁴), and nothing between equals."""
    assert thermal.radiative_exchange(1.0, 1000.0, 0.0) == pytest.approx(56703.74419, rel=1e-9)
    assert thermal.radiative_exchange(1.0, 900.0, 900.0) == 0.0
    assert thermal.radiative_exchange(2.0, 300.0, 400.0) == pytest.approx(-2 * 5.670374419e-8 * (400**4 - 300**4))
