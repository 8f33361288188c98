"""A client that shares no line with us lives with an alarm: told at once, answered, shelved, refreshed, over."""

import json
from pathlib import Path
from typing import Any

import anyio
import pytest

from tests.system.daemon import FURNACE, PASSWORD, running
from tests.system.test_independent_client import CLIENT, IN_CI, INSTALLED, NODE

SCRIPT = CLIENT.with_name("alarms.mjs")
ALARM = """
[[alarms]]
name = "setpoint_high"
kind = "level"
description = "Somebody asks for much heat"
tag = "heater.zone1.setpoint_c"
high = "750 °C"
high_high = "800 °C"
outer_priority = "high"
confirm = true
priority = "low"
response_time_s = 60
consequence = "None: it is a test"
action = "Move it back"

# ------------------------------------------------------------------------------------------------------- control
"""
LEVEL = 9482
"""ExclusiveLevelAlarmType."""

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.slow,
    pytest.mark.timeout(120),
    pytest.mark.skipif(not INSTALLED.exists() and not IN_CI, reason="node-opcua is not there: make node-client"),
]


def tool_with_alarm(folder: Path) -> Path:
    text = FURNACE.read_text(encoding="utf-8")
    head = "# " + "-" * 103 + " control\n"
    assert text.count(head) == 1
    file = folder / "tool.toml"
    file.write_text(text.replace(head, ALARM), encoding="utf-8")
    return file


async def test_node_opcua_answers_shelves_and_refreshes_an_alarm(tmp_path: Path) -> None:
    command = [str(NODE), str(SCRIPT), "--operator", f"olga:{PASSWORD}", "--engineer", f"erika:{PASSWORD}"]
    command += ["--alarm", "setpoint_high", "--tag", "Equipment/heater/zone1.setpoint_c"]
    async with running(tmp_path / "data", tool=tool_with_alarm(tmp_path)) as daemon:
        with anyio.fail_after(90):
            done = await anyio.run_process([*command, "--endpoint", daemon.endpoint], check=False, cwd=SCRIPT.parent)
    told: dict[str, Any] = {}
    for line in done.stdout.decode().splitlines():
        if line.startswith("{"):
            one = json.loads(line)
            told[one.pop("event")] = one
    assert done.returncode == 0, told.get("failed") or done.stderr.decode()

    raised = told["raised"]
    changes = [(one["active"], one["limit"] or "", one["severity"]) for one in raised["server"]]
    assert changes[:2] == [(True, "High", 200), (False, "", 200)]
    assert (True, "HighHigh", 700) in changes[2:]
    assert all(one["type"] == LEVEL for one in raised["server"])
    assert raised["module"] == raised["tool"] == len(raised["server"])
    assert raised["source"] == "heater"
    assert told["monitored"]["alarms"] >= 1
    assert told["answered"] == {
        "unknown": "BadEventIdUnknown",
        "stale": "BadEventIdUnknown",
        "early": "BadInvalidState",
        "acked": "Good",
        "twice": "BadConditionBranchAlreadyAcked",
        "confirmed": "Good",
        "now": {
            "active": True, "acked": True, "confirmed": True, "retain": True, "severity": 700, "limit": "HighHigh",
            "shelf": "Unshelved", "comment": "done", "type": LEVEL,
        },
    }  # fmt: skip
    assert told["shelved"] == {
        "tooLong": "BadShelvingTimeOutOfRange", "timed": "Good", "once": "Good", "off": "BadUserAccessDenied",
    }  # fmt: skip
    refreshed = told["refreshed"]
    assert (refreshed["status"], refreshed["foreign"], refreshed["same"]) == ("Good", "BadSubscriptionIdInvalid", True)
    assert (refreshed["types"][0], refreshed["types"][-1]) == (2787, 2788)  # RefreshStart, RefreshEnd
    cleared = told["cleared"]
    assert (cleared["active"], cleared["retain"], cleared["shelf"]) == (False, False, "Unshelved")
