"""A run that a crash has interrupted, whose recipe wants a person to decide: resume it, make safe again, or close.

The tool is safe and the record of the run is closed before anybody is asked. What resumes is the rest of the recipe, a
run of its own, with the tool's own operations before it; everything that a start checks is checked again.
"""

import time
from collections.abc import Callable
from typing import Any

from config.continuation import Interruption
from supervisor.controller.arguments import Recover, StartRun
from supervisor.controller.errors import CommandRefused
from supervisor.controller.runs.preparing import Continued
from supervisor.controller.runs.recovery import Recovered
from supervisor.link.messages import Message


class Place(Message):
    """Where the run was, as RUN_INTERRUPTED has it in `at`."""

    step: int
    step_name: str
    path: str | None
    elapsed_s: float
    step_elapsed_s: float
    step_gas_scc: dict[str, float]
    entries: int
    begun: bool
    state: str
    time_ns: int
    wall_ns: int

    def interruption(self) -> Interruption:
        """In the words of recipes."""
        return Interruption(
            self.path, self.begun, self.step_elapsed_s, self.step_gas_scc, passes=max(0, self.entries - 1)
        )


def told(recovered: Recovered) -> dict[str, Any] | None:
    """Return the data of RUN_INTERRUPTED: of the run that was open, or of one that still waits; None for neither."""
    if recovered.run is None:
        return recovered.interrupted
    data = recovered.run.started.data
    policy: dict[str, Any] = data.get("recovery") or {}
    ended = recovered.run.state in {"COMPLETE", "STOPPED", "ABORTED"}
    if data.get("kind") != "recipe" or policy.get("policy") != "ask" or ended:
        return None
    return {
        "run_id": data.get("run_id"),
        "run_number": data.get("run_number"),
        "name": data.get("name"),
        "recovery": policy,
        "recipe_sha256": data.get("recipe_sha256"),
        "process_mode": data.get("process_mode"),
        "engineering": data.get("engineering", False),
        "tool_sha256": recovered.tool_sha256,
        "version": recovered.version,
        "at": recovered.run.where(),
    }


class Interrupted:
    """The one run that may wait for a decision."""

    def __init__(self, now_ns: Callable[[], int] = time.time_ns) -> None:
        self._tool_sha256 = self._software = ""
        self._now_ns = now_ns
        self.pending: dict[str, Any] | None = None

    def identify(self, tool_sha256: str, software: str) -> None:
        """Say with which tool file, and in which version of the software, a run would be resumed now."""
        self._tool_sha256, self._software = tool_sha256, software

    def require_none(self) -> None:
        """Let no recipe start while another one's wafers wait for a decision.

        Raises:
            CommandRefused: a run waits; says what can be chosen.
        """
        if (waits := self.words()) is not None:
            raise CommandRefused(
                "BadInvalidState",
                f"{waits['run_number']} was interrupted in {waits['step_name'] or 'an operation'} and waits for a "
                f"decision (RecoverRun): {', '.join(waits['offers'])}",
            )

    def words(self) -> dict[str, Any] | None:
        """What waits, with what can be chosen, for the status answer."""
        pending = self.pending
        if pending is None:
            return None
        reason = self.obstacle()
        return {
            **{name: pending[name] for name in ("run_id", "run_number", "name")},
            **{name: pending["at"][name] for name in ("step_name", "elapsed_s", "step_elapsed_s", "time_ns")},
            "offers": [*(() if reason else ("resume",)), "abort", "close"],
            "resume_refused": reason,
            "within_s": pending["recovery"].get("within_s"),
        }

    def obstacle(self) -> str:
        """Why the run that waits cannot be resumed, as far as that is known without the recipe; empty: nothing."""
        pending = self.pending
        if pending is None:
            return "no run waits for a decision"
        place = Place.model_validate(pending["at"])
        recovery: dict[str, Any] = pending["recovery"]
        if pending["tool_sha256"] != self._tool_sha256:
            return "the tool file is not the one that the run was started with"
        if pending["version"] != self._software:
            return f"the run was started by version {pending['version']}, this is {self._software}"
        ago_s = (self._now_ns() - place.wall_ns) / 1e9
        if not place.wall_ns:
            return "it is not known when it was interrupted"
        if ago_s < 0:
            return "the clock was set back: for how long the run was interrupted is not known"
        if ago_s > float(recovery.get("within_s") or 0.0):
            return f"it was interrupted {ago_s:.0f} s ago; the recipe allows {recovery.get('within_s'):g} s"
        if place.path is None:
            return "" if not place.begun else "every step of the recipe was over: there is nothing to resume"
        top = place.path.partition(".")[0]
        if top not in (recovery.get("steps") or {}):
            return f"the recipe does not allow to resume in the step {place.step_name!r}"
        return ""

    def require(self, run_id: str) -> dict[str, Any]:
        """Return what waits.

        Raises:
            CommandRefused: nothing does, or another run.
        """
        if self.pending is None:
            raise CommandRefused("BadInvalidState", "no run waits for a decision")
        if self.pending["run_id"] != run_id:
            raise CommandRefused("BadNotFound", f"the run that waits for a decision is {self.pending['run_number']}")
        return self.pending

    def resumption(self, args: Recover) -> tuple[StartRun, Continued]:
        """Return the start that does the rest of the run.

        Raises:
            CommandRefused: it cannot be resumed; says why.
        """
        pending = self.require(args.run_id)
        if reason := self.obstacle():
            raise CommandRefused("BadInvalidState", f"{pending['run_number']} cannot be resumed: {reason}")
        if args.new_run_id is None or args.new_run_number is None:
            raise CommandRefused("BadInvalidArgument", "resume: the run that does the rest needs an id and a number")
        if args.recipe_sha256 != pending["recipe_sha256"]:
            raise CommandRefused("BadInvalidArgument", "resume: it is not the recipe that the run was started with")
        if args.engineering is not bool(pending["engineering"]):
            raise CommandRefused("BadInvalidArgument", "resume: an engineering run is resumed as one, others are not")
        start = StartRun(
            run_id=args.new_run_id,
            run_number=args.new_run_number,
            recipe=args.recipe,
            recipe_sha256=args.recipe_sha256,
            engineering=args.engineering,
            process_mode=args.process_mode or pending["process_mode"],
        )
        place = Place.model_validate(pending["at"])
        return start, Continued(str(pending["run_number"]), place.interruption())
