"""One controller process after another on one journal, each killed in the middle of a run: rounds of the campaign.

The campaign is the launcher and the server at once: it keeps image and channel (tests.supervisor.controller.house), so
that a kill costs a start of one process, and what the successor knows is compared with the last row of the dead one.
In a power cut the image is lost too, and another one is made.
"""

import hashlib
import json
import random
import signal
import time
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import anyio
import anyio.to_thread
import numpy as np

import config
from config.recipe import load_recipe, recipe_document
from kernels.image import Snapshot
from kernels.tables import ConditionState, SystemTag
from supervisor.link.journal import read_journal
from supervisor.link.messages import CommandKind, Event, EventKind, Reply
from tests.supervisor.controller.house import House, house
from tests.system.quick import quick_recipe

FURNACE = config.shipped_tool("lpcvd_furnace")
SPEED = 100
WINDOW_S = 5.0
"""A kill falls into the first so many seconds of a run: its operations, its deposition, its end."""
HAZARDOUS = (
    "gas_panel.sih4.valve", "gas_panel.n2o.valve", "gas_panel.sih4.setpoint_sccm", "gas_panel.n2o.setpoint_sccm",
    "heater.zone1.power_pct", "heater.zone2.power_pct", "heater.zone3.power_pct",
)  # fmt: skip
CHECKPOINT_S = 6.0
"""A power cut costs at most the time between two checkpoints."""
END = frozenset({"COMPLETE", "STOPPED", "ABORTED", "IDLE"})


@dataclass
class Tally:
    """What was done and what was not as wanted."""

    kills: int = 0
    power_cuts: int = 0
    in_a_run: int = 0
    resumed: int = 0
    acknowledged: int = 0
    lost: int = 0
    back_s: list[float] = field(default_factory=list[float])
    by_step: dict[str, int] = field(default_factory=dict[str, int])
    faults: list[str] = field(default_factory=list[str])


def document(*, ask: bool) -> tuple[str, str]:
    """A recipe of a few minutes of the tool's time, and its digest; `ask`: it asks for a decision."""
    made = json.loads(quick_recipe(f"Ask {ask}", deposition_s=200))
    if ask:
        made["recovery"] = {"policy": "ask"}
        for step in made["recipe_steps"]:
            step["resume"] = "continue" if step.get("flows_active") else "repeat"
    text = str(recipe_document(load_recipe(json.dumps(made))))
    return text, hashlib.sha256(text.encode()).hexdigest()


