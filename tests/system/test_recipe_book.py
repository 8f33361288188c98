"""Recipes over OPC UA: the guide's three, broken and hostile ones, versions, four eyes."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from opcua_model.client import ClientError
from tests.system.daemon import OXIDE, Daemon, approved, refusal, serving

pytestmark = [pytest.mark.anyio, pytest.mark.slow]
GUIDE = Path(__file__).parent / "guide"


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    with serving(tmp_path_factory.mktemp("recipes"), speed=50) as served:
        yield served


def oxide(**changes: Any) -> dict[str, Any]:
    return json.loads(OXIDE.read_text()) | changes


def faults(diagnostics: str) -> dict[str, str]:
    return {line["path"]: line["reason"] for line in json.loads(diagnostics)["diagnostics"]}


async def test_the_guides_oxide_recipe_is_taken_byte_for_byte_and_becomes_a_draft(daemon: Daemon) -> None:
    text = (GUIDE / "sio2.json").read_text()
    async with daemon.client("erika") as engineer:
        ok, diagnostics = await engineer.call("Recipes", "ValidateRecipe", text)
        assert ok, diagnostics
        assert json.loads(diagnostics)["planned_s"] > 3120
        recipe_id, version = await engineer.call("Recipes", "AddRecipe", text)
        shown = json.loads(await engineer.call("Recipes", "GetRecipe", recipe_id, version))
    assert shown["status"] == "draft", "an imported status is ignored"
    assert shown["created_by_id"] == "erika"
    assert [step["duration_s"] for step in shown["recipe"]["recipe_steps"]] == [300, 600, 120, 1200, 900]


@pytest.mark.parametrize(
    ("name", "why"),
    [("si3n4", "no module of kind rf"), ("gan", "no feed for TMGa")],
)
async def test_the_guides_other_recipes_are_refused_with_what_this_tool_lacks(
    daemon: Daemon, name: str, why: str
) -> None:
    text = (GUIDE / f"{name}.json").read_text()
    async with daemon.client("erika") as engineer:
        ok, diagnostics = await engineer.call("Recipes", "ValidateRecipe", text)
        assert not ok
        assert len(json.loads(diagnostics)["diagnostics"]) >= 5, "all faults at once"
        assert why in diagnostics
        error = await refusal(engineer, "Recipes", "AddRecipe", text)
        assert error.status == "BadInvalidArgument"
        assert why in error.reason


DEEP = "[" * 100_000
BROKEN = {
    "nothing": ("", ""),
    "no JSON": ("{", ""),
    "another kind of document": ("[1, 2]", ""),
    "deep": ('{"name": ' + DEEP + "}", ""),
    "huge": (json.dumps(oxide(metadata={"x": "y" * 5_000_000})), ""),
    "not a number": (OXIDE.read_text().replace("0.5,", "NaN,"), "nan"),
    "infinite": (OXIDE.read_text().replace("0.5,", "Infinity,"), "inf"),
    "beyond what a float holds": (OXIDE.read_text().replace("0.5,", "1e999,"), "process_pressure_torr"),
    "name given twice": (OXIDE.read_text().replace("{", '{"name": "another", ', 1), "name"),
    "unknown gas": (OXIDE.read_text().replace("N2O", "WF7"), "WF7"),
    "unknown field": (OXIDE.read_text().replace('"flow_sccm"', '"flow_slm"', 1), "flow_slm"),
    "wrong unit": (OXIDE.read_text().replace("process_pressure_torr", "process_pressure_pa"), "process_pressure_pa"),
    "negative flow": (OXIDE.read_text().replace('"flow_sccm": 80', '"flow_sccm": -80'), "flow_sccm"),
    "too hot": (OXIDE.read_text().replace("800", "1800"), "1800"),
    "text for a number": (OXIDE.read_text().replace('"flow_sccm": 80', '"flow_sccm": "eighty"'), "flow_sccm"),
    "no steps": (json.dumps(oxide(recipe_steps=[])), "recipe_steps"),
    "name with a NUL": (json.dumps(oxide(name="Oxide\x00")), "name"),
    "name of several lines": (json.dumps(oxide(name="Oxide\n\x1b[2J")), "name"),
    "lone surrogate": (OXIDE.read_text().replace("LPCVD SiO2", "\\ud800"), ""),
}


@pytest.mark.parametrize("what", BROKEN)
async def test_a_broken_recipe_is_refused_with_a_reason_and_harms_nothing(daemon: Daemon, what: str) -> None:
    text, named = BROKEN[what]
    async with daemon.client("erika") as engineer:
        try:
            await engineer.call("Recipes", "AddRecipe", text)
        except ClientError as error:
            refused = error
        else:
            pytest.fail("it was added")
        assert refused.status.startswith("Bad")
        assert refused.reason or refused.status in {"BadEncodingLimitsExceeded", "BadRequestTooLarge"}
        assert named in refused.reason
        assert "Traceback" not in refused.reason
    async with daemon.client("erika") as engineer:
        assert await engineer.read("Diagnostics/ControllerAlive") is True
        assert all(row["status"] == "draft" or row["approved_by_id"] == "amir" for row in
                   json.loads(await engineer.call("Recipes", "ListRecipes", "", 0, 0)))  # fmt: skip


async def test_a_broken_recipe_does_not_end_the_session_unless_it_is_larger_than_a_message(daemon: Daemon) -> None:
    async with daemon.client("erika") as engineer:
        for what in ("deep", "not a number", "unknown gas"):
            await refusal(engineer, "Recipes", "AddRecipe", BROKEN[what][0])
        assert await engineer.read("State/Mode")


async def test_versions_never_change_and_the_difference_is_told(daemon: Daemon) -> None:
    name = "Versions"
    async with daemon.client("erika") as engineer, daemon.client("amir") as other:
        recipe_id, first = await engineer.call("Recipes", "AddRecipe", json.dumps(oxide(name=name)))
        changed = oxide(name=name, thickness_target_nm=90.0)
        again, second = await engineer.call("Recipes", "AddRecipe", json.dumps(changed))
        assert (again, first, second) == (recipe_id, 1, 2)
        differences = json.loads(await engineer.call("Recipes", "DiffRecipes", recipe_id, 1, 2))
        assert [(one["path"], one["a"], one["b"]) for one in differences] == [("thickness_target_nm", 100.0, 90.0)]
        assert differences[0]["words"] == "thickness_target_nm: 100 nm → 90 nm (-10 nm, -10 %)"

        own = await refusal(engineer, "Recipes", "ApproveRecipe", recipe_id, 1, "mine")
        assert own.status == "BadUserAccessDenied"
        assert "erika" in own.reason
        await other.call("Recipes", "ApproveRecipe", recipe_id, 1, "as reviewed")
        twice = await refusal(other, "Recipes", "ApproveRecipe", recipe_id, 1, "again")
        assert twice.status == "BadInvalidState"
        before = json.loads(await engineer.call("Recipes", "GetRecipe", recipe_id, 1))
        # The same document again is another version; the approved one stays as it was.
        _, third = await engineer.call("Recipes", "AddRecipe", json.dumps(oxide(name=name)))
        assert third == 3
        assert json.loads(await engineer.call("Recipes", "GetRecipe", recipe_id, 1))["sha256"] == before["sha256"]
        assert [deed["action"] for deed in before["history"]] == ["add_recipe", "approve_recipe"]


async def test_a_retired_version_is_never_run_again(daemon: Daemon) -> None:
    recipe_id, version = await approved(daemon, json.dumps(oxide(name="Retired")))
    async with daemon.client("amir") as engineer, daemon.client("olga") as operator:
        waiting, _ = await operator.call("Runs", "CreateRun", recipe_id, version, "S", "W", "{}")
        await engineer.call("Recipes", "RetireRecipe", recipe_id, version, "superseded")
        refused = await refusal(operator, "Runs", "CreateRun", recipe_id, version, "S", "W", "{}")
        assert refused.status == "BadInvalidState"
        assert "retired" in refused.reason
        assert "retired" in (await refusal(operator, "Runs", "StartRun", waiting)).reason
        assert (await refusal(engineer, "Recipes", "RetireRecipe", recipe_id, version, "")).status == "BadInvalidState"


async def test_a_draft_runs_for_engineers_only_and_is_marked(daemon: Daemon) -> None:
    async with daemon.client("erika") as engineer, daemon.client("olga") as operator:
        recipe_id, version = await engineer.call("Recipes", "AddRecipe", json.dumps(oxide(name="Draft")))
        refused = await refusal(operator, "Runs", "CreateRun", recipe_id, version, "S", "W", "{}")
        assert refused.status == "BadUserAccessDenied"
        run_id, _ = await engineer.call("Runs", "CreateRun", recipe_id, version, "S", "W", "{}")
        assert json.loads(await engineer.call("Runs", "GetRun", run_id))["engineering"] is True
        assert (await refusal(operator, "Runs", "StartRun", run_id)).status == "BadUserAccessDenied"


async def test_recipes_that_are_not_there_are_told_so(daemon: Daemon) -> None:
    nobody = "00000000-0000-0000-0000-000000000000"
    async with daemon.client("erika") as engineer:
        assert (await refusal(engineer, "Recipes", "GetRecipe", nobody, 1)).status == "BadNotFound"
        assert (await refusal(engineer, "Recipes", "ApproveRecipe", "' OR 1=1 --", 1, "")).status == "BadNotFound"
        assert (await refusal(engineer, "Recipes", "DiffRecipes", nobody, 1, 2)).status == "BadNotFound"


async def test_a_name_is_text_and_nothing_else(daemon: Daemon) -> None:
    name = '\'); DROP TABLE recipes; -- \u00b5/\\ "x"'
    async with daemon.client("erika") as engineer:
        recipe_id, version = await engineer.call("Recipes", "AddRecipe", json.dumps(oxide(name=name)))
        assert json.loads(await engineer.call("Recipes", "GetRecipe", recipe_id, version))["recipe"]["name"] == name
        shown = f"{name} v1".replace("/", "\u2215")  # A slash separates the words of a path.
        assert shown in await engineer.children("Recipes")
        assert await engineer.read(f"Recipes/{shown}/Status") == "draft"
