"""What the crew relies on: lock-outs, operations done lately, counters, work that is due, the clock, the horn.

It judges whether something may start; it moves nothing but the set points that the tool file gives it.
"""

import time
from collections.abc import Iterable
from typing import Any

import structlog

from config.equipment import Recency, Task
from config.layout import Layout
from config.tool import Tool
from kernels.image import Image
from kernels.tables import Command as Op
from kernels.tables import ConditionClass
from supervisor.controller.crew.calibration import Calibrations
from supervisor.controller.crew.clock import synchronised
from supervisor.controller.crew.control import ControlToken
from supervisor.controller.crew.lockout import LockOuts
from supervisor.controller.crew.memory import Done, Memory, Work
from supervisor.controller.crew.proof import ProofTests
from supervisor.controller.crew.tightness import Tightness
from supervisor.controller.crew.tuning import Tunings
from supervisor.controller.crew.wear import HOUR_S, Wear
from supervisor.controller.errors import CommandRefused
from supervisor.controller.runs.life import Run
from supervisor.controller.scanning.scanner import Scanner, View
from supervisor.link.messages import Principal

log = structlog.get_logger()

DAY_S = 24 * HOUR_S
AHEAD_S = 60.0
"""A record that lies further in the future than this was made before the clock was set back."""


class Crew:
    """Judges and remembers.

    Args:
        tool: the tool.
        memory: what outlives this controller.
        proofs: the proof tests of its interlocks.
    """

    def __init__(self, tool: Tool, memory: Memory, image: Image, scanner: Scanner, proofs: ProofTests) -> None:
        self._tool = tool
        self._scanner = scanner
        self.memory = memory
        self.locks = LockOuts(tool, memory)
        self.control = ControlToken(memory)
        self.wear = Wear(Layout(tool), image, scanner.scan.period_s, memory)
        self.calibrations = Calibrations(tool, memory, scanner.scan, scanner.layout.index)
        self.tunings = Tunings(tool, memory, scanner)
        self.proofs = proofs
        self.tightness = Tightness(tool, memory)
        self._clock: float | None = None

    # ---------------------------------------------------------------------------------------------------- starts
    def refuse(self, view: View, requires: Iterable[Recency], *, recipe: bool) -> None:
        """Refuse what may not start since something was not done lately, or is worn.

        Raises:
            CommandRefused: with every reason.
        """
        reasons = [words for one in requires if (words := self._not_lately(view, one))]
        if recipe:
            reasons += self.wear.stopped()
        if reasons:
            raise CommandRefused("BadInvalidState", "; ".join(reasons))

    def _not_lately(self, view: View, wanted: Recency) -> str:
        title = next((one.title for one in self._tool.operations if one.name == wanted.operation), wanted.operation)
        done = self.memory.known.operations.get(wanted.operation)
        what = f"{title} ({wanted.operation}) must have been completed within {wanted.within_h:g} h"
        if done is None:
            return f"{what}: it has not been completed since the tool was last opened or first seen"
        age_s = (_now(view) - done.time_ns) / 1e9
        if age_s < -AHEAD_S:
            return f"{what}: the clock has been set back behind {done.run_number}, so nobody knows when that was"
        if age_s > wanted.within_h * HOUR_S:
            return f"{what}: {done.run_number} was {age_s / HOUR_S:.1f} h ago"
        return ""

    # ---------------------------------------------------------------------------------------------------- events
    def started(self, names: Iterable[str]) -> None:
        """Operations begin: what they void no longer counts as done."""
        declared = {one.name: one for one in self._tool.operations}
        for name in names:
            for void in declared[name].voids if name in declared else ():
                self.memory.known.operations.pop(void, None)

    def completed(self, view: View, run: Run) -> dict[str, dict[str, Any]]:
        """A run was completed, and so were the operations in it; return their findings."""
        found = dict[str, dict[str, Any]]()
        for name in operations_of(run):
            declared = next((one for one in self._tool.operations if one.name == name), None)
            if declared is None:
                continue
            findings = {one.name: _finding(view, one) for one in declared.findings}
            values = {key: float(one["value"]) for key, one in findings.items() if one["value"] is not None}
            self.memory.known.operations[name] = Done(
                run_number=run.plan.run_number, time_ns=_now(view), findings=values
            )
            self.wear.completed(name)
            found |= findings
        return found

    def alarmed(self) -> None:
        """Something new asks for attention: a silenced horn sounds again."""
        if (tag := self._tool.care.horn_silenced) is not None:
            self._write(tag, 0.0)

    # ------------------------------------------------------------------------------------------------------ pulse
    def look(self) -> None:
        """Show the counters, the clock and how many alarms are active; called about once a second."""
        try:
            self.wear.show(self._scanner)
        except CommandRefused:
            return  # The queue is full: at the next look.
        self.proofs.announce()
        self._look_tight()
        care = self._tool.care
        if care.clock is not None and (state := float(synchronised())) != self._clock:
            self._write(care.clock, state)
            self._clock = state
        if care.warnings is not None:
            view = self._scanner.view()
            active = float(len(view.engaged(ConditionClass.WARNING)))
            if view.value(care.warnings) != active:
                self._write(care.warnings, active)

    def _look_tight(self) -> None:
        view = self._scanner.view()
        for tag, value in self.tightness.look(view, _now(view)):
            self._write(tag, value)

    def _write(self, tag: str, value: float) -> None:
        declared = self._scanner.layout.declared[tag]
        try:
            self._scanner.fire(Op.WRITE, self._scanner.layout.index[tag], min(value, declared.high))
        except CommandRefused as refusal:
            log.warning("not written", tag=tag, reason=str(refusal))

    # ------------------------------------------------------------------------------------------------------- work
    def did(self, principal: Principal, name: str, comment: str, now_ns: int) -> None:
        """Somebody has carried out a task.

        Raises:
            CommandRefused: there is no such task.
        """
        for task in self._tool.care.tasks:
            if task.name == name:
                self.memory.known.work[name] = Work(user=principal.user, comment=comment, time_ns=now_ns)
                if task.counter is not None:
                    self.wear.renew(task.counter)
                return
        names = ", ".join(task.name for task in self._tool.care.tasks) or "none"
        raise CommandRefused("BadNotFound", f"the tool has no task {name}; it has {names}")

    def summary(self, view: View) -> dict[str, list[Any]]:
        """What a glance shows: titles of tasks by how near they are, and counters that let no recipe start."""
        rows = [self._task(task, _now(view)) for task in self._tool.care.tasks]
        proofs = self.proofs.report(_now(view))
        return {
            "due": [row["title"] for row in rows if row["state"] == "due"]
            + [f"calibration of {row['tag']}" for row in self.calibrations.report(_now(view)) if row["state"] == "due"]
            + [f"proof test of {row['name']}" for row in proofs if row["state"] in {"overdue", "failed"}],
            "soon": [row["title"] for row in rows if row["state"] == "soon"]
            + [f"proof test of {row['name']}" for row in proofs if row["state"] == "soon"],
            "proofs": proofs,
            "stopped": self.wear.stopped(),
        }

    def report(self, view: View) -> dict[str, Any]:
        """Everything for the care screen."""
        now = _now(view)
        return {
            "counters": self.wear.report(now),
            "tasks": sorted((self._task(task, now) for task in self._tool.care.tasks), key=lambda row: row["left"]),
            "calibrations": self.calibrations.report(now),
            "loops": self.tunings.report(),
            "proof_tests": self.proofs.report(now),
            "proof_test_under_way": test.model_dump() if (test := self.proofs.under_way) is not None else None,
            "operations": {name: done.model_dump() for name, done in sorted(self.memory.known.operations.items())},
            "locks": {name: lock.model_dump() for name, lock in sorted(self.locks.present.items())},
            "trouble": self.memory.trouble,
        }

    def _task(self, task: Task, now_ns: int) -> dict[str, Any]:
        done = self.memory.known.work.get(task.name)
        if task.every_days is not None:
            since = done.time_ns if done else self.memory.known.first_ns
            left = 1.0 - (now_ns - since) / 1e9 / (task.every_days * DAY_S)
            days_left: float | None = left * task.every_days
        else:
            counter = next((one for one in self.wear.counters if one.tag == task.counter), None)
            left, days_left = 1.0, None
            if counter is not None and task.at is not None:
                value, begin = self.wear.value(counter), self.wear.layout.declared[counter.tag].initial
                left = (task.at - value) / (task.at - begin) if task.at != begin else 0.0
                a_day = self.wear.a_day(counter.tag, now_ns)
                days_left = abs(task.at - value) / a_day if a_day and left > 0 else None
        return {
            "name": task.name,
            "title": task.title,
            "action": task.action,
            "state": "due" if left <= 0 else "soon" if left <= task.early else "ok",
            "left": left,
            "days_left": days_left,
            "last_ns": done.time_ns if done else None,
            "last_user": done.user if done else "",
            "comment": done.comment if done else "",
        }


def operations_of(run: Run) -> list[str]:
    """Operations that a run consists of or has around its recipe."""
    if run.plan.operation is not None:
        return [run.plan.operation]
    return list(dict.fromkeys(step.owner for step in run.plan.steps if step.owner != "recipe"))


def _now(view: View) -> int:
    return view.snapshot.time_ns or time.time_ns()


def _finding(view: View, one: Any) -> dict[str, Any]:
    value = view.value(one.tag)
    known = value == value  # noqa: PLR0124 (NaN)
    declared = view.layout.declared[one.tag]
    limit = one.below or one.above
    bound = view.value(limit) if limit else None
    passed = known and (bound is None or (value < bound if one.below else value > bound))
    return {
        "value": value if known else None,
        "unit": declared.unit,
        "below": bound if one.below else None,
        "above": bound if one.above else None,
        "passed": bool(passed),
    }
