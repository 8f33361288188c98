"""Recipes with parameters and recipes that call others, over the methods that people use."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from config.recipe import load_recipe
from supervisor.server.records.results import film_result, insert_result
from tests.supervisor.server.stand import AMIR, ERIKA, OLGA, House
from tests.supervisor.server.test_life import RECIPE, furnace_house, refusal

pytestmark = pytest.mark.anyio
GUIDE: dict[str, Any] = json.loads(RECIPE)
OPEN = GUIDE | {
    "name": "open oxide",
    "thickness_target_nm": "thickness",
    "parameters": {
        "thickness": {"unit": "nm", "low": 20, "high": 200, "default": 100},
        "rate": {"unit": "nm/min", "low": 4, "high": 6, "default": 5},
    },
    "recipe_steps": [
        step | ({"duration_s": "thickness / rate"} if step["name"] == "deposition" else {})
        for step in GUIDE["recipe_steps"]
    ],
}


async def approved(h: House, document: dict[str, Any]) -> tuple[str, int]:
    recipe_id, version = await h.call(ERIKA, "Recipes", "AddRecipe", json.dumps(document))
    await h.call(AMIR, "Recipes", "ApproveRecipe", recipe_id, version, "good")
    return recipe_id, version


async def test_a_run_takes_its_values_and_its_document_says_so(tmp_path: Path) -> None:
    async with furnace_house(tmp_path) as h:
        recipe_id, version = await approved(h, OPEN)
        metadata = json.dumps({"parameters": {"thickness": 150}})
        run_id, _ = await h.call(OLGA, "Runs", "CreateRun", recipe_id, version, "", "", metadata)
        await h.call(OLGA, "Runs", "StartRun", run_id)
        sent = h.controller.commands[-1].args
        recipe = load_recipe(sent["recipe"])
        assert recipe.thickness_target_nm == 150
        assert recipe.recipe_steps[3].duration_s == 1800
        assert recipe.parameters["rate"].value == 5
        assert sent["recipe_sha256"] == hashlib.sha256(sent["recipe"].encode()).hexdigest()
        (run,) = await h.call(OLGA, "Runs", "GetRun", run_id)
        assert json.loads(run)["parameters"] == {"thickness": 150.0, "rate": 5.0}
        assert json.loads(run)["recipe_sha256"] == sent["recipe_sha256"]
        (kept,) = await h.call(OLGA, "Recipes", "GetRecipe", recipe_id, version)
        assert json.loads(kept)["recipe"]["thickness_target_nm"] == "thickness", "what was approved stays open"
        assert json.loads(kept)["sha256"] != sent["recipe_sha256"]


async def test_values_are_tried_on_the_simulated_plant_before_anyone_runs_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`Recipes/Simulate`: the document that is simulated has the values in it; what it predicts is a run's record."""
    tried = list[str]()

    async def pretend(_tool: Path, recipe: Any) -> Any:
        tried.append(recipe.document)
        return {"state": "COMPLETE", "summary": {"duration_s": 1.0, "exhaust": {"lfl_pct": 3.0}}, "alarms": []}, ""

    monkeypatch.setattr("supervisor.server.records.simulation.simulate", pretend)
    async with furnace_house(tmp_path) as h:
        recipe_id, version = await approved(h, OPEN)
        metadata = json.dumps({"parameters": {"thickness": 150}})
        (run_id,) = await h.call(OLGA, "Recipes", "Simulate", recipe_id, version, metadata)
        await h.until(lambda: h.server.desk.simulating == 0)
        assert load_recipe(tried[0]).thickness_target_nm == 150
        run = json.loads((await h.call(OLGA, "Runs", "GetRun", run_id))[0])
        assert run["run_number"].startswith("SIM-")
        assert run["parameters"] == {"thickness": 150.0, "rate": 5.0}
        assert run["postflight_summary"]["exhaust"] == {"lfl_pct": 3.0}
        metadata = json.dumps({"parameters": {"thickness": 201}})
        refused = await refusal(h, OLGA, "Recipes", "Simulate", recipe_id, version, metadata)
        assert "201 is outside of 20 … 200 nm" in refused.reason
        assert h.server.desk.simulating == 0, "what was refused does not stand in the way of the next"


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"thickness": 201}, "values.thickness: 201 is outside of 20 … 200 nm"),
        ({"thicknes": 100}, "did you mean 'thickness'"),
        ({"thickness": "1 µm"}, "must be a number in nm"),
        ([1], "must be an object"),
    ],
)
async def test_values_that_were_never_approved_are_refused(tmp_path: Path, values: Any, words: str) -> None:
    async with furnace_house(tmp_path) as h:
        recipe_id, version = await approved(h, OPEN)
        refused = await refusal(
            h, OLGA, "Runs", "CreateRun", recipe_id, version, "", "", json.dumps({"parameters": values})
        )
        assert refused.status == "BadInvalidArgument"
        assert words in refused.reason