class Rounds:
    """Rounds on one data folder."""

    def __init__(self, folder: Path, rng: random.Random, tally: Tally) -> None:
        self.folder, self.rng, self.tally = folder, rng, tally
        self.recipes = {ask: document(ask=ask) for ask in (False, True)}
        self._numbers = 0
        self._acked: dict[UUID, Reply] = {}

    @asynccontextmanager
    async def _home(self) -> AsyncGenerator[House]:
        async with house(self.folder, FURNACE, "--sim", "--speed", str(SPEED)) as home:
            await home.move_in()
            yield home

    async def run(self, kills: int, deadline_s: float) -> None:
        """Do rounds until there are enough, or the time is over."""
        while self.tally.kills < kills and time.monotonic() < deadline_s:
            async with AsyncExitStack() as stack:
                home = await stack.enter_async_context(self._home())
                power_cut = False
                while not power_cut and self.tally.kills < kills and time.monotonic() < deadline_s:
                    power_cut = self.rng.random() < 0.2
                    await self._round(home, power_cut=power_cut)

    # -------------------------------------------------------------------------------------------------- one round
    async def _round(self, home: House, *, power_cut: bool) -> None:
        rng, tally = self.rng, self.tally
        ask = rng.random() < 0.5
        await self._idle(home)
        run_id, number = str(uuid4()), self._number("CVD")
        text, digest = self.recipes[ask]
        started = await self._command(
            home, "olga", CommandKind.START_RUN, run_id=run_id, run_number=number, recipe=text, recipe_sha256=digest,
        )  # fmt: skip
        if started.status != "Good":
            tally.faults.append(f"{number} did not start: {started.reason}")
            return
        async with anyio.create_task_group() as group:
            group.start_soon(self._meddle, home)
            await anyio.sleep(rng.uniform(0.0, WINDOW_S))
            home.kill(signal.SIGKILL)
            group.cancel_scope.cancel()
        await home.moved_out()
        tally.kills += 1
        last, behind = home.image.snapshot(), home.image.flight(2**62).next
        at = time.monotonic()
        if power_cut:
            tally.power_cuts += 1
            async with self._home() as other:
                await self._recovered(other, run_id, number, last, 0, ask=ask, power_cut=True, at=at)
            return
        await home.move_in()
        await self._recovered(home, run_id, number, last, behind, ask=ask, power_cut=False, at=at)

    async def _idle(self, home: House) -> None:
        """Reset what is latched, then bring the furnace to its idle state."""
        await home.until(lambda: home.run_state in END, 120)
        for name in self._latched(home, home.image.snapshot()):
            await self._command(home, "olga", CommandKind.RESET_INTERLOCK, name=name)
        run_id = str(uuid4())
        reply = await self._command(
            home, "olga", CommandKind.START_OPERATION, name="standby", run_id=run_id, run_number=self._number("OP")
        )
        if reply.status != "Good":
            self.tally.faults.append(f"standby did not start: {reply.reason}")
            return
        await home.until(lambda: home.told(EventKind.RUN_ENDED, run_id=run_id), 120)

    async def _meddle(self, home: House) -> None:
        """Somebody works at the tool while it is killed: every answer given must be kept."""
        what = (CommandKind.PAUSE, CommandKind.RESUME, CommandKind.HOLD, CommandKind.RESTART)
        while True:
            kind = self.rng.choice(what)
            await self._command(home, "olga", kind)
            await anyio.sleep(self.rng.uniform(0.0, 0.3))

    async def _command(self, home: House, who: str, kind: CommandKind, **args: Any) -> Reply:
        number = uuid4()
        reply = await home.command(who, kind, number, **args)
        self._acked[number] = reply
        return reply

    def _number(self, prefix: str) -> str:
        self._numbers += 1
        return f"{prefix}-20260101-{self.folder.name}-{self._numbers}"

    # --------------------------------------------------------------------------------------------------- afterwards
    async def _recovered(
        self,
        home: House,
        run_id: str,
        number: str,
        last: Snapshot,
        behind: int,
        *,
        ask: bool,
        power_cut: bool,
        at: float,
    ) -> None:
        """The successor is safe and knows what was."""
        tally = self.tally
        tally.back_s.append(time.monotonic() - at)
        await self._safe(home, behind, number)
        journal = await home.recorded()
        self._check_journal(journal, number)
        ended = [e for e in journal if e.kind is EventKind.RUN_ENDED and e.data.get("run_id") == run_id]
        if len(ended) != 1:
            tally.faults.append(f"{number} has {len(ended)} records")
            return
        self._check_latches(home, last, number)
        where = (ended[0].data.get("summary") or {}).get("interrupted")
        if where is None:
            if ended[0].data["state"] != "COMPLETE":
                tally.faults.append(f"{number} is {ended[0].data['state']}: {ended[0].data.get('cause')}")
            return
        tally.in_a_run += 1
        tally.by_step[where["step_name"]] = tally.by_step.get(where["step_name"], 0) + 1
        self._check_place(where, last, number, power_cut=power_cut)
        waits = [e for e in journal if e.kind is EventKind.RUN_INTERRUPTED and e.data.get("run_id") == run_id]
        over = where["state"] in END - {"IDLE"}
        if bool(waits) is not (ask and not over):
            tally.faults.append(f"{number}: asks {ask}, was told {len(waits)} times")
        if waits:
            await self._decide(home, run_id, number)

    async def _safe(self, home: House, behind: int, number: str) -> None:
        """No hazardous output is on in any row of the successor that is seen, to the end of the safe sequence."""
        places = [home.layout.index[name] for name in HAZARDOUS]
        with anyio.fail_after(60):
            while True:
                state = home.run_state
                rows = home.image.flight(behind)
                behind = rows.next
                if np.any(rows.values[:, places] != 0):
                    self.tally.faults.append(f"{number}: a hazardous output is on after the restart")
                    return
                if state == "ABORTED":
                    return
                await anyio.sleep(0.02)

    def _check_journal(self, journal: list[Event], number: str) -> None:
        """Numbers without gaps, and every answer that was given."""
        if [e.seq for e in journal] != list(range(1, len(journal) + 1)):
            self.tally.faults.append(f"{number}: the journal's numbers have gaps")
        told = {str(e.data.get("id")): e.data for e in journal if e.kind is EventKind.COMMAND}
        for command, reply in self._acked.items():
            self.tally.acknowledged += 1
            kept = told.get(str(command))
            if kept is None or kept["status"] != reply.status:
                self.tally.lost += 1
                self.tally.faults.append(f"{number}: the answer {reply.status} to {command} is lost")
        self._acked.clear()

    def _latched(self, home: House, row: Snapshot) -> list[str]:
        latched = row.conditions["state"] & int(ConditionState.LATCHED) != 0
        return [home.layout.conditions[int(index)].name for index in np.flatnonzero(latched)]

    def _check_latches(self, home: House, last: Snapshot, number: str) -> None:
        """What was latched in the last row that the dead controller showed is latched now."""
        now = set(self._latched(home, home.image.snapshot()))
        if missing := set(self._latched(home, last)) - now:
            self.tally.faults.append(f"{number}: no longer latched: {', '.join(sorted(missing))}")

    def _check_place(self, where: dict[str, Any], last: Snapshot, number: str, *, power_cut: bool) -> None:
        """Step and time of the run, exact after a crash, to the last checkpoint after a power cut."""
        step, elapsed_s = int(last.values[SystemTag.STEP]), float(last.values[SystemTag.RUN_ELAPSED_S])
        if where["state"] in {"", "COMPLETE", "STOPPED", "ABORTED"} or step < 0:
            return
        allowed_s = CHECKPOINT_S * SPEED if power_cut else 1.0
        if where["step"] != step and not power_cut:
            self.tally.faults.append(f"{number}: was in step {step}, known is {where['step']}")
        if not -1.0 <= elapsed_s - where["elapsed_s"] <= allowed_s:
            self.tally.faults.append(f"{number}: had run {elapsed_s} s, known are {where['elapsed_s']} s")

    async def _decide(self, home: House, run_id: str, number: str) -> None:
        status = await home.ask("status")
        waits = status["interrupted"]
        if waits is None or waits["run_id"] != run_id:
            self.tally.faults.append(f"{number}: does not wait for a decision")
            return
        refused = await self._command(
            home, "olga", CommandKind.START_RUN, run_id=str(uuid4()), run_number=self._number("CVD"),
            recipe=self.recipes[False][0], recipe_sha256=self.recipes[False][1],
        )  # fmt: skip
        if "waits for a decision" not in refused.reason:
            self.tally.faults.append(f"{number}: another recipe was not refused: {refused.status} {refused.reason}")
        choice = self.rng.choice(waits["offers"])
        args: dict[str, Any] = {"run_id": run_id, "choice": choice, "comment": "of the campaign"}
        rest = str(uuid4())
        if choice == "resume":
            await self._idle(home)
            text, digest = self.recipes[True]
            args |= {"new_run_id": rest, "new_run_number": self._number("CVD"), "recipe": text, "recipe_sha256": digest}
        reply = await self._command(home, "olga", CommandKind.RECOVER, **args)
        if reply.status != "Good":
            self.tally.faults.append(f"{number}: {choice} is refused: {reply.reason}")
        elif choice == "resume":
            await home.until(lambda: home.told(EventKind.RUN_ENDED, run_id=rest), 120)
            state = home.told(EventKind.RUN_ENDED, run_id=rest)[0].data["state"]
            self.tally.resumed += state == "COMPLETE"
            if state != "COMPLETE":
                self.tally.faults.append(f"the rest of {number} is {state}")


def _rounds(folder: Path, seed: str, tally: Tally) -> Rounds:
    folder.mkdir(parents=True)
    return Rounds(folder, random.Random(seed), tally)


def _journal(folder: Path) -> list[Event]:
    return list(read_journal(folder / "journal"))


async def kill_controllers(kills: int, seed: int, data: Path, *, minutes: float, workers: int = 1) -> Tally:
    """Kill controllers, on one data folder for each worker."""
    tally, deadline_s = Tally(), time.monotonic() + 60 * minutes
    async with anyio.create_task_group() as group:
        for worker in range(workers):
            folder = data / f"w{worker}"
            rounds = await anyio.to_thread.run_sync(_rounds, folder, f"{seed}/{worker}", tally)
            group.start_soon(rounds.run, kills, deadline_s)
    for worker in range(workers):
        journal = await anyio.to_thread.run_sync(_journal, data / f"w{worker}")
        started = {e.data["run_id"] for e in journal if e.kind is EventKind.RUN_STARTED}
        ended = [e.data["run_id"] for e in journal if e.kind is EventKind.RUN_ENDED]
        if started - set(ended):
            tally.faults.append(f"{len(started - set(ended))} runs have no record")
    return tally
