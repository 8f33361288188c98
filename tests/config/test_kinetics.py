"""Chemistry as a table: the shipped diamond mechanism, gas after a residence, and what is refused."""

import sys
from pathlib import Path

import numpy as np
import pytest

from config.kinetics import Grid, KineticsError, Plan, parse_grid, tabulate
from config.kinetics.mechanism import Mechanism
from kernels import lookup


def diamond(**changed: object) -> Plan:
    given: dict[str, object] = {
        "mechanism": "diamond.yaml", "temperature": Grid(1150.0, 1250.0, 3), "pressure": Grid(2000.0, 4000.0, 3),
        "fractions": {"H": Grid(5e-4, 3e-3, 4)}, "surface": "diamond_100", "tolerance": 0.01, "held_out": 40,
    }  # fmt: skip
    return Plan(**given | changed)  # type: ignore[arg-type]


def test_a_table_keeps_its_stated_error_at_points_it_has_never_seen(tmp_path: Path) -> None:
    """Other points than the held-out ones, after a way through a file: within twice the stated error."""
    plan = diamond()
    tabulate(plan).save(tmp_path / "diamond.npz")
    table = lookup.load(tmp_path / "diamond.npz")
    assert max(table.about["error"].values()) <= 0.01
    mechanism = Mechanism(plan)
    for i in range(25):
        point = {"temperature": 1153.0 + 3.7 * i, "pressure": 2100.0 + 71.0 * i, "H": 6e-4 * 1.06**i}
        want, got = mechanism.evaluate(point)["growth:diamond"], table(**point)["growth:diamond"]
        assert got == pytest.approx(want, rel=2.0 * table.about["error"]["growth:diamond"] + 1e-9)


def test_a_gas_mechanism_is_tabulated_over_its_residence() -> None:
    """Hydrogen and oxygen at 1100 K: what is left after a residence time adds up to all there is."""
    plan = Plan(
        "h2o2.yaml", Grid(1000.0, 1050.0, 3), Grid(101325.0, 101325.0, 1), {"H2": Grid(0.01, 0.02, 3)},
        base={"O2": 1.0, "N2": 4.0}, residence_s=1e-6, tolerance=0.05, held_out=10,
    )  # fmt: skip
    found = tabulate(plan)(temperature=1025.0, pressure=101325.0, H2=0.015)
    assert sum(found.values()) == pytest.approx(1.0, abs=1e-4)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"mechanism": "nothing.yaml"}, "nothing.yaml"),
        ({"surface": "diamond_111"}, "diamond_111"),
        ({"fractions": {"SiH4": Grid(1e-3, 1e-2, 3)}}, "no SiH4; it has H"),
        ({"fractions": {"H": Grid(0.5, 1.5, 3)}}, "at most 1"),
        ({"temperature": Grid(1300.0, 1200.0, 3)}, "temperature: 1300 must be below 1200"),
        ({"pressure": Grid(-1.0, 10.0, 3)}, "must be finite and above 0"),
        ({"tolerance": 0.0}, "tolerance must be"),
        ({"surface": None}, "needs a residence time"),
        ({"base": {"H": 1.0}}, "name a carrier"),
    ],
)
def test_a_plan_that_cannot_be_is_refused(changed: dict[str, object], words: str) -> None:
    with pytest.raises(KineticsError, match=words):
        tabulate(diamond(**changed))


def test_without_cantera_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cantera", None)
    monkeypatch.setattr("config.kinetics.mechanism.find_spec", lambda _name: None)
    with pytest.raises(KineticsError, match=r"pip install 'cvd-supervisor\[kinetics\]'"):
        Mechanism(diamond())


@pytest.mark.parametrize("text", ["", "a", "1:2", "1:2:3:4", "1:2:x", "nan:2:x"])
def test_a_range_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(KineticsError, match="LOW:HIGH:COUNT"):
        parse_grid(text)


def test_a_table_says_nothing_outside_of_itself(tmp_path: Path) -> None:
    """Beyond an axis, without an axis, with one too many; files that are none."""
    table = lookup.Table([lookup.Axis("t", (1.0, 2.0, 3.0)), lookup.Axis("p", (1.0, 10.0), "log")], ["r"],
                         [[[1.0], [2.0]], [[2.0], [3.0]], [[3.0], [4.0]]])  # fmt: skip
    assert table(t=2.0, p=10.0)["r"] == pytest.approx(3.0)
    for at in ({"t": 4.0, "p": 1.0}, {"t": float("nan"), "p": 1.0}, {"t": 2.0}, {"t": 2.0, "p": 1.0, "q": 1.0}):
        with pytest.raises(ValueError, match=r"must be|missing|no axis"):
            table(**at)
    broken = tmp_path / "broken.npz"
    for content in (b"", b"PK\x03\x04 nothing", b"\x93NUMPY"):
        broken.write_bytes(content)
        with pytest.raises(ValueError, match="no table of rates"):
            lookup.load(broken)
    for axes, values in (
        ([], [1.0]),
        ([lookup.Axis("t", (1.0, 2.0))], [[1.0]]),
        ([lookup.Axis("t", (1.0, 2.0))], [[1.0], [float("nan")]]),
    ):  # fmt: skip
        with pytest.raises(ValueError, match=r"axes|shape|finite"):
            lookup.Table(axes, ["r"], values)


def test_interpolation_is_exact_for_cubics_in_the_axes_coordinates() -> None:
    """Four points along each axis: an Arrhenius law over 1/T with powers of p and x is met to rounding."""
    t, p, x = np.linspace(800.0, 1200.0, 6), np.geomspace(1.0, 100.0, 5), np.geomspace(1e-4, 1e-2, 4)
    values = np.exp(-2e4 / t)[:, None, None] * p[None, :, None] ** 0.5 * x[None, None, :] ** 1.5
    table = lookup.Table(
        [lookup.Axis("t", tuple(t), "reciprocal"), lookup.Axis("p", tuple(p), "log"),
         lookup.Axis("x", tuple(x), "log")],
        ["r"], values[..., None],
    )  # fmt: skip
    assert table(t=987.0, p=33.0, x=3e-3)["r"] == pytest.approx(np.exp(-2e4 / 987.0) * 33.0**0.5 * 3e-3**1.5, rel=1e-11)
