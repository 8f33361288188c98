"""Trouble of a real process in the middle of runs: `python -m tests.system.process_campaign --scenarios 50 --seed 1`.

A controller runs recipe after recipe on the simulated furnace, faster than the clock. At random moments it stands still
(SIGSTOP, which blocks scan and event loop alike), finds its disk full or slow, its wall clock set by hours, no more
memory than it has, or hundreds of bad commands. Wanted each time: no gap in the journal, no answer that is lost, rows
whose times do not go back, pumps that go on running, a run that ends as something told explains, and a tool that works
afterwards.
"""

import argparse
import mmap
import os
import random
import resource
import signal
import struct
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import anyio
import anyio.to_thread
import numpy as np

from supervisor.link.messages import CommandKind, EventKind, Reply
from tests.architecture.layout import ROOT
from tests.evidence import commit, keep
from tests.supervisor.controller.house import House, house
from tests.system.kill_controller import END, FURNACE, SPEED, document

TROUBLES = ("stall", "disk_full", "disk_slow", "clock", "memory", "hostile")
RUNNING = "vacuum.dry_pump.running"
SIZE = 24
"""Three 64-bit numbers."""
RUN_S = 4.0
"""Of the clock: about the length of a run."""


class Surroundings:
    """The faults that a preloaded library brings (`surroundings.c.txt`)."""

    def __init__(self, folder: Path) -> None:
        self.library, self.control = folder / "surroundings.so", folder / "faults"
        source = ROOT / "tests" / "system" / "surroundings.c.txt"
        command = ["gcc", "-shared", "-fPIC", "-O1", "-o", str(self.library), "-x", "c", str(source), "-ldl"]
        subprocess.run(command, check=True)
        with self.control.open("w+b") as file:
            file.write(bytes(SIZE))
            file.flush()
            self._map = mmap.mmap(file.fileno(), SIZE)

    def set(self, *, clock_s: float = 0.0, sync_s: float = 0.0, full: bool = False) -> None:
        """Set the faults; without arguments all is well."""
        struct.pack_into("<qqq", self._map, 0, round(clock_s * 1e9), round(sync_s * 1e9), int(full))

    def environment(self) -> dict[str, str]:
        """What a process that shall have them is started with."""
        return {"LD_PRELOAD": str(self.library), "CVD_TEST_FAULTS": str(self.control)}


@dataclass
class Tally:
    """What was done and what was not as wanted."""

    done: Counter[str] = field(default_factory=Counter[str])
    ends: Counter[str] = field(default_factory=Counter[str])
    answers: int = 0
    faults: list[str] = field(default_factory=list[str])


