"""SIGKILL, again and again: `python -m tests.system.kill_campaign --half controller --kills 200 --seed 1 --out FILE`.

controller: controllers, each with its journal and image but without a server, are killed at random moments of runs
while somebody works at the tool (`kill_controller.py`): the bulk of the kills. What the successor knows is compared
with the last row of the dead one.

daemon: whole daemons on the simulated furnace run recipes faster than the clock; the controller, and every fifth time
the launcher and both halves, is killed at a random moment of a run while a client writes records. Each time the
successor must come up with every hazardous output at its safe value, run the safe sequence, know run, step and elapsed
time, and ask for a decision where the recipe wants one, which is then taken. Whenever a daemon ends, journal, events,
audit trail and runs are compared, and everything that was acknowledged must be there.

server: two daemons run the same recipe in real time; the server of one is killed at random moments, the other is left
alone. The run must not notice: no more late scans than the twin's, the same steps, every row of telemetry stored, and
clients are served again each time.
"""

import argparse
import contextlib
import json
import os
import random
import signal
import sys
import tempfile
import time
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread
import duckdb

from opcua_model.client import ClientError, ToolClient
from supervisor.server.projection.agreement import disagreements, lost_rows
from tests.evidence import commit, keep
from tests.system.daemon import Daemon, approved, ended, until
from tests.system.kill_controller import kill_controllers
from tests.system.quick import quick_recipe

SPEED = 40
"""Of the simulated tool in the controller campaign."""
WINDOW_S = 9.0
"""A kill falls into the first so many seconds of a run: its operations, its deposition, its end."""
PER_DAEMON = 20
HAZARDOUS = (
    "gas_panel/sih4.valve", "gas_panel/n2o.valve", "gas_panel/sih4.setpoint_sccm", "gas_panel/n2o.setpoint_sccm",
    "heater/zone1.power_pct", "heater/zone2.power_pct", "heater/zone3.power_pct",
)  # fmt: skip
BACK_S = 30.0
"""A half answers again within this, back-off included, on a busy machine."""
GONE = (ClientError, ConnectionError, OSError, TimeoutError)


@dataclass
class Tally:
    """What was done and what was not as wanted."""

    kills: int = 0
    power_cuts: int = 0
    in_run: int = 0
    resumed: int = 0
    acknowledged: dict[str, list[str]] = field(default_factory=lambda: {"recipes": [], "runs": []})
    safe_after_s: list[float] = field(default_factory=list[float])
    faults: list[str] = field(default_factory=list[str])
    told: bool = True

    def wrong(self, what: str) -> None:
        """Note a fault."""
        self.faults.append(what)
        if self.told:
            print(f"!! {what}", file=sys.stderr, flush=True)


def recipe(name: str, *, ask: bool) -> str:
    """A recipe whose deposition lasts some seconds of the wall clock; half of them ask for a decision."""
    document = json.loads(quick_recipe(name, deposition_s=150))
    if ask:
        document["recovery"] = {"policy": "ask"}
        for step in document["recipe_steps"]:
            step["resume"] = "continue" if step.get("flows_active") else "repeat"
    return json.dumps(document)


