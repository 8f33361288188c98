"""``cvd demo``: a furnace runs its recipe on a simulated plant, driven over OPC UA like any tool.

What happens here is what a factory does: the daemon is a process of its own, three people with different roles log in
over an encrypted channel, one writes the recipe, another approves it, an operator runs it. Afterwards the daemon is
started again at the clock's pace to show the timing of its scan. The exit code is 0 only when the run completed
within its targets.
"""

import argparse
import json
import logging
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio
from rich.console import Console
from rich.live import Live

import config
from config.tool import Role
from opcua_model.client import ToolClient, connect
from supervisor.cli.demo_screen import Board, Signal, Step, Verdict, verdict_table
from supervisor.cli.errors import UsageError
from supervisor.server.access.users import UserStore

TOOL = "lpcvd_furnace"
RECIPE = "lpcvd_sio2_100nm"
PORT = 4840
START_TIMEOUT_S = 60.0
STOP_TIMEOUT_S = 60.0
REAL_TIME_S = 5.0
THICKNESS_WITHIN_PCT = 2.0  # of the recipe's target
REFRESH_S = 0.1

# Where the live values lie below the tool's object, and how people read them.
SIGNALS = {
    "Equipment/heater/zone1.temperature_c": Signal("zone 1", "°C", 1),
    "Equipment/heater/zone2.temperature_c": Signal("zone 2", "°C", 1),
    "Equipment/heater/zone3.temperature_c": Signal("zone 3", "°C", 1),
    "Telemetry/chamber_pressure_torr": Signal("pressure", "Torr", 4),
    "Equipment/gas_panel/sih4.flow_sccm": Signal("SiH4", "sccm", 1),
    "Equipment/gas_panel/n2o.flow_sccm": Signal("N2O", "sccm", 1),
    "Telemetry/reflectometer_thickness_nm": Signal("film", "nm", 1),
}
ACTIVE = "Runs/ActiveRun"
FINAL_STATES = ("COMPLETE", "STOPPED", "ABORTED")


@dataclass(frozen=True)
class Person:
    """Someone who logs in during the demonstration; the password lives as long as its data folder."""

    name: str
    role: Role
    password: str


