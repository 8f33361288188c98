"""Counters of wear and use: hours, cycles and amounts, taken from the rows of the logging ring and kept over restarts.

Each counter is a set point that nobody moves by hand: limits of alarms, trends and screens are those of any tag. What
happens between two rows of the ring is not seen: a contact counts when it stays for `scan.log_every` scans.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from config.equipment import Counter
from config.layout import Layout
from kernels.image import Image, Rows
from kernels.tables import Command as Op
from supervisor.controller.crew.memory import Memory
from supervisor.controller.scanning.scanner import Scanner

BAD = 0x80000000
HOUR_S = 3600.0
KEPT_DAYS = 60
MEAN_DAYS = 30
"""A forecast takes what was used in so many days at most."""
SHOWN = 1e-4
"""A counter is written to its tag when it has moved by this share of the tag's range, or by its resolution."""


@dataclass
class Wear:
    """The counters of a tool.

    Args:
        layout: its tags.
        image: the process image.
        period_s: of the scan.
        memory: where the sums are kept.
    """

    layout: Layout
    image: Image
    period_s: float
    memory: Memory
    changed: bool = False
    """Something has been counted that is not on the disk yet."""
    _next: int = 0
    _last_scan: int = -1
    _was: dict[str, bool] = field(default_factory=dict[str, bool])
    _shown: dict[str, float] = field(default_factory=dict[str, float])

    def __post_init__(self) -> None:
        self.counters = self.layout.tool.care.counters

    def begin(self) -> None:
        """The memory has been recalled: count from here on."""
        self._last_scan, self._next = self.image.head()

    def value(self, counter: Counter) -> float:
        """Present sum, in the unit of the counter's tag."""
        return self.memory.known.counters.get(counter.tag, self._initial(counter))

    def update(self) -> None:
        """Take the rows that have come since."""
        if not self.counters:
            return
        rows = self.image.logged(self._next)
        self._next = rows.next
        if not len(rows.scan):
            return
        edges = np.concatenate(([self._last_scan], rows.scan))
        elapsed_s = np.diff(edges) * self.period_s
        if rows.lost or self._last_scan < 0:
            elapsed_s[0] = 0.0
        self._last_scan = int(rows.scan[-1])
        day = datetime.fromtimestamp(int(rows.time_ns[-1]) / 1e9, UTC).date().isoformat()
        for counter in self.counters:
            if gain := self._gain(counter, rows, elapsed_s):
                self._add(counter, gain, day)

    def _gain(self, counter: Counter, rows: Rows, elapsed_s: NDArray[np.float64]) -> float:
        values, known = self._column(rows, counter.of)
        if counter.only is not None:
            only, also = self._column(rows, counter.only)
            known = known & also & (only != 0)
        if counter.kind == "amount":
            return float(np.dot(np.where(known, values, 0.0), elapsed_s)) * counter.factor
        on = known & (values != 0)
        if counter.kind == "hours":
            return float(elapsed_s[on].sum()) / HOUR_S
        was = np.concatenate(([self._was.get(counter.tag, bool(on[0]))], on[:-1]))
        self._was[counter.tag] = bool(on[-1])
        return float(np.count_nonzero(on & ~was))

    def _column(self, rows: Rows, tag: str) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        index = self.layout.index[tag]
        values = rows.values[:, index]
        return values, (rows.status[:, index] < BAD) & np.isfinite(values)

    def _add(self, counter: Counter, gain: float, day: str) -> None:
        known = self.memory.known
        known.counters[counter.tag] = self.value(counter) + gain
        days = known.used.setdefault(counter.tag, {})
        days[day] = days.get(day, 0.0) + abs(gain)
        for old in sorted(days)[:-KEPT_DAYS]:
            del days[old]
        self.changed = True

    def renew(self, tag: str) -> None:
        """Set a counter to where it begins."""
        for counter in self.counters:
            if counter.tag == tag:
                self.memory.known.counters[tag] = self._initial(counter)
                self.changed = True

    def completed(self, operation: str) -> None:
        """An operation was completed: renew what it renews."""
        for counter in self.counters:
            if operation in counter.renewed_by:
                self.renew(counter.tag)

    def show(self, scanner: Scanner) -> None:
        """Write the counters to their tags where they have moved; raises CommandRefused when the queue is full."""
        for counter in self.counters:
            tag = self.layout.declared[counter.tag]
            value = min(max(self.value(counter), tag.low), tag.high)
            least = tag.resolution or SHOWN * (tag.high - tag.low)
            before = self._shown.get(counter.tag)
            if before is None or abs(value - before) >= least or (value != before and value == tag.initial):
                scanner.fire(Op.WRITE, self.layout.index[counter.tag], value)
                self._shown[counter.tag] = value

    def stopped(self) -> list[str]:
        """Say which counters let no recipe start, and what to do."""
        found = list[str]()
        for counter in self.counters:
            value, unit, (above, below) = (
                self.value(counter),
                self._unit(counter),
                (counter.stop_above, counter.stop_below),
            )
            is_now = f"{counter.tag} is {value:.6g}{unit}"
            if above is not None and value > above:
                found.append(f"{is_now}, above {above:g}{unit}: {counter.remedy}")
            if below is not None and value < below:
                found.append(f"{is_now}, below {below:g}{unit}: {counter.remedy}")
        return found

    def report(self, now_ns: int) -> list[dict[str, Any]]:
        """Every counter with its limits and, where it runs towards one, the days that are left at the usual pace."""
        return [self._row(counter, now_ns) for counter in self.counters]

    def _row(self, counter: Counter, now_ns: int) -> dict[str, Any]:
        value = self.value(counter)
        stop = counter.stop_above if counter.stop_above is not None else counter.stop_below
        a_day = self.a_day(counter.tag, now_ns)
        left = None if stop is None or not a_day else max(0.0, abs(stop - value) / a_day)
        over = (counter.stop_above is not None and value > counter.stop_above) or (
            counter.stop_below is not None and value < counter.stop_below
        )
        return {
            "tag": counter.tag,
            "description": self.layout.declared[counter.tag].description,
            "value": value,
            "unit": self.layout.declared[counter.tag].unit,
            "stop_above": counter.stop_above,
            "stop_below": counter.stop_below,
            "a_day": a_day,
            "days_left": 0.0 if over else left,
            "stopped": over,
            "remedy": counter.remedy,
        }

    def a_day(self, tag: str, now_ns: int) -> float:
        """What a counter gains on a day, days without use included; 0 when nothing was counted yet."""
        days = self.memory.known.used.get(tag)
        if not days:
            return 0.0
        today = datetime.fromtimestamp(now_ns / 1e9, UTC).date()
        since = (today - timedelta(days=MEAN_DAYS)).isoformat()
        first = datetime.fromisoformat(min(days)).date()
        counted = sum(gain for day, gain in days.items() if day > since)
        return counted / min(MEAN_DAYS, max(1, (today - first).days + 1))

    def _initial(self, counter: Counter) -> float:
        return self.layout.declared[counter.tag].initial

    def _unit(self, counter: Counter) -> str:
        unit = self.layout.declared[counter.tag].unit
        return "" if unit == "1" else f" {unit}"
