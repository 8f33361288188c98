"""Tuned loops: gains that a test told and a person approved, in the place of the tool file's until they are restored.

The scan multiplies what the tool file says by two shares, so a schedule keeps its shape. Gains change only while no run
is active and without a jump of the output. The newest of each loop is in the equipment's memory, every change is an
event of the journal. After a change of the tool file the shares follow anew from the approved gains.
"""

from typing import Any

import structlog

from config.regulation.record import RecordError
from config.regulation.tuning import gains_at, shares
from config.tool import Loop, Tool
from kernels.tables import Command as Op
from kernels.tables import Refusal
from supervisor.controller.arguments import Reasoned, TuneLoop
from supervisor.controller.crew.memory import Memory, Tuned
from supervisor.controller.errors import CommandRefused
from supervisor.controller.scanning.scanner import END_STATES, Scanner, View
from supervisor.link.messages import Principal

log = structlog.get_logger()


class Tunings:
    """The tuned loops of a tool.

    Args:
        tool: whose loops they are.
        memory: what outlives this controller.
        scanner: the scan that controls.
    """

    def __init__(self, tool: Tool, memory: Memory, scanner: Scanner) -> None:
        self._loops = {loop.name: (index, loop) for index, loop in enumerate(tool.loops)}
        self._memory = memory
        self._scanner = scanner

    def take_up(self) -> list[str]:
        """After a start: control as before it. Returns what cannot be, for the journal."""
        notices = list[str]()
        for name, tuned in self._memory.known.tuned.items():
            if name not in self._loops:
                notices.append(f"the tool file has no loop {name} any more: its tuned gains are not in force")
                continue
            index, loop = self._loops[name]
            try:
                self._scanner.fire(Op.TUNE, index, *shares(loop, tuned.kp, tuned.ti_s, tuned.at))
            except (RecordError, CommandRefused) as error:
                notices.append(f"the tuned gains of {name} are not in force: {error}")
        return notices

    async def approve(self, view: View, principal: Principal, asked: TuneLoop) -> dict[str, Any]:
        """Put gains in force; return what is to be journalled. The caller keeps the memory.

        Raises:
            CommandRefused: a run is active, there is no such loop, or the gains are beyond what tuning may change.
        """
        index, loop = self._idle_loop(view, asked.loop)
        before = self._in_force(loop, asked.at)
        try:
            share_p, share_i = shares(loop, asked.kp, asked.ti_s, asked.at)
        except RecordError as error:
            raise CommandRefused("BadOutOfRange", str(error)) from error
        await self._tune(loop, index, share_p, share_i)
        known = self._memory.known
        version = known.tunings[loop.name] = known.tunings.get(loop.name, 0) + 1
        known.tuned[loop.name] = Tuned(
            version=version, kp=asked.kp, ti_s=asked.ti_s, at=asked.at, proposal_id=asked.proposal_id,
            run_number=asked.run_number, user=principal.user, time_ns=view.snapshot.time_ns,
        )  # fmt: skip
        log.info("loop tuned", loop=loop.name, version=version, kp=asked.kp, ti_s=asked.ti_s, user=principal.user)
        return {
            "stage": "approved", "version": version, "kp_before": before[0], "ti_s_before": before[1],
            "user": principal.user, **asked.model_dump(),
        }  # fmt: skip

    async def restore(self, view: View, principal: Principal, asked: Reasoned) -> dict[str, Any]:
        """Go back to the tool file's gains; return what is to be journalled. The caller keeps the memory.

        Raises:
            CommandRefused: a run is active, there is no such loop, or it is not tuned.
        """
        index, loop = self._idle_loop(view, asked.name)
        known = self._memory.known.tuned.get(loop.name)
        if known is None:
            raise CommandRefused("BadInvalidState", f"{loop.name} has the gains of the tool file")
        await self._tune(loop, index, 1.0, 1.0)
        del self._memory.known.tuned[loop.name]
        kp, ti_s = gains_at(loop, known.at)
        log.info("gains restored", loop=loop.name, user=principal.user, reason=asked.reason)
        return {
            "loop": loop.name, "stage": "restored", "version": known.version, "kp": kp, "ti_s": ti_s, "at": known.at,
            "kp_before": known.kp, "ti_s_before": known.ti_s, "user": principal.user, "reason": asked.reason,
            "proposal_id": known.proposal_id,
        }  # fmt: skip

    def report(self) -> dict[str, dict[str, Any]]:
        """Gains of each loop: those of the tool file, and what stands in their place."""
        tuned = self._memory.known.tuned
        return {
            name: {
                "kp": loop.kp, "ti_s": loop.ti_s, "schedule": loop.schedule.tag if loop.schedule else None,
                "tuned": tuned[name].model_dump() if name in tuned else None,
            }
            for name, (_, loop) in self._loops.items()
        }  # fmt: skip

    def _in_force(self, loop: Loop, at: float | None) -> tuple[float, float]:
        """Gains of now, where the new ones were found."""
        kp, ti_s = gains_at(loop, at)
        known = self._memory.known.tuned.get(loop.name)
        if known is None:
            return kp, ti_s
        share_p, share_i = shares(loop, known.kp, known.ti_s, known.at)
        return kp * share_p, ti_s * share_p / share_i

    def _idle_loop(self, view: View, name: str) -> tuple[int, Loop]:
        if view.run_state not in END_STATES:
            raise CommandRefused("BadInvalidState", f"gains do not change while a run is {view.run_state.name}")
        if name not in self._loops:
            known = ", ".join(self._loops) or "none"
            raise CommandRefused("BadNotFound", f"there is no loop {name}; there are: {known}")
        return self._loops[name]

    async def _tune(self, loop: Loop, index: int, share_p: float, share_i: float) -> None:
        refusal = await self._scanner.command(Op.TUNE, index, share_p, share_i)
        if refusal is not Refusal.NONE:
            raise CommandRefused("BadOutOfRange", f"the scan refuses these gains of {loop.name}: {refusal.name}")
