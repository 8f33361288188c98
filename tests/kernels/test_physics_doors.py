"""Every door of the physics: arguments that are no numbers, zero, negative, extreme: a number or an error."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kernels import growth, stagnation, transport
from tests.kernels import doors


def test_every_public_function_has_a_door_here() -> None:
    """Whoever adds a kernel adds sound arguments of it to doors.py."""
    assert doors.missing() == []


@pytest.mark.parametrize(
    ("door", "arguments"), doors.DOORS, ids=[f"{d.__name__}-{i}" for i, (d, _) in enumerate(doors.DOORS)]
)
def test_a_door_answers_with_a_number_or_an_error(door: Callable[..., Any], arguments: dict[str, Any]) -> None:
    """Sound arguments make finite numbers; each number is then replaced by what is none, too small, too large."""
    assert all(math.isfinite(number) for number in doors.numbers(door(**arguments)))
    for name, value in arguments.items():
        for bad in doors.BAD:
            for changed in doors.replaced(value, bad):
                try:
                    found = list(doors.numbers(door(**arguments | {name: changed})))
                except (ValueError, ArithmeticError):
                    continue
                assert not any(math.isnan(number) for number in found), f"{name}={changed}"
                assert math.isinf(bad) or not any(math.isinf(number) for number in found), f"{name}={changed}"
                assert not math.isnan(bad), f"{name}={changed} was taken"


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_doors_bear_many_strange_numbers_at_once(data: st.DataObject) -> None:
    """Every number drawn from 1e-300 … 1e300, signs, infinities: an error or numbers, never NaN, never a hang."""
    door, arguments = data.draw(st.sampled_from(doors.DOORS))
    strange = st.one_of(st.sampled_from(doors.BAD), st.floats(allow_nan=True, allow_infinity=True))
    for name, value in arguments.items():
        if data.draw(st.booleans()):
            candidates = list(doors.replaced(value, data.draw(strange)))
            arguments = arguments | {name: data.draw(st.sampled_from(candidates))} if candidates else arguments
    try:
        found = list(doors.numbers(door(**arguments)))
    except (ValueError, ArithmeticError):
        return
    assert not any(math.isnan(number) for number in found), f"{door.__name__}({arguments})"


@given(
    st.sampled_from(["He", "H2", "N2", "Ar"]), st.floats(1e-6, 0.9), st.floats(400.0, 1600.0), st.floats(1.0, 2e5),
    st.floats(1e-3, 10.0), st.floats(0.005, 0.3), st.floats(1e-8, 1.0), st.booleans(),
)  # fmt: skip
@settings(max_examples=60, deadline=None)
def test_no_more_grows_than_comes_in(
    carrier: str,
    fraction: float,
    hot: float,
    pressure: float,
    velocity: float,
    gap: float,
    sticking: float,
    soret: bool,
) -> None:
    """Over all conditions: finite, not negative, at most the feed."""
    try:
        solved = stagnation.stagnation_growth(
            "SiH4", carrier, fraction, hot, 300.0, pressure, velocity, gap, sticking=sticking, soret=soret, nodes=48
        )
    except ArithmeticError:
        return  # no steady flow: said, not hidden
    feed = velocity * fraction * pressure / (8.314462618 * 300.0)
    assert 0.0 <= solved.rate_mol_m2_s <= feed * 1.02


@pytest.mark.parametrize("film", sorted(growth.FILMS))
def test_a_tube_conserves_what_it_is_fed(film: str) -> None:
    """Every film: moles of each gas that the film takes are those that are missing at the end; never below 0."""
    inlet = {gas_: 1e-5 for gas_, per in growth.FILMS[film].consumed.items() if per > 0.0} | {"H2": 1e-4, "N2": 1e-4}
    temperature = {"W": 700.0, "SiO2-TEOS": 980.0}.get(film, 900.0)
    areas = np.full(12, 0.05)
    tube = transport.hot_wall_tube(film, np.full(12, temperature), areas, inlet, 100.0)
    made = float(tube.growth_m_s @ areas) / growth.MOLAR_VOLUME[film]
    assert np.all(np.isfinite(tube.growth_m_s))
    assert 0.0 <= tube.conversion <= 1.0
    for name, per in growth.FILMS[film].consumed.items():
        if name in inlet and name in tube.outlet_mol_s:
            assert inlet[name] - tube.outlet_mol_s[name] == pytest.approx(per * made, rel=1e-6, abs=1e-17)
