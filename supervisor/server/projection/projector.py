"""Events on their way: into the database first, then to everybody who follows them."""

from collections import deque
from collections.abc import Awaitable, Callable, Sequence

import anyio
import structlog

from supervisor.link.messages import Event
from supervisor.server.errors import StoreError
from supervisor.server.projection.fold import Cursor, Gap, Projection, begin_journal, cursor
from supervisor.server.store.connection import Store

log = structlog.get_logger()

WAITING = 20_000
"""Events that wait in memory; more are asked for again from the journal."""
BATCH = 500
RETRY_S = 1.0


class Projector:
    """Takes events and projects them in order.

    Args:
        store: the open database.
        projection: what each event becomes.
        told: called with each event once, in order: after it was committed, or at once when the database is in trouble.
        subscribe: asks the controller for the events behind the cursor again.
    """

    def __init__(
        self,
        store: Store,
        projection: Projection,
        told: Callable[[Sequence[Event]], Awaitable[None]],
        subscribe: Callable[[], None],
    ) -> None:
        self._store = store
        self._projection = projection
        self._told = told
        self._subscribe = subscribe
        self._waiting: deque[Event] = deque()
        self._behind = False
        self._wake = anyio.Event()
        self._moved = anyio.Event()
        self._told_seq = 0
        self.cursor = Cursor(1, 0)
        self.failure = ""
        """Why events cannot be written; empty when they can."""

    async def start(self) -> None:
        """Read how far the journal has been projected."""
        self.cursor = await self._store.read(cursor)
        self._told_seq = self.cursor.seq

    def resume(self) -> int:
        """Return the number of the last projected event."""
        return self.cursor.seq

    def take(self, event: Event) -> None:
        """Take an event; never waits."""
        if len(self._waiting) >= WAITING:
            self._behind = True
            return
        self._waiting.append(event)
        self._wake.set()

    async def check_journal(self, last_seq: int) -> None:
        """Compare with the journal's end: one that is shorter than what was projected is another journal."""
        if last_seq >= self.cursor.seq:
            return
        log.warning("the journal is not the one that was projected before; a new one begins", last=last_seq)
        self._waiting.clear()
        self.cursor = await self._store.write(begin_journal)
        self._told_seq = 0
        self._subscribe()

    async def caught_up(self, timeout_s: float = 2.0) -> None:
        """Wait until everything that has arrived is projected, or the time is over."""
        with anyio.move_on_after(timeout_s):
            while self._waiting:
                await self._moved.wait()

    @property
    def settled(self) -> bool:
        """Whether everything that has arrived is projected."""
        return not self._waiting

    async def moved(self) -> None:
        """Wait for the next batch."""
        await self._moved.wait()

    async def run(self) -> None:
        """Project for ever."""
        while True:
            await self._wake.wait()
            self._wake = anyio.Event()
            while self._waiting:
                await self._project([self._waiting[index] for index in range(min(BATCH, len(self._waiting)))])
            if self._behind:
                self._behind = False
                self._subscribe()

    async def _project(self, batch: list[Event]) -> None:
        try:
            reached = await self._store.write(lambda connection: self._projection.project(connection, batch))
        except Gap as gap:
            log.warning("events are missing; asking for them again", after=gap.after)
            self._waiting.clear()
            self._subscribe()
            return
        except StoreError as error:
            if not self.failure:
                log.error("events cannot be written; trying again", reason=str(error))  # noqa: TRY400
            self.failure = str(error)
            await self._tell(batch)
            await anyio.sleep(RETRY_S)
            return
        if self.failure:
            log.info("events are written again")
        self.failure = ""
        self.cursor = reached
        for event in batch:
            # The queue may have been cleared meanwhile by check_journal.
            if self._waiting and self._waiting[0] is event:
                self._waiting.popleft()
        await self._tell(batch)
        self._moved.set()
        self._moved = anyio.Event()

    async def _tell(self, batch: list[Event]) -> None:
        news = [event for event in batch if event.seq > self._told_seq]
        if news:
            self._told_seq = news[-1].seq
            await self._told(news)
