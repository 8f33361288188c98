"""Slot maps: where wafers lie, and how they go through the tool."""

import json
from pathlib import Path

import pytest

from supervisor.link.messages import EventKind
from tests.supervisor.server.stand import OLGA, OTTO, House
from tests.supervisor.server.test_life import house, refusal

pytestmark = pytest.mark.anyio


async def slot_map(h: House, carrier: str) -> list[str]:
    return json.loads((await h.call(OTTO, "Runs", "GetSlotMap", carrier))[0])["slots"]


async def test_a_carrier_has_its_wafers_in_slots_and_they_move(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        assert await slot_map(h, "BOAT-2") == []
        await h.call(OLGA, "Runs", "SetSlotMap", "BOAT-2", ["W1", "", "W3"])
        await h.call(OLGA, "Runs", "SetSlotMap", "BOAT-22", ["X1"])
        assert await slot_map(h, "BOAT-2") == ["W1", "", "W3"]
        # A wafer that is put elsewhere is no longer here; one that is taken out neither.
        await h.call(OLGA, "Runs", "SetSlotMap", "BOAT-22", ["X1", "W3"])
        assert await slot_map(h, "BOAT-2") == ["W1"]
        await h.call(OLGA, "Runs", "SetSlotMap", "BOAT-2", ["", "W9"])
        assert await slot_map(h, "BOAT-2") == ["", "W9"]


async def test_a_map_that_cannot_be_is_refused(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        for wafers, words in ((["W1", "W1"], "two slots"), (["W"] * 201, "at most 200 slots")):
            assert words in (await refusal(h, OLGA, "Runs", "SetSlotMap", "BOAT-2", wafers)).reason
        assert (await refusal(h, OTTO, "Runs", "SetSlotMap", "BOAT-2", ["W1"])).status == "BadUserAccessDenied"


async def test_loading_and_unloading_enter_the_histories_of_the_wafers(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        await h.call(OLGA, "Runs", "SetSlotMap", "BOAT-2", ["W1", "W2"])
        for number, operation in enumerate(("load", "transfer_in", "transfer_out", "unload")):
            run_id = f"0f0f0f0f-0000-4000-8000-00000000000{number}"
            await h.server.desk.store.write(
                lambda connection, run_id=run_id, operation=operation: (
                    connection.execute(
                        "INSERT INTO runs (id, org_id, run_number, kind, instrument_id, status, operator_id, metadata) "
                        "VALUES (?, ?, ?, 'operation', ?, 'QUEUED', 'olga', ?)",
                        [run_id, run_id, f"CVD-{operation}", run_id, json.dumps({"operation": operation})],
                    )
                    and None
                )
            )
            await h.controller.happen(EventKind.RUN_STARTED, run_id=run_id, run_number=f"CVD-{operation}")
            await h.controller.happen(EventKind.RUN_ENDED, run_id=run_id, state="COMPLETE", cause="program")
        assert await slot_map(h, "BOAT-2") == ["W1", "W2"]
        told = json.loads((await h.call(OTTO, "Runs", "GetMaterial", "W2"))[0])
        # The stand's events are older than the map: by the clock they stand before it.
        found = {row["what"]: (row["run_number"], row["location"]) for row in told["history"] if row["what"] != "moved"}
        moved = [row["location"] for row in told["history"] if row["what"] == "moved"]
        assert sorted(moved) == ["BOAT-2 slot 2 in the chamber", "BOAT-2 slot 2 in the load lock"]
        assert found["loaded"] == ("CVD-load", "BOAT-2 slot 2 in the tool")
        assert found["unloaded"] == ("CVD-unload", "BOAT-2 slot 2 out of the tool")
