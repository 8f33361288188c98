"""The three zones of the furnace under their loops and under the predictor, and what happens when something fails."""

from functools import cache

import numpy as np
import pytest

from kernels.tables import Command, GroupState
from tests.hil.furnace import shipped_furnace
from tests.hil.regulated import Ramp, Regulated, ramp

ZONES = (1, 2, 3)
PROFILES = [f"heater.zone{zone}.temperature_c" for zone in ZONES]
POWERS = [f"heater.zone{zone}.power_pct" for zone in ZONES]
MODES = {f"heater.zone{zone}.mode": 2.0 for zone in ZONES}


@cache
def ramped(control: str) -> Ramp:
    """The ramp to 800 °C and the disturbance after it; some seconds of computing."""
    return ramp(control)


def test_the_predictor_ramps_to_800_degrees_without_overshoot_and_the_zones_stay_within_a_kelvin() -> None:
    found = ramped("mpc")
    assert found.control[-1] == GroupState.MPC  # and nothing made it give up
    assert found.overshoot < 0.5
    assert found.settling_s <= 90.0
    assert found.spread <= 1.0
    assert found.disturbed < 0.5
    assert found.recovered_s == 0.0


def test_the_loops_do_it_too_with_more_overshoot_a_longer_settling_and_more_movement_of_power() -> None:
    loops, predictor = ramped("pid"), ramped("mpc")
    assert loops.control == []
    assert loops.spread <= 1.0
    assert loops.disturbed < 0.5
    assert predictor.overshoot < 0.5 * loops.overshoot
    assert predictor.settling_s < 0.5 * loops.settling_s
    assert predictor.power_noise < loops.power_noise


@pytest.fixture
def furnace() -> Regulated:
    """The furnace, half an hour at 700 °C, the predictor in control."""
    furnace = Regulated("lpcvd_furnace")
    furnace.set(MODES)
    furnace.run(1500)
    furnace.write(heater__control=1.0)
    furnace.run(300)
    assert furnace.controls[-1] == GroupState.MPC
    furnace.log.clear()
    return furnace


def powers(furnace: Regulated, seconds: float) -> np.ndarray:
    """Return the powers in every scan, [scans, zones]."""
    rows = []
    for _ in range(round(seconds * furnace.per_s)):
        furnace.scan.advance(1)
        rows.append(furnace.value(*POWERS))
    furnace.log.extend(furnace.scan.events())
    return np.array(rows)


def test_an_operator_changes_between_predictor_and_loops_and_the_power_does_not_jump(furnace: Regulated) -> None:
    for choice, expected in ((0.0, GroupState.PID), (1.0, GroupState.MPC)):
        before = powers(furnace, 20)
        furnace.write(heater__control=choice)
        assert np.abs(furnace.value(*POWERS) - before[-1]).max() < 1.0  # where the scan after it begins
        after = powers(furnace, 20)
        assert np.abs(after.mean(axis=0) - before.mean(axis=0)).max() < 4.0  # noise of one reading, times the gains
        assert furnace.controls[-1] == expected
        assert np.abs(furnace.value(*PROFILES) - 700.0).max() < 1.0


def test_a_lost_thermocouple_hands_the_other_zones_to_their_loops_without_a_jump(furnace: Regulated) -> None:
    before = furnace.value(*POWERS)
    furnace.scan.post(furnace.index["heater.zone2.temperature_c"], 0.0, 0x80000000, 1)
    furnace.run(0.01)
    assert furnace.controls == [GroupState.BAD_SENSOR]
    assert furnace.value("heater.control") == 0.0  # it comes back only when somebody chooses it
    after = furnace.value(*POWERS)
    assert after[1] == 0.0  # what nobody measures is not heated, as ever
    assert np.abs((after - before)[[0, 2]]).max() < 1.0
    furnace.run(60)
    assert furnace.controls == [GroupState.BAD_SENSOR]
    assert abs(furnace.value("heater.zone1.temperature_c") - 700.0) < 5.0


def test_a_thermocouple_that_slipped_makes_the_predictor_give_up(furnace: Regulated) -> None:
    tag = "heater.zone2.temperature_c"
    before = furnace.value(*POWERS)
    furnace.scan.command(Command.FORCE, furnace.index[tag], furnace.value(tag) - 40.0)
    furnace.run(5.0)
    assert furnace.controls == [GroupState.STALE]
    assert furnace.value("heater.control_state") == GroupState.STALE
    assert np.abs(furnace.value(*POWERS) - before)[[0, 2]].max() < 15.0  # PID goes on from where it was


def test_a_power_beyond_what_the_predictor_may_ask_for_is_no_case_for_it() -> None:
    tool = shipped_furnace()
    zones = tool.groups[0]
    weak = tuple(member.model_copy(update={"high": 10.0, "rate_per_s": 0.1}) for member in zones.members)
    furnace = Regulated(tool.model_copy(update={"groups": (zones.model_copy(update={"members": weak}),)}))
    furnace.set(MODES)
    furnace.run(1200)
    furnace.write(heater__control=1.0)  # 700 °C need 25 %
    furnace.run(100)
    assert GroupState.INFEASIBLE in furnace.controls
    assert GroupState.MPC not in furnace.controls
    assert furnace.value("heater.control") == 0.0
    assert np.abs(furnace.value(*PROFILES) - 700.0).max() < 5.0


def test_one_zone_taken_by_hand_leaves_the_others_to_their_loops_until_it_is_given_back(furnace: Regulated) -> None:
    furnace.write(heater__zone3__mode=1.0)
    assert furnace.controls == [GroupState.WAITING]
    held = furnace.value("heater.zone3.power_pct")
    furnace.run(30)
    assert furnace.value("heater.zone3.power_pct") == held
    furnace.write(heater__zone3__mode=2.0)
    furnace.run(5)
    assert furnace.controls == [GroupState.WAITING, GroupState.MPC]


def test_a_trip_takes_the_power_and_nothing_comes_back_by_itself(furnace: Regulated) -> None:
    furnace.scan.command(Command.DISARM)
    furnace.run(0.02)
    assert furnace.value(*POWERS).tolist() == [0.0, 0.0, 0.0]
    furnace.scan.command(Command.ARM)
    furnace.run(30)
    assert furnace.value(*POWERS).tolist() == [0.0, 0.0, 0.0]
    assert furnace.controls == [GroupState.WAITING]
