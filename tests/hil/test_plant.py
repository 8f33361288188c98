"""The plant as a whole: created from a tool, seeded, read at its instruments' own pace."""

import numpy as np
import pytest

from config.tool import TagKind
from hil import plant
from tests.hil.furnace import OPEN_PUMP, SHUT, Bench, furnace_tool, shipped_furnace
from tests.hil.tool_run import ToolRun


def story(seed: int) -> tuple[dict, dict, dict]:
    """A deposition with faults; readings, state and measurement at its end."""
    bench = Bench(seed=seed)
    bench.plant.inject({"fault": "sensor_offset", "tag": "heater.boat_c", "value": 3.0, "at_s": 20.0})
    bench.plant.inject({"fault": "mfc_stuck", "gas": "N2O", "value": 170.0, "at_s": 30.0, "for_s": 10.0})
    bench.deposit(60, sih4=80, n2o=160)
    return bench.readings, bench.plant.state(), bench.plant.measure()


def test_the_same_seed_gives_the_same_run_to_the_last_bit() -> None:
    """Readings, physics and metrology: nothing differs between two runs of one seed."""
    assert story(11) == story(11)


def test_another_seed_gives_another_run() -> None:
    """Noise, calibration and wafers differ, the physics hardly."""
    (readings, state, film), (others, state_of_other, film_of_other) = story(11), story(12)
    assert readings != others
    assert film["thickness_mean_nm"] != film_of_other["thickness_mean_nm"]
    assert state["pressure_pa"] == pytest.approx(state_of_other["pressure_pa"], rel=0.02)


def test_the_tool_s_own_seed_is_the_default() -> None:
    """Without a seed the tool file decides."""
    tool = shipped_furnace()
    assert tool.plant is not None
    default, given = plant.create(tool), plant.create(tool, seed=tool.plant.seed)
    assert default.state() == given.state()


def test_one_step_or_many_is_the_same() -> None:
    """The plant does not know how its steps are grouped."""
    whole, pieces = Bench(), Bench()
    whole.run(30, {**SHUT, **OPEN_PUMP})
    for _ in range(300):
        pieces.run(0.1, {**SHUT, **OPEN_PUMP})
    assert whole.plant.state() == pieces.plant.state()
    assert whole.readings == pieces.readings


def test_every_input_posts_in_the_first_step() -> None:
    """No tag of the tool waits for its first value longer than one scan."""
    tool = shipped_furnace()
    inputs = {f"{m.name}.{t.name}" for m in tool.modules for t in m.tags if t.kind is TagKind.INPUT}
    bench = Bench()
    bench.run(0.01)
    assert set(bench.readings) == inputs
    assert set(bench.status.values()) == {0}


def test_instruments_post_at_the_period_of_their_tag() -> None:
    """Ten seconds: as many postings as the tool file's period asks for."""
    tool = shipped_furnace()
    bench = Bench()
    bench.run(0.01)
    _, _, posted = bench.plant.advance({}, 1000)
    expected = {
        f"{m.name}.{t.name}": round(10.0 / t.period_s) for m in tool.modules for t in m.tags if t.kind is TagKind.INPUT
    }
    assert posted == expected


def test_no_scan_has_to_take_all_instruments() -> None:
    """Postings are spread: at most a third of the instruments in one scan."""
    bench = Bench()
    bench.run(0.01)
    counts = [len(bench.plant.advance({}, 1)[0]) for _ in range(100)]
    assert max(counts) <= 11


@pytest.mark.parametrize("slots", [1, 9, 10, 57])
def test_scans_that_were_skipped_make_no_instrument_look_dead(slots: int) -> None:
    """The controller was late, the instruments went on measuring: every reading of the next scan is fresh."""
    run = ToolRun()
    inputs = [run.layout.index[f"{m.name}.{t.name}"] for m in run.compiled.tool.modules for t in m.tags
              if t.kind is TagKind.INPUT]  # fmt: skip
    for _ in range(4):  # a period of the manometer is two scans: both halves of it
        run.scan.skip(slots)
        run.scan.advance(1)
        assert not run.scan.values()[1][inputs].any()
        run.scan.advance(2)


