"""The whole server against a fake controller over the real channel and image: runs, recipes, people, deaths."""

import json
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import duckdb
import pytest

import config
from kernels.tables import Status
from opcua_model.interface import AuditEntry, Caller, Refused
from opcua_model.methods import METHODS
from supervisor.link.messages import CommandKind, EventKind
from supervisor.server.access.policy import DEFAULT, Policy
from supervisor.server.errors import ExportError
from supervisor.server.records import audit
from supervisor.server.records.export import export_run
from supervisor.server.store.rows import aggregate
from tests.supervisor.server.stand import (
    AMIR,
    ERIKA,
    OLGA,
    OTTO,
    PERIOD_NS,
    SECOND,
    FakeController,
    Furnace,
    House,
    house,
    new_id,
    person,
)

pytestmark = pytest.mark.anyio
RECIPE = config.shipped_recipe("lpcvd_sio2_100nm").read_text(encoding="utf-8")
GAN = config.shipped_recipe("mocvd_gan_2um").read_text(encoding="utf-8")
TOOL_FILE = config.shipped_tool("lpcvd_furnace")
FURNACE = config.load_tool(TOOL_FILE)


@asynccontextmanager
async def furnace_house(data: Path, **settings: Any) -> AsyncGenerator[House]:
    """A server of the shipped furnace."""
    async with house(data, Furnace(FURNACE), **settings) as found:
        yield found


async def approved(h: House) -> tuple[str, int]:
    """The guide's recipe, written by Erika and approved by Amir."""
    recipe_id, version = await h.call(ERIKA, "Recipes", "AddRecipe", RECIPE)
    await h.call(AMIR, "Recipes", "ApproveRecipe", recipe_id, version, "good")
    return recipe_id, version


async def created(h: House) -> tuple[str, str]:
    """A run that waits."""
    recipe_id, version = await approved(h)
    return await h.call(OLGA, "Runs", "CreateRun", recipe_id, version, "lot 7", "W01", '{"why": "test"}')


async def refusal(h: House, caller: Any, path: str, method: str, *arguments: Any) -> Refused:
    """A call that must be refused."""
    with pytest.raises(Refused) as refused:
        await h.call(caller, path, method, *arguments)
    return refused.value


async def there(path: Path) -> None:
    """Wait for a file."""
    with anyio.fail_after(10):
        while not await anyio.Path(path).exists():  # noqa: ASYNC110 (a file has no event)
            await anyio.sleep(0.01)


async def audited(h: House) -> list[tuple[Any, ...]]:
    """What the audit trail says."""
    return await h.server.desk.store.read(
        lambda c: c.execute("SELECT user_name, action, status FROM audit ORDER BY seq").fetchall()
    )


# ----------------------------------------------------------------------------------------------------------- runs
async def test_a_run_from_the_recipe_to_its_results(tmp_path: Path) -> None:
    async with furnace_house(tmp_path) as h:
        run_id, number = await created(h)
        assert number.startswith("CVD-")
        assert h.space.entries["Runs", number].fields["Status"] == "QUEUED"
        await h.call(OLGA, "Runs", "StartRun", run_id)
        sent = h.controller.commands[-1]
        assert sent.kind is CommandKind.START_RUN
        assert sent.principal.user == "olga"
        assert not sent.args["engineering"]
        await h.until(lambda: h.server.backend.variables()["Runs/ActiveRun/State"] == "RUNNING")
        h.furnace.run(50)
        await h.controller.happen(EventKind.STEP, run_id=run_id, index=0, name="leak check")
        await h.until(lambda: h.server.backend.variables()["Services/Active"] == "leak_check")
        assert h.server.backend.variables()["Runs/ActiveRun/StepIndex"] == -1
        await h.controller.happen(EventKind.STEP, run_id=run_id, index=1, name="deposition")
        await h.until(lambda: h.server.backend.variables()["Runs/ActiveRun/StepIndex"] == 0)
        assert h.server.backend.variables()["Services/Active"] == ""
        h.furnace.run(50)
        results: dict[str, Any] = {}
        async with anyio.create_task_group() as group:
            group.start_soon(_finish_later, h, run_id)
            await h.until(lambda: h.server.backend.variables()["Runs/ActiveRun/State"] == "COMPLETE")
            # The moment that a screen says COMPLETE the record is complete; the film is measured a little later.
            run = json.loads((await h.call(OTTO, "Runs", "GetRun", run_id))[0])
            assert run["status"] == "COMPLETE"
            assert run["recipe_name"] == "LPCVD SiO2 - 100nm"
            assert run["metadata"] == {"why": "test"}
            results = json.loads((await h.call(OTTO, "Runs", "GetResults", run_id))[0])
        assert results["thickness_mean_nm"] == 100.0
        await h.until(lambda: ("Results", number) in h.space.entries)
        assert h.space.entries["Runs", number].fields["Status"] == "COMPLETE"