# -------------------------------------------------------------------------------------------------- the controller
class Siege:
    """Kills of one daemon's controller."""

    def __init__(self, data: Path, rng: random.Random, tally: Tally) -> None:
        self.data, self.rng, self.tally = data, rng, tally
        self.daemon: Daemon | None = None
        self.recipes: list[tuple[str, int, bool]] = []
        self._count = 0

    @property
    def there(self) -> Daemon:
        """The daemon that runs."""
        assert self.daemon is not None
        return self.daemon

    async def start(self) -> None:
        """Start the daemon, and the first time give it its recipes."""
        self.daemon = await anyio.to_thread.run_sync(lambda: Daemon(self.data, speed=SPEED))
        await anyio.to_thread.run_sync(self.daemon.ready)
        if not self.recipes:
            for ask in (False, True):
                made = await approved(self.daemon, recipe(f"Ask {ask}", ask=ask))
                self.recipes.append((*made, ask))

    async def finish(self) -> None:
        """End in order, then compare everything."""
        await anyio.to_thread.run_sync(self.there.terminate)
        self.tally.faults += await anyio.to_thread.run_sync(disagreements, self.data)
        await anyio.to_thread.run_sync(self._all_there)

    def _all_there(self) -> None:
        with duckdb.connect(str(self.data / "cvd.duckdb"), read_only=True) as connection:
            for table in ("recipes", "runs"):
                rows = connection.execute(f"SELECT id::VARCHAR FROM {table}").fetchall()  # noqa: S608 (ours)
                missing = set(self.tally.acknowledged[table]) - {str(row[0]) for row in rows}
                for one in missing:
                    self.tally.wrong(f"acknowledged {table} {one} is lost")
        self.tally.acknowledged = {"recipes": [], "runs": []}

    async def round(self) -> None:
        """One run, one kill, one recovery."""
        daemon, rng, tally = self.there, self.rng, self.tally
        recipe_id, version, ask = rng.choice(self.recipes)
        seen: dict[str, Any] = {}
        power_cut = rng.random() < 0.2
        async with daemon.client("olga") as operator:
            await self._idle(operator)
            run_id, number = await operator.call("Runs", "CreateRun", recipe_id, version, "S", "", "{}")
            tally.acknowledged["runs"].append(str(run_id))
            await operator.call("Runs", "StartRun", run_id)
            async with anyio.create_task_group() as group:
                group.start_soon(self._write)
                group.start_soon(self._watch, operator, seen)
                await anyio.sleep(rng.uniform(0.0, WINDOW_S))
                await self._kill(power_cut=power_cut)
                group.cancel_scope.cancel()
        tally.kills += 1
        tally.power_cuts += power_cut
        async with self.there.client("olga") as operator:
            await self._recovered(operator, str(run_id), str(number), seen, ask=ask)

    async def _idle(self, operator: ToolClient) -> None:
        """Reset what is latched, then bring the furnace to its idle state."""
        await until(operator, "Services/State", lambda state: state not in {"ABORTING", "RUNNING"}, within_s=120)
        report = json.loads((await operator.call("State", "CheckInterlocks"))[1])
        for one in report["conditions"] if isinstance(report, dict) else report:
            state = one.get("state") or {}
            if isinstance(state, dict) and state.get("latched") and not state.get("active"):
                with contextlib.suppress(ClientError):
                    await operator.call(f"Interlocks/{one['name']}", "Reset")
        await operator.call("Services", "Start", "standby")
        operation = json.loads(await operator.call("Runs", "ListRuns", "", 0, 1))[0]
        await ended(operator, operation["run_id"])

    async def _write(self) -> None:
        """Records are made while the kill comes: each that is acknowledged must be kept."""
        with contextlib.suppress(*GONE):
            async with self.there.client("erika") as engineer:
                while True:
                    self._count += 1
                    name = f"{self.data.name}-{self._count}"
                    made, _ = await engineer.call("Recipes", "AddRecipe", quick_recipe(name))
                    self.tally.acknowledged["recipes"].append(str(made))
                    run_id, _ = await engineer.call("Runs", "CreateRun", made, 1, "S", "", "{}")
                    self.tally.acknowledged["runs"].append(str(run_id))
                    await engineer.call("Runs", "RemoveRun", run_id, "of the campaign")

    async def _watch(self, operator: ToolClient, seen: dict[str, Any]) -> None:
        """The last that a client saw of the run."""
        with contextlib.suppress(*GONE):
            while True:
                state = await operator.read("Runs/ActiveRun/State")
                elapsed = await operator.read("Runs/ActiveRun/ElapsedS")
                seen |= {"state": state, "elapsed_s": elapsed, "at": time.monotonic()}
                await anyio.sleep(0.05)

    async def _kill(self, *, power_cut: bool) -> None:
        daemon = self.there
        pids = await anyio.to_thread.run_sync(daemon.ready)
        if not power_cut:
            os.kill(pids["controller_pid"], signal.SIGKILL)
            await anyio.to_thread.run_sync(daemon.wait_for_restart, "controller", pids["controller_pid"])
            return
        for pid in (daemon.process.pid, pids["controller_pid"], pids["server_pid"]):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        await anyio.to_thread.run_sync(daemon.process.wait)
        await self.start()

    async def _recovered(
        self, operator: ToolClient, run_id: str, number: str, seen: dict[str, Any], *, ask: bool
    ) -> None:
        """The successor is safe and knows what was."""
        tally = self.tally
        await until(operator, "Diagnostics/ControllerAlive", lambda alive: alive is True, within_s=BACK_S)
        began = time.monotonic()
        for name in HAZARDOUS:
            value = await operator.read(f"Equipment/{name}")
            if value != 0:
                tally.wrong(f"{number}: {name} is {value} after the restart")
        await until(operator, "Services/State", lambda state: state == "ABORTED", within_s=BACK_S)
        tally.safe_after_s.append(time.monotonic() - began)
        run = await ended(operator, run_id)
        if run["error_code"] != "CONTROLLER_LOST":
            if run["status"] != "COMPLETE":
                tally.wrong(f"{number} is {run['status']} ({run['error_message']})")
            return
        tally.in_run += 1
        where = run["postflight_summary"]["interrupted"]
        if not where["step_name"] and seen.get("elapsed_s", 0.0) > 1.0:
            tally.wrong(f"{number}: the step is not known")
        # A killed process leaves its last row; in a power cut the checkpoints are what is left (5 s of the clock).
        short = seen.get("elapsed_s", 0.0) - where["elapsed_s"]
        if seen.get("state") == "RUNNING" and short > 6.0 * SPEED:
            tally.wrong(f"{number}: {where['elapsed_s']} s are known of {seen['elapsed_s']} s")
        waits = await operator.read("Runs/InterruptedRun")
        if (waits == number) is not ask:
            with contextlib.suppress(AssertionError):
                waits = await until(operator, "Runs/InterruptedRun", lambda now: (now == number) is ask, within_s=5)
        if (waits == number) is not ask:
            tally.wrong(f"{number}: asks {ask}, but {waits!r} waits for a decision")
        if ask and waits == number:
            await self._decide(operator, run_id, number)

    async def _decide(self, operator: ToolClient, run_id: str, number: str) -> None:
        offers = await operator.read("Runs/RecoveryOffers")
        choice = self.rng.choice(offers.split(", "))
        if choice == "resume":
            await self._idle(operator)
        rest, _ = await operator.call("Runs", "RecoverRun", run_id, choice, "of the campaign")
        if choice == "resume":
            self.tally.acknowledged["runs"].append(str(rest))
            done = await ended(operator, str(rest))
            self.tally.resumed += 1
            if done["status"] != "COMPLETE":
                self.tally.wrong(f"the rest of {number} is {done['status']} ({done['error_message']})")


