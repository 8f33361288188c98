"""Every chamber runs its recipes end to end: a fifth of each here, whole and on three seeds in variants.py."""

import pytest

from config.loading import load_tool, shipped_recipe, shipped_tool
from config.preflight import preflight
from config.recipe import load_recipe
from hil.parts.metrology import REPEATABILITY_NM
from kernels.tables import RunState
from tests.hil.chambers import CHAMBERS, ChamberRun, grown

TOOLS = sorted(set(CHAMBERS.values()))


@pytest.mark.parametrize(("recipe", "tool"), CHAMBERS.items(), ids=list(CHAMBERS))
def test_a_shipped_recipe_can_run_on_its_chamber(recipe: str, tool: str) -> None:
    assert preflight(load_recipe(shipped_recipe(recipe)), load_tool(shipped_tool(tool))).faults == ()


@pytest.mark.parametrize(
    ("recipe", "tool", "seed"),
    [(recipe, tool, 1 + at % 3) for at, (recipe, tool) in enumerate(CHAMBERS.items()) if tool != "mocvd_rdr"],
    ids=[recipe for recipe, tool in CHAMBERS.items() if tool != "mocvd_rdr"],
)
def test_a_fifth_of_a_recipe_makes_a_fifth_of_its_film(recipe: str, tool: str, seed: int) -> None:
    """Within 25 % (heat, gas and sources take their time), even as the recipe asks, and no trip or hold on the way."""
    asked = load_recipe(shipped_recipe(recipe))
    result = grown(tool, recipe, seed, share=0.2, faster=1.0)
    assert (result.state, result.cause) == ("COMPLETE", "program")
    assert [one.name for one in result.alarms if one.cls in {"trip", "hold"}] == []
    assert result.metrology["film"] == asked.film_target
    assert result.metrology["thickness_mean_nm"] == pytest.approx(0.2 * asked.thickness_target_nm, rel=0.25)
    noise_pct = 3.0 * REPEATABILITY_NM / result.metrology["thickness_mean_nm"] * 100.0
    assert result.metrology["thickness_uniformity_pct"] < asked.uniformity_target_pct + noise_pct


@pytest.mark.parametrize("tool", TOOLS)
def test_an_emergency_off_makes_a_chamber_safe(tool: str) -> None:
    """Every hazardous output is 0 a second later, and the safe sequence comes to its end."""
    run = ChamberRun(tool)
    hazardous = [name for name, tag in run.layout.declared.items() if tag.hazardous]
    run.start(operation="standby")
    run.wait(20)
    run.plant.inject({"fault": "emergency_off"})
    run.wait(1)
    assert "emergency_off" in run.in_force()
    assert [name for name in hazardous if run[name] != 0.0] == []
    assert run.until_end(600) is RunState.ABORTED


def test_the_remote_source_cleans_the_empty_chamber() -> None:
    """A micrometre is gone; with a wafer in the chamber no fluorine flows at all."""
    run = ChamberRun("rpcvd_nitride", wall_film_nm=1000.0)
    run.start(operation="chamber_clean")
    assert run.until_end(300) is RunState.STOPPED
    assert run.plant.state()["fed_mol"]["NF3"] == 0.0
    run = ChamberRun("rpcvd_nitride", wall_film_nm=1000.0)
    run.plant.inject({"fault": "wafer_out"})
    run.wait(1)
    run.start(operation="chamber_clean")
    assert run.until_end(4300) is RunState.COMPLETE
    state = run.plant.state()
    assert state["wall_m"] < 5e-9
    assert state["reacted_mol"]["SiF4"] == pytest.approx(-state["etched_mol"], rel=1e-3)


@pytest.mark.parametrize("tool", TOOLS)
def test_the_purge_of_a_chamber_ends_within_its_bound(tool: str) -> None:
    run = ChamberRun(tool)
    bound_s = next(one.bound_s for one in run.compiled.tool.operations if one.name == "purge")
    run.start(operation="purge")
    assert run.until_end(bound_s) is RunState.COMPLETE
