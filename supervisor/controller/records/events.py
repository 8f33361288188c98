"""From the scan's records to events with names: what happened, to which run, and because of what."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from config.layout import Layout
from config.tool import Interlock
from kernels.tables import ConditionClass, ConditionState, GroupState, Instr, Policy, RunState, Tables
from kernels.tables import Event as ScanEvent
from supervisor.controller.compile.regulation import modelled
from supervisor.controller.records.recorder import Draft
from supervisor.controller.runs.life import Run, Runs
from supervisor.link.messages import EventKind

CAUSES = ("command", "condition", "program", "timeout", "guard", "fault")
"""Words of RUN_STATE's `b` (docs/reference/scan.md, 4)."""
IN_FORCE = ConditionState.ACTIVE | ConditionState.LATCHED


class Translator:
    """Reads the scan's records in order and keeps the active run up to date.

    Args:
        layout: names.
        tables: classes of the conditions and the safe sequence.
        safe_reasons: why the safe sequence makes its checks, by instruction.
        runs: whose run is told what happens to it.
    """

    def __init__(self, layout: Layout, tables: Tables, safe_reasons: Mapping[int, str], runs: Runs) -> None:
        self._layout = layout
        self._tables = tables
        self._safe_reasons = safe_reasons
        self._runs = runs
        self._state = RunState.IDLE
        self._fresh: tuple[int, list[str]] = (-1, [])
        """Trips and holds that came into force, with their scan: they stand before the change that they cause."""
        self._before = [ConditionState(0)] * len(layout.conditions)
        self._skipped = [0, 0]
        self._tell: dict[int, Callable[[np.void, Run | None], tuple[EventKind, dict[str, Any]] | None]] = {
            ScanEvent.RUN_STATE: self._run_state,
            ScanEvent.STEP: self._step,
            ScanEvent.CONDITION: self._condition,
            ScanEvent.TIMEOUT: self._timeout,
            ScanEvent.GUARD: self._guard,
            ScanEvent.CHECK_FAILED: self._check,
            ScanEvent.LOOP_FAULT: self._loop_fault,
            ScanEvent.PROGRAM_FAULT: self._program_fault,
            ScanEvent.SKIPPED: self._skip,
            ScanEvent.BYPASS_EXPIRED: self._bypass_expired,
            ScanEvent.LOST: self._lost,
            ScanEvent.CONTROL: self._control,
        }

    @property
    def skipped(self) -> tuple[int, int]:
        """Take what was skipped since the last call: slots, and in how many places."""
        slots, times = self._skipped
        self._skipped = [0, 0]
        return slots, times

    def translate(self, record: np.void, clock: Callable[[int], int]) -> Draft | None:
        """Return the event that a record amounts to; None for one that is told in another way."""
        tell = self._tell.get(int(record["kind"]))
        told = tell(record, self._concerned(record)) if tell else None
        if told is None:
            return None
        scan = int(record["scan"])
        return Draft(told[0], told[1], scan, clock(scan))

    def _concerned(self, record: np.void) -> Run | None:
        """The run that a record is of: the active one from the change of state with which it began."""
        run = self._runs.active
        begins = int(record["kind"]) == ScanEvent.RUN_STATE and int(record["index"]) == RunState.RUNNING
        return run if run is not None and (run.state is not RunState.IDLE or begins) else None

    def _run_state(self, record: np.void, run: Run | None) -> tuple[EventKind, dict[str, Any]]:
        scan, new, old = int(record["scan"]), RunState(int(record["index"])), RunState(int(record["a"]))
        cause = CAUSES[int(record["b"])]
        self._state = new
        conditions = self._fresh[1] if cause == "condition" and self._fresh[0] == scan else []
        if run is not None:
            run.become(new, scan, f"{cause}: {', '.join(conditions)}" if conditions else cause)
        return EventKind.RUN_STATE, {
            "run_id": run.plan.run_id if run else None,
            "state": new.name,
            "previous": old.name,
            "cause": cause,
            "conditions": list(conditions),
            "step": run.step if run else -1,
        }

    def _step(self, record: np.void, run: Run | None) -> tuple[EventKind, dict[str, Any]]:
        step = int(record["index"])
        if run is not None:
            run.enter(step, int(record["scan"]))
        return EventKind.STEP, {
            "run_id": run.plan.run_id if run else None,
            "index": step,
            "name": run.name_of(step) if run else "",
        }

    def _condition(self, record: np.void, run: Run | None) -> tuple[EventKind, dict[str, Any]]:
        index, scan = int(record["index"]), int(record["scan"])
        state, before = ConditionState(int(record["a"])), self._before[index]
        self._before[index] = state
        cls = ConditionClass(int(self._tables.conditions["cls"][index]))
        declared = self._layout.conditions[index]
        if in_force(state) and not in_force(before) and cls in {ConditionClass.TRIP, ConditionClass.HOLD}:
            if self._fresh[0] != scan:
                self._fresh = (scan, [])
            self._fresh[1].append(declared.name)
            if run is not None:
                run.tripped(
                    {
                        "name": declared.name,
                        "class": cls.name.lower(),
                        "first_out": bool(state & ConditionState.FIRST_OUT),
                        "scan": scan,
                        "step": run.step,
                        "description": declared.description,
                    }
                )
        return EventKind.CONDITION, {
            "name": declared.name,
            "class": cls.name.lower(),
            "interlock": isinstance(declared, Interlock),
            **state_words(state),
            "trips": int(record["b"]),
        }

    def _timeout(self, record: np.void, run: Run | None) -> tuple[EventKind, dict[str, Any]]:
        waited = float(record["a"]) * self._tables.period_s
        return EventKind.TIMEOUT, {**self._at(run), "waited_s": waited, "policy": self._policy(record, run)}

    def _check(self, record: np.void, run: Run | None) -> tuple[EventKind, dict[str, Any]]:
        reasons = self._safe_reasons if run is None or self.in_safe_sequence(run) else run.plan.reasons
        reason = reasons.get(int(record["index"]), "")
        return EventKind.CHECK_FAILED, {**self._at(run), "reason": reason, "policy": self._policy(record, run)}

    def _guard(self, record: np.void, run: Run | None) -> tuple[EventKind, dict[str, Any]]:
        step = int(record["index"])
        policy, reason = "", dict[str, Any]()
        if run is not None and 0 <= step < len(run.plan.program.steps):
            steps, row, place = run.plan.program.steps, step, int(record["a"])
            for _ in range(place):
                row = int(steps["also"][row])
            policy = Policy(int(steps["guard_policy"][row])).name.lower()
            if limit := run.plan.limits.get((step, place)):
                reason = {"reason": f"beyond its limit: not {limit}"}
        return EventKind.GUARD, {**self._at(run), "step": step, "policy": policy, **reason}

    def _loop_fault(self, record: np.void, _run: Run | None) -> tuple[EventKind, dict[str, Any]]:
        return EventKind.LOOP_FAULT, {"loop": self._layout.tool.loops[int(record["index"])].name}

    def _control(self, record: np.void, _run: Run | None) -> tuple[EventKind, dict[str, Any]]:
        return EventKind.CONTROL, {
            "group": modelled(self._layout)[int(record["index"])].name,
            "control": GroupState(int(record["a"])).name.lower(),
            "previous": GroupState(int(record["b"])).name.lower(),
        }

    def _program_fault(self, record: np.void, run: Run | None) -> tuple[EventKind, dict[str, Any]]:
        return EventKind.PROGRAM_FAULT, {**self._at(run), "pc": int(record["index"])}

    def _bypass_expired(self, record: np.void, _run: Run | None) -> tuple[EventKind, dict[str, Any]]:
        return EventKind.BYPASS_EXPIRED, {"name": self._layout.conditions[int(record["index"])].name}

    def _lost(self, record: np.void, _run: Run | None) -> tuple[EventKind, dict[str, Any]]:
        return EventKind.LOST, {"lost": int(record["a"])}

    def _skip(self, record: np.void, _run: Run | None) -> None:
        self._skipped[0] += int(record["a"])
        self._skipped[1] += 1

    def _at(self, run: Run | None) -> dict[str, Any]:
        if run is None:
            return {"run_id": None, "step": -1, "name": ""}
        return {"run_id": run.plan.run_id, "step": run.step, "name": run.step_name}

    def in_safe_sequence(self, run: Run | None) -> bool:
        """Whether what runs now is the tool's safe sequence."""
        if run is not None and self._state is RunState.STOPPING:
            steps = run.plan.program.steps
            return not 0 <= run.step < len(steps) or int(steps["stop"][run.step]) < 0
        return self._state is RunState.ABORTING

    def _policy(self, record: np.void, run: Run | None) -> str:
        """Policy of the instruction that a record names: of the tool's safe sequence where that is what runs."""
        program = run.plan.program if run and not self.in_safe_sequence(run) else self._tables.safe
        pc = int(record["index"])
        if not 0 <= pc < len(program.instructions):
            return ""
        row = program.instructions[pc]
        return Policy(int(row["policy"])).name.lower() if int(row["op"]) in {Instr.WAIT, Instr.CHECK} else ""


def state_words(state: ConditionState) -> dict[str, bool]:
    """State bits of a condition by name."""
    return {bit.name.lower(): bool(state & bit) for bit in ConditionState if bit.name}


def in_force(state: ConditionState) -> bool:
    """Whether a condition's effects apply."""
    return bool(state & IN_FORCE) and not state & ConditionState.BYPASSED