async def alone(kills: int, seed: int, data: Path, *, minutes: float = float("inf")) -> dict[str, Any]:
    """Kill controllers without a server; return the record."""
    tally = await kill_controllers(kills, seed, data, minutes=minutes, workers=2 if kills > 10 else 1)
    return {
        "kills": tally.kills,
        "of_them_power_cuts": tally.power_cuts,
        "in_a_run": tally.in_a_run,
        "by_step": tally.by_step,
        "resumed_to_the_end": tally.resumed,
        "successor_scans_after_s": _spread(tally.back_s),
        "answers_given": tally.acknowledged,
        "acknowledged_records_lost": tally.lost,
        "faults": tally.faults,
    }


async def controllers(kills: int, seed: int, data: Path, *, minutes: float = float("inf")) -> dict[str, Any]:
    """Kill controllers; return the record."""
    tally, began = Tally(), time.monotonic()
    number = 0
    while tally.kills < kills and time.monotonic() - began < 60 * minutes:
        siege = Siege(data / f"d{number}", random.Random(f"{seed}/{number}"), tally)
        await siege.start()
        try:
            for _ in range(min(PER_DAEMON, kills - tally.kills)):
                if time.monotonic() - began > 60 * minutes:
                    break
                try:
                    await siege.round()
                except (AssertionError, *GONE) as error:
                    tally.wrong(f"daemon {number}, kill {tally.kills}: {type(error).__name__}: {str(error)[:500]}")
                    break
            await siege.finish()
        finally:
            await anyio.to_thread.run_sync(siege.there.close)
        number += 1
        print(f"{tally.kills} kills, {len(tally.faults)} faults", file=sys.stderr, flush=True)
    return {
        "kills": tally.kills,
        "of_them_power_cuts": tally.power_cuts,
        "in_a_run": tally.in_run,
        "resumed_to_the_end": tally.resumed,
        "safe_sequence_s": _spread(tally.safe_after_s),
        "acknowledged_records_lost": sum("is lost" in fault for fault in tally.faults),
        "faults": tally.faults,
    }


