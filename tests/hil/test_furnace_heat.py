"""The furnace as a heater: energy, heat-up, time constants, power."""

import math

import numpy as np
import pytest

from kernels import thermal
from tests.hil.furnace import Bench

FULL = {f"heater.zone{zone}.power_pct": 100.0 for zone in (1, 2, 3)}
OFF = {f"heater.zone{zone}.power_pct": 0.0 for zone in (1, 2, 3)}


def test_what_the_elements_get_is_stored_or_lost() -> None:
    """Energy is conserved through a heat-up and a cool-down, to rounding."""
    bench = Bench()
    before = bench.plant.state()
    bench.run(300, FULL)
    after = bench.run(600, OFF)
    delivered = after["delivered_j"] - before["delivered_j"]
    assert delivered == pytest.approx(3 * 9000 * 300, rel=1e-3)
    assert delivered - after["lost_j"] == pytest.approx(after["stored_j"] - before["stored_j"], abs=1.0)


def test_it_has_idled_at_700_degrees_and_is_at_rest() -> None:
    """The furnace starts from idle: every profile thermocouple at 700 °C, the load like the tube."""
    bench = Bench(parameters={"thermocouple_offset_k": 0.0, "thermocouple_noise_k": 0.0})
    state = bench.run(0.01)
    assert state["profile_k"] == pytest.approx([973.15] * 3, abs=0.2)
    assert state["load_k"] == pytest.approx([973.15] * 3, abs=1.0)
    assert bench.readings["heater.zone2.temperature_c"] == pytest.approx(700.0, abs=0.2)


def test_full_power_heats_faster_than_the_guides_ramp() -> None:
    """Ten degrees a minute from idle must leave the elements a reserve."""
    bench = Bench()
    start = bench.run(60, FULL)["load_k"][1]
    rate = (bench.run(120, FULL)["load_k"][1] - start) / 2.0
    assert 15.0 < rate < 60.0


def test_without_power_it_cools_towards_the_room() -> None:
    """Cooling is slow, falls with temperature and never crosses the room's."""
    bench = Bench()
    temperatures = [bench.run(600, OFF)["load_k"][1] for _ in range(6)]
    falls = -np.diff([973.15, *temperatures])
    assert np.all(falls > 0.0)
    assert np.all(np.diff(falls[1:]) < 0.0)
    assert temperatures[-1] > 298.0


def test_the_load_follows_the_tube_with_its_radiative_time_constant() -> None:
    """During a steady ramp the load lags by rate × C/(4σAT³), the tube's exchange being the only way in."""
    bench = Bench()
    bench.run(240, dict.fromkeys(FULL, 60.0))
    before = bench.plant.state()
    after = bench.run(20)
    rate = (after["load_k"][1] - before["load_k"][1]) / 20.0
    lag = after["tube_k"][1] - after["load_k"][1]
    constant = thermal.radiative_time_constant(1600.0, 0.12, (after["tube_k"][1] + after["load_k"][1]) / 2.0)
    assert lag / rate == pytest.approx(constant, rel=0.1)
    assert 30.0 < constant < 120.0


def test_a_zone_warms_its_neighbour_by_a_tenth_to_a_third() -> None:
    """Heat in one zone only: the middle zone couples 10 to 30 % to the next (usual of three-zone furnaces)."""
    bench, alone = Bench(), Bench()
    still = alone.run(900, dict.fromkeys(FULL, 35.0))
    moved = bench.run(900, {**dict.fromkeys(FULL, 35.0), "heater.zone1.power_pct": 45.0})
    own = moved["load_k"][0] - still["load_k"][0]
    neighbour = moved["load_k"][1] - still["load_k"][1]
    assert own > 5.0
    assert 0.05 < neighbour / own < 0.35


def test_a_broken_element_gives_no_heat_in_its_zone() -> None:
    """Zone 3's element breaks: its load cools while the others stay."""
    bench = Bench()
    bench.plant.inject({"fault": "element_broken", "zone": 3})
    state = bench.run(300, dict.fromkeys(FULL, 30.0))
    assert state["load_k"][2] < state["load_k"][0] - 20.0


def test_the_independent_controller_cuts_a_runaway_by_wire() -> None:
    """Full power for ever: the spike never goes far beyond 1100 °C, and the contact tells."""
    bench = Bench()
    hottest = max(bench.run(60, FULL)["spike_k"][1] for _ in range(40))
    assert hottest - 273.15 < 1105.0
    assert bench.readings["heater.overtemperature_ok"] == 0.0
    assert math.isfinite(hottest)
