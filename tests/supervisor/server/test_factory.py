"""The factory's side: queue of runs, tokens, material, equipment times, telemetry in parts."""

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import anyio
import pytest

from supervisor.link.messages import CommandKind
from supervisor.server.configuration import ServerTable
from supervisor.server.records.place import WITH_PATH
from tests.supervisor.server.stand import OLGA, OTTO, House
from tests.supervisor.server.test_life import approved, audited, furnace_house, refusal

pytestmark = pytest.mark.anyio
ORG = "8c5dbd4e-3f4c-4a0b-9f35-1f2a7d0c1b11"
LEAST = datetime(1601, 1, 1)  # noqa: DTZ001 - as asyncua reads OPC UA's least DateTime


async def queued(h: House, recipe: tuple[str, int], token: str, *wafers: str) -> tuple[str, str, bool]:
    """A run of the MES with its wafers."""
    return await h.call(OLGA, "Runs", "QueueRun", token, *recipe, "S1", "LOT-7", "BOAT-2", list(wafers), "{}")


async def listed(h: House) -> list[dict[str, Any]]:
    """The queue."""
    return json.loads((await h.call(OTTO, "Runs", "ListQueue", 0, 0))[0])["queue"]


async def test_a_repeated_call_makes_no_second_run(tmp_path: Path) -> None:
    async with furnace_house(tmp_path) as h:
        recipe = await approved(h)
        first = await queued(h, recipe, "mes-1", "W1", "W2")
        again = await queued(h, recipe, "mes-1", "W1", "W2")
        assert first[2]
        assert again == (*first[:2], False)
        assert len(await listed(h)) == 1
        other = await refusal(h, OLGA, "Runs", "QueueRun", "mes-1", *recipe, "S1", "LOT-7", "BOAT-2", ["W3"], "{}")
        assert "something else" in other.reason
        # Without a token every call makes a run.
        assert (await queued(h, recipe, "", "W4"))[0] != (await queued(h, recipe, "", "W4"))[0]


async def test_two_calls_with_one_token_at_the_same_moment_make_one_run(tmp_path: Path) -> None:
    async with furnace_house(tmp_path) as h:
        recipe = await approved(h)
        made: list[tuple[str, str, bool]] = []

        async def call() -> None:
            made.append(await queued(h, recipe, "twice", "W1"))

        async with anyio.create_task_group() as group:
            for _ in range(4):
                group.start_soon(call)
        assert len({run_id for run_id, _, _ in made}) == 1
        assert sorted(new for _, _, new in made) == [False, False, False, True]
        assert len(await listed(h)) == 1


async def test_runs_start_in_the_order_of_the_queue(tmp_path: Path) -> None:
    async with furnace_house(tmp_path) as h:
        recipe = await approved(h)
        wishes = [{"recipe_id": recipe[0], "version": recipe[1], "wafer_ids": [f"W{n}"]} for n in range(3)]
        text, new = await h.call(OLGA, "Runs", "QueueRuns", "lot-9", json.dumps(wishes))
        ids = [run["run_id"] for run in json.loads(text)]
        assert new
        assert [run["run_id"] for run in await listed(h)] == ids
        assert await h.call(OLGA, "Runs", "MoveRun", ids[2], 0) == (0,)
        await h.call(OLGA, "Runs", "RemoveRun", ids[0], "wafer broken")
        assert [run["run_id"] for run in await listed(h)] == [ids[2], ids[1]]
        assert (await h.call(OLGA, "Runs", "StartNextRun")) == (ids[2],)
        assert h.controller.commands[-1].kind is CommandKind.START_RUN
        assert h.controller.commands[-1].args["run_id"] == ids[2]
        assert h.controller.commands[-1].principal.user == "olga"
        await h.until(lambda: h.server.backend.variables()["Runs/ActiveRun/RunId"] == ids[2])
        assert [run["run_id"] for run in await listed(h)] == [ids[1]]
        gone = json.loads((await h.call(OTTO, "Runs", "GetRun", ids[0]))[0])
        assert (gone["status"], gone["error_message"]) == ("REMOVED", "wafer broken")
        assert "only a queued run" in (await refusal(h, OLGA, "Runs", "MoveRun", ids[0], 0)).reason
        deeds = [action for user, action, status in await audited(h) if user == "olga" and status == "Good"]
        assert [d for d in deeds if d.endswith(("_run", "_runs"))][:3] == ["queue_runs", "move_run", "remove_run"]


async def test_faulty_orders_make_nothing_and_name_every_fault(tmp_path: Path) -> None:
    async with furnace_house(tmp_path) as h:
        recipe_id, version = await approved(h)
        good = {"recipe_id": recipe_id, "version": version}
        told = await refusal(
            h,
            OLGA,
            "Runs",
            "QueueRuns",
            "",
            json.dumps([good, {"version": "1", "colour": "red"}, {**good, "wafer_ids": ["", ""]}]),
        )
        for words in ("$[1].colour", "$[1].recipe_id is missing", "$[1].version is no int", "$[2]: a wafer has no id"):
            assert words in told.reason
        told = await refusal(h, OLGA, "Runs", "QueueRuns", "", json.dumps([good, {**good, "version": 9}]))
        assert "$[1]: there is no version 9" in told.reason
        assert await listed(h) == []
        assert (await refusal(h, OLGA, "Runs", "StartNextRun")).status == "BadNothingToDo"
        for wrong in ("{}", "[]", "no json"):
            assert (await refusal(h, OLGA, "Runs", "QueueRuns", "", wrong)).status == "BadInvalidArgument"