# ------------------------------------------------------------------------------------------------------ the server
async def servers(kills: int, seed: int, data: Path, *, minutes: float = float("inf")) -> dict[str, Any]:
    """Kill the server of one daemon, leave its twin alone; return the record."""
    rng, faults, back, done = random.Random(seed), list[str](), list[float](), 0
    daemons = [await anyio.to_thread.run_sync(lambda name=name: Daemon(data / name)) for name in ("besieged", "twin")]
    began = time.monotonic()
    try:
        runs = [await _long_run(daemon) for daemon in daemons]
        daemon = daemons[0]
        while done < kills and time.monotonic() - began < 60 * minutes:
            await anyio.sleep(rng.uniform(0.0, 3.0))
            killed = await anyio.to_thread.run_sync(daemon.kill, "server")
            at = time.monotonic()
            try:
                await anyio.to_thread.run_sync(daemon.wait_for_restart, "server", killed)
                async with daemon.client("olga") as operator:
                    state = await operator.read("Runs/ActiveRun/State")
                    cause = await operator.read("Runs/ActiveRun/Cause")
            except (AssertionError, *GONE) as error:
                faults.append(f"kill {done}: clients are not served again: {error}"[:500])
                break
            back.append(time.monotonic() - at)
            done += 1
            if state != "RUNNING":
                faults.append(f"kill {done}: the run is {state} because of {cause}")
            if done % 20 == 0:
                print(f"{done} kills, {len(faults)} faults", file=sys.stderr, flush=True)
        records = [await _stop(one, run_id) for one, run_id in zip(daemons, runs, strict=True)]
        for one in daemons:
            await anyio.to_thread.run_sync(one.terminate)
    finally:
        for one in daemons:
            await anyio.to_thread.run_sync(one.close)
    timing = {}
    for one, record in zip(daemons, records, strict=True):
        name = one.data.name
        timing[name] = record["postflight_summary"]["timing"]
        faults += [f"{name}: {fault}" for fault in await anyio.to_thread.run_sync(disagreements, one.data)]
        faults += [f"{name}: {fault}" for fault in await anyio.to_thread.run_sync(missing_rows, one.data, record)]
        if record["postflight_summary"]["holds"] or record["postflight_summary"]["trips"]:
            faults.append(f"{name}: the run was held or tripped")
    return {
        "kills": done,
        "clients_served_again_after_s": _spread(back),
        "timing": timing,
        "telemetry_rows_lost": sum("telemetry" in fault for fault in faults),
        "faults": faults,
    }


async def _long_run(daemon: Daemon) -> str:
    """Start a run that lasts longer than the campaign."""
    await anyio.to_thread.run_sync(daemon.ready)
    document = json.loads(quick_recipe("Long", deposition_s=80_000))
    made, version = await approved(daemon, json.dumps(document))
    async with daemon.client("olga") as operator:
        await until(operator, "Services/State", lambda state: state not in {"ABORTING", "RUNNING"}, within_s=300)
        run_id, _ = await operator.call("Runs", "CreateRun", made, version, "S", "", "{}")
        await operator.call("Runs", "StartRun", run_id)
        await until(operator, "Runs/ActiveRun/State", lambda state: state == "RUNNING")
    return str(run_id)


