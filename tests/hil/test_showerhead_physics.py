"""The simulated reactor answers as physics says: power, pressure, match, gas and film, without a scan."""

from typing import Any

import pytest

from hil.parts.optical import starved
from hil.showerhead.metrology import stress_mpa
from tests.hil.showerhead import ReactorBench

NITRIDE = {"sih4": 200.0, "nh3": 400.0, "n2": 600.0}


def test_every_mole_is_somewhere() -> None:
    """What was fed is in the chamber, pumped or reacted, species by species."""
    bench = ReactorBench()
    begin = bench.plant.state()["amount_mol"]
    state = bench.burn(400.0, **NITRIDE)
    for gas, fed in state["fed_mol"].items():
        rest = begin[gas] + fed - state["pumped_mol"][gas] - state["reacted_mol"][gas]
        assert state["amount_mol"][gas] == pytest.approx(rest, abs=1e-12)
    # The gas gives up in the coming tenth of a second what the film has taken in this one.
    assert state["reacted_mol"]["SiH4"] == pytest.approx(state["deposited_mol"], rel=2e-3)


def test_heat_is_conserved() -> None:
    bench = ReactorBench()
    before = bench.plant.state()
    after = bench.run(600.0, {"heater.zone1.power_pct": 40.0})
    gained = after["stored_j"] - before["stored_j"]
    assert gained == pytest.approx(after["delivered_j"] - after["lost_j"], rel=1e-9)


def test_density_grows_with_power_and_the_bias_with_its_root() -> None:
    weak, strong = (ReactorBench().burn(watts, **NITRIDE) for watts in (100.0, 400.0))
    assert strong["electron_density_m3"] == pytest.approx(4 * weak["electron_density_m3"], rel=0.1)
    assert strong["bias_v"] == pytest.approx(2 * weak["bias_v"], rel=0.03)
    assert 1e15 < weak["electron_density_m3"] < 1e17
    assert 1.0 < weak["electron_temperature_ev"] < 4.0


def test_the_bias_falls_with_pressure() -> None:
    low = ReactorBench().burn(300.0, throttle_pct=60.0, **NITRIDE)
    high = ReactorBench().burn(300.0, throttle_pct=22.0, **NITRIDE)
    assert high["pressure_pa"] > 1.5 * low["pressure_pa"]
    assert abs(high["bias_v"]) < 0.8 * abs(low["bias_v"])


def test_the_match_comes_within_half_a_second_of_lighting() -> None:
    """Strikes after some chance wait, then both capacitors find the load: under 1 % is reflected."""
    bench = ReactorBench()
    bench.burn(0.0, **NITRIDE)
    lit_s = 0.0
    bench.run(0.01, {"rf.power_w": 300.0, "rf.enable": 1.0})
    while not bench.plant.state()["lit"]:
        bench.run(0.01)
        lit_s += 0.01
    assert 0.04 < lit_s < 0.4
    state = bench.run(0.5)
    assert state["reflected_w"] < 0.01 * state["forward_w"]
    resistance, reactance = state["load_ohm"]
    assert 2.0 < resistance < 20.0
    assert -500.0 < reactance < -50.0


def test_film_follows_power_and_starves_with_little_silane() -> None:
    """Rate rises with power; with a tenth of the silane more of it is used up, and less grows."""
    weak, strong = (ReactorBench().burn(watts, **NITRIDE) for watts in (200.0, 400.0))
    lean = ReactorBench().burn(400.0, sih4=20.0, nh3=400.0, n2=780.0)
    assert 1.5 < strong["rate_m_s"] / weak["rate_m_s"] < 2.1
    assert lean["rate_m_s"] < 0.3 * strong["rate_m_s"]

    def used(state: dict[str, Any]) -> float:
        return state["reacted_mol"]["SiH4"] / state["fed_mol"]["SiH4"]

    assert used(lean) > used(strong)


def test_no_plasma_no_film() -> None:
    assert ReactorBench().burn(0.0, **NITRIDE)["thickness_m"] == [0.0, 0.0, 0.0]


def test_film_on_the_walls_ages_the_process() -> None:
    """Bias and match drift with what is on the walls: reason for the clean."""
    fresh, old = (ReactorBench(wall_film_nm=nm).burn(300.0, **NITRIDE) for nm in (0.0, 5000.0))
    assert abs(old["bias_v"]) < 0.95 * abs(fresh["bias_v"])
    assert old["rate_m_s"] > 1.01 * fresh["rate_m_s"]


def test_the_sign_of_the_nitrides_stress_follows_the_frequency() -> None:
    """Published: +400 MPa at 13.56 MHz, −200 MPa at 50 kHz."""
    assert stress_mpa("Si3N4", 573.15, 13.56, -100.0) == pytest.approx(400.0, abs=50.0)
    assert stress_mpa("Si3N4", 573.15, 0.05, -100.0) == pytest.approx(-200.0, abs=50.0)


def test_the_index_rises_with_silicon_that_found_no_nitrogen() -> None:
    assert starved("Si3N4-plasma", 5.0) == pytest.approx(2.0, abs=0.001)
    assert starved("Si3N4-plasma", 0.1) > starved("Si3N4-plasma", 0.5) > 2.01
    assert starved("SiO2-plasma", 10.0) == pytest.approx(1.45, abs=0.001)


def test_the_same_seed_gives_the_same_film_and_another_one_another() -> None:
    first, again, other = (ReactorBench(seed=seed).burn(300.0, **NITRIDE)["thickness_m"] for seed in (4, 4, 5))
    assert first == again
    assert first != other
