"""Who owns a set point is always told: hand, program, loop, force or interlock."""

from pathlib import Path

import pytest

from supervisor.link.messages import CommandKind
from tests.supervisor.controller.stand import running

pytestmark = pytest.mark.anyio


async def test_the_owner_of_a_set_point_changes_hands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with running(tmp_path, monkeypatch) as stand:

        async def owner(tag: str) -> str:
            return (await stand.ask("status"))["owners"][tag]

        await stand.done("mara", CommandKind.RESET_INTERLOCK, name="over_pressure")
        assert await owner("panel.sih4.valve") == "not armed"
        await stand.done("mara", CommandKind.ARM)
        assert await owner("panel.sih4.valve") == "hand"
        await stand.done("mara", CommandKind.SET_MODE, mode="Maintenance")
        await stand.done(
            "mara", CommandKind.FORCE, tag="panel.sih4.setpoint_sccm", value=5.0, reason="flow check", duration_s=60.0
        )
        assert await owner("panel.sih4.setpoint_sccm") == "force by mara: flow check"
        await stand.done("mara", CommandKind.UNFORCE, tag="panel.sih4.setpoint_sccm")
        await stand.done("mara", CommandKind.SET_MODE, mode="Ready")
        await stand.started()
        assert await owner("panel.sih4.valve") == "program"
        stand.post(pressure_torr=900.0)
        await stand.until(lambda: stand.controller.scanner.view().engaged())
        assert (await owner("panel.sih4.valve")).startswith("interlock ")
        stand.post(pressure_torr=0.1)  # so that the safe sequence finds its pressure