async def _finish_later(h: House, run_id: str) -> None:
    await h.controller.finish(run_id)
    await anyio.sleep(0.1)
    await h.controller.happen(EventKind.METROLOGY, run_id=run_id, film="SiO2", thickness_map=[99.0, 101.0])


async def test_telemetry_is_the_same_while_a_run_is_hot_and_after_its_roll(tmp_path: Path) -> None:
    async with furnace_house(tmp_path) as h:
        run_id, number = await created(h)
        h.furnace.play(30, lambda _: {"chamber.pressure_torr": 9.0})
        await h.call(OLGA, "Runs", "StartRun", run_id)
        await h.until(lambda: h.server.backend.variables()["Runs/ActiveRun/State"] == "RUNNING")
        h.furnace.play(100, lambda k: {"chamber.pressure_torr": 0.5 + 0.001 * k})
        await h.server.desk.historian.flush()
        (hot,) = await h.call(OTTO, "Runs", "GetTelemetry", run_id, None, None, 0)
        await h.controller.finish(run_id)
        await there(tmp_path / "runs" / number / "run.json")
        (rolled,) = await h.call(OTTO, "Runs", "GetTelemetry", number, None, None, 0)
        hot, rolled = json.loads(hot), json.loads(rolled)
        assert hot["telemetry"] == rolled["telemetry"]
        assert rolled["count"] >= 10
        assert set(rolled["telemetry"][0]) >= {"ts", "chamber_pressure_torr", "temperature_zones_c", "gas_flows_sccm"}
        document = json.loads((tmp_path / "runs" / number / "run.json").read_text())
        assert document["run"]["run_number"] == number
        # While the daemon runs anybody reads the files; all rows of the run and no others are in them.
        rows = await anyio.to_thread.run_sync(_export, tmp_path, number)
        assert rows >= 10


def _export(data: Path, number: str) -> int:
    return export_run(data, number, "csv", data / "run.csv")


async def test_a_hot_run_is_asked_of_the_daemon_or_read_from_the_database(tmp_path: Path) -> None:
    async with furnace_house(tmp_path) as h:
        run_id, number = await created(h)
        await h.call(OLGA, "Runs", "StartRun", run_id)
        await h.until(lambda: h.server.backend.variables()["Runs/ActiveRun/State"] == "RUNNING")
        h.furnace.play(100, lambda _: {"chamber.pressure_torr": 0.5})
        await h.server.desk.historian.flush()
    rows = await anyio.to_thread.run_sync(_export, tmp_path, number)
    assert rows == 10
    assert (tmp_path / "run.csv").read_text().startswith("ts,")
    with pytest.raises(ExportError, match="no run CVD-1"):
        await anyio.to_thread.run_sync(_export, tmp_path, "CVD-1")


@pytest.mark.parametrize("form", ["parquet", "csv", "json"])
def test_what_a_daemon_tells_is_exported_in_every_form(tmp_path: Path, form: Any) -> None:
    connection = duckdb.connect(str(tmp_path / "cvd.duckdb"))  # held: this process is the daemon
    connection.close()
    from supervisor.server.records.export import _told

    target = tmp_path / f"run.{form}"
    assert (
        _told([{"ts": "2026-01-01T00:00:00Z", "p": 0.5}, {"ts": "2026-01-01T00:00:01Z", "p": None}], form, target) == 2
    )
    assert target.stat().st_size > 0
    assert sorted(path.name for path in tmp_path.iterdir() if "told" in path.name) == []


