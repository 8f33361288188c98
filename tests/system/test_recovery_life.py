"""A controller is killed in a deposition: safe first, then a person decides; nothing that was known is forgotten."""

import json
from pathlib import Path

import anyio
import pytest

from supervisor.link.journal import read_journal
from supervisor.link.messages import EventKind
from tests.system.daemon import approved, ended, idling, refusal, running, started, until
from tests.system.quick import quick_recipe

pytestmark = [pytest.mark.anyio, pytest.mark.slow]
SILANE = "Equipment/gas_panel/sih4.flow_sccm"
DEPOSITION_S = 600.0


def asking(name: str) -> str:
    """A recipe that asks for a decision, and whose deposition may be continued."""
    document = json.loads(quick_recipe(name, deposition_s=DEPOSITION_S))
    document["recovery"] = {"policy": "ask"}
    document["recipe_steps"][1]["resume"] = "continue"
    return json.dumps(document)


@pytest.mark.timeout(240)
async def test_a_run_is_resumed_where_it_was_and_nothing_else_starts_before(tmp_path: Path) -> None:
    async with running(tmp_path, speed=100) as daemon:
        async with daemon.client("olga") as operator:
            await idling(operator)
            run_id, number = await started(daemon, operator, asking("Asks"))
            await until(operator, SILANE, lambda flow: flow > 60)
            await until(operator, "Runs/ActiveRun/StepElapsedS", lambda seconds: seconds > 350)
            killed = await anyio.to_thread.run_sync(daemon.kill, "controller")
            await anyio.to_thread.run_sync(daemon.wait_for_restart, "controller", killed)
            record = await ended(operator, run_id)
            assert (record["status"], record["error_code"]) == ("ABORTED", "CONTROLLER_LOST")
            where = record["postflight_summary"]["interrupted"]
            assert where["step_name"] == "deposition"
            assert where["step_elapsed_s"] > 350
            assert await until(operator, "Runs/InterruptedRun", bool) == number
            assert await operator.read("Runs/InterruptedStep") == "deposition"
            assert await operator.read("Runs/RecoveryOffers") == "resume, abort, close"

            await until(operator, "Services/State", lambda state: state == "ABORTED")
            other_id, version = await approved(daemon, quick_recipe("Other"))
            other, _ = await operator.call("Runs", "CreateRun", other_id, version, "S2", "", "{}")
            assert "waits for a decision" in (await refusal(operator, "Runs", "StartRun", other)).reason
            unknown = await refusal(operator, "Runs", "RecoverRun", other, "close", "not this one")
            assert number in unknown.reason
            assert "Choice" in (await refusal(operator, "Runs", "RecoverRun", run_id, "ignore", "no")).reason
        async with daemon.client("otto") as observer:
            assert "role" in (await refusal(observer, "Runs", "RecoverRun", run_id, "close", "may I?")).reason

        # A second death does not forget that somebody has to decide.
        killed = await anyio.to_thread.run_sync(daemon.kill, "controller")
        await anyio.to_thread.run_sync(daemon.wait_for_restart, "controller", killed)
        async with daemon.client("olga") as operator:
            await until(operator, "Diagnostics/ControllerAlive", lambda alive: alive is True)
            assert await until(operator, "Runs/InterruptedRun", bool) == number
            await until(operator, "Services/State", lambda state: state == "ABORTED")
            await idling(operator)
            rest_id, rest = await operator.call("Runs", "RecoverRun", run_id, "resume", "the wafers are still in")
            assert await until(operator, "Runs/InterruptedRun", lambda waits: not waits) == ""
            done = await ended(operator, rest_id)
            assert done["status"] == "COMPLETE"
            assert done["metadata"]["continues"] == number
            took = next(s for s in done["postflight_summary"]["steps"] if s["name"] == "deposition")["actual_s"]
            assert took < DEPOSITION_S - 100
            before = json.loads(await operator.call("Runs", "GetRun", run_id))
            assert before["metadata"]["continued_by"] == rest
        await anyio.to_thread.run_sync(daemon.terminate)

    def kinds() -> list[EventKind]:
        return [event.kind for event in read_journal(tmp_path / "journal")]

    told = await anyio.to_thread.run_sync(kinds)
    assert told.count(EventKind.RUN_INTERRUPTED) == 2
