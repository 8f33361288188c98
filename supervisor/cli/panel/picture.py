"""How the tool stands: the newest value of everything on the screen, and the past of what is drawn."""

import math
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from supervisor.cli.panel.catalogue import EMPTY, Catalogue, TagInfo

PAST = 240  # values of a trend, one a second
LIVE = (
    "State/Mode",
    "State/E10State",
    "State/ControlOwner",
    "State/ControlLocation",
    "State/Armed",
    "Runs/ActiveRun/RunId",
    "Runs/ActiveRun/RunNumber",
    "Runs/ActiveRun/RecipeName",
    "Runs/ActiveRun/State",
    "Runs/ActiveRun/Cause",
    "Runs/ActiveRun/StepName",
    "Runs/ActiveRun/StepElapsedS",
    "Runs/ActiveRun/ElapsedS",
    "Runs/ActiveRun/TimeLeftS",
    "Runs/ActiveRun/Progress",
    "Services/Active",
    "Services/State",
    "Services/StepName",
    "Services/ElapsedS",
    "Alarms/Active",
    "Alarms/Unacknowledged",
    "Alarms/Flood",
    "Diagnostics/InterlocksTripped",
    "Diagnostics/WakeupLatencyP99Us",
    "Diagnostics/HistorianLagS",
    "Diagnostics/ControllerAlive",
)
INTERLOCK_VALUES = ("State", "Why", "FirstOut", "TripCount", "BypassLeftS", "BypassWhy", "ProofTest")
ALARM_VALUES = ("ActiveState", "AckedState", "Retain", "Time", "Why")
IN_FORCE = frozenset({"Active", "Latched"})


@dataclass(frozen=True)
class AlarmLine:
    """An alarm that wants something of somebody."""

    name: str
    active: str
    acknowledged: str
    priority: str
    time: str
    why: str


@dataclass
class Picture:
    """The state of the screen; `take` is the callback of a subscription."""

    catalogue: Catalogue = EMPTY
    connected: bool = False
    values: dict[str, tuple[Any, bool]] = field(default_factory=dict[str, "tuple[Any, bool]"])
    past: dict[str, deque[float]] = field(default_factory=dict[str, "deque[float]"])

    def begin(self, catalogue: Catalogue) -> None:
        """Show another tool, or the same one anew."""
        self.catalogue, self.connected = catalogue, True
        self.values.clear()

    def lose(self) -> None:
        """The connection is gone, so nothing is known: no old value stays on the screen."""
        self.connected = False
        self.values.clear()

    def take(self, path: str, value: Any, good: bool) -> None:
        """Enter a value."""
        self.values[path] = value, good

    def paths(self) -> list[str]:
        """Everything that the screen follows."""
        found = [*LIVE, *self.catalogue.tags]
        found += [f"Interlocks/{name}/{one}" for name in self.catalogue.interlocks for one in INTERLOCK_VALUES]
        return found + [f"Alarms/{name}/{one}" for name in self.catalogue.alarms for one in ALARM_VALUES]

    def text(self, path: str, empty: str = "–") -> str:
        """A value that is no tag, for people."""
        value, good = self.values.get(path, (None, False))
        if not good or value is None:
            return "?"
        if isinstance(value, float):
            return f"{value:.5g}"
        shown = getattr(value, "Text", value)
        return empty if shown is None or shown == "" else str(shown)

    def number(self, path: str) -> float | None:
        """A value as a number; None when it is Bad or none."""
        value, good = self.values.get(path, (None, False))
        return float(value) if good and isinstance(value, (int, float)) and math.isfinite(value) else None

    def tag(self, info: TagInfo) -> str:
        """The value of a tag, for people."""
        value, good = self.values.get(info.path, (None, False))
        return info.shown(value, good=good)

    def remember(self, paths: Iterable[str]) -> None:
        """Lengthen the past of what is drawn by its present value; a Bad one leaves a gap of the trend."""
        for path in paths:
            value = self.number(path)
            self.past.setdefault(path, deque(maxlen=PAST)).append(math.nan if value is None else value)

    def why_not(self, output: str) -> list[str]:
        """Say what holds an output: every interlock in force that acts on it, with its cause."""
        chain = list[str]()
        for row in self.catalogue.interlocks.values():
            state = self.text(f"Interlocks/{row.name}/State")
            if output in row.effects and state in IN_FORCE:
                why = self.text(f"Interlocks/{row.name}/Why", empty="")
                chain.append(
                    f"{output} = {row.effects[output]} ← {row.name} ({row.cls}, {state}) ← {why or row.condition}"
                )
        return chain

    def alarms(self) -> list[AlarmLine]:
        """Alarms that are active or not acknowledged, the most urgent first."""
        order = {"critical": 0, "high": 1, "medium": 2, "low": 3}
        lines = list[AlarmLine]()
        for info in self.catalogue.alarms.values():
            at = f"Alarms/{info.name}"
            retained, good = self.values.get(f"{at}/Retain", (None, False))
            if good and retained:
                moment = self.values.get(f"{at}/Time", (None, False))[0]
                lines.append(
                    AlarmLine(
                        info.name,
                        self.text(f"{at}/ActiveState"),
                        self.text(f"{at}/AckedState"),
                        info.priority,
                        "" if moment is None else moment.strftime("%H:%M:%S"),
                        self.text(f"{at}/Why", empty=""),
                    )
                )
        return sorted(lines, key=lambda line: (order.get(line.priority, 9), line.name))