async def test_material_is_followed_through_a_run(tmp_path: Path) -> None:
    table = ServerTable.model_validate({"org_id": ORG, "equipment_path": "Fab 2/Diffusion"}, strict=False)
    async with furnace_house(tmp_path, table=table) as h:
        recipe = await approved(h)
        await h.call(OLGA, "Runs", "TrackMaterial", "wafer", "W1", "loaded", "boat slot 3", "")
        run_id, number, _ = await queued(h, recipe, "t", "W1", "W2")
        await h.call(OLGA, "Runs", "StartRun", run_id)
        await h.until(lambda: h.server.backend.variables()["Runs/ActiveRun/State"] == "RUNNING")
        await h.controller.finish(run_id)
        await h.until(lambda: h.server.backend.variables()["Runs/ActiveRun/State"] == "COMPLETE")
        found = json.loads((await h.call(OTTO, "Runs", "GetMaterial", "W1"))[0])
        # The journal's times are the stand's own; what happened is the same in any order.
        assert {row["what"] for row in found["history"]} == {"loaded", "queued", "processing", "processed"}
        assert found["location"] == "boat slot 3"
        assert {row["run_number"] for row in found["history"]} == {number, None}
        path = f"{ORG}/Fab 2/Diffusion/{h.furnace.layout.tool.name}"
        assert {row["isa95_path"] for row in found["history"]} == {path}
        run = json.loads((await h.call(OTTO, "Runs", "GetRun", run_id))[0])
        assert (run["org_id"], run["isa95_path"]) == (ORG, path)
        for table in WITH_PATH:
            question = f"SELECT DISTINCT isa95_path FROM {table}"  # noqa: S608 - names of ours
            found = await h.server.desk.store.read(
                lambda connection, asked=question: connection.execute(asked).fetchall()
            )
            assert found in ([], [(path,)]), table
            assert found or table not in {"runs", "recipes", "events", "audit", "material_log"}, table
        assert (run["lot_id"], run["carrier_id"], run["wafer_ids"]) == ("LOT-7", "BOAT-2", ["W1", "W2"])
        assert h.space.entries["Runs", number].fields["EquipmentPath"] == path
        assert (await refusal(h, OTTO, "Runs", "GetMaterial", "W99")).status == "BadNotFound"
        wrong = await refusal(h, OLGA, "Runs", "TrackMaterial", "cow", "", "eaten", "", "")
        assert all(word in wrong.reason for word in ("Kind", "What", "MaterialId"))


async def test_long_telemetry_comes_in_parts_that_join_without_a_gap(tmp_path: Path) -> None:
    async with furnace_house(tmp_path) as h:
        recipe = await approved(h)
        run_id, _, _ = await queued(h, recipe, "t", "W1")
        await h.call(OLGA, "Runs", "StartRun", run_id)
        await h.until(lambda: h.server.backend.variables()["Runs/ActiveRun/State"] == "RUNNING")
        h.furnace.run(1000)
        await h.server.desk.historian.flush()
        whole = json.loads((await h.call(OTTO, "Runs", "GetTelemetry", run_id, LEAST, LEAST, 0))[0])["telemetry"]
        parts: list[Any] = []
        point = ""
        while True:
            text, point = await h.call(OTTO, "Runs", "GetTelemetryPart", run_id, LEAST, LEAST, 7, point)
            parts += json.loads(text)["telemetry"]
            if not point:
                break
        assert len(whole) > 14
        assert parts == whole
        for wrong in ("xyz", "äöü"):
            told = await refusal(h, OTTO, "Runs", "GetTelemetryPart", run_id, LEAST, LEAST, 7, wrong)
            assert told.status == "BadContinuationPointInvalid"


async def test_times_in_the_states_of_e10_survive_a_restart(tmp_path: Path) -> None:
    async with furnace_house(tmp_path) as h:
        await h.until(lambda: h.server.backend.variables()["State/E10StateS"] >= 0)
        await h.server.desk.times.look("Standby", "Standby")
        before = h.server.desk.times.seconds()
        assert set(before) == {
            "Productive", "Standby", "Engineering", "Scheduled Downtime", "Unscheduled Downtime", "Non-Scheduled",
        }  # fmt: skip
    async with furnace_house(tmp_path) as h:
        after = h.server.desk.times.seconds()
        assert after["Standby"] >= before["Standby"]
        found = h.server.backend.variables()
        assert found["State/E10UnscheduledDowntimeS"] >= 0
        assert 0 <= found["State/E10UptimePct"] <= 100
        assert timedelta(seconds=sum(after.values())) < timedelta(minutes=5)