def test_an_instrument_that_is_silent_stays_so_when_scans_are_skipped() -> None:
    """Being late is no excuse for an instrument that says nothing."""
    run = ToolRun()
    run.plant.inject({"fault": "sensor_silent", "tag": "chamber.manometer_torr"})
    run.scan.advance(2)
    run.scan.skip(9)
    run.scan.advance(1)
    status = run.scan.values()[1][run.layout.index["chamber.manometer_torr"]]
    assert status >> 30 == 2  # Bad


def test_readings_are_whole_steps_of_their_resolution() -> None:
    """A type R thermocouple card says tenths, the manometer 0.2 mTorr."""
    bench = Bench()
    for _ in range(50):
        bench.run(0.1)
        for tag, step in (("heater.zone1.temperature_c", 0.1), ("chamber.manometer_torr", 0.0002)):
            steps = bench.readings[tag] / step
            assert steps == pytest.approx(round(steps), abs=1e-6)


def test_noise_has_the_spread_of_the_instrument() -> None:
    """Over a thousand readings of a still furnace: noise and quantisation, no more."""
    bench = Bench(parameters={"loss_w_k": 0.0, "tube_end_m2": 0.0})
    bench.run(10)
    readings = []
    for _ in range(1000):
        bench.run(0.1)
        readings.append(bench.readings["heater.zone2.temperature_c"])
    assert np.std(readings) == pytest.approx(np.hypot(0.05, 0.1 / np.sqrt(12.0)), rel=0.15)


def test_a_tool_without_a_plant_cannot_be_simulated() -> None:
    """Said in words, with the tool's name."""
    tool = shipped_furnace().model_copy(update={"plant": None})
    with pytest.raises(plant.PlantError, match=r"LPCVD-1 cannot be simulated"):
        plant.create(tool)


def test_an_unknown_model_names_those_that_exist() -> None:
    """A typing error in the tool file is found at start."""
    tool = shipped_furnace()
    assert tool.plant is not None
    wrong = tool.model_copy(update={"plant": tool.plant.model_copy(update={"model": "toaster"})})
    with pytest.raises(plant.PlantError, match="hot_wall_furnace"):
        plant.create(wrong)


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({"wafer": 25.0}, "unknown wafer"),
        ({"wafers": 2.5}, "whole number"),
        ({"wafers": 65.0}, "whole number"),
        ({"volume_l": 0.0}, "volume_l must be above 0"),
        ({"loss_w_k": -1.0}, "loss_w_k must be 0 or more"),
        ({"pitch_m": 0.1}, "need 2.40 m of the tube"),
    ],
)
def test_parameters_that_no_furnace_can_have_are_refused(parameters: dict[str, float], words: str) -> None:
    """Each names itself."""
    with pytest.raises(plant.PlantError, match=words):
        plant.create(furnace_tool(**parameters))


def test_an_input_that_the_furnace_cannot_measure_is_refused() -> None:
    """A tag more in the tool file than the plant has instruments: better at start than a tag that stays Bad."""
    tool = shipped_furnace()
    chamber = next(m for m in tool.modules if m.name == "chamber")
    extra = chamber.tags[0].model_copy(update={"name": "humidity_pct"})
    changed = chamber.model_copy(update={"tags": (*chamber.tags, extra)})
    modules = tuple(changed if m.name == "chamber" else m for m in tool.modules)
    with pytest.raises(plant.PlantError, match=r"no instrument for chamber\.humidity_pct"):
        plant.create(tool.model_copy(update={"modules": modules}))


def test_an_output_that_the_furnace_obeys_must_exist() -> None:
    """Without a power output there is nothing to heat with."""
    tool = shipped_furnace()
    heater = next(m for m in tool.modules if m.name == "heater")
    fewer = heater.model_copy(update={"tags": tuple(t for t in heater.tags if t.name != "zone1.power_pct")})
    modules = tuple(fewer if m.name == "heater" else m for m in tool.modules)
    with pytest.raises(plant.PlantError, match=r"needs an output heater\.zone1\.power_pct"):
        plant.create(tool.model_copy(update={"modules": modules}))
