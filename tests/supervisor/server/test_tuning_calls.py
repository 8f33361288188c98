"""Gains as people meet them: one proposes what a test has told, another approves, and every decision is on record."""

import json
import math
from pathlib import Path
from typing import Any

import pytest

from config.tool import Loop, Tool
from opcua_model.interface import Refused
from supervisor.link.messages import CommandKind, EventKind
from tests.supervisor.server.stand import AMIR, ERIKA, OLGA, Furnace, House, house, small_tool

pytestmark = pytest.mark.anyio
STEP_AT, GAIN, LAG_S, DEAD_S = 400, 2.0, 3.0, 0.5


def tool() -> Tool:
    """The stand with a loop whose tags an instrument can post."""
    loop = Loop(
        name="stage", pv="chamber.temperature_c", sp="chamber.setpoint_torr", out="chamber.sih4_sccm",
        mode="chamber.raw", kp=1.0, ti_s=2.0, low=0, high=100, off=0,
    )  # fmt: skip
    return small_tool().model_copy(update={"loops": (loop,)})


def step_test(scan: int) -> dict[str, float]:
    """A step of the output by 5 in manual, answered with a dead time and a lag."""
    since = (scan - STEP_AT) * 0.01 - DEAD_S
    answer = GAIN * 5.0 * (1.0 - math.exp(-since / LAG_S)) if since > 0 else 0.0
    return {
        "chamber.raw": 1.0,
        "chamber.sih4_sccm": 35.0 if scan >= STEP_AT else 30.0,
        "chamber.temperature_c": 700.0 + answer,
    }


async def carried_out(h: House) -> None:
    """A step test was carried out and its rows are in the historian."""
    steps = [{"name": "step", "planned_s": 10.0, "owner": "step_test"}]
    await h.controller.happen(
        EventKind.RUN_STARTED, run_id=RUN, run_number="CVD-1", kind="operation", steps=steps, name="step_test"
    )
    h.furnace.play(3000, step_test)
    await h.controller.finish(RUN)
    desk = h.server.desk
    await desk.historian.flush()
    await desk.projector.caught_up()


RUN = "00000000-0000-4000-8000-000000000001"


async def refusal(h: House, caller: Any, method: str, *arguments: Any) -> Refused:
    with pytest.raises(Refused) as caught:
        await h.call(caller, "Loops", method, *arguments)
    return caught.value


async def test_another_person_approves_what_a_step_test_tells(tmp_path: Path) -> None:
    async with house(tmp_path, Furnace(tool())) as h:
        await carried_out(h)
        assert (await refusal(h, OLGA, "ProposeGains", RUN, "stage", "step", 0.0)).status == "BadUserAccessDenied"
        for arguments, words in (
            ((RUN, "none", "step", 0.0), "there is no loop none; there are: stage"),
            ((RUN, "stage", "guess", 0.0), "there are relay, step"),
            ((RUN, "stage", "step", -1.0), "ClosedLoopS"),
            ((RUN, "stage", "relay", 0.0), "CVD-1: 0 whole cycles"),
            (("none", "stage", "step", 0.0), "there is no run none"),
        ):
            assert words in (await refusal(h, ERIKA, "ProposeGains", *arguments)).reason
        number, text = await h.call(ERIKA, "Loops", "ProposeGains", RUN, "stage", "step", 0.0)
        told = json.loads(text)
        assert told["found"]["gain"] == pytest.approx(GAIN, rel=0.02)
        assert told["found"]["lag_s"] == pytest.approx(LAG_S, rel=0.05)
        assert told["present"] == {"kp": 1.0, "ti_s": 2.0, "td_s": 0.0}
        assert not h.controller.commands, "a proposal moves nothing"
        alone = await refusal(h, ERIKA, "ApproveGains", number, "mine")
        assert (alone.status, "four eyes" in alone.reason) == ("BadUserAccessDenied", True)
        await h.call(AMIR, "Loops", "ApproveGains", number, "looks right")
        (command,) = h.controller.commands
        assert (command.kind, command.principal.user) == (CommandKind.TUNE_LOOP, "amir")
        assert (command.args["kp"], command.args["ti_s"]) == (told["kp"], told["ti_s"])
        assert (command.args["proposed_by"], command.args["run_number"]) == ("erika", "CVD-1")
        done = command.args | {"stage": "approved", "version": 1, "kp_before": 1.0, "ti_s_before": 2.0, "user": "amir"}
        await h.controller.happen(EventKind.TUNED, **done)
        (row,) = json.loads((await h.call(OLGA, "Loops", "ListGains", "stage", 0, 0))[0])
        assert (row["status"], row["version"], row["decided_by"], row["comment"]) == (
            "approved", 1, "amir", "looks right",
        )  # fmt: skip
        assert "was approved already" in (await refusal(h, AMIR, "ApproveGains", number, "again")).reason
        await h.call(ERIKA, "Loops", "RestoreGains", "stage", "it rings")
        assert h.controller.commands[-1].kind is CommandKind.RESTORE_LOOP
        await h.controller.happen(
            EventKind.TUNED, **done | {"stage": "restored", "user": "erika", "reason": "it rings"}
        )
        (row,) = json.loads((await h.call(OLGA, "Loops", "ListGains", "", 0, 0))[0])
        assert (row["status"], row["decided_by"], row["comment"]) == ("restored", "erika", "it rings")
        rejected, _ = await h.call(ERIKA, "Loops", "ProposeGains", RUN, "stage", "step", 5.0)
        await h.call(AMIR, "Loops", "RejectGains", rejected, "too slow")
        states = [one["status"] for one in json.loads((await h.call(OLGA, "Loops", "ListGains", "", 0, 0))[0])]
        assert states == ["rejected", "restored"]
        said = await h.server.desk.store.read(
            lambda c: c.execute(
                "SELECT user_name, action FROM audit WHERE action LIKE '%gains%' ORDER BY seq"
            ).fetchall()
        )
        assert said == [
            ("erika", "propose_gains"), ("amir", "gains approved"), ("erika", "gains restored"),
            ("erika", "propose_gains"), ("amir", "reject_gains"),
        ]  # fmt: skip
