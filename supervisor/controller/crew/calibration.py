"""Calibrations: an operation finds what a reading lacks, and the scan corrects what is posted from then on.

A tag's correction is (reading − offset) · gain. It follows from a completed operation's findings, has a version, who
asked for it and when it is due again; the newest of each tag is in the equipment's memory, all of them are events of
the journal (and rows of the database). A correction beyond what the tool file allows is told and not applied: the
instrument needs service, not arithmetic.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import structlog

from config.equipment import Calibration
from config.tool import Tool
from kernels.scan import Scan
from supervisor.controller.crew.memory import Calibrated, Memory
from supervisor.controller.runs.life import Run
from supervisor.controller.scanning.scanner import View
from supervisor.link.messages import EventKind

log = structlog.get_logger()

DAY_NS = 24 * 3600 * 1_000_000_000
Told = tuple[EventKind, dict[str, Any]]


@dataclass(frozen=True)
class Correction:
    """(reading − offset) · gain, in the tag's unit."""

    offset: float = 0.0
    gain: float = 1.0

    def followed_by(self, offset: float, gain: float) -> "Correction":
        """What both do together: findings are about readings that were corrected already."""
        return Correction(self.offset + offset / self.gain, self.gain * gain)


class Calibrations:
    """What a tool's instruments are corrected by.

    Args:
        tool: the tool.
        memory: what outlives this controller.
        scan: corrects what is posted.
        index: of each tag in the process image.
    """

    def __init__(self, tool: Tool, memory: Memory, scan: Scan, index: Mapping[str, int]) -> None:
        self._declared = tool.care.calibrations
        self._memory = memory
        self._scan = scan
        self._index = index

    def take_up(self) -> None:
        """After a start: correct as before it. What the tool file no longer names is not corrected any more."""
        for tag in dict.fromkeys(one.tag for one in self._declared):
            known = self._memory.known.calibrations.get(tag)
            if known is not None:
                self._scan.correct(self._index[tag], known.offset, known.gain)

    def completed(self, view: View, run: Run, operations: list[str]) -> list[Told]:
        """A run was completed: findings of calibrations in it become corrections.

        Returns:
            What is to be journalled. The caller keeps the memory.
        """
        return [self._calibrate(view, run, one) for one in self._declared if one.operation in operations]

    def _calibrate(self, view: View, run: Run, declared: Calibration) -> Told:
        findings = self._memory.known.operations[declared.operation].findings
        offset = findings.get(declared.offset or "", math.nan if declared.offset else 0.0)
        gain = findings.get(declared.gain or "", math.nan if declared.gain else 1.0)
        before = self._memory.known.calibrations.get(declared.tag)
        known = Correction(before.offset, before.gain) if before else Correction()
        after = known.followed_by(offset, gain) if gain > 0 else Correction(math.nan, math.nan)
        reason = self._refusal(view, declared, after)
        now_ns = view.snapshot.time_ns
        if reason:
            log.error("calibration refused", tag=declared.tag, reason=reason)
            return EventKind.NOTICE, {"text": f"calibration of {declared.tag} is refused: {reason}", "remedy": ""}
        record = Calibrated(
            version=before.version + 1 if before else 1,
            kind=declared.kind,
            offset=after.offset,
            gain=after.gain,
            found_offset=offset,
            found_gain=gain,
            operation=declared.operation,
            run_number=run.plan.run_number,
            user=run.plan.principal.user,
            time_ns=now_ns,
            done_ns={**(before.done_ns if before else {}), declared.operation: now_ns},
        )
        self._memory.known.calibrations[declared.tag] = record
        self._scan.correct(self._index[declared.tag], record.offset, record.gain)
        unit = view.layout.declared[declared.tag].unit
        due_ns = record.time_ns + round(declared.every_days * DAY_NS)
        return EventKind.CALIBRATION, {
            "tag": declared.tag, "unit": unit, "due_ns": due_ns, **record.model_dump(exclude={"done_ns"}),
        }  # fmt: skip

    @staticmethod
    def _refusal(view: View, declared: Calibration, after: Correction) -> str:
        """Why a correction is not applied; empty when it is."""
        unit = view.layout.declared[declared.tag].unit
        if not math.isfinite(after.offset) or not math.isfinite(after.gain):
            return "the operation found no number; look at its record"
        if abs(after.offset) > declared.most_offset:
            return (
                f"its offset would be {after.offset:g} {unit}, at most {declared.most_offset:g} {unit} are corrected: "
                "have the instrument serviced"
            )
        if not 1 / declared.most_gain <= after.gain <= declared.most_gain:
            return (
                f"its gain would be {after.gain:g}, at most a factor of {declared.most_gain:g} is corrected: have the "
                "instrument serviced"
            )
        return ""

    def report(self, now_ns: int) -> list[dict[str, Any]]:
        """Each calibration with the correction in force and when it is due again; those that are due first."""
        rows = [self._row(declared, now_ns) for declared in self._declared]
        return sorted(rows, key=lambda row: row["days_left"])

    def _row(self, declared: Calibration, now_ns: int) -> dict[str, Any]:
        known = self._memory.known.calibrations.get(declared.tag)
        since = _last(known, declared.operation) or self._memory.known.first_ns
        days_left = declared.every_days - (now_ns - since) / DAY_NS
        return {
            "tag": declared.tag,
            "kind": declared.kind,
            "operation": declared.operation,
            "state": "due" if days_left <= 0 else "ok",
            "days_left": days_left,
            **({} if known is None else known.model_dump(exclude={"kind", "operation", "done_ns"})),
        }


def _last(known: Calibrated | None, operation: str) -> int | None:
    """When the operation last corrected the tag; of memories that did not keep it, what the newest record says."""
    if known is None:
        return None
    return known.done_ns.get(operation, known.time_ns if known.operation == operation else None)
