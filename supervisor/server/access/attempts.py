"""Guessing must be slow: each wrong password of a name doubles the wait for the next, up to a bound."""

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

FREE = 3
"""Wrong passwords in a row before there is any wait: people mistype."""
FIRST_S = 0.5
GREATEST_S = 30.0
"""A bound, so that nobody can lock a person out for good by guessing on purpose."""
FORGET_S = 900.0
NAMES = 1000
"""Names remembered; invented names push out the oldest."""


@dataclass
class _Record:
    wrong: int
    last: float


class Attempts:
    """Counts wrong passwords by name."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._records: OrderedDict[str, _Record] = OrderedDict()

    def wait_s(self, name: str) -> float:
        """Return how long an attempt of this name has to wait from now on."""
        record = self._records.get(name)
        if record is None or record.wrong < FREE:
            return 0.0
        delay = min(FIRST_S * 2.0 ** min(record.wrong - FREE, 16), GREATEST_S)
        return max(0.0, record.last + delay - self._clock())

    def wrong(self, name: str) -> int:
        """Count a wrong password; return how many there have been in a row."""
        now = self._clock()
        record = self._records.pop(name, None)
        if record is None or now - record.last > FORGET_S:
            record = _Record(0, now)
        record.wrong, record.last = record.wrong + 1, now
        self._records[name] = record
        if len(self._records) > NAMES:
            self._records.popitem(last=False)
        return record.wrong

    def right(self, name: str) -> None:
        """Forget the wrong ones."""
        self._records.pop(name, None)
