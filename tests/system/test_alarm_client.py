"""A client that shares no line with us lives with an alarm: told at once, answered, shelved, refreshed, over."""

import contextlib
import json
from pathlib import Path
from typing import Any

import anyio
import pytest

from opcua_model.client import ClientError
from opcua_model.stack import ua
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

[[alarms]]
name = "setpoint_there"
kind = "limit"
description = "Somebody asks for heat at all"
tag = "heater.zone1.setpoint_c"
high = "600 °C"
priority = "low"
response_time_s = 60
consequence = "None: it is a test"
action = "Nothing"

# ------------------------------------------------------------------------------------------------------- control
"""
RATE = """
[[alarms]]
name = "setpoint_rises"
kind = "rate_of_change"
description = "Somebody asks for more heat too fast"
tag = "heater.zone1.setpoint_c"
window_s = 60
high = "6 °C/min"
hysteresis = "0.6 °C/min"
priority = "low"
response_time_s = 60
consequence = "None: it is a test"
action = "Ask for it step by step"
"""
LEVEL = 9482
"""ExclusiveLevelAlarmType."""

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.slow,
    pytest.mark.timeout(240),
]
needs_node = pytest.mark.skipif(
    not INSTALLED.exists() and not IN_CI, reason="node-opcua is not there: make node-client"
)


def tool_with_alarm(folder: Path, more: str = "") -> Path:
    text = FURNACE.read_text(encoding="utf-8")
    head = "# " + "-" * 103 + " control\n"
    assert text.count(head) == 1
    file = folder / "tool.toml"
    file.write_text(text.replace(head, more + ALARM), encoding="utf-8")
    return file


@needs_node
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


async def until_is(client: Any, path: str, wanted: Any) -> None:
    with anyio.fail_after(30):
        while True:
            with contextlib.suppress(ClientError):
                if await client.read(path) == wanted:
                    return
            await anyio.sleep(0.1)


async def a_rate_is_an_alarm_while_it_lasts(engineer: Any) -> None:
    """From the tool file over the scan and the journal to the condition of its type."""
    rises = "Alarms/setpoint_rises"
    one = engineer._client.get_node(engineer.node(rises))
    assert await one.read_type_definition() == ua.NodeId(ua.ObjectIds.ExclusiveRateOfChangeAlarmType)
    assert await engineer.read(f"{rises}/HighLimit") == 6.0
    assert (await engineer.read(f"{rises}/EngineeringUnits")).DisplayName.Text == "°C/min"
    assert await engineer.read(f"{rises}/ActiveState/Id") is False, "a start is no rise"
    await engineer.write("Equipment/heater/zone1.setpoint_c", 710.0)
    await until_is(engineer, f"{rises}/ActiveState/Id", True)
    assert (await engineer.read(f"{rises}/LimitState/CurrentState")).Text == "High"
    await until_is(engineer, f"{rises}/ActiveState/Id", False)
    assert await engineer.read(f"{rises}/Occurrences") == 1


async def test_an_answer_outlives_the_death_of_either_half(tmp_path: Path) -> None:
    alarm = "Alarms/setpoint_there"
    # A dead controller's successor takes more than a minute of the tool's time to make it safe.
    async with running(tmp_path / "data", tool=tool_with_alarm(tmp_path, RATE), speed=20) as daemon:
        async with daemon.client("erika") as engineer:
            await a_rate_is_an_alarm_while_it_lasts(engineer)
        async with daemon.client("olga") as operator:
            await until_is(operator, f"{alarm}/ActiveState/Id", True)
            event_id = await operator.read(f"{alarm}/EventId")
            await operator.call(alarm, "Acknowledge", event_id, "known")
            await until_is(operator, f"{alarm}/AckedState/Id", True)
        for half in ("server", "controller"):
            killed = await anyio.to_thread.run_sync(daemon.kill, half)
            await anyio.to_thread.run_sync(daemon.wait_for_restart, half, killed)
            async with daemon.client("olga") as operator:
                await until_is(operator, "Diagnostics/ControllerAlive", True)
                await until_is(operator, f"{alarm}/Quality", ua.StatusCode(0))
                assert await operator.read(f"{alarm}/ActiveState/Id") is True
                assert await operator.read(f"{alarm}/AckedState/Id") is True
                assert (await operator.read(f"{alarm}/Comment")).Text == "known"
                assert await operator.read(f"{alarm}/Occurrences") == 1