async def test_a_parameter_that_leads_out_of_the_tool_somewhere_is_refused_when_it_is_added(tmp_path: Path) -> None:
    wide = OPEN | {"parameters": OPEN["parameters"] | {"hot": {"unit": "°C", "low": 700, "high": 1500, "default": 800}}}
    wide["recipe_steps"] = [
        step | ({"target_temp_c": "hot"} if step["name"] == "heatup" else {}) for step in OPEN["recipe_steps"]
    ]
    async with furnace_house(tmp_path) as h:
        refused = await refusal(h, ERIKA, "Recipes", "AddRecipe", json.dumps(wide))
        assert "recipe_steps[1].target_temp_c: with hot = 1500 °C" in refused.reason


async def test_a_recipe_that_calls_another_is_stored_whole(tmp_path: Path) -> None:
    rest = GUIDE | {"name": "rest", "recipe_steps": [{"name": "rest", "duration_s": 5}]}
    async with furnace_house(tmp_path) as h:
        called, version = await approved(h, rest)
        call = {"name": "rested", "call": {"recipe": called, "version": version}}
        outer = GUIDE | {"name": "outer", "recipe_steps": [*GUIDE["recipe_steps"], call]}
        recipe_id, first = await h.call(ERIKA, "Recipes", "AddRecipe", json.dumps(outer))
        await h.call(AMIR, "Recipes", "RetireRecipe", called, version, "old")
        (kept,) = await h.call(OLGA, "Recipes", "GetRecipe", recipe_id, first)
        step = json.loads(kept)["recipe"]["recipe_steps"][-1]
        assert step["called"]["recipe_steps"][0]["name"] == "rest"
        assert len(step["call"]["sha256"]) == 64
        refused = await refusal(h, ERIKA, "Recipes", "AddRecipe", json.dumps(outer))
        assert "recipe_steps[5].call: there is no version 1" in refused.reason, "a retired one is called no more"


async def test_a_time_follows_from_the_last_measured_run_and_says_so(tmp_path: Path) -> None:
    scaled = OPEN | {
        "name": "scaled oxide",
        "parameters": {
            "time": {"unit": "s", "low": 60, "high": 4000, "default": 1200, "scale": {"basis": "last_runs", "runs": 2}},
        },
        "thickness_target_nm": 100,
        "recipe_steps": [
            step | ({"duration_s": "time"} if step["name"] == "deposition" else {}) for step in GUIDE["recipe_steps"]
        ],
    }
    async with furnace_house(tmp_path) as h:
        recipe_id, version = await approved(h, scaled)
        first, _ = await h.call(OLGA, "Runs", "CreateRun", recipe_id, version, "", "", "")
        (run,) = await h.call(OLGA, "Runs", "GetRun", first)
        found = json.loads(run)
        assert found["parameters"] == {"time": 1200.0}
        assert "no run of this recipe" in found["preflight_summary"]["parameters"]["time"]["chosen"]

        def measured(connection: Any) -> None:
            connection.execute(
                "UPDATE runs SET status = 'COMPLETE', end_time = now() WHERE id::VARCHAR = ?", [found["run_id"]]
            )
            row = film_result({"film": "SiO2", "thickness_mean_nm": 80.0})
            insert_result(connection, h.server.desk.identity.org_id, found["run_id"], row)

        await h.server.desk.store.write(measured)
        second, _ = await h.call(OLGA, "Runs", "CreateRun", recipe_id, version, "", "", "")
        (run,) = await h.call(OLGA, "Runs", "GetRun", second)
        assert json.loads(run)["parameters"] == {"time": 1500.0}
        chosen = json.loads(run)["preflight_summary"]["parameters"]["time"]["chosen"]
        assert chosen == f"100 nm at 15 s/nm, mean of {found['run_number']}"
        metadata = json.dumps({"parameters": {"time": 1100}})
        queued = await h.call(OLGA, "Runs", "QueueRun", "mes-1", recipe_id, version, "S1", "L", "B", ["W1"], metadata)
        (run,) = await h.call(OLGA, "Runs", "GetRun", queued[0])
        assert json.loads(run)["parameters"] == {"time": 1100.0}, "a run of the queue takes its values too"
        given, _ = await h.call(
            OLGA, "Runs", "CreateRun", recipe_id, version, "", "", json.dumps({"parameters": {"time": 900}})
        )
        (run,) = await h.call(OLGA, "Runs", "GetRun", given)
        assert json.loads(run)["parameters"] == {"time": 900.0}
