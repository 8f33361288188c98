"""The furnace as a vacuum system: mass, pump-down, leaks, flow controllers, throttle valve."""

import numpy as np
import pytest

from kernels import vacuum
from tests.hil.furnace import GAS_CONSTANT, OPEN_PUMP, SCCM, SHUT, TORR, Bench


def balance(state: dict, before: dict, gas: str) -> float:
    """What is missing of a species, mol."""

    def change(key: str) -> float:
        return state[key][gas] - before[key][gas]

    return change("fed_mol") - change("pumped_mol") - change("reacted_mol") - change("amount_mol")


@pytest.mark.parametrize("gas", ["SiH4", "N2O", "N2", "H2", "air"])
def test_every_mole_is_accounted_for(gas: str) -> None:
    """Fed = pumped + turned into film + still there, for every species, through a hot deposition and the pump-down."""
    bench = Bench()
    before = bench.run(5, {**SHUT, **OPEN_PUMP})
    bench.hold_temperature(800, 300)
    bench.deposit(60, sih4=80, n2o=160)
    state = bench.run(30, {**SHUT, **OPEN_PUMP})
    assert balance(state, before, gas) == pytest.approx(0.0, abs=1e-15)
    assert state["fed_mol"]["SiH4"] > 0.003


def test_the_film_takes_what_the_gas_loses() -> None:
    """Silane that reacted is silicon on walls and wafers; two hydrogen molecules come free for each."""
    bench = Bench()
    bench.deposit(60, sih4=80, n2o=160)
    state = bench.run(10, {**SHUT, **OPEN_PUMP})
    assert state["deposited_mol"] == pytest.approx(state["reacted_mol"]["SiH4"], rel=2e-3)
    assert state["reacted_mol"]["H2"] == pytest.approx(-2.0 * state["reacted_mol"]["SiH4"], rel=1e-9)


def test_steady_pressure_is_flow_over_speed() -> None:
    """1000 sccm of nitrogen through the open line: P = F·R·T/S with the speed of pump, throttle and line in series."""
    bench = Bench(parameters={"mfc_gain": 0.0, "leak_sccm": 0.0, "outgassing_sccm": 0.0})
    state = bench.run(30, {**SHUT, **OPEN_PUMP, **bench.flow("n2", 1000)})
    pressure = state["pressure_pa"]
    pump = 0.028 + (0.110 - 0.028) / (1.0 + pressure / (8.0 * TORR))
    speed = vacuum.effective_speed(vacuum.pump_speed(pump, pressure, 0.0002 * TORR), 0.1502, 0.2)
    assert pressure == pytest.approx(vacuum.steady_pressure(1000 * SCCM, speed, 330.15), rel=2e-3)


def test_pump_down_reaches_the_guides_base_pressure() -> None:
    """From 5 Torr of nitrogen to below 1 mTorr within the recipe's 300 s, falling all the way."""
    bench = Bench()
    bench.run(4, {**SHUT, "vacuum.isolation_valve.shut": 1.0, **bench.flow("n2", 5000)})
    pressures = [bench.run(1, {**SHUT, **OPEN_PUMP})["pressure_pa"] / TORR for _ in range(60)]
    assert pressures[0] > 0.5
    assert np.all(np.diff(pressures) < 1e-9)
    assert pressures[-1] < 0.0005
    assert bench.readings["chamber.manometer_torr"] < 0.001


def test_pump_down_has_the_time_constant_of_volume_over_speed() -> None:
    """Where the pump's speed is constant, ln P falls by S·T_gas/(V·T_pump) a second."""
    bench = Bench(parameters={"leak_sccm": 0.0, "outgassing_sccm": 0.0, "booster_ultimate_torr": 0.0,
                              "dry_ultimate_torr": 0.0})  # fmt: skip
    bench.run(3, {**SHUT, "vacuum.isolation_valve.shut": 1.0, **bench.flow("n2", 500)})
    first = bench.run(2.5, {**SHUT, **OPEN_PUMP})
    second = bench.run(0.5)
    speed = vacuum.effective_speed(0.110, 0.1502, 0.2)
    constant = first["volume_m3"] / speed * 330.15 / first["gas_k"]
    assert np.log(first["pressure_pa"] / second["pressure_pa"]) == pytest.approx(0.5 / constant, rel=0.02)