def people() -> dict[str, Person]:
    """Make the three people of the story, with passwords that nobody could guess."""
    roles = {"writer": Role.ENGINEER, "approver": Role.ENGINEER, "operator": Role.OPERATOR}
    names = {"writer": "erika", "approver": "amir", "operator": "olga"}
    return {part: Person(names[part], role, secrets.token_urlsafe(12)) for part, role in roles.items()}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of ``cvd demo``."""
    parser.add_argument("--speed", type=float, default=60.0, help="how much faster than the clock (default 60)")
    parser.add_argument("--data", type=Path, help="data folder (default: a new one below ./cvd-data)")


def carry_out(arguments: argparse.Namespace) -> int:
    """Show the demonstration; 0 only when the run completed within its targets."""
    # asyncua warns of a notification that was under way when its subscription was deleted; nothing is wrong then.
    logging.getLogger("asyncua").setLevel(logging.CRITICAL)
    console = Console(width=80)
    data = arguments.data or Path("cvd-data") / time.strftime("demo-%Y%m%d-%H%M%S")
    try:
        return anyio.run(_demo, console, data, arguments.speed)
    finally:
        console.show_cursor()


async def _demo(console: Console, data: Path, speed: float) -> int:
    tool = config.load_tool(config.shipped_tool(TOOL))
    document = config.shipped_recipe(RECIPE).read_text(encoding="utf-8")
    recipe = config.load_recipe(config.shipped_recipe(RECIPE))
    staff = people()
    users = UserStore(data / "users.toml")
    for person in staff.values():
        await anyio.to_thread.run_sync(users.add, person.name, person.password, [person.role])
    console.print(
        f"[bold]{tool.name}[/], simulated, runs “{recipe.name}”. Nothing but this computer is used.\n"
        f"Data goes to [cyan]{data}[/].\n"
    )
    async with daemon(data, speed) as endpoint:
        console.print(f"[green]✓[/] daemon ready at {endpoint}")
        async with connect(endpoint, staff["writer"].name, staff["writer"].password) as writer:
            recipe_id, version = await writer.call("Recipes", "AddRecipe", document)
        console.print(f"[green]✓[/] {staff['writer'].name} (engineer) added the recipe, version {version}")
        async with connect(endpoint, staff["approver"].name, staff["approver"].password) as approver:
            await approver.call("Recipes", "ApproveRecipe", recipe_id, version, "demonstration")
        console.print(f"[green]✓[/] {staff['approver'].name} (engineer) approved it: four eyes")
        async with connect(endpoint, staff["operator"].name, staff["operator"].password) as operator:
            await operator.call("Services", "Start", "standby")
            await until_complete(operator)
            console.print(f"[green]✓[/] {staff['operator'].name} (operator) brought the furnace to standby\n")
            run_id, run_number = await operator.call("Runs", "CreateRun", recipe_id, version, "demo", "W01", "{}")
            board = Board([Step(s.name, s.duration_s or 0.0) for s in recipe.recipe_steps], SIGNALS, speed)
            board.run_number = run_number
            await operator.call("Runs", "StartRun", run_id)
            with Live(get_renderable=board.draw, console=console, refresh_per_second=1 / REFRESH_S) as live:
                await follow(operator, board, live)
            run = json.loads(await operator.call("Runs", "GetRun", run_id))
            results = json.loads(await operator.call("Runs", "GetResults", run_id))
    console.print(f"\nThe same daemon at the clock's pace, {REAL_TIME_S:g} s:")
    timing = await real_time(data, staff["operator"])
    verdicts = judge(recipe, run, results, board, timing)
    console.print(verdict_table(verdicts))
    console.print(where(data, run_number), highlight=False)
    return 0 if all(line.met for line in verdicts) else 1


@asynccontextmanager
async def daemon(data: Path, speed: float) -> AsyncGenerator[str]:
    """Run ``cvd run`` on the simulated tool; give its endpoint once it answers, and stop it at the end.

    Raises:
        UsageError: it did not come up, or did not stop; the end of its log is in the text.
    """
    endpoint = f"opc.tcp://127.0.0.1:{_free_port()}/cvd"
    command = [sys.executable, "-m", "supervisor.cli", "run", str(config.shipped_tool(TOOL)), "--log", "json"]
    command += ["--sim", "--data", str(data), "--endpoint", endpoint]
    if speed != 1.0:
        command += ["--speed", f"{speed:g}"]
    log = data / "daemon.log"
    child = await anyio.to_thread.run_sync(_spawn, command, log)
    try:
        await _until_ready(child, data, log)
        yield endpoint
        child.send_signal(signal.SIGTERM)
        code = await _ended(child, STOP_TIMEOUT_S)
        if code:
            raise UsageError(f"the daemon ended with code {code}.\n{_tail(log)}")
    finally:
        with anyio.CancelScope(shield=True):
            if child.poll() is None:
                child.terminate()
                if await _ended(child, STOP_TIMEOUT_S) is None:
                    child.kill()
                    child.wait()


def _spawn(command: list[str], log: Path) -> subprocess.Popen[bytes]:
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        # A session of its own: Ctrl-C reaches this program, which then stops the daemon in order.
        return subprocess.Popen(command, stdout=output, stderr=output, stdin=subprocess.DEVNULL, start_new_session=True)


async def _until_ready(child: subprocess.Popen[bytes], data: Path, log: Path) -> None:
    ready = anyio.Path(data / "ready.json")
    with anyio.move_on_after(START_TIMEOUT_S):
        while child.poll() is None:
            if await ready.exists():
                return
            await anyio.sleep(0.05)
        raise UsageError(f"the daemon ended with code {child.returncode} while starting.\n{_tail(log)}")
    raise UsageError(f"the daemon was not ready within {START_TIMEOUT_S:g} s.\n{_tail(log)}")


async def _ended(child: subprocess.Popen[bytes], timeout_s: float) -> int | None:
    """Wait for the daemon's end; None when it is still there after the time."""
    try:
        return await anyio.to_thread.run_sync(child.wait, timeout_s)
    except subprocess.TimeoutExpired:
        return None


def _free_port() -> int:
    """The contract's port when nobody has it, else one of the system's choice."""
    for port in (PORT, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return probe.getsockname()[1]
    raise UsageError("no TCP port is free on 127.0.0.1; stop a program that holds one.")


def _tail(log: Path) -> str:
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - 2000), os.SEEK_SET)
        return f"The end of {log}:\n" + file.read().decode(errors="replace")


async def until_complete(operator: ToolClient) -> None:
    """Wait for the end of a service operation.

    Raises:
        UsageError: it did not complete.
    """
    ended = anyio.Event()
    states: list[str] = []

    def take(_: str, value: Any, good: bool) -> None:
        if good and value in FINAL_STATES:
            states.append(str(value))
            ended.set()

    async with operator.subscribe([f"{ACTIVE}/State"], REFRESH_S * 1000, take):
        await ended.wait()
    if states[0] != "COMPLETE":
        raise UsageError(f"the furnace did not reach standby: {states[0]}, {await operator.read(f'{ACTIVE}/Cause')}")


