"""The alarm list in its basic form (ISA-18.2): active or gone, acknowledged or not.

States come from the image, so that a server that starts late knows them too; acknowledging is this server's own.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from config.layout import Layout
from kernels.tables import ConditionState
from opcua_model.interface import Caller, Refused
from supervisor.server.wording import SEVERITY

IN_FORCE = ConditionState.ACTIVE | ConditionState.LATCHED


@dataclass(frozen=True)
class AlarmState:
    """An alarm or interlock as people see it."""

    name: str
    active: bool = False
    latched: bool = False
    acknowledged: bool = True
    trips: int = 0
    by: str = ""
    comment: str = ""

    @property
    def shown(self) -> bool:
        """Whether it stands on the list."""
        return self.active or self.latched or not self.acknowledged


class AlarmList:
    """All alarms and interlocks of the tool."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._states = [AlarmState(condition.name) for condition in layout.conditions]

    def update(self, conditions: NDArray[np.void]) -> list[AlarmState]:
        """Take the states of the image; return those that changed. A new occurrence wants to be acknowledged."""
        changed: list[AlarmState] = []
        for index, row in enumerate(conditions):
            before, bits = self._states[index], int(row["state"])
            active, latched = bool(bits & ConditionState.ACTIVE), bool(bits & ConditionState.LATCHED)
            trips = int(row["trips"])
            if (active, latched, trips) == (before.active, before.latched, before.trips):
                continue
            # A trip that came and went between two looks shows in its count; a count that fell is a new controller's.
            new = (active and not before.active) or trips > before.trips
            now = replace(before, active=active, latched=latched, trips=trips)
            if new:
                now = replace(now, acknowledged=False, by="", comment="")
            self._states[index] = now
            changed.append(now)
        return changed

    def acknowledge(self, caller: Caller, name: str, comment: str = "") -> AlarmState:
        """Acknowledge an alarm.

        Raises:
            Refused: there is no such alarm, or it is acknowledged already.
        """
        index = self._layout.condition_index.get(name)
        if index is None:
            raise Refused("BadNotFound", f"there is no alarm called {name!r}")
        before = self._states[index]
        if before.acknowledged:
            raise Refused("BadConditionBranchAlreadyAcked", f"{name} is acknowledged already")
        self._states[index] = replace(before, acknowledged=True, by=caller.user, comment=comment)
        return self._states[index]

    def listed(self) -> list[AlarmState]:
        """What stands on the list, the severest first."""
        order = {condition.name: -SEVERITY[condition.priority] for condition in self._layout.conditions}
        return sorted((state for state in self._states if state.shown), key=lambda state: order[state.name])

    @property
    def unacknowledged(self) -> int:
        """How many wait for being acknowledged."""
        return sum(not state.acknowledged for state in self._states)