async def test_two_runs_of_one_second_have_two_numbers(tmp_path: Path) -> None:
    async with furnace_house(tmp_path) as h:
        recipe_id, version = await approved(h)
        numbers = [(await h.call(OLGA, "Runs", "CreateRun", recipe_id, version, "", "", ""))[1] for _ in range(4)]
        assert len(set(numbers)) == 4


@pytest.mark.parametrize(
    ("method", "kind"),
    [
        ("PauseRun", CommandKind.PAUSE),
        ("ResumeRun", CommandKind.RESUME),
        ("HoldRun", CommandKind.HOLD),
        ("RestartRun", CommandKind.RESTART),
        ("StopRun", CommandKind.STOP),
        ("AbortRun", CommandKind.ABORT),
    ],
)
async def test_each_run_method_is_a_command_and_its_refusal_comes_back(
    tmp_path: Path, method: str, kind: CommandKind
) -> None:
    async with house(tmp_path) as h:
        run_id = new_id()
        await h.call(OLGA, "Runs", method, run_id)
        assert h.controller.commands[-1].kind is kind
        assert h.controller.commands[-1].args == {"run_id": run_id}
        h.controller.refuse[kind] = ("BadInvalidState", "nothing runs")
        refused = await refusal(h, OLGA, "Runs", method, run_id)
        assert (refused.status, refused.reason) == ("BadInvalidState", "nothing runs")


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        ((new_id(), 1, "", "", "{}"), "BadNotFound"),
        (("no uuid'; DROP TABLE runs", 1, "", "", "{}"), "BadNotFound"),
    ],
)
async def test_a_run_of_nothing_is_refused(tmp_path: Path, arguments: tuple[Any, ...], status: str) -> None:
    async with house(tmp_path) as h:
        assert (await refusal(h, OLGA, "Runs", "CreateRun", *arguments)).status == status
        assert (await refusal(h, OLGA, "Runs", "GetRun", "x")).status == "BadNotFound"
        assert (await refusal(h, OLGA, "Runs", "StartRun", new_id())).status == "BadNotFound"
        assert (await refusal(h, OLGA, "Runs", "Nonsense")).status == "BadMethodInvalid"


async def test_metadata_must_be_an_object(tmp_path: Path) -> None:
    async with furnace_house(tmp_path) as h:
        recipe_id, version = await approved(h)
        for text in ("[1]", "{", "3"):
            refused = await refusal(h, OLGA, "Runs", "CreateRun", recipe_id, version, "", "", text)
            assert refused.status == "BadInvalidArgument"


async def test_a_simulation_is_a_run_of_its_own_kind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    report = {
        "state": "COMPLETE",
        "summary": {"duration_s": 3120.0},
        "metrology": {"film": "SiO2", "thickness_map": [100.0]},
    }

    async def pretend(_tool: Path, _recipe: Any) -> Any:
        return report, ""

    monkeypatch.setattr("supervisor.server.records.simulation.simulate", pretend)
    async with furnace_house(tmp_path) as h:
        recipe_id, version = await approved(h)
        (run_id,) = await h.call(OLGA, "Runs", "Simulate", recipe_id, version)
        await h.until(lambda: h.server.desk.simulating == 0)
        run = json.loads((await h.call(OLGA, "Runs", "GetRun", run_id))[0])
        assert run["run_number"].startswith("SIM-")
        assert (run["status"], run["duration_seconds"]) == ("COMPLETE", 3120.0)
        assert json.loads((await h.call(OLGA, "Runs", "GetResults", run_id))[0])["thickness_mean_nm"] == 100.0


