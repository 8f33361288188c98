"""What the controller remembers: drafts of events become journal records, in order, on a worker thread.

Nothing here can delay the scan or the event loop. Whoever needs to know that a record is on the disk waits for it
(`durable`); whoever must not wait does not. When the disk refuses, records are kept in memory and tried again; the
trouble is there to be read, and nothing new may start meanwhile. Only synced records are told to a server, so that a
number that it has seen never means something else after a power cut.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio
import structlog

from supervisor.controller.errors import JournalUnavailableError
from supervisor.link.errors import JournalError
from supervisor.link.journal import Journal
from supervisor.link.messages import Event, EventKind

log = structlog.get_logger()

FLUSH_S = 0.5
"""Longest time that a record without urgency waits for its sync."""
LEAST_S = 0.02
"""Least time between two syncs: a burst becomes one batch."""
RETRY_S = 1.0
"""Between two tries while the disk refuses."""
HELD = 100_000
"""Records kept in memory while the disk refuses (some 50 MB); later ones are counted and lost."""
RECENT = 4096
"""Synced records kept in memory for servers that are nearly up to date."""
CHUNK = 512
"""Records handed out at once."""

NOT_URGENT = frozenset(
    {EventKind.SKIPPED, EventKind.LOST, EventKind.NOTICE, EventKind.CONDITION, EventKind.LOOP_FAULT, EventKind.CONTROL}
)
"""Everything else is synced at once: commands, run transitions, step boundaries, expiries."""
SOON_S = 0.1
"""A condition is told to people: it waits no longer than this."""


@dataclass(frozen=True)
class Draft:
    """An event that has no number yet."""

    kind: EventKind
    data: dict[str, Any]
    scan: int
    time_ns: int


class Recorder:
    """The only writer of the journal.

    Args:
        folder: of the journal.
        on_open: called once in the worker thread when the journal has been opened, before anything is written.
    """

    def __init__(self, folder: Path, on_open: Callable[[Journal], None] = lambda _: None) -> None:
        self.folder = folder
        self.trouble: str | None = None
        """Why the journal cannot be written at the moment; None when it can."""
        self.synced_seq = 0
        """Number of the last record on the disk."""
        self._on_open = on_open
        self._journal: Journal | None = None
        self._drafts: deque[Draft] = deque()
        self._unsynced: list[Event] = []
        self._recent: deque[Event] = deque(maxlen=RECENT)
        self._appended = 0
        self._durable = 0
        self._lost = 0
        self._wake = anyio.Event()
        self._urgent = False
        self._news = anyio.Event()
        self._limiter = anyio.CapacityLimiter(1)

    # ------------------------------------------------------------------------------------------------ writing
    def open(self) -> bool:
        """Open the journal now (blocking: before the loop or in a thread). False and `trouble` when it cannot be."""
        try:
            journal = Journal(self.folder)
        except (OSError, JournalError) as error:
            self.trouble = _cause(error)
            return False
        self.synced_seq = journal.last_seq
        self._on_open(journal)
        self._journal = journal
        self.trouble = None
        return True

    @property
    def pending(self) -> int:
        """Records that are not on the disk yet."""
        return self._appended - self._durable

    def append(self, draft: Draft) -> int:
        """Take a record; return the ticket that `durable` wants."""
        if self.pending >= HELD:
            self._lost += 1
            return self._appended
        if self._lost:
            self._take(Draft(EventKind.LOST, {"lost": self._lost}, draft.scan, draft.time_ns))
            self._lost = 0
        return self._take(draft)

    def _take(self, draft: Draft) -> int:
        self._drafts.append(draft)
        self._appended += 1
        self._urgent = self._urgent or draft.kind not in NOT_URGENT
        self._wake.set()
        return self._appended

    async def durable(self, ticket: int, timeout_s: float) -> None:
        """Wait until the record is on the disk.

        Raises:
            JournalUnavailableError: the disk refuses, or does not answer within the time.
        """
        with anyio.move_on_after(timeout_s):
            while self._durable < ticket:
                if self.trouble is not None:
                    raise JournalUnavailableError(self.trouble)
                await self._news.wait()
            return
        raise JournalUnavailableError(f"the disk of {self.folder} has not answered for {timeout_s:g} s")

    async def run(self) -> None:
        """Write what is appended, for ever."""
        while True:
            await self._wake.wait()
            with anyio.move_on_after(FLUSH_S if not self._soon() else SOON_S):
                while not self._urgent:
                    self._wake = anyio.Event()
                    await self._wake.wait()
            self._wake, self._urgent = anyio.Event(), False
            await self.flush()
            await anyio.sleep(RETRY_S if self.trouble is not None else LEAST_S)
            if self.trouble is not None:
                self._wake.set()
                self._urgent = True

    def _soon(self) -> bool:
        return any(draft.kind is EventKind.CONDITION for draft in self._drafts)

    async def flush(self) -> None:
        """Write everything now; `trouble` says whether that worked."""
        before = self.trouble
        written, trouble = await anyio.to_thread.run_sync(self._write, abandon_on_cancel=True, limiter=self._limiter)
        self.trouble = trouble
        if written:
            self._recent.extend(written)
            self.synced_seq = written[-1].seq
            self._durable += len(written)
        if trouble is not None and trouble != before:
            log.error("the journal cannot be written; nothing new may start", cause=trouble, pending=self.pending)
        elif trouble is None and before is not None:
            log.warning("the journal can be written again", last=self.synced_seq)
        self._announce()

    def _write(self) -> tuple[list[Event], str | None]:
        """Worker thread: number the drafts, append, sync."""
        if self._journal is None and not self.open():
            return [], self.trouble
        journal = self._journal
        assert journal is not None  # noqa: S101 - open() has just said so; for the type checker
        while self._drafts:
            draft = self._drafts.popleft()
            self._unsynced.append(_append(journal, draft, draft.data))
        try:
            journal.sync()
        except OSError as error:
            return [], _cause(error)
        written, self._unsynced = self._unsynced, []
        return written, None

    async def close(self) -> None:
        """Write what is left and close the journal."""
        await self.flush()
        if self._journal is not None and self.trouble is None:
            await anyio.to_thread.run_sync(self._journal.close, abandon_on_cancel=True)

    # ------------------------------------------------------------------------------------------------ reading
    def _announce(self) -> None:
        self._news.set()
        self._news = anyio.Event()

    async def after(self, seq: int) -> list[Event]:
        """Return the next synced records behind `seq`, waiting for the first."""
        while self.synced_seq <= seq:
            await self._news.wait()
        if self._recent and self._recent[0].seq <= seq + 1:
            first = seq + 1 - self._recent[0].seq
            return [self._recent[index] for index in range(first, min(first + CHUNK, len(self._recent)))]
        return await anyio.to_thread.run_sync(self._read, seq)

    def _read(self, seq: int) -> list[Event]:
        journal = self._journal
        assert journal is not None  # noqa: S101 - a record has been synced; for the type checker
        found: list[Event] = []
        for event in journal.read(seq):
            if event.seq > self.synced_seq or len(found) == CHUNK:
                break
            found.append(event)
        return found


def _append(journal: Journal, draft: Draft, data: dict[str, Any]) -> Event:
    event = Event(seq=journal.last_seq + 1, time_ns=draft.time_ns, scan=draft.scan, kind=draft.kind, data=data)
    try:
        journal.append(event)
    except (TypeError, ValueError) as error:
        # A mistake of ours, in one record: the others must not be kept from the disk by it.
        log.exception("a record cannot be written as JSON", kind=draft.kind.value)
        return _append(journal, draft, {"unwritable": f"{type(error).__name__}: {error}"[:500]})
    return event


def _cause(error: OSError | JournalError) -> str:
    if isinstance(error, JournalError):
        return str(error)
    return f"the journal cannot be written ({error.strerror or error}): free space on its disk or make it writable"
