"""How the alarm system itself is doing: the figures of ISA-18.2 (clause 16) and IEC 62682.

What asks for an answer counts, not what is suppressed, shelved or out of service. Rates are per operator position; a
tool has one.
"""

from collections import Counter, deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from opcua_model.conditions.state import AlarmState, Shelf

MINUTE_NS = 60 * 10**9
TEN_MINUTES_NS = 10 * MINUTE_NS
HOUR_NS = 60 * MINUTE_NS
DAY_NS = 24 * HOUR_NS
FLOOD_BEGINS, FLOOD_ENDS = 10, 5
"""Alarms in ten minutes: more than 10 begin a flood, fewer than 5 end it (ISA-18.2-2016, 16.5.3)."""
CHATTERS = 3
"""So many times in a minute an alarm chatters (ISA-18.2-2016, 16.5.5)."""
STALE_NS = DAY_NS
"""Active for longer, it is stale (ISA-18.2-2016, 16.5.6)."""
FREQUENT = 10
PRIORITIES = ((900, "Critical"), (700, "High"), (500, "Medium"), (200, "Low"))


@dataclass
class Figures:
    """Counts what asked for an answer during the last day."""

    asked: deque[tuple[int, str]] = field(default_factory=deque[tuple[int, str]])
    flood: bool = False
    floods: int = 0
    """Since the server started, what the log of the last day shows included."""
    peak: int = 0
    _recent: deque[int] = field(default_factory=deque[int])

    def load(self, asked: Iterable[tuple[int, str]]) -> None:
        """Begin with what the log knows."""
        for time_ns, name in asked:
            self.count(time_ns, name)

    def count(self, time_ns: int, name: str) -> None:
        """An alarm asked for an answer."""
        self.asked.append((time_ns, name))
        self._recent.append(time_ns)
        self._look(time_ns)

    def _look(self, now_ns: int) -> None:
        while self._recent and self._recent[0] <= now_ns - TEN_MINUTES_NS:
            self._recent.popleft()
        while self.asked and self.asked[0][0] <= now_ns - DAY_NS:
            self.asked.popleft()
        rate = len(self._recent)
        self.peak = max(self.peak, rate)
        if not self.flood and rate > FLOOD_BEGINS:
            self.flood, self.floods = True, self.floods + 1
        elif self.flood and rate < FLOOD_ENDS:
            self.flood = False

    def chattering(self, now_ns: int) -> list[str]:
        """Alarms that come and go."""
        minute = Counter[str]()
        for time_ns, name in reversed(self.asked):
            if time_ns <= now_ns - MINUTE_NS:
                break
            minute[name] += 1
        return sorted(name for name, count in minute.items() if count >= CHATTERS)

    def values(self, states: Iterable[AlarmState], now_ns: int) -> dict[str, Any]:
        """The figures by path of the address space."""
        self._look(now_ns)
        known = list(states)
        active = [one for one in known if one.active and one.enabled]
        asking = [one for one in active if not one.silent]
        stale = sorted(one.name for one in active if one.active_ns and now_ns - one.active_ns > STALE_NS)
        chattering = self.chattering(now_ns)
        hour = sum(1 for time_ns, _ in self.asked if time_ns > now_ns - HOUR_NS)
        frequent = Counter(name for _, name in self.asked).most_common(FREQUENT)
        return {
            "Alarms/Active": len(active),
            "Alarms/Standing": len(asking),
            "Alarms/Unacknowledged": sum(not one.acked for one in known if one.enabled),
            "Alarms/Unconfirmed": sum(one.acked and not one.confirmed for one in known if one.enabled),
            "Alarms/Shelved": sum(one.shelf is not Shelf.NONE for one in known),
            "Alarms/Suppressed": sum(one.suppressed for one in known),
            "Alarms/OutOfService": sum(one.out_of_service for one in known),
            "Alarms/Disabled": sum(not one.enabled for one in known),
            "Alarms/Rate10Min": len(self._recent),
            "Alarms/RateHour": hour,
            "Alarms/RateDay": len(self.asked),
            "Alarms/Peak10Min": self.peak,
            "Alarms/Flood": self.flood,
            "Alarms/Floods": self.floods,
            "Alarms/Chattering": len(chattering),
            "Alarms/ChatteringNames": ", ".join(chattering),
            "Alarms/Stale": len(stale),
            "Alarms/StaleNames": ", ".join(stale),
            "Alarms/MostFrequent": ", ".join(f"{name}: {count}" for name, count in frequent),
            **{
                f"Alarms/Active{word}": sum(one.severity == severity for one in active) for severity, word in PRIORITIES
            },
        }