async def test_a_recipe_is_simulated_by_a_process_of_its_own(tmp_path: Path) -> None:
    async with furnace_house(tmp_path, tool_file=TOOL_FILE) as h:
        recipe_id, version = await approved(h)
        (run_id,) = await h.call(OLGA, "Runs", "Simulate", recipe_id, version)
        assert (await refusal(h, OLGA, "Runs", "Simulate", recipe_id, version)).status == "BadTooManyOperations"
        await h.until(lambda: h.server.desk.simulating == 0, 60)
        run = json.loads((await h.call(OLGA, "Runs", "GetRun", run_id))[0])
        assert run["status"] == "COMPLETE", run["error_message"]
        results = json.loads((await h.call(OLGA, "Runs", "GetResults", run_id))[0])
        assert results["film_material"] == "SiO2"
        assert results["thickness_mean_nm"] == pytest.approx(100, rel=0.05)


async def test_a_simulation_that_cannot_run_says_why(tmp_path: Path) -> None:
    async with furnace_house(tmp_path) as h:
        recipe_id, version = await approved(h)
        (run_id,) = await h.call(OLGA, "Runs", "Simulate", recipe_id, version)  # its tool file does not exist
        await h.until(lambda: h.server.desk.simulating == 0, 60)
        run = json.loads((await h.call(OLGA, "Runs", "GetRun", run_id))[0])
        assert run["status"] == "ABORTED"
        assert "tool.toml" in run["error_message"]


# --------------------------------------------------------------------------------------------------------- recipes
async def test_whoever_wrote_a_recipe_cannot_approve_it_and_the_attempt_is_kept(tmp_path: Path) -> None:
    async with furnace_house(tmp_path) as h:
        recipe_id, version = await h.call(ERIKA, "Recipes", "AddRecipe", RECIPE)
        refused = await refusal(h, ERIKA, "Recipes", "ApproveRecipe", recipe_id, version, "mine is good")
        assert refused.status == "BadUserAccessDenied"
        assert "erika" in refused.reason
        other_session = person("erika", "engineer", "administrator")
        await refusal(h, other_session, "Recipes", "ApproveRecipe", recipe_id, version, "again")
        assert (
            await refusal(h, OLGA, "Runs", "CreateRun", recipe_id, version, "", "", "")
        ).status == "BadUserAccessDenied"
        assert ("erika", "ApproveRecipe", "BadUserAccessDenied") in await audited(h)


async def test_without_four_eyes_one_person_may(tmp_path: Path) -> None:
    async with furnace_house(tmp_path, policy=Policy(DEFAULT.roles, four_eyes=frozenset())) as h:
        recipe_id, version = await h.call(ERIKA, "Recipes", "AddRecipe", RECIPE)
        await h.call(ERIKA, "Recipes", "ApproveRecipe", recipe_id, version, "alone")


async def test_an_engineer_may_run_a_draft_and_it_is_marked(tmp_path: Path) -> None:
    async with furnace_house(tmp_path) as h:
        recipe_id, version = await h.call(ERIKA, "Recipes", "AddRecipe", RECIPE)
        run_id, _ = await h.call(ERIKA, "Runs", "CreateRun", recipe_id, version, "", "", "")
        await h.call(ERIKA, "Runs", "StartRun", run_id)
        assert h.controller.commands[-1].args["engineering"]
        assert json.loads((await h.call(OTTO, "Runs", "GetRun", run_id))[0])["engineering"]


async def test_versions_never_change_and_each_addition_is_the_next(tmp_path: Path) -> None:
    async with furnace_house(tmp_path) as h:
        recipe_id, first = await approved(h)
        changed = RECIPE.replace('"thickness_target_nm": 100.0', '"thickness_target_nm": 120.0')
        assert changed != RECIPE
        same_id, second = await h.call(ERIKA, "Recipes", "AddRecipe", changed)
        assert (same_id, first, second) == (recipe_id, 1, 2)
        before = json.loads((await h.call(OTTO, "Recipes", "GetRecipe", recipe_id, 1))[0])
        assert before["recipe"]["thickness_target_nm"] == 100.0
        assert [row["action"] for row in before["history"]] == ["add_recipe", "approve_recipe"]
        (diff,) = await h.call(OTTO, "Recipes", "DiffRecipes", recipe_id, 1, 2)
        words = "thickness_target_nm: 100 nm → 120 nm (+20 nm, +20 %)"
        change = {"path": "thickness_target_nm", "kind": "changed", "a": 100.0, "b": 120.0, "words": words}
        assert json.loads(diff) == [change]
        refused = await refusal(h, ERIKA, "Recipes", "ApproveRecipe", recipe_id, 1, "twice")
        assert refused.status == "BadInvalidState"
        assert len(json.loads((await h.call(OTTO, "Recipes", "ListRecipes", "", 0, 0))[0])) == 2
        assert len(json.loads((await h.call(OTTO, "Recipes", "ListRecipes", "draft", 0, 0))[0])) == 1


