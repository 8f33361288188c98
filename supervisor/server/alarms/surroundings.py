"""What the tool is doing, as far as it matters to its alarms."""

from dataclasses import dataclass
from functools import cached_property

from config.alarm_list import AlarmDefinition, Watches
from config.layout import Layout
from kernels.image import Snapshot
from kernels.tables import ConditionState


@dataclass(frozen=True)
class Surroundings:
    """Mode, step and image of one moment."""

    layout: Layout
    mode: str
    step: str
    """Name of the step that runs, empty outside of one."""
    running: bool
    snapshot: Snapshot | None
    """None while the controller is gone."""
    settled: bool
    """Whether every event that came has been projected."""

    def suppresses(self, definition: AlarmDefinition) -> bool:
        """Whether an alarm is suppressed by design now."""
        rule = definition.suppress
        if definition.safety:
            return False
        return (
            self.mode in rule.modes or (bool(self.step) and self.step in rule.steps) or (rule.idle and not self.running)
        )

    def points(self, definition: AlarmDefinition) -> tuple[list[int], list[int]]:
        """Bits and trips of an alarm's points in the image; of a bypass, that it stands."""
        if definition.watches is Watches.BYPASS and definition.interlock is not None:
            state, _ = self._table[self.layout.condition_index[definition.interlock]]
            return [int(ConditionState.ACTIVE) if state & ConditionState.BYPASSED else 0], [0]
        rows = [self._table[self.layout.condition_index[name]] for name in definition.index]
        return [int(state) for state, _ in rows], [int(trips) for _, trips in rows]

    @cached_property
    def _table(self) -> list[tuple[int, int]]:
        assert self.snapshot is not None  # noqa: S101 (asked before)
        table = self.snapshot.conditions
        return list(zip(table["state"].tolist(), table["trips"].tolist(), strict=True))
