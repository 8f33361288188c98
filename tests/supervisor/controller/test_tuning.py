"""Tuned gains in the controller: in force while nothing runs, kept over a restart, and back to the tool file's."""

from pathlib import Path
from typing import Any

import pytest

from supervisor.controller.scanning.scanner import View
from supervisor.link.messages import CommandKind, EventKind
from tests.supervisor.controller.stand import Stand, running

pytestmark = pytest.mark.anyio
TUNED: dict[str, Any] = {
    "loop": "pressure", "kp": 5.0, "ti_s": 1.5, "at": None, "method": "relay", "rule": "Tyreus and Luyben",
    "found": {"ultimate_gain": 16.0}, "run_number": "CVD-1", "proposal_id": "p-1", "proposed_by": "erika",
}  # fmt: skip


async def in_force(stand: Stand) -> dict[str, Any]:
    return dict((await stand.ask("care"))["loops"]["pressure"])


async def answer(stand: Stand, error: float) -> float:
    """By how much the throttle moves at once when the pressure changes by so much."""
    before = stand.controller.scanner.view()
    at = before.value("chamber.pressure_torr")
    stand.post(pressure_torr=at + error)

    def seen() -> View | None:
        view = stand.controller.scanner.view()
        return view if view.value("chamber.pressure_torr") == at + error else None

    view = await stand.until(seen)
    return float(view.value("chamber.throttle_pct") - before.value("chamber.throttle_pct"))


async def test_approved_gains_act_are_kept_and_can_be_taken_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running(tmp_path, monkeypatch) as stand:
        await stand.clear("olga")
        refused = await stand.command("olga", CommandKind.TUNE_LOOP, **TUNED)
        assert refused.status == "BadUserAccessDenied"
        reply = await stand.done("erik", CommandKind.TUNE_LOOP, **TUNED)
        assert reply.result == {"version": 1, "kp": 5.0, "ti_s": 1.5}
        told = (await stand.hear(EventKind.TUNED, loop="pressure")).data
        assert (told["stage"], told["kp_before"], told["ti_s_before"]) == ("approved", 2.0, 3.0)
        assert (told["user"], told["proposed_by"], told["run_number"]) == ("erik", "erika", "CVD-1")
    async with running(tmp_path, monkeypatch) as stand:
        tuned = (await in_force(stand))["tuned"]
        assert (tuned["kp"], tuned["ti_s"], tuned["version"], tuned["user"]) == (5.0, 1.5, 1, "erik")
        await stand.clear("olga")
        await stand.done("olga", CommandKind.ARM)
        stand.post(pressure_torr=10.0)
        await stand.until(lambda: stand.value("chamber.pressure_torr") == 10.0)
        await stand.done("erik", CommandKind.WRITE, tag="chamber.pressure_setpoint_torr", value=10.0)
        await stand.done("erik", CommandKind.WRITE, tag="chamber.pressure_mode", value=2.0)
        await stand.until(lambda: stand.value("chamber.pressure_mode") == 2.0)
        assert -0.5 < await answer(stand, -0.08) < -0.3, "5 %/Torr, not the tool file's 2"
        await stand.done("mara", CommandKind.RESTORE_LOOP, name="pressure", reason="it rings at 1 Torr")
        restored = (await stand.hear(EventKind.TUNED, stage="restored")).data
        assert (restored["kp"], restored["kp_before"], restored["reason"]) == (2.0, 5.0, "it rings at 1 Torr")
        assert (await in_force(stand))["tuned"] is None
        again = await stand.command("mara", CommandKind.RESTORE_LOOP, name="pressure", reason="once more")
        assert again.reason == "pressure has the gains of the tool file"
        reply = await stand.done("erik", CommandKind.TUNE_LOOP, **TUNED)
        assert reply.result["version"] == 2, "a version is given once"


@pytest.mark.parametrize(
    ("change", "status", "words"),
    [
        ({"loop": "none"}, "BadNotFound", "there is no loop none; there are: temperature, pressure"),
        ({"kp": 1000.0}, "BadOutOfRange", "more than 100 times away"),
        ({"ti_s": 1e-4}, "BadOutOfRange", "more than 100 times away"),
        ({"kp": -1.0}, "BadInvalidArgument", "kp"),
        ({"kp": float("inf")}, "BadInvalidArgument", "kp"),
    ],
)
async def test_gains_that_nobody_means_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: dict[str, Any], status: str, words: str
) -> None:
    async with running(tmp_path, monkeypatch) as stand:
        refused = await stand.command("erik", CommandKind.TUNE_LOOP, **TUNED | change)
        assert (refused.status, words in refused.reason) == (status, True), refused.reason
        assert (await in_force(stand))["tuned"] is None


async def test_gains_do_not_change_under_a_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with running(tmp_path, monkeypatch) as stand:
        await stand.clear("olga")
        await stand.started()
        restored: dict[str, Any] = {"name": "pressure", "reason": "why not"}
        for kind, words in ((CommandKind.TUNE_LOOP, TUNED), (CommandKind.RESTORE_LOOP, restored)):
            refused = await stand.command("erik", kind, **words)
            assert refused.reason == "gains do not change while a run is RUNNING"
