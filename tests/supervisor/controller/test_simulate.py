"""Whole runs at full speed: what the guide's recipe gives on the shipped furnace, and what happens when things fail."""

import json

import pytest

from config.faults import ConfigError
from config.loading import load_tool, shipped_recipe, shipped_tool
from config.recipe import load_recipe
from config.tool import Tool
from supervisor.controller.errors import BindingError
from supervisor.controller.simulate import simulate
from supervisor.controller.simulation_result import SimulationResult
from tests.config.small_furnace import small_furnace


@pytest.fixture(scope="module")
def tool() -> Tool:
    return load_tool(shipped_tool("lpcvd_furnace"))


@pytest.fixture(scope="module")
def oxide(tool: Tool) -> SimulationResult:
    return simulate(tool, load_recipe(shipped_recipe("lpcvd_sio2_100nm")))


def test_the_guides_recipe_gives_its_film_without_a_trip(oxide: SimulationResult) -> None:
    assert oxide.completed, (oxide.state, oxide.cause)
    assert oxide.metrology["thickness_mean_nm"] == pytest.approx(100, rel=0.02)
    assert oxide.metrology["thickness_uniformity_pct"] <= 2.0
    assert [one.name for one in oxide.alarms if one.cls in {"trip", "hold"}] == []
    assert oxide.holds == 0


def test_its_steps_take_what_the_recipe_says(oxide: SimulationResult) -> None:
    took = {step.name: step.actual_s for step in oxide.steps if step.owner == "recipe"}
    assert list(took) == ["pumpdown", "heatup", "stabilize", "deposition", "cooldown"]
    for name, least, most in [
        ("pumpdown", 300, 330), ("heatup", 600, 900), ("stabilize", 120, 120.1), ("deposition", 1200, 1230),
        ("cooldown", 900, 900.1),
    ]:  # fmt: skip
        assert least - 0.05 <= took[name] <= most, name
    assert oxide.duration_s == pytest.approx(sum(step.actual_s for step in oxide.steps), abs=0.1)


def test_it_uses_the_gas_that_the_recipe_asks_for(oxide: SimulationResult) -> None:
    assert oxide.gas_use_scc["SiH4"] == pytest.approx(80 * 20, rel=0.02)
    assert oxide.gas_use_scc["N2O"] == pytest.approx(160 * 20, rel=0.03)
    assert oxide.gas_missing_s == {}


def test_equal_seeds_are_equal_to_the_last_bit_and_others_are_not(tool: Tool, oxide: SimulationResult) -> None:
    recipe = load_recipe(shipped_recipe("lpcvd_sio2_100nm"))
    again = simulate(tool, recipe)
    assert again.digest == oxide.digest
    assert again.metrology == oxide.metrology
    other = simulate(tool, recipe, seed=7)
    assert other.digest != oxide.digest
    assert other.completed


def test_the_result_is_plain_json_in_the_words_of_a_run(oxide: SimulationResult) -> None:
    data = json.loads(json.dumps(oxide.to_json(), allow_nan=False))
    assert data["state"] == "COMPLETE"
    assert data["summary"]["duration_s"] == oxide.duration_s
    assert data["summary"]["trips"] == []
    assert data["metrology"]["film"] == "SiO2"
    assert data["speed"]["times_real_time"] > 100


def test_polysilicon_runs_too(tool: Tool) -> None:
    result = simulate(tool, load_recipe(shipped_recipe("lpcvd_polysi")))
    assert result.completed, (result.state, result.cause, result.incidents)
    assert result.metrology["thickness_mean_nm"] > 50


def test_a_recipe_that_does_not_fit_is_refused_with_every_fault(tool: Tool) -> None:
    with pytest.raises(ConfigError) as caught:
        simulate(tool, load_recipe(shipped_recipe("pecvd_si3n4_50nm")))
    assert len(caught.value.faults) > 3


def test_a_tool_without_a_plant_says_so() -> None:
    with pytest.raises(BindingError, match=r"no \[plant\] section"):
        simulate(small_furnace(), load_recipe(shipped_recipe("lpcvd_sio2_100nm")))


def test_a_silane_controller_that_sticks_closed_holds_the_deposition(tool: Tool) -> None:
    """Nobody is there to restart it: the simulation aborts and says what held the run."""
    stuck = {"fault": "mfc_stuck", "gas": "SiH4", "value": "closed", "at_step": "deposition", "at_s": 300}
    result = simulate(tool, load_recipe(shipped_recipe("lpcvd_sio2_100nm")), faults=[stuck])
    assert result.state == "ABORTED"
    assert result.holds >= 1 or [one for one in result.alarms if one.cls == "trip"]
    assert result.cause
    assert result.metrology["thickness_mean_nm"] < 50
    assert result.faults[0]["fault"] == "mfc_stuck"


@pytest.mark.parametrize(
    "fault",
    [
        {"fault": "pump_trip"},
        {"fault": "thermocouple_open", "tag": "heater.zone2.temperature_c"},
        {"fault": "door_open"},
        {"fault": "emergency_off"},
    ],
    ids=lambda fault: fault["fault"],
)
def test_what_endangers_a_deposition_ends_it_and_is_told(fault: dict[str, str], tool: Tool) -> None:
    script = [{**fault, "at_step": "deposition", "at_s": 120}]
    result = simulate(tool, load_recipe(shipped_recipe("lpcvd_sio2_100nm")), faults=script)
    assert result.state == "ABORTED"
    assert [one for one in result.alarms if one.cls in {"trip", "hold"}], result.incidents
    assert result.gas_use_scc["SiH4"] < 80 / 60 * 600


def test_an_unknown_fault_is_refused(tool: Tool) -> None:
    with pytest.raises(ValueError, match="unobtainium"):
        simulate(tool, load_recipe(shipped_recipe("lpcvd_sio2_100nm")), faults=[{"fault": "unobtainium"}])
