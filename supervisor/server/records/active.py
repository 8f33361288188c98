"""The run that is active, as screens follow it: put together from events, timed by the image."""

from dataclasses import dataclass, field
from typing import Any

from kernels.tables import RunState
from supervisor.link.messages import Event, EventKind

RECIPE = "recipe"
SAFE_SEQUENCE = "safe_sequence"


@dataclass
class ActiveRun:
    """The active run, or the last one; empty before the first.

    `state` reaches an end state with the run's record, not before: whoever sees it there finds the record complete.
    """

    run_id: str = ""
    run_number: str = ""
    kind: str = ""
    name: str = ""
    state: str = "IDLE"
    step: int = -1
    """Index in the plan, operations around the recipe included."""
    steps: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    ended: bool = True
    engineering: bool = False
    cause: str = ""
    recipe_name: str = ""
    recipe_version: int = 0

    def take(self, event: Event) -> None:
        """Follow an event."""
        data = event.data
        if event.kind is EventKind.RUN_STARTED:
            self.run_id, self.run_number = str(data.get("run_id", "")), str(data.get("run_number", ""))
            self.kind, self.name = str(data.get("kind", RECIPE)), str(data.get("name", ""))
            self.steps = list(data.get("steps") or [])
            self.state, self.step, self.ended = "RUNNING", -1, False
            self.engineering = bool(data.get("engineering", False))
            self.cause = "command"
            self.recipe_name, self.recipe_version = (self.name if self.kind == RECIPE else ""), 0
        elif event.kind is EventKind.BOOT:
            # A controller that starts has no run: whatever was active when the last one died has ended.
            if not self.ended:
                self.state, self.cause, self.ended = "ABORTED", "the controller was started again", True
        elif self.ended or (data.get("run_id") not in {None, self.run_id}):
            return
        elif event.kind is EventKind.RUN_STATE:
            state = str(data.get("state", self.state))
            self.cause = ", ".join([str(data.get("cause", "")), *map(str, data.get("conditions") or ())])
            if state not in {"COMPLETE", "STOPPED", "ABORTED", "IDLE"}:
                self.state = state
        elif event.kind is EventKind.STEP:
            self.step = int(data.get("index", -1))
        elif event.kind is EventKind.RUN_ENDED:
            self.state, self.ended = str(data.get("state", "ABORTED")), True

    def _now(self) -> dict[str, Any]:
        return self.steps[self.step] if 0 <= self.step < len(self.steps) else {}

    @property
    def step_name(self) -> str:
        """Name of the step that runs; empty outside of one."""
        return "" if self.ended else str(self._now().get("name", ""))

    @property
    def own(self) -> bool:
        """Whether the present step is the run's own, not one of an operation around a recipe."""
        return self.kind != RECIPE or str(self._now().get("owner", RECIPE)) == RECIPE

    @property
    def step_index(self) -> int:
        """Index of the present step among the run's own; −1 outside of them."""
        if not self._now() or not self.own:
            return -1
        if self.kind != RECIPE:
            return self.step
        return sum(str(step.get("owner", RECIPE)) == RECIPE for step in self.steps[: self.step])

    @property
    def service(self) -> str:
        """Name of the operation that runs now; empty when none does."""
        if self.ended:
            return ""
        if self.kind != RECIPE:
            return self.name
        return "" if self.own else str(self._now().get("owner", ""))

    def variables(self, step_elapsed_s: float, elapsed_s: float, state: RunState = RunState.IDLE) -> dict[str, Any]:
        """Return what stands below Runs/ActiveRun and Services; `state` is the scan's.

        The safe sequence also runs when no run is active (SafeShutdown, after a crash): it is a service then.
        """
        safe = self.ended and state is RunState.ABORTING
        service = SAFE_SEQUENCE if safe else self.service
        doing = self.state if self.service else "IDLE"
        if self.ended and state in {RunState.ABORTING, RunState.ABORTED}:
            doing = state.name
        planned = [float(step.get("planned_s") or 0.0) for step in self.steps]
        left = 0.0
        if not self.ended:
            left = sum(planned[self.step + 1 :])
            if 0 <= self.step < len(planned):
                left += max(0.0, planned[self.step] - step_elapsed_s)
        total = sum(planned)
        progress = (
            1.0 if self.state == "COMPLETE" else (max(0.0, 1.0 - left / total) if total and not self.ended else 0.0)
        )
        return {
            "Runs/ActiveRun/RunId": self.run_id,
            "Runs/ActiveRun/RunNumber": self.run_number,
            "Runs/ActiveRun/RecipeName": self.recipe_name,
            "Runs/ActiveRun/RecipeVersion": self.recipe_version,
            "Runs/ActiveRun/Cause": self.cause,
            "Runs/ActiveRun/Kind": self.kind,
            "Runs/ActiveRun/Name": self.name,
            "Runs/ActiveRun/State": self.state,
            "Runs/ActiveRun/Engineering": self.engineering,
            "Runs/ActiveRun/StepIndex": self.step_index,
            "Runs/ActiveRun/StepName": str(self._now().get("name", "")),
            "Runs/ActiveRun/StepElapsedS": step_elapsed_s,
            "Runs/ActiveRun/ElapsedS": elapsed_s,
            "Runs/ActiveRun/PlannedS": total,
            "Runs/ActiveRun/TimeLeftS": left,
            "Runs/ActiveRun/Progress": progress,
            "Services/Active": service,
            "Services/State": doing,
            "Services/StepName": str(self._now().get("name", "")) if self.service else "",
            "Services/ElapsedS": elapsed_s if service else 0.0,
        }