async def _stop(daemon: Daemon, run_id: str) -> dict[str, Any]:
    async with daemon.client("olga") as operator:
        await operator.call("Runs", "AbortRun", run_id)
        record = await ended(operator, run_id, within_s=300)
        number = record["run_number"]
        with anyio.move_on_after(120):
            while not (daemon.data / "runs" / number / "run.json").exists():  # noqa: ASYNC110
                await anyio.sleep(0.2)
        return record


def missing_rows(data: Path, record: dict[str, Any], every: int = 10) -> list[str]:
    """Every row of the run that should have been stored, one of so many scans, is there, each once."""
    with duckdb.connect(str(data / "cvd.duckdb"), read_only=True) as connection:
        lost = lost_rows(connection)
        first, last, set_id = connection.execute(
            "SELECT start_scan, end_scan, (SELECT max(id) FROM tag_sets) FROM runs WHERE id::VARCHAR = ?",
            [record["run_id"]],
        ).fetchone() or (0, 0, 1)
        found = connection.execute(
            f"SELECT scan FROM hot_{set_id} WHERE scan BETWEEN ? AND ?",  # noqa: S608 (a number of ours)
            [first, last],
        ).fetchall()
        parts = connection.execute("SELECT path FROM parts WHERE owner = ?", [record["run_number"]]).fetchall()
        for (path,) in parts:
            found += connection.execute(
                "SELECT scan FROM read_parquet(?) WHERE scan BETWEEN ? AND ?", [str(data / path), first, last]
            ).fetchall()
    scans = sorted(int(row[0]) for row in found)
    skipped = record["postflight_summary"]["timing"]["skipped"]
    faults = [f"{lost} telemetry rows are told as lost"] if lost else []
    if len(set(scans)) != len(scans):
        faults.append(f"{len(scans) - len(set(scans))} telemetry rows are stored twice")
    steps = [after - before for before, after in pairwise(scans)]
    most = every * (1 + -(-skipped // every))  # rows stand at whole multiples: a slot skipped may be one of them
    missing = sum(step > most for step in steps)
    if not scans or missing:
        faults.append(f"{missing} holes in {len(scans)} telemetry rows")
    return faults


def _spread(values: list[float]) -> dict[str, float]:
    ordered = sorted(values) or [0.0]
    return {
        "median": round(ordered[len(ordered) // 2], 3),
        "p95": round(ordered[int(len(ordered) * 0.95)], 3),
        "max": round(ordered[-1], 3),
    }


def run(half: str, kills: int, seed: int, data: Path, *, minutes: float = float("inf")) -> dict[str, Any]:
    """Run one campaign and return its record."""
    work = {"controller": alone, "daemon": controllers, "server": servers}[half]
    began = time.monotonic()
    found = anyio.run(lambda: work(kills, seed, data, minutes=minutes))
    faults = found.pop("faults")
    return {
        "commit": commit(), "seed": seed, "half": half, **found, "seconds": round(time.monotonic() - began, 1),
        "faults": faults, "result": f"{len(faults)} faults" if faults else "every one recovered, nothing lost",
    }  # fmt: skip


def main() -> int:
    """Read the command line, run, write the record."""
    parser = argparse.ArgumentParser(prog="python -m tests.system.kill_campaign", description=__doc__)
    parser.add_argument("--half", choices=("controller", "daemon", "server"), required=True)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--minutes", type=float, default=float("inf"), help="end after this time at the latest")
    parser.add_argument("--out", type=Path, help="write the record to this file (JSON)")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="cvd-kill-") as folder:
        record = run(arguments.half, arguments.kills, arguments.seed, Path(folder), minutes=arguments.minutes)
    keep(record, arguments.out)
    return int(bool(record["faults"]))


if __name__ == "__main__":
    sys.exit(main())