async def test_a_retired_version_is_never_run_again(tmp_path: Path) -> None:
    async with furnace_house(tmp_path) as h:
        run_id, _ = await created(h)
        (rows,) = await h.call(OTTO, "Recipes", "ListRecipes", "", 0, 0)
        recipe_id = json.loads(rows)[0]["recipe_id"]
        await h.call(AMIR, "Recipes", "RetireRecipe", recipe_id, 1, "old")
        assert (await refusal(h, OLGA, "Runs", "StartRun", run_id)).status == "BadInvalidState"
        assert (await refusal(h, ERIKA, "Runs", "CreateRun", recipe_id, 1, "", "", "")).status == "BadInvalidState"
        assert CommandKind.START_RUN not in {command.kind for command in h.controller.commands}


async def test_a_recipe_that_was_changed_in_the_database_is_not_run(tmp_path: Path) -> None:
    async with furnace_house(tmp_path) as h:
        run_id, _ = await created(h)
        await h.server.desk.store.write(
            lambda c: c.execute("UPDATE recipes SET document = replace(document, '100.0', '500.0')") and None
        )
        refused = await refusal(h, OLGA, "Runs", "StartRun", run_id)
        assert refused.status == "BadDataEncodingInvalid"


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"name": 3}', "x" * 100_000, '{"name": NaN}'])
async def test_what_is_no_recipe_is_refused_with_reasons(tmp_path: Path, text: str) -> None:
    async with furnace_house(tmp_path) as h:
        refused = await refusal(h, ERIKA, "Recipes", "AddRecipe", text)
        assert refused.status == "BadInvalidArgument"
        assert refused.reason
        ok, report = await h.call(OTTO, "Recipes", "ValidateRecipe", text)
        assert not ok
        assert json.loads(report)["diagnostics"]


async def test_a_recipe_for_another_tool_is_refused(tmp_path: Path) -> None:
    async with furnace_house(tmp_path) as h:
        assert (await refusal(h, ERIKA, "Recipes", "AddRecipe", GAN)).status == "BadInvalidArgument"