class Troubled:
    """One controller and its troubles."""

    def __init__(self, home: House, surroundings: Surroundings, rng: random.Random, tally: Tally) -> None:
        self.home, self.surroundings, self.rng, self.tally = home, surroundings, rng, tally
        self._answers: dict[UUID, Reply] = {}
        self._numbers = 0
        self._behind = 0

    async def round(self, trouble: str) -> None:
        """One run with one trouble."""
        home, rng = self.home, self.rng
        await self._idle()
        run_id, number = str(uuid4()), self._number("CVD")
        text, digest = await anyio.to_thread.run_sync(lambda: document(ask=False))
        self._behind = home.image.flight(2**62).next
        reply = await self._command(
            CommandKind.START_RUN, run_id=run_id, run_number=number, recipe=text, recipe_sha256=digest
        )
        if reply.status != "Good":
            self.tally.faults.append(f"{trouble}: the run did not start: {reply.reason}")
            return
        await self._watch(rng.uniform(0.0, RUN_S))
        await getattr(self, f"_{trouble}")()
        self.surroundings.set()
        with anyio.fail_after(120):
            while not home.told(EventKind.RUN_ENDED, run_id=run_id):
                await self._watch(0.1)
                if home.run_state == "HELD":
                    await self._command(CommandKind.ABORT)
        state = home.told(EventKind.RUN_ENDED, run_id=run_id)[0].data
        self.tally.done[trouble] += 1
        self.tally.ends[f"{trouble}: {state['state']}"] += 1
        if state["state"] != "COMPLETE" and not self._explained(state):
            self.tally.faults.append(f"{trouble}: {state['state']} because of {state['cause']!r}")
        await self._journal(trouble)

    def _explained(self, ended: dict[str, Any]) -> bool:
        """A run that was ended by a condition names it; one that a person ended was held before."""
        return bool((ended.get("summary") or {}).get("trips")) or str(ended["cause"]).startswith(
            ("command", "condition")
        )

    async def _idle(self) -> None:
        home = self.home
        await home.until(lambda: home.run_state in END, 120)
        report = await home.ask("check_interlocks")
        for one in report["conditions"]:
            if one["state"]["latched"] and not one["state"]["active"]:
                await self._command(CommandKind.RESET_INTERLOCK, name=one["name"])
        run_id = str(uuid4())
        reply = await self._command(
            CommandKind.START_OPERATION, name="standby", run_id=run_id, run_number=self._number("OP")
        )
        if reply.status != "Good":
            self.tally.faults.append(f"the tool does not work afterwards: {reply.reason}")
            return
        await home.until(lambda: home.told(EventKind.RUN_ENDED, run_id=run_id), 120)

    # ------------------------------------------------------------------------------------------------- the troubles
    async def _stall(self) -> None:
        """Scan and event loop stand still."""
        self.home.kill(signal.SIGSTOP)
        await anyio.sleep(self.rng.uniform(0.02, 1.0))
        self.home.kill(signal.SIGCONT)

    async def _disk_full(self) -> None:
        """Writes find no space: the run goes on, nothing new starts, and the answer says why."""
        self.surroundings.set(full=True)
        await self._watch(1.0)
        refused = await self._command(CommandKind.WRITE, tag="exhaust.abatement_request", value=1.0)
        if refused.status == "Good":
            self.tally.faults.append("disk_full: a command was acknowledged that cannot be recorded")
        held = await self._command(CommandKind.HOLD)
        if held.status not in {"Good", "BadInvalidState"}:
            self.tally.faults.append(f"disk_full: a hold was refused: {held.reason}")
        self.surroundings.set()
        await self._watch(2.5)

    async def _disk_slow(self) -> None:
        """Each sync takes as long as a dying disk's."""
        self.surroundings.set(sync_s=self.rng.uniform(0.2, 2.0))
        await self._watch(3.0)

    async def _clock(self) -> None:
        """The wall clock is set by hours, and back again."""
        self.surroundings.set(clock_s=self.rng.choice((-7200.0, -5.0, 5.0, 7200.0)))
        await self._watch(1.5)

    async def _memory(self) -> None:
        """No more address space than it has, for a while."""
        process = self.home.process
        assert process is not None
        status = (Path("/proc") / str(process.pid) / "statm").read_text(encoding="ascii")
        size = int(status.split()[0]) * resource.getpagesize()
        before = resource.prlimit(process.pid, resource.RLIMIT_AS)
        resource.prlimit(process.pid, resource.RLIMIT_AS, (size + (8 << 20), before[1]))
        await self._watch(1.5)
        resource.prlimit(process.pid, resource.RLIMIT_AS, before)

    async def _hostile(self) -> None:
        """A server that was taken over asks for anything at all, hundreds of times."""
        kinds = [kind for kind in CommandKind if kind not in {CommandKind.SAFE_SHUTDOWN, CommandKind.ABORT}]
        bad: tuple[dict[str, Any], ...] = (
            {}, {"tag": "gas_panel.sih4.valve", "value": 1.0}, {"tag": "x", "value": float("inf")}, {"name": "../../x"},
            {"name": "exhaust_lost", "reason": "because", "duration_s": 1e9, "requested_by": "nobody"},
            {"run_id": "x", "run_number": "../../etc", "recipe": "{}", "recipe_sha256": "0"}, {"mode": "Fault"},
        )  # fmt: skip
        for _ in range(150):
            await self._command(self.rng.choice(kinds), who=self.rng.choice(("olga", "otto", "nobody")),
                                **self.rng.choice(bad))  # fmt: skip

    # ------------------------------------------------------------------------------------------------- what is seen
    async def _watch(self, seconds: float) -> None:
        """Look at every row that comes: times do not go back, pumps run."""
        until = anyio.current_time() + seconds
        while True:
            rows = self.home.image.flight(self._behind)
            self._behind = rows.next
            if len(rows.scan):
                if np.any(np.diff(rows.time_ns) < 0):
                    self.tally.faults.append("the times of rows go back")
                if np.any(rows.values[:, self.home.layout.index[RUNNING]] == 0.0):
                    self.tally.faults.append("the pump was stopped by a fault of the process")
            if anyio.current_time() >= until:
                return
            await anyio.sleep(0.03)

    async def _command(self, kind: CommandKind, who: str = "olga", **args: Any) -> Reply:
        number = uuid4()
        reply = await self.home.command(who, kind, number, **args)
        self._answers[number] = reply
        return reply

    def _number(self, prefix: str) -> str:
        self._numbers += 1
        return f"{prefix}-20260101-{self._numbers}"

    async def _journal(self, trouble: str) -> None:
        """Every answer that promised a record has one; what could not be recorded at once is there now."""
        with anyio.move_on_after(20):
            while (await self.home.ask("status"))["journal"]["pending"]:  # noqa: ASYNC110 (a question, each time)
                await anyio.sleep(0.05)
        journal = await self.home.recorded()
        if [event.seq for event in journal] != list(range(1, len(journal) + 1)):
            self.tally.faults.append(f"{trouble}: the journal's numbers have gaps")
        told = {str(event.data.get("id")) for event in journal if event.kind is EventKind.COMMAND}
        lost = [number for number in self._answers if str(number) not in told]
        if lost:
            self.tally.faults.append(f"{trouble}: {len(lost)} answers have no record")
        self.tally.answers += len(self._answers)
        self._answers.clear()


