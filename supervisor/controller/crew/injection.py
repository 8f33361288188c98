"""Forcing an input along a line until an interlock acts, and measuring it on the rows of the flight ring.

Three moments are found, each in another way: when the cause was there, by evaluating the declared expression over the
row (not by the scan's own code); when the interlock was active, as the scan's event says; when every output had the
value of its effect, on the rows. Time is counted in scans that were executed, so a late machine measures the same.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import anyio
import numpy as np

from config.expression import compile_postfix, read_boolean
from config.layout import Layout
from config.proof import Injection
from config.tool import Interlock
from kernels.tables import Command as Op
from kernels.tables import Refusal
from supervisor.controller.crew.memory import Testing
from supervisor.controller.errors import CommandRefused
from supervisor.controller.records.recorder import Draft
from supervisor.controller.scanning.forces import Forced, Forces
from supervisor.controller.scanning.judging import evaluate
from supervisor.controller.scanning.scanner import Scanner
from supervisor.link.messages import EventKind

MOST_STEPS = 200
GRACE_SCANS = 20
"""At the end of the line the cause is left for its delay and so many scans more."""
LONGEST_S = 60.0
"""Added to the line and the delay, for a controller that is late with everything."""


def longest_s(interlock: Interlock, inject: Injection) -> float:
    """After so long the force ends by itself, whatever became of the test."""
    return inject.over_s + interlock.on_delay_s + LONGEST_S


@dataclass(frozen=True)
class Measured:
    """What was found; scans are those that were executed."""

    tag: str
    unit: str
    tripped: bool
    trip_value: float | None
    """Value of the input in the scan in which the cause was there."""
    cause_scan: int | None
    trip_scan: int | None
    effect_scan: int | None
    scans: int | None
    """From the cause to the last effect, both included apart: 0 means in the same scan."""
    allowed_scans: int
    response_s: float | None
    moved: tuple[str, ...]
    """Outputs that were elsewhere before; the others were where their effect puts them already."""
    failure: str
    """Why the test is not passed; empty when it is."""


class Injector:
    """Carries out one injection at a time."""

    def __init__(self, layout: Layout, scanner: Scanner, forces: Forces) -> None:
        self._layout = layout
        self._scanner = scanner
        self._forces = forces
        self._wanted: tuple[Testing, Interlock, Injection] | None = None
        self._begun = anyio.Event()
        self._tag: str | None = None
        self._name = ""
        self._trip_scan: int | None = None

    def begin(self, test: Testing, interlock: Interlock, inject: Injection) -> None:
        """Ask for an injection."""
        self._wanted = test, interlock, inject
        self._begun.set()

    async def next(self) -> tuple[Testing, Measured | str]:
        """Wait for an injection and carry it out; return what was found, or why it was broken off."""
        while (wanted := self._wanted) is None:
            await self._begun.wait()
            self._begun = anyio.Event() if self._wanted is None else self._begun
        self._wanted, self._begun = None, anyio.Event()
        test, interlock, inject = wanted
        try:
            found: Measured | str = await self._inject(test, interlock, inject)
        except CommandRefused as refusal:
            found = str(refusal)
        await self.release()
        return test, found

    def take(self, draft: Draft) -> None:
        """Follow what the scan tells of the interlock."""
        if draft.kind is EventKind.CONDITION and draft.data.get("name") == self._name and draft.data.get("active"):
            self._trip_scan = draft.scan if self._trip_scan is None else self._trip_scan

    async def release(self) -> None:
        """Take the force away; the input is what its instrument says from the next scan on."""
        tag, self._tag, self._name = self._tag, None, ""
        if tag is not None and self._forces.present.pop(tag, None) is not None:
            await self._scanner.command(Op.UNFORCE, self._layout.index[tag])

    def drop(self) -> None:
        """The same without waiting."""
        self._wanted = None
        tag, self._tag, self._name = self._tag, None, ""
        if tag is not None and self._forces.present.pop(tag, None) is not None:
            self._scanner.fire(Op.UNFORCE, self._layout.index[tag])

    async def _inject(self, test: Testing, interlock: Interlock, inject: Injection) -> Measured | str:
        scan, index = self._scanner.scan, self._layout.index[inject.tag]
        delay = self._scanner.scans(interlock.on_delay_s) if interlock.on_delay_s else 0
        line = self._scanner.scans(inject.over_s)
        rows = _Rows(self._scanner, self._layout, interlock, index)
        self._tag, self._name, self._trip_scan = inject.tag, interlock.name, None
        begin = scan.index
        lasts_s = longest_s(interlock, inject)
        until = begin + self._scanner.scans(lasts_s)
        until_ns = self._scanner.image.snapshot().time_ns + round(lasts_s * 1e9)
        discrete = bool(self._layout.declared[inject.tag].states)
        steps = 1 if discrete else min(MOST_STEPS, max(1, line // 2))
        for step in range(steps + 1):
            value = inject.begin + (inject.to - inject.begin) * step / steps
            self._forces.present[inject.tag] = Forced(
                inject.tag, value, f"proof test of {interlock.name}", test.user, until, until_ns=until_ns
            )
            if await self._scanner.command(Op.FORCE, index, value) is not Refusal.NONE:
                self._forces.present.pop(inject.tag, None)
                return f"{inject.tag} could not be forced to {value:g}"
            if stopped := await self._wait(rows, begin + line * step // steps):
                return stopped
            if self._trip_scan is not None or rows.cause_scan is not None:
                break
        if stopped := await self._wait(rows, scan.index + delay + GRACE_SCANS, effects=True):
            return stopped
        return rows.measured(self._trip_scan, delay, inject.tag)

    async def _wait(self, rows: "_Rows", index: int, *, effects: bool = False) -> str:
        """Wait for a scan, looking at the rows; return why the test cannot go on, if so."""
        tag = self._tag
        while True:
            if self._tag is None or self._tag not in self._forces.present:
                return f"the force on {tag} was taken away or came to its end"
            rows.look(self._trip_scan)
            if effects and rows.effect_scan is not None:
                return ""
            if self._scanner.scan.index >= index or (not effects and self._trip_scan is not None):
                return ""
            await anyio.sleep(min(0.02, self._scanner.scan.period_s))


class _Rows:
    """Looks for the moments on the rows of the flight ring, each row once."""

    def __init__(self, scanner: Scanner, layout: Layout, interlock: Interlock, index: int) -> None:
        self._image = scanner.image
        self._period_s = scanner.scan.period_s
        self._tag = index
        self._layout = layout
        self._interlock = interlock
        self._code = compile_postfix(read_boolean(interlock.when, layout.scope), layout.index)
        self._limit = 2 if interlock.accept_uncertain else 1
        self._outputs = np.array([layout.index[one.output] for one in interlock.effects], np.int64)
        self._wanted = np.array([one.value for one in interlock.effects], np.float64)
        self._next = self._image.flight(2**62).next
        self._count = 0
        self._lost = False
        self._before: Sequence[float] | None = None
        self._known = True
        self.cause_scan: int | None = None
        self._cause_count = self._effect_count = 0
        self.effect_scan: int | None = None
        self.trip_value: float | None = None
        self.moved: tuple[str, ...] = ()
        self._held: list[tuple[int, int, bool]] = []

    def look(self, trip_scan: int | None) -> None:
        """Take the rows that have come."""
        rows = self._image.flight(self._next)
        self._next = rows.next
        self._lost = self._lost or rows.lost > 0
        for place in range(len(rows.scan)):
            self._count += 1
            values, scan = rows.values[place], int(rows.scan[place])
            if self.cause_scan is None and self._known and self._caused(values, rows.status[place]):
                self.cause_scan, self._cause_count = scan, self._count
                self.trip_value = float(values[self._tag])
                self._where(self._before)
            there = bool(np.all(values[self._outputs] == self._wanted)) if len(self._outputs) else True
            self._held.append((scan, self._count, there))
            self._before = values[self._outputs].tolist()
        if trip_scan is not None and self.effect_scan is None:
            found = next(((scan, count) for scan, count, there in self._held if there and scan >= trip_scan), None)
            if found is not None:
                self.effect_scan, self._effect_count = found

    def _caused(self, values: np.ndarray, status: np.ndarray) -> bool:
        try:
            value, quality = evaluate(self._code, values, status)
        except (KeyError, IndexError, ValueError):  # it remembers more than a row has (a rate)
            self._known = False
            return False
        return quality >= self._limit or value != 0

    def _where(self, before: Sequence[float] | None) -> None:
        if before is None:
            return
        effects = zip(self._interlock.effects, before, strict=True)
        self.moved = tuple(effect.output for effect, value in effects if value != effect.value)

    def measured(self, trip_scan: int | None, delay: int, tag: str) -> Measured:
        """Put together what was found."""
        allowed, scans = delay + 1, None
        if self.cause_scan is not None and self.effect_scan is not None and not self._lost:
            scans = self._effect_count - self._cause_count
        failure = ""
        if trip_scan is None:
            failure = "it did not trip although its input was forced to the end of the line"
        elif self.effect_scan is None:
            failure = "it tripped, but not every output came to the value of its effect"
        elif scans is not None and not 0 <= scans <= allowed:
            failure = f"from the cause to the effect took {scans} scans, {allowed} are allowed"
        return Measured(
            tag=tag, unit=self._layout.declared[tag].unit, tripped=trip_scan is not None, trip_value=self.trip_value,
            cause_scan=self.cause_scan, trip_scan=trip_scan, effect_scan=self.effect_scan, scans=scans,
            allowed_scans=allowed, response_s=None if scans is None else scans * self._period_s, moved=self.moved,
            failure=failure,
        )  # fmt: skip