async def test_process_modes_come_with_the_first_start_and_can_be_added(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        (found,) = await h.call(OTTO, "ProcessModes", "ListProcessModes", "LPCVD", "", 0, 0)
        assert "LPCVD Oxide" in {mode["name"] for mode in json.loads(found)}
        mode = {
            "name": "House Special", "pressure_mode": "LPCVD", "energy_mode": "thermal", "reactor_type": "hot_wall",
            "chemistry_type": "hydride",
        }  # fmt: skip
        (number,) = await h.call(ERIKA, "ProcessModes", "CreateProcessMode", json.dumps(mode))
        assert h.space.entries["ProcessModes", "House Special"].fields["ProcessModeId"] == number
        again = await refusal(h, ERIKA, "ProcessModes", "CreateProcessMode", json.dumps(mode))
        assert again.status == "BadBrowseNameDuplicated"
        bad = await refusal(h, ERIKA, "ProcessModes", "CreateProcessMode", json.dumps({**mode, "energy_mode": "hope"}))
        assert "energy_mode" in bad.reason


# ----------------------------------------------------------------------------------------------------------- people
async def test_every_method_of_the_contract_is_there_and_closed_to_those_without_the_role(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        table = h.server.backend._calls
        assert {(method.owner, method.name) for method in METHODS} <= set(table)
        stranger = person("otto", "observer")
        arguments = {"String": "x", "UInt32": 1, "Double": 1.0, "DateTime": None, "Boolean": False,
                     "ByteString": b"x", "LocalizedText": "x"}  # fmt: skip
        for method in METHODS:
            if not method.roles:
                continue
            given = [arguments[argument.type] for argument in method.inputs]
            h.controller.refuse = dict.fromkeys(CommandKind, ("BadUserAccessDenied", "the controller says no too"))
            with pytest.raises(Refused):
                await h.call(stranger, method.owner.replace("*", "over_pressure"), method.name, *given)


async def test_one_person_controls_the_tool_and_safety_needs_no_control(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        await h.call(OLGA, "State", "TakeControl")
        assert h.server.backend.variables()["State/ControlOwner"] == "olga"
        assert (await refusal(h, ERIKA, "State", "TakeControl")).status == "BadUserAccessDenied"
        assert (await refusal(h, ERIKA, "Services", "Start", "leak_check")).status == "BadUserAccessDenied"
        with pytest.raises(Refused):
            await h.server.backend.write(person("paul", "operator"), "chamber.setpoint_torr", 1.0)
        await h.call(ERIKA, "State", "SafeShutdown")
        await h.call(ERIKA, "Runs", "AbortRun", new_id())
        await h.call(OTTO, "State", "SafeShutdown")
        assert (await refusal(h, ERIKA, "State", "ReleaseControl")).status == "BadInvalidState"
        h.server.backend.closed(OLGA.session)
        assert h.server.backend.variables()["State/ControlOwner"] == ""
        await h.call(ERIKA, "State", "TakeControl")
        assert (await refusal(h, person(""), "State", "SafeShutdown")).status == "BadUserAccessDenied"


async def test_set_points_move_by_hand_where_the_tool_says_so(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        await h.server.backend.write(OLGA, "chamber.setpoint_torr", 2.5)
        assert h.controller.commands[-1].args == {"tag": "chamber.setpoint_torr", "value": 2.5}
        for caller, tag in ((OTTO, "chamber.setpoint_torr"), (OLGA, "chamber.pressure_torr"), (OLGA, "nonsense")):
            with pytest.raises(Refused):
                await h.server.backend.write(caller, tag, 1.0)


async def test_a_bypass_takes_two_people(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        path = "Interlocks/over_pressure"
        (request,) = await h.call(ERIKA, path, "RequestBypass", "calibration of the gauge", 30.0)
        assert (await refusal(h, ERIKA, path, "ConfirmBypass", request)).status == "BadUserAccessDenied"
        same_session = person("amir", "engineer")
        same_session = type(same_session)("amir", same_session.roles, ERIKA.session)
        assert (await refusal(h, same_session, path, "ConfirmBypass", request)).status == "BadUserAccessDenied"
        assert (await refusal(h, AMIR, "Interlocks/emo", "ConfirmBypass", request)).status == "BadNotFound"
        assert CommandKind.BYPASS not in {command.kind for command in h.controller.commands}
        await h.call(AMIR, path, "ConfirmBypass", request)
        sent = h.controller.commands[-1]
        assert (sent.kind, sent.principal.user, sent.args["requested_by"]) == (CommandKind.BYPASS, "amir", "erika")
        assert (await refusal(h, AMIR, path, "ConfirmBypass", request)).status == "BadNotFound"
        for interlock, reason, duration, status in (
            ("emo", "because", 1.0, "BadNotSupported"),
            ("over_pressure", "because", 61.0, "BadOutOfRange"),
            ("over_pressure", "because", float("nan"), "BadOutOfRange"),
            ("over_pressure", "  ", 1.0, "BadInvalidArgument"),
            ("nonsense", "because", 1.0, "BadNotFound"),
        ):
            refused = await refusal(h, ERIKA, f"Interlocks/{interlock}", "RequestBypass", reason, duration)
            assert refused.status == status
        await h.call(OLGA, path, "RemoveBypass")


async def test_logins_are_checked_and_kept(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        users = h.server.backend._users
        await anyio.to_thread.run_sync(users.add, "olga", "password of olga", ["operator"])
        assert await h.server.backend.authenticate("olga", "password of olga", "127.0.0.1") == frozenset({"operator"})
        assert await h.server.backend.authenticate("olga", "wrong", "127.0.0.1") is None
        assert await h.server.backend.authenticate("nobody", "wrong", "127.0.0.1") is None
        h.server.backend.opened(OLGA)
        assert h.server.backend.variables()["Diagnostics/Sessions"] == 1
        with anyio.fail_after(5):
            while ("olga", "login", "Good") not in await audited(h):  # noqa: ASYNC110 (a task of its own)
                await anyio.sleep(0.01)
        assert ("olga", "login", "BadUserAccessDenied") in await audited(h)


async def test_what_concerns_security_is_in_the_trail_and_the_trail_is_whole(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        for action, status in (
            ("AuditOpenSecureChannel", "Good"),
            ("AuditCertificateExpired", "BadCertificateTimeInvalid"),
        ):
            entry = AuditEntry(Caller("", frozenset(), ""), action, "203.0.113.9", status, {"Certificate": "ab" * 32})
            await h.server.backend.audit(entry)
        assert await h.server.backend.authenticate_certificate("ab" * 32, "203.0.113.9") is None
        await anyio.to_thread.run_sync(h.server.backend._users.give_certificate, "robot", "ab" * 32, ["observer"])
        assert await h.server.backend.authenticate_certificate("ab" * 32, "203.0.113.9") == (
            "robot", frozenset({"observer"}),
        )  # fmt: skip
        found = await audited(h)
        faults = await h.server.desk.store.read(audit.verify)
    assert ("", "AuditOpenSecureChannel", "Good") in found
    assert ("", "AuditCertificateExpired", "BadCertificateTimeInvalid") in found
    assert ("certificate abababababababab", "login", "BadUserAccessDenied") in found
    assert faults == []


# ----------------------------------------------------------------------------------------------------------- deaths
async def test_when_the_controller_dies_every_value_is_bad_within_a_second(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        h.furnace.play(5, lambda _: {"chamber.pressure_torr": 0.5})
        await h.until(lambda: h.server.backend.values().status[h.furnace.layout.index["chamber.pressure_torr"]] == 0)
        assert h.server.backend.variables()["Diagnostics/ControllerAlive"]
        died = time.monotonic()
        await h.until(lambda: set(h.server.backend.values().status.tolist()) == {int(Status.BAD_NO_COMMUNICATION)})
        assert time.monotonic() - died < 1.0
        await h.until(lambda: any(o.severity == 900 and "stopped" in o.message for o in h.space.occurrences))
        assert h.server.backend.variables()["State/Mode"] == "Fault"
        h.furnace.begin()
        h.furnace.play(2, lambda _: {"chamber.pressure_torr": 0.5})
        assert h.server.backend.values().status[h.furnace.layout.index["chamber.pressure_torr"]] == 0


async def test_a_controller_that_does_not_answer_is_told_as_such(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("supervisor.server.controller.REPLY_S", 0.2)
    async with house(tmp_path) as h:
        h.controller.silent = True
        refused = await refusal(h, OLGA, "Runs", "PauseRun", new_id())
        assert refused.status == "BadTimeout"
        assert "not known yet" in refused.reason


async def test_a_controller_that_answers_no_question_keeps_nobody_from_working(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("supervisor.server.controller.REPLY_S", 0.05)
    monkeypatch.setattr(FakeController, "mute", True)
    async with house(tmp_path) as h:
        await anyio.sleep(0.2)
        await h.controller.happen(EventKind.NOTICE, text="still here")
        await h.until(lambda: h.server.desk.projector.resume() == 1)
        assert (await refusal(h, OTTO, "State", "CheckInterlocks")).status == "BadTimeout"


async def test_an_event_that_no_client_can_be_told_stops_nothing(tmp_path: Path) -> None:
    async with house(tmp_path) as h:

        async def fail(occurrence: Any) -> None:
            raise RuntimeError("a client's subscription")

        h.space.emit = fail
        for _ in range(3):
            await h.controller.happen(EventKind.NOTICE, text="news")
        await h.until(lambda: h.server.desk.projector.resume() == 3)


async def test_a_server_that_starts_again_takes_up_what_happened_meanwhile(tmp_path: Path) -> None:
    furnace, run = Furnace(), new_id()
    async with house(tmp_path, furnace) as h:
        steps = [{"name": "a", "planned_s": 1.0, "owner": "recipe"}]
        await h.controller.happen(
            EventKind.RUN_STARTED, run_id=run, run_number="CVD-1", kind="recipe", steps=steps, name="r"
        )
        await h.until(lambda: h.server.desk.projector.resume() == 1)
        journal = h.controller.journal
    async with house(tmp_path, furnace, journal) as h:
        assert h.controller.subscriptions == [1]
        assert h.server.backend.variables()["Runs/ActiveRun/State"] == "RUNNING"
        assert h.server.backend.variables()["Runs/ActiveRun/RunNumber"] == "CVD-1"
        h.controller.record(EventKind.NOTICE, text="while nobody listened")
    async with house(tmp_path, furnace, journal) as h:
        await h.controller.finish(run)
        await h.until(lambda: h.server.backend.variables()["Runs/ActiveRun/State"] == "COMPLETE")
        count = await h.server.desk.store.read(lambda c: aggregate(c, "SELECT count(*), max(seq) FROM events"))
        assert count == (len(journal), len(journal))


async def test_another_journal_is_noticed_and_projected_from_its_beginning(tmp_path: Path) -> None:
    furnace = Furnace()
    async with house(tmp_path, furnace) as h:
        for _ in range(5):
            await h.controller.happen(EventKind.NOTICE, text="old")
        await h.until(lambda: h.server.desk.projector.resume() == 5)
    async with house(tmp_path, furnace, []) as h:
        await h.until(lambda: h.server.desk.projector.cursor.journal == 2)
        await h.controller.happen(EventKind.NOTICE, text="new")
        await h.until(lambda: h.server.desk.projector.resume() == 1)


async def test_the_server_stops_within_two_seconds_and_keeps_the_last_rows(tmp_path: Path) -> None:
    furnace = Furnace()
    async with house(tmp_path, furnace) as h:
        furnace.play(40, lambda k: {"chamber.raw": float(k)})
        begun = time.monotonic()
    assert time.monotonic() - begun < 2.0
    rows = await anyio.to_thread.run_sync(_look, tmp_path, "SELECT count(*), max(ts_ns) FROM hot_1")
    assert rows == (40, furnace.start_ns + 39 * PERIOD_NS)
    await there(tmp_path / "audit.head")
    assert h.server.desk.space is None


async def test_a_trail_that_was_tampered_with_is_told_at_the_next_start(tmp_path: Path) -> None:
    furnace = Furnace()
    async with house(tmp_path, furnace) as h:
        await h.call(OLGA, "State", "TakeControl")
        await h.call(OLGA, "State", "ReleaseControl")
    await anyio.to_thread.run_sync(
        _look, tmp_path, "UPDATE audit SET user_name = 'erika' WHERE action = 'take_control'"
    )
    async with house(tmp_path, furnace) as h:
        with anyio.fail_after(10):
            while ("system", "audit_fault", "Bad") not in await audited(h):  # noqa: ASYNC110 (a task of its own)
                await anyio.sleep(0.01)


def _look(data: Path, sql: str) -> tuple[Any, ...]:
    with duckdb.connect(str(data / "cvd.duckdb")) as connection:
        return aggregate(connection, sql)


async def test_history_of_a_tag_comes_over_the_backend(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        h.furnace.play(100, lambda k: {"chamber.raw": float(k)})
        await h.server.desk.historian.flush()
        start = h.furnace.start_ns
        ts, values, status = await h.server.backend.history("chamber.raw", start, start + SECOND, 10)
        assert values.tolist() == [float(k) for k in range(10)]
        assert status.tolist() == [0] * 10
        assert ts.tolist() == [start + k * PERIOD_NS for k in range(10)]
        with pytest.raises(Refused):
            await h.server.backend.history("nonsense", 0, 1, 1)
