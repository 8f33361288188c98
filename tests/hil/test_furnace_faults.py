"""Faults by script: what each does to the readings, when, and how it ends."""

import math

import pytest

from hil.errors import ScriptError
from tests.hil.furnace import OPEN_PUMP, SCCM, SHUT, Bench

BAD = 0x80000000
TC = "heater.zone2.temperature_c"

CONTACTS = {
    "door_open": "wafer_handling.door_closed",
    "boat_out": "wafer_handling.boat_in",
    "exhaust_lost": "exhaust.flow_ok",
    "abatement_lost": "exhaust.abatement_ready",
    "gas_cabinet_fault": "facilities.gas_cabinet_ok",
    "detector_fault": "facilities.gas_detector.ok",
    "emergency_off": "facilities.emo_ok",
    "power_loss": "facilities.ups_ok",
    "pump_trip": "vacuum.dry_pump.ok",
    "overtemperature_contact": "heater.overtemperature_ok",
}


@pytest.mark.parametrize(("fault", "tag"), CONTACTS.items())
def test_a_contact_opens_and_closes_again(fault: str, tag: str) -> None:
    """Every contact falls within its 0.1 s, and comes back when the fault is cleared."""
    bench = Bench()
    bench.run(1)
    assert bench.readings[tag] == 1.0
    bench.plant.inject({"fault": fault})
    bench.run(0.11)
    assert bench.readings[tag] == 0.0
    bench.plant.inject({"fault": fault, "clear": True})
    bench.run(0.11)
    assert bench.readings[tag] == 1.0


def test_an_open_thermocouple_is_bad_and_has_no_value() -> None:
    """Open: Bad with NaN, from the next reading on; mended: Good and right."""
    bench = Bench()
    bench.run(1)
    bench.plant.inject({"fault": "thermocouple_open", "tag": TC})
    bench.run(0.11)
    assert bench.status[TC] & BAD
    assert math.isnan(bench.readings[TC])
    bench.plant.inject({"fault": "thermocouple_open", "tag": TC, "clear": True})
    bench.run(0.11)
    assert bench.status[TC] == 0
    assert bench.readings[TC] == pytest.approx(700.0, abs=5.0)


def test_a_silent_instrument_posts_nothing() -> None:
    """Silence is silence: no posting at all, so that the reader's age limit finds it."""
    bench = Bench()
    bench.plant.inject({"fault": "sensor_silent", "tag": "chamber.manometer_torr"})
    bench.run(0.1)
    readings, _, posted = bench.plant.advance({}, 200)
    assert "chamber.manometer_torr" not in readings
    assert posted["chamber.wide_range_torr"] == 20


def test_a_nan_is_posted_as_a_good_value() -> None:
    """The instrument lies that all is well; to find out is the scan's business."""
    bench = Bench()
    bench.plant.inject({"fault": "sensor_nan", "tag": TC})
    bench.run(0.2)
    assert bench.status[TC] == 0
    assert math.isnan(bench.readings[TC])


def test_a_frozen_instrument_repeats_itself() -> None:
    """The reading stays while the furnace cools."""
    bench = Bench()
    bench.run(10)
    bench.plant.inject({"fault": "sensor_frozen", "tag": TC})
    bench.run(0.2)
    frozen = bench.readings[TC]
    bench.run(300)
    assert bench.readings[TC] == frozen
    assert bench.plant.state()["profile_k"][1] - 273.15 < frozen - 5.0


def test_a_drifting_thermocouple_walks_from_the_moment_of_the_fault() -> None:
    """0.05 K a second more than the truth, and no jump at the beginning."""
    bench, healthy = Bench(), Bench()
    for one in (bench, healthy):
        one.run(100)
    bench.plant.inject({"fault": "sensor_drift", "tag": TC, "value": 0.05})
    for seconds, expected in ((0.2, 0.0), (100.0, 5.0), (100.0, 10.0)):
        bench.run(seconds)
        healthy.run(seconds)
        assert bench.readings[TC] - healthy.readings[TC] == pytest.approx(expected, abs=0.15)


@pytest.mark.parametrize(("value", "sccm"), [("open", 200.0), ("closed", 0.0), (150.0, 150.0)])
def test_a_stuck_flow_controller_ignores_its_set_point(value: str | float, sccm: float) -> None:
    """Stuck open, shut or at a value: the flow is that, as long as the valve behind it is open."""
    bench = Bench(parameters={"mfc_gain": 0.0})
    bench.run(5, {**SHUT, **OPEN_PUMP, **bench.flow("sih4", 80)})
    bench.plant.inject({"fault": "mfc_stuck", "gas": "SiH4", "value": value})
    state = bench.run(5)
    assert state["flow_mol_s"][0] / SCCM == pytest.approx(sccm, abs=0.5)
    assert bench.readings["gas_panel.sih4.flow_sccm"] == pytest.approx(sccm, abs=1.0)
    assert bench.run(1, {"gas_panel.sih4.valve": 0.0})["flow_mol_s"][0] == 0.0


