"""kernels.vacuum: arguments, directions and refusals."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernels import vacuum

positive = st.floats(1e-6, 1e3)


@given(positive, st.lists(positive, max_size=4))
def test_conductances_only_slow_a_pump(speed: float, conductances: list[float]) -> None:
    """Behind any line the speed is less than each of its parts."""
    effective = vacuum.effective_speed(speed, *conductances)
    assert 0.0 < effective <= min([speed, *conductances])


def test_conductances_in_series() -> None:
    """Two equal ones halve; a closed one leaves nothing."""
    assert vacuum.effective_speed(0.1, 0.1) == pytest.approx(0.05)
    assert vacuum.effective_speed(0.1, 0.0) == 0.0
    assert vacuum.effective_speed(0.1) == 0.1


@given(st.floats(0.0, 1.0), st.floats(0.0, 1.0))
def test_a_throttle_opens_monotonically(one: float, other: float) -> None:
    """More open is never less conductance."""
    a, b = sorted((one, other))
    assert vacuum.throttle_conductance(a, 1e-4, 0.15) <= vacuum.throttle_conductance(b, 1e-4, 0.15)


def test_a_throttle_s_ends() -> None:
    """Closed it leaks, open it has all."""
    assert vacuum.throttle_conductance(0.0, 1e-4, 0.15) == pytest.approx(1e-4)
    assert vacuum.throttle_conductance(1.0, 1e-4, 0.15) == pytest.approx(0.1501)
    with pytest.raises(ValueError, match="opening must be 0 … 1"):
        vacuum.throttle_conductance(1.1, 1e-4, 0.15)


def test_a_pump_stops_at_its_ultimate_pressure() -> None:
    """Full speed far above, nothing at and below."""
    assert vacuum.pump_speed(0.1, 1000.0, 0.1) == pytest.approx(0.1, rel=2e-4)
    assert vacuum.pump_speed(0.1, 0.1, 0.1) == 0.0
    assert vacuum.pump_speed(0.1, 0.05, 0.1) == 0.0


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: vacuum.steady_pressure(1e-4, 0.0), "speed_m3_s must be above 0"),
        (lambda: vacuum.steady_pressure(-1e-4, 0.1), "must not be negative"),
        (lambda: vacuum.steady_pressure(1e-4, 0.1, 0.0), "temperature_k must be above 0"),
        (lambda: vacuum.residence_time(1.0, 0.0), "speed_m3_s must be above 0"),
        (lambda: vacuum.purge_cycles(1.0, 1e-6, 1.0, 1.0), "high_pa above low_pa"),
        (lambda: vacuum.purge_cycles(1e-6, 1e-6, 2.0, 1.0), "from_fraction above to_fraction"),
        (lambda: vacuum.purge_time(1.0, 1e-6, 100.0, 0.04, 0.0), "flow_mol_s must be above 0"),
    ],
)
def test_what_has_no_meaning_is_refused(call: object, words: str) -> None:
    """With the argument's name."""
    assert callable(call)
    with pytest.raises(ValueError, match=words):
        call()