@asynccontextmanager
async def troubled(folder: Path, rng: random.Random, tally: Tally) -> AsyncGenerator[Troubled]:
    """Run a controller that can be troubled."""
    surroundings = await anyio.to_thread.run_sync(Surroundings, folder)
    data = folder / "data"
    data.mkdir()
    async with house(data, FURNACE, "--sim", "--speed", str(SPEED)) as home:
        before = {name: os.environ.get(name) for name in surroundings.environment()}
        os.environ.update(surroundings.environment())
        try:
            await home.move_in()
        finally:
            for name, value in before.items():
                os.environ.pop(name) if value is None else os.environ.update({name: value})
        yield Troubled(home, surroundings, rng, tally)


async def campaign(scenarios: int, seed: int, folder: Path, *, minutes: float = float("inf")) -> dict[str, Any]:
    """Run scenarios and return the record."""
    rng, tally, began = random.Random(seed), Tally(), time.monotonic()
    async with troubled(folder, rng, tally) as one:
        for number in range(scenarios):
            if time.monotonic() - began > 60 * minutes:
                break
            trouble = TROUBLES[number % len(TROUBLES)]
            try:
                await one.round(trouble)
            except TimeoutError:
                tally.faults.append(f"{trouble}: no answer or no end in time")
                break
    return {
        "commit": commit(), "seed": seed, "scenarios": sum(tally.done.values()), "troubles": dict(tally.done),
        "ends": dict(tally.ends), "answers": tally.answers, "seconds": round(time.monotonic() - began, 1),
        "faults": tally.faults, "result": f"{len(tally.faults)} faults" if tally.faults else "0 violations",
    }  # fmt: skip


def main() -> int:
    """Read the command line, run, write the record."""
    parser = argparse.ArgumentParser(prog="python -m tests.system.process_campaign", description=__doc__)
    parser.add_argument("--scenarios", type=int, default=60)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--minutes", type=float, default=float("inf"), help="end after this time at the latest")
    parser.add_argument("--out", type=Path, help="write the record to this file (JSON)")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="cvd-trouble-") as folder:
        record = anyio.run(
            lambda: campaign(arguments.scenarios, arguments.seed, Path(folder), minutes=arguments.minutes)
        )
    keep(record, arguments.out)
    return int(bool(record["faults"]))


if __name__ == "__main__":
    sys.exit(main())