@pytest.mark.parametrize("leak_sccm", [0.05, 0.5, 5.0])
def test_rate_of_rise_tells_the_leak(leak_sccm: float) -> None:
    """An isolated tube with a leak rises by F·R·T/V, as its gauge shows."""
    bench = Bench()
    bench.plant.inject({"fault": "leak", "value": leak_sccm})
    bench.run(40, {**SHUT, **OPEN_PUMP})
    start = bench.run(5, {"vacuum.isolation_valve.shut": 1.0})["pressure_pa"]
    state = bench.run(60)
    expected = vacuum.rate_of_rise((leak_sccm + 0.005) * SCCM, state["gas_k"], state["volume_m3"])
    assert (state["pressure_pa"] - start) / 60.0 == pytest.approx(expected, rel=0.02)


def test_a_tight_tube_passes_its_leak_check() -> None:
    """Well below the 5 mTorr/min of the tool's operation."""
    bench = Bench()
    bench.run(40, {**SHUT, **OPEN_PUMP})
    start = bench.run(5, {"vacuum.isolation_valve.shut": 1.0})["pressure_pa"]
    rise = (bench.run(60)["pressure_pa"] - start) / TORR * 1000.0
    assert 0.0 < rise < 1.0


def test_a_flow_controller_settles_within_a_second_after_its_dead_time() -> None:
    """Nothing for 80 ms, ±2 % after about a second, overshoot of a damped second order."""
    bench = Bench(parameters={"flow_noise": 0.0, "valve_s": 0.01})
    bench.run(1, {**SHUT, "gas_panel.n2o.valve": 1.0, "gas_panel.n2o.setpoint_sccm": 0.0})
    course = [bench.run(0.01, {"gas_panel.n2o.setpoint_sccm": 300.0})["flow_mol_s"][1] / SCCM for _ in range(200)]
    gain = bench.plant.state()["mfc_gain"][1]
    assert max(course[:8]) == 0.0
    assert np.abs(np.array(course[110:]) / gain - 300.0).max() < 6.0
    assert 300.0 < max(course) / gain < 312.0


def test_true_flow_is_within_one_per_cent_of_set_point() -> None:
    """The usual accuracy of a controller, seed by seed."""
    gains = np.array([Bench(seed=seed).plant.state()["mfc_gain"] for seed in range(30)])
    assert np.abs(gains - 1.0).max() < 0.02
    assert 0.002 < gains.std() < 0.006


def test_throttling_raises_the_pressure_monotonically() -> None:
    """The less open, the higher: no dead band between 15 and 100 %."""
    bench = Bench()
    bench.run(5, {**SHUT, **OPEN_PUMP, **bench.flow("n2", 240)})
    pressures = [
        bench.run(40, {"vacuum.throttle_valve.position_pct": opening})["pressure_pa"]
        for opening in (100.0, 60.0, 40.0, 30.0, 25.0, 20.0, 15.0)
    ]
    assert np.all(np.diff(pressures) > 0.0)
    assert pressures[5] / TORR == pytest.approx(0.5, rel=0.25)


def test_the_trickle_purge_flows_when_nothing_is_energised() -> None:
    """All outputs at 0: pump runs, way open, nitrogen trickles. That is what a coupler's watchdog leaves."""
    bench = Bench()
    outputs = dict.fromkeys(SHUT, 0.0) | {"vacuum.isolation_valve.shut": 0.0, "vacuum.dry_pump.stop": 0.0}
    state = bench.run(10, outputs)
    assert bench.readings["vacuum.dry_pump.running"] == 1.0
    assert state["outflow_mol_s"] == pytest.approx(300 * SCCM, rel=0.01)


def test_filling_to_atmosphere_closes_the_pressure_switch() -> None:
    """Vent: 5 slm into the isolated tube, until the switch says 750 Torr."""
    bench = Bench()
    bench.run(5, {**SHUT, **OPEN_PUMP})
    bench.run(2, {"vacuum.isolation_valve.shut": 1.0, **bench.flow("n2", 5000)})
    state = bench.run(60)
    assert bench.readings["chamber.at_atmosphere"] == 0.0
    assert bench.readings["chamber.manometer_torr"] == pytest.approx(10.5, abs=1e-3)
    while state["pressure_pa"] < 755 * TORR:
        state = bench.run(5)
    assert bench.readings["chamber.at_atmosphere"] == 1.0
    filled = sum(state["amount_mol"].values())
    assert filled == pytest.approx(
        state["pressure_pa"] * state["volume_m3"] / (GAS_CONSTANT * state["gas_k"]), rel=2e-3
    )
