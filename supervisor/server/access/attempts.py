"""Guessing must be slow: each wrong password of a name doubles the wait for the next, up to a bound.

Counted twice: by name and peer, and by name alone with more patience. So a guesser elsewhere does not keep a person at
her own screen waiting, unless it guesses from many places.
"""

import time
from collections import OrderedDict
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import anyio

FREE = 3
"""Wrong passwords in a row before there is any wait: people mistype."""
FREE_ANYWHERE = 20
"""The same for a name from all peers together."""
FIRST_S = 0.5
GREATEST_S = 30.0
"""A bound, so that nobody can lock a person out for good by guessing on purpose."""
FORGET_S = 900.0
NAMES = 1000
"""Names remembered; invented names push out the oldest."""
AT_ONCE = 3
"""Attempts of a name and peer that may wait for the end of a delay; more are wrong at once."""
IN_LINE = 20
"""Attempts of a name and peer that may be there at all: programs open their sessions all together, a flow of Node-RED
one for each of its nodes (a person may have 20 sessions)."""

Key = tuple[str, str]


@dataclass
class _Record:
    wrong: int
    last: float


@dataclass
class _Line:
    lock: anyio.Lock = field(default_factory=anyio.Lock)
    length: int = 0


class Attempts:
    """Counts wrong passwords by name and peer."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._records: OrderedDict[Key, _Record] = OrderedDict()
        self._lines: dict[Key, _Line] = {}

    def wait_s(self, name: str, peer: str = "") -> float:
        """Return how long an attempt of this name has to wait from now on."""
        return max(self._wait_s((name, peer), FREE), self._wait_s((name, "*"), FREE_ANYWHERE))

    def _wait_s(self, key: Key, free: int) -> float:
        record = self._records.get(key)
        if record is None or record.wrong < free:
            return 0.0
        delay = min(FIRST_S * 2.0 ** min(record.wrong - free, 16), GREATEST_S)
        return max(0.0, record.last + delay - self._clock())

    @asynccontextmanager
    async def turn(self, name: str, peer: str = "") -> AsyncGenerator[bool]:
        """Wait until it is the turn of an attempt, and until its delay is over; False when too many of the same wait.

        Those of a name and peer come one after the other, so that many guesses at once are no way around the delay.
        """
        key = (name, peer)
        line = self._lines.setdefault(key, _Line())
        line.length += 1
        try:
            if line.length > IN_LINE:
                yield False
                return
            async with line.lock:
                if line.length > AT_ONCE and self.wait_s(name, peer) > 0:
                    yield False
                    return
                while (wait := self.wait_s(name, peer)) > 0:  # noqa: ASYNC110 - others' guesses lengthen it
                    await anyio.sleep(wait)
                yield True
        finally:
            line.length -= 1
            if not line.length:
                del self._lines[key]

    def wrong(self, name: str, peer: str = "") -> int:
        """Count a wrong password; return how many there have been in a row from this peer."""
        self._count((name, "*"))
        return self._count((name, peer))

    def _count(self, key: Key) -> int:
        now = self._clock()
        record = self._records.pop(key, None)
        if record is None or now - record.last > FORGET_S:
            record = _Record(0, now)
        record.wrong, record.last = record.wrong + 1, now
        self._records[key] = record
        if len(self._records) > NAMES:
            self._records.popitem(last=False)
        return record.wrong

    def right(self, name: str, peer: str = "") -> None:
        """Forget the wrong ones of a peer, and those of the name."""
        self._records.pop((name, peer), None)
        self._records.pop((name, "*"), None)