async def follow(operator: ToolClient, board: Board, live: Live) -> None:
    """Follow a run over a subscription until it ends."""
    names = ("State", "StepIndex", "StepElapsedS", "ElapsedS")
    latest: dict[str, Any] = {}

    def take(path: str, value: Any, good: bool) -> None:
        if path in SIGNALS:
            board.show(path, float(value) if good else None)
        elif good:
            latest[path] = value

    paths = [
        *SIGNALS,
        *(f"{ACTIVE}/{name}" for name in names),
        "Diagnostics/InterlocksTripped",
        "Services/Active",
    ]
    async with operator.subscribe(paths, REFRESH_S * 1000, take):
        begun = False
        while board.state not in FINAL_STATES:
            await anyio.sleep(REFRESH_S)
            state = str(latest.get(f"{ACTIVE}/State", board.state))
            begun = begun or state not in FINAL_STATES  # until then it is that of the operation before
            board.state = state if begun else board.state
            board.service = str(latest.get("Services/Active", "") or "")
            board.elapsed_s = float(latest.get(f"{ACTIVE}/ElapsedS", 0.0))
            board.trips = int(latest.get("Diagnostics/InterlocksTripped", 0))
            board.enter(int(latest.get(f"{ACTIVE}/StepIndex", -1)), float(latest.get(f"{ACTIVE}/StepElapsedS", 0.0)))
    live.refresh()


async def real_time(data: Path, operator: Person) -> Mapping[str, float]:
    """Run the daemon at the clock's pace for some seconds and read what its scan says of itself."""
    figures = ("ScanPeriodUs", "ScanDurationUs", "WakeupLatencyP50Us", "WakeupLatencyP99Us", "WakeupLatencyMaxUs",
               "Overruns", "SkippedSlots", "RealTime")  # fmt: skip
    async with daemon(data, 1.0) as endpoint, connect(endpoint, operator.name, operator.password) as client:
        await anyio.sleep(REAL_TIME_S)
        return {name: float(await client.read(f"Diagnostics/{name}")) for name in figures}


def judge(
    recipe: config.Recipe,
    run: Mapping[str, Any],
    results: Mapping[str, Any],
    board: Board,
    timing: Mapping[str, float],
) -> list[Verdict]:
    """Hold the run against its targets."""
    target, spread = recipe.thickness_target_nm, recipe.uniformity_target_pct
    mean, uniformity = float(results["thickness_mean_nm"]), float(results["thickness_uniformity_pct"])
    period = timing["ScanPeriodUs"]
    late, skipped = timing["WakeupLatencyMaxUs"], timing["SkippedSlots"]
    return [
        Verdict("run", str(run["status"]), "COMPLETE", run["status"] == "COMPLETE"),
        Verdict("thickness", f"{mean:.2f} nm", f"{target:g} nm ± {THICKNESS_WITHIN_PCT:g} %",
                abs(mean - target) <= target * THICKNESS_WITHIN_PCT / 100),
        Verdict("uniformity", f"{uniformity:.2f} %", f"≤ {spread:g} %", uniformity <= spread),
        Verdict("film index (computed)", f"{float(results['refractive_index']):.3f}", "reported", met=True),
        Verdict("interlocks tripped", str(board.trips), "none", board.trips == 0),
        Verdict("scan", f"{timing['ScanDurationUs']:.1f} µs of {period:g} µs", "within its period",
                timing["ScanDurationUs"] < period),
        Verdict("wake-up p50 / p99 / max", f"{timing['WakeupLatencyP50Us']:.0f} / {timing['WakeupLatencyP99Us']:.0f} / "
                f"{late:.0f} µs", "reported", met=True),
        Verdict("overruns, skipped slots", f"{timing['Overruns']:.0f}, {skipped:.0f}", "reported", met=True),
        Verdict("real-time scheduling", "SCHED_FIFO" if timing["RealTime"] else "not permitted here", "reported",
                met=True),
    ]  # fmt: skip


def where(data: Path, run_number: str) -> str:
    """Say where everything lies and what to try next."""
    return (
        f"\nhistory      {data / 'cvd.duckdb'}\n"
        f"run          {data / 'runs' / run_number}  (Parquet, and the tape for replay)\n"
        f"journal      {data / 'journal'}\n\n"
        f"Next: cvd replay {data / 'runs' / run_number / 'tape'}\n"
        f"      cvd run {config.shipped_tool(TOOL)} --sim\n"
    )
