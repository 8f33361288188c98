"""What the controller watches over while nobody asks it anything."""

import signal
import time
from pathlib import Path

import anyio
import pytest

from config.loading import shipped_tool
from supervisor.controller import supervision
from supervisor.controller.errors import BindingError
from supervisor.controller.supervision import STALLED
from supervisor.link.messages import CommandKind, EventKind
from tests.supervisor.controller.house import house
from tests.supervisor.controller.stand import running, tool_text

pytestmark = pytest.mark.anyio
FURNACE = shipped_tool("lpcvd_furnace")


@pytest.mark.parametrize(("policy", "state"), [("hold", "HELD"), ("continue", "RUNNING")])
async def test_a_server_that_is_gone_for_long_is_answered_as_declared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, policy: str, state: str
) -> None:
    text = tool_text().replace("[scan]", f'[scan]\nserver_loss = "{policy}"\nserver_loss_s = 1.0')
    async with running(tmp_path, monkeypatch, text=text) as stand:
        await stand.started()
        # From here on the server says nothing.
        notice = await stand.hear(EventKind.NOTICE)
        assert "no server for 1 s" in notice.data["text"]
        await stand.until(lambda: stand.run_state == state)
        # It speaks again and goes again: that is told again.
        assert (await stand.ask("status"))["run"]["state"] == state
        await stand.until(lambda: len(stand.told(EventKind.NOTICE)) == 2)


async def test_an_idle_tool_does_not_mind_a_missing_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with running(tmp_path, monkeypatch) as stand:
        stand.controller.session.heard_s -= 10_000
        stand.controller.supervision._watch_server()
        assert not stand.told(EventKind.NOTICE)


async def test_a_stalled_scan_ends_the_process_so_that_another_makes_the_tool_safe(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    codes: list[int] = []
    async with running(tmp_path, monkeypatch) as stand:
        monkeypatch.setattr(supervision.os, "_exit", codes.append)
        await anyio.to_thread.run_sync(stand.controller.scanner.thread.stop)
        await stand.until(lambda: codes)
        assert codes[0] == STALLED
        await anyio.to_thread.run_sync(stand.controller.scanner.thread.start)


async def test_skipped_slots_are_added_up_and_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with running(tmp_path, monkeypatch) as stand:
        controller = stand.controller
        await anyio.to_thread.run_sync(controller.scanner.thread.stop)
        controller.scan.skip(7)
        controller.scan.skip(3)
        await anyio.to_thread.run_sync(controller.scanner.thread.start)
        told = await stand.hear(EventKind.SKIPPED)
        assert told.data["slots"] >= 10
        assert told.data["times"] >= 2


async def test_without_its_launcher_the_controller_ends_in_order(tmp_path: Path) -> None:
    """Its parent is killed; nobody would restart or stop it any more."""
    async with house(tmp_path, FURNACE, "--sim") as there:
        await there.move_in(orphan=True)
        pid = (await there.hear(EventKind.BOOT)).data["pid"]
        there.kill(signal.SIGKILL)
        await there.moved_out()
        await there.until(lambda: there.told(EventKind.SHUTDOWN), 20.0)
        assert there.told(EventKind.SHUTDOWN)[0].data["reason"] == "the launcher is gone"
        await there.until(lambda: not Path(f"/proc/{pid}").exists(), 20.0)


async def test_what_was_not_permitted_is_told_once_with_its_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = tool_text().replace("[scan]", "[scan]\ncpu = 4095")
    async with running(tmp_path, monkeypatch, text=text) as stand:
        notice = await stand.hear(EventKind.NOTICE)
        assert "processor 4095 refused" in notice.data["text"]
        assert "change scan.cpu" in notice.data["text"]
        assert any("4095" in text for text in (await stand.ask("status"))["notices"])
        timing = await stand.ask("timing")
        assert timing["scans"] > 0
        await stand.done("olga", CommandKind.ARM)
        assert len(stand.told(EventKind.NOTICE)) == 1


def test_binding_says_what_is_missing() -> None:
    from config.loading import load_model
    from config.text import Syntax
    from config.tool import Tool
    from supervisor.controller.scanning.binding import bind

    tool = load_model(tool_text(), Tool, syntax=Syntax.TOML)
    with pytest.raises(BindingError, match="Start it with --sim"):
        bind(tool, None, sim=False)  # type: ignore[arg-type]
    with pytest.raises(BindingError, match="has no \\[plant\\] section"):
        bind(tool, None, sim=True)  # type: ignore[arg-type]


async def test_a_clock_that_was_set_is_told_and_a_run_does_not_mind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_by = [0]
    monkeypatch.setattr(supervision, "wall_ns", lambda: time.time_ns() + set_by[0])
    async with running(tmp_path, monkeypatch, speed=20) as stand:
        await stand.started()
        set_by[0] = -3_600_000_000_000
        notice = await stand.hear(EventKind.NOTICE)
        assert "the clock was set back by 3600" in notice.data["text"]
        assert "not affected" in notice.data["text"]
        set_by[0] = 0
        await stand.until(lambda: len(stand.told(EventKind.NOTICE)) == 2)
        assert "set on by 3600" in stand.told(EventKind.NOTICE)[1].data["text"]
        ended = await stand.hear(EventKind.RUN_ENDED)
        assert ended.data["summary"]["duration_s"] == pytest.approx(61.0, abs=0.1)
