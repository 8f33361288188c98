"""The launcher keeps a half alive, tells when it cannot, and lets it end in its own time."""

import json
import os
import signal
from collections.abc import Callable
from pathlib import Path

import anyio
import pytest

from supervisor.launcher import half as half_module
from supervisor.launcher.errors import HalfFailedError
from supervisor.launcher.half import Half

PROGRAM = """
import json, os, signal, sys, time
options = json.loads(sys.argv[1])
path = options["folder"] + "/starts"
with open(path, "a") as file:
    file.write(f"{os.getpid()}\\n")
def stop(*_):
    if options.get("deaf"):
        return
    with open(options["folder"] + "/ended", "w") as file:
        file.write("in order")
    sys.exit(0)
signal.signal(signal.SIGTERM, stop)
if not options.get("never_ready"):
    os.write(int(sys.argv[sys.argv.index("--ready-fd") + 1]), b"1")
if options.get("exit") is not None:
    sys.exit(options["exit"])
while True:
    signal.pause()
"""


@pytest.fixture
def half(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Half]:
    (tmp_path / "half_program.py").write_text(PROGRAM)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setattr(half_module, "FIRST_DELAY_S", 0.01)

    def make(stop_s: float = 10.0, on_ready: Callable[[], None] = lambda: None, **options: object) -> Half:
        arguments = [json.dumps({"folder": str(tmp_path), **options})]
        return Half("controller", "half_program", arguments, (), stop_s, on_ready)

    return make


def starts(folder: Path) -> list[int]:
    return [int(line) for line in (folder / "starts").read_text().split()]


@pytest.mark.anyio
async def test_a_half_that_is_killed_is_started_again(half: Callable[..., Half], tmp_path: Path) -> None:
    send, receive = anyio.create_memory_object_stream[None](10)
    child = half(on_ready=lambda: send.send_nowait(None))
    async with send, receive, anyio.create_task_group() as group:
        group.start_soon(child.run)
        for _ in range(2):
            await receive.receive()
            assert child.process is not None
            os.kill(child.process.pid, signal.SIGKILL)
        await receive.receive()
        await child.stop()
    assert child.starts == 3
    assert len(set(starts(tmp_path))) == 3
    assert (tmp_path / "ended").read_text() == "in order"


@pytest.mark.anyio
@pytest.mark.parametrize("options", [{"never_ready": True, "exit": 1}, {"never_ready": True, "exit": 78}])
async def test_a_half_that_never_was_ready_ends_the_daemon(half: Callable[..., Half], options, tmp_path) -> None:
    with pytest.raises(HalfFailedError, match=rf"controller cannot run \(exit code {options['exit']}\)"):
        await half(**options).run()
    assert len(starts(tmp_path)) == 1


@pytest.mark.anyio
async def test_a_half_that_ignores_sigterm_is_killed_after_its_time(half: Callable[..., Half], tmp_path: Path) -> None:
    child = half(stop_s=0.2, deaf=True)
    async with anyio.create_task_group() as group:
        group.start_soon(child.run)
        await child.ready.wait()
        await child.stop()
    assert child.process is not None
    assert child.process.returncode == -signal.SIGKILL
    assert not (tmp_path / "ended").exists()


@pytest.mark.anyio
async def test_a_half_waiting_to_be_restarted_can_be_stopped(half: Callable[..., Half], monkeypatch) -> None:
    monkeypatch.setattr(half_module, "FIRST_DELAY_S", 3600.0)
    child = half(exit=3)
    async with anyio.create_task_group() as group:
        group.start_soon(child.run)
        await child.ready.wait()
        assert child.process is not None
        await child.process.wait()
        await child.stop()
    assert child.starts == 1