def test_a_pump_trip_lets_the_pressure_rise() -> None:
    """Dry pump gone: contacts at once, then the gas stays in the tube."""
    bench = Bench()
    before = bench.run(10, {**SHUT, **OPEN_PUMP, **bench.flow("n2", 500)})["pressure_pa"]
    bench.plant.inject({"fault": "pump_trip"})
    bench.run(0.2)
    assert bench.readings["vacuum.dry_pump.running"] == 0.0
    assert bench.run(20)["pressure_pa"] > 5.0 * before


def test_a_stuck_throttle_stays_where_it_is() -> None:
    """Its feedback tells, its command does nothing."""
    bench = Bench()
    bench.run(5, {**SHUT, "vacuum.throttle_valve.position_pct": 40.0})
    bench.plant.inject({"fault": "throttle_stuck"})
    bench.run(5, {"vacuum.throttle_valve.position_pct": 90.0})
    assert bench.readings["vacuum.throttle_valve.feedback_pct"] == pytest.approx(40.0, abs=0.2)
    bench.plant.inject({"fault": "throttle_stuck", "clear": True})
    bench.run(5)
    assert bench.readings["vacuum.throttle_valve.feedback_pct"] == pytest.approx(90.0, abs=0.2)


def test_silane_in_the_room_shuts_the_cabinet_by_wire() -> None:
    """Above the detector's second level its relay drops, and the cabinet shuts silane whatever the outputs say."""
    bench = Bench()
    bench.run(5, {**SHUT, **OPEN_PUMP, **bench.flow("sih4", 80)})
    bench.plant.inject({"fault": "silane_detected", "value": 20.0})
    state = bench.run(1)
    assert bench.readings["facilities.gas_detector.sih4_ppm"] == pytest.approx(20.0, abs=0.2)
    assert bench.readings["facilities.gas_detector.ok"] == 0.0
    assert state["flow_mol_s"][0] == 0.0


def test_emergency_off_takes_heat_and_process_gas_without_any_software() -> None:
    """Outputs still ask for power and gas; the wires do not give them. Pump and nitrogen stay."""
    bench = Bench()
    asked = {f"heater.zone{zone}.power_pct": 50.0 for zone in (1, 2, 3)}
    bench.run(5, {**SHUT, **OPEN_PUMP, **asked, **bench.flow("sih4", 80), **bench.flow("n2", 500)})
    bench.plant.inject({"fault": "emergency_off"})
    before = bench.run(1)["delivered_j"]
    state = bench.run(10)
    assert state["delivered_j"] == before
    assert state["flow_mol_s"][0] == 0.0
    assert state["flow_mol_s"][2] > 0.0
    assert bench.readings["vacuum.dry_pump.running"] == 1.0


def test_a_fault_waits_for_its_time_and_ends_by_itself() -> None:
    """`at_s` is the plant's time, `for_s` its length."""
    bench = Bench()
    bench.plant.inject({"fault": "water_lost", "at_s": 10.0, "for_s": 5.0, "value": 3.0})
    readings = {second: (bench.run(1), bench.readings["facilities.cooling_water_l_min"])[1] for second in range(1, 20)}
    assert all(readings[second] > 11.0 for second in (1, 5, 9, 17, 19))
    assert all(readings[second] < 4.0 for second in (12, 14))


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ({"fault": "gremlin"}, "there is no 'gremlin'"),
        ({}, "there is no None"),
        ({"fault": "mfc_stuck", "gas": "O2"}, "gas must be one of SiH4, N2O, N2"),
        ({"fault": "mfc_stuck", "gas": "SiH4", "value": "ajar"}, "value must be a number"),
        ({"fault": "thermocouple_open", "tag": "heater.zone9.temperature_c"}, "tag must be one of"),
        ({"fault": "leak"}, "value must be a number"),
        ({"fault": "leak", "value": float("nan")}, "value must be a number"),
        ({"fault": "pump_trip", "when": 3}, "unknown when"),
        ({"fault": "pump_trip", "for_s": 3}, "for_s needs at_s"),
        ({"fault": "element_broken", "zone": 7}, "zone must be 1, 2 or 3"),
    ],
)
def test_a_script_that_makes_no_sense_is_refused(fault: dict, words: str) -> None:
    """Each mistake says what was wrong and what there is."""
    with pytest.raises(ScriptError, match=words):
        Bench().plant.inject(fault)


def test_more_orders_than_the_plant_can_take_are_refused() -> None:
    """A script longer than the ring says so instead of losing faults."""
    bench = Bench()
    for _ in range(256):
        bench.plant.inject({"fault": "door_open"})
    with pytest.raises(ScriptError, match="wait for the plant to step"):
        bench.plant.inject({"fault": "door_open"})
