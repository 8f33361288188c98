"""The rotating-disk reactor: bubblers, run/vent, transport to the disk, and its gallium nitride."""

import pytest

from hil.errors import PlantError
from hil.plant import create
from kernels.sources import bubbler_flow
from kernels.tables import RunState
from tests.hil.chambers import ChamberBench, ChamberRun, chamber_tool, grown

WARM = {"vacuum.throttle_valve.position_pct": 20.0, "gas_panel.purge.shut": 1.0, "rotation.setpoint_rpm": 1000.0}


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_tenth_of_the_guides_gan_recipe_makes_a_tenth_of_its_film(seed: int) -> None:
    """200 nm of 2 µm on every seed, even within its target, and nothing trips."""
    result = grown("mocvd_rdr", "mocvd_gan_2um", seed, share=0.1, faster=10.0)
    assert result.state == "COMPLETE"
    assert not [one for one in result.alarms if one.cls in {"trip", "hold"}]
    assert result.metrology["film"] == "GaN"
    assert result.metrology["thickness_mean_nm"] == pytest.approx(200.0, rel=0.06)
    assert result.metrology["thickness_uniformity_pct"] < 5.0
    assert result.times_real_time > 0.0


def test_a_bubbler_gives_what_its_carrier_takes_up() -> None:
    """The same flow as the kernel's equation, in the chamber's balance and on the concentration meter."""
    bench = ChamberBench("mocvd_rdr", mfc_gain=0.0)
    state = bench.run(60.0, WARM, tmga=20.0, h2=5000.0)
    flow = bubbler_flow("TMGa", 20.0 * 7.4358e-7, 273.15 + 2.3, 101325.0)
    assert state["precursor_mol_s"][0] == pytest.approx(flow, rel=1e-3)
    assert bench.readings["bubblers.tmga.vapour_sccm"] * 7.4358e-7 == pytest.approx(flow, rel=0.02)


def test_a_shut_run_valve_sends_the_flow_to_the_vent_without_disturbing_it() -> None:
    """Switched over, the same flow enters the chamber at once: it was steady in the vent."""
    bench = ChamberBench("mocvd_rdr")
    bench.run(60.0, WARM | {"gas_panel.tmga.setpoint_sccm": 20.0}, h2=5000.0)
    before = bench.plant.state()
    assert before["fed_mol"]["TMGa"] == 0.0
    assert before["vented_mol"][0] > 0.0
    after = bench.run(1.0, {"gas_panel.tmga.valve": 1.0})
    assert after["fed_mol"]["TMGa"] == pytest.approx(0.95 * after["precursor_mol_s"][0], rel=0.05)


def test_nothing_is_lost_between_lines_film_and_pump() -> None:
    bench = ChamberBench("mocvd_rdr")
    start = bench.plant.state()["amount_mol"]
    hot = WARM | {"heater.zone1.power_pct": 40.0}
    state = bench.run(300.0, hot, tmga=20.0, nh3=2000.0, h2=5000.0)
    assert state["rate_m_s"] > 0.0
    for gas, amount in state["amount_mol"].items():
        balance = start[gas] + state["fed_mol"][gas] - state["pumped_mol"][gas] - state["reacted_mol"][gas]
        assert balance == pytest.approx(amount, rel=1e-6, abs=1e-12)
    assert state["reacted_mol"]["TMGa"] == pytest.approx(state["deposited_mol"], rel=1e-3)


def test_a_faster_disk_grows_faster_and_a_stalled_one_hardly() -> None:
    """Transport limits: about the root of the speed, less what depletion takes back."""
    rates = list[float]()
    for rpm in (250.0, 1000.0):
        bench = ChamberBench("mocvd_rdr", seed=5)
        hot = WARM | {"heater.zone1.power_pct": 40.0, "rotation.setpoint_rpm": rpm}
        rates.append(bench.run(400.0, hot, tmga=20.0, nh3=2000.0, h2=5000.0)["transfer_m_s"])
    assert rates[1] / rates[0] == pytest.approx(2.0, rel=0.1)


def test_a_bath_that_drifts_holds_the_growth() -> None:
    run = ChamberRun("mocvd_rdr")
    run.write("gas_panel.h2.valve", 1.0)
    run.plant.inject({"fault": "bath_off", "gas": "TMGa", "value": 3.0})
    run.start(recipe="mocvd_gan_2um")
    run.until_step("buffer_layer")
    assert run.until_end() is RunState.HELD


def test_what_a_chamber_cannot_be_is_refused() -> None:
    tool = chamber_tool("mocvd_rdr", volume_l=0.0)
    with pytest.raises(PlantError, match="volume_l must be above 0"):
        create(tool)
    with pytest.raises(PlantError, match="unknown colour"):
        create(chamber_tool("mocvd_rdr", colour=1.0))
