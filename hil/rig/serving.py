"""A rig as a program: it starts, says where everything listens, writes the tool file for `cvd run`, and serves."""

import json
import signal
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import anyio
import anyio.abc

from config.loading import load_tool
from hil.errors import RigError
from hil.rig.bindings import rewired
from hil.rig.control import serve_control
from hil.rig.rig import Rig
from hil.rig.scenario import load_scenario

TOOL_FILE, READY_FILE = "tool.toml", "ready.json"


@dataclass(frozen=True)
class Settings:
    """What `cvd hil` was asked."""

    tool: Path
    out: Path
    scenario: Path | None = None
    speed: float = 1.0
    patience: int = 1
    """Of the controller with readings, where other work keeps this machine busy."""
    base_port: int = 0
    control_port: int = 0


async def serve(settings: Settings, tell: Callable[[str], None]) -> None:
    """Serve until SIGTERM, SIGINT or `stop` at the control port.

    Raises:
        ConfigError: tool file, profiles or scenario have faults: all of them.
        PlantError: the rig cannot be started.
    """
    rig, text = await anyio.to_thread.run_sync(_prepare, settings)
    over = anyio.Event()
    async with anyio.create_task_group() as group, rig.running():
        control = await group.start(_control, rig, settings.control_port, over)
        await anyio.to_thread.run_sync(_announce, settings, rig, text, control)
        for line in described(rig, settings, control):
            tell(line)
        group.start_soon(_on_signal, over)
        await over.wait()
        group.cancel_scope.cancel()
    (settings.out / READY_FILE).unlink(missing_ok=True)


def described(rig: Rig, settings: Settings, control: int) -> list[str]:
    """Where everything is, for people."""
    lines = [f"{rig.tool.name}: {len(rig.instruments)} instruments on {len(rig.wires)} wires"]
    lines += [f"  {', '.join(one.name for one in wire.instruments)}: {wire.endpoint}" for wire in rig.wires]
    lines.append(f"control port: 127.0.0.1:{control}")
    lines.append(f"for the controller: cvd run {settings.out / TOOL_FILE}")
    return lines


def _prepare(settings: Settings) -> tuple[Rig, str]:
    tool = load_tool(settings.tool)
    scenario = load_scenario(settings.scenario, tool) if settings.scenario is not None else None
    settings.out.mkdir(parents=True, exist_ok=True)
    rig = Rig(tool, settings.out, speed=settings.speed, base_port=settings.base_port, scenario=scenario)
    return rig, settings.tool.read_text(encoding="utf-8")


def _announce(settings: Settings, rig: Rig, text: str, control: int) -> None:
    text = rewired(text, rig.endpoints())
    speed = settings.speed if settings.speed in range(2, 51) else 1
    if speed > 1 or settings.patience > 1:
        text += "\n# How much faster than the clock plant and scan go, and how much older readings may be.\n"
        text += f"[rig]\nspeed = {speed:g}\npatience = {settings.patience}\n"
    (settings.out / TOOL_FILE).write_text(text, encoding="utf-8")
    ready = {
        "control": control,
        "tool": str(settings.out / TOOL_FILE),
        "wires": {one.name: wire.endpoint for wire in rig.wires for one in wire.instruments},
    }
    scratch = settings.out / f".{READY_FILE}"
    scratch.write_text(json.dumps(ready) + "\n", encoding="utf-8")
    scratch.replace(settings.out / READY_FILE)


async def _control(
    rig: Rig, port: int, over: anyio.Event, *, task_status: anyio.abc.TaskStatus[int] = anyio.TASK_STATUS_IGNORED
) -> None:
    try:
        await serve_control(rig, port, started=task_status.started, stop=over.set)
    except OSError as error:
        raise RigError(f"the control port {port} cannot be had: {error.strerror}") from error


async def _on_signal(over: anyio.Event) -> None:
    with anyio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
        async for _ in signals:
            over.set()
