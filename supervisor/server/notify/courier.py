"""The courier: fills the outbox from projected events and empties it, at the pace of the receivers."""

import json
import time
from collections import deque
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import anyio
import structlog

from supervisor.link.messages import Event, EventKind
from supervisor.server.errors import StoreError
from supervisor.server.notify.outbox import Message, Outbox
from supervisor.server.notify.rules import Conditions, messages_of, quiet_until
from supervisor.server.notify.sending import SendingError, send
from supervisor.server.notify.table import NotifyTable, Target
from supervisor.server.store.connection import Store
from supervisor.server.store.rows import Connection, one
from supervisor.server.texts import Texts

log = structlog.get_logger()

LOOK_S = 5.0
BATCH = 500
HOUR_S = 3600.0
FIRST_RETRY_S = 5.0
LONGEST_RETRY_S = 600.0
STALE_S = 3600.0
"""What happened longer ago than this, while nobody could be told, is history and no message."""
SECOND = 1_000_000_000


class Courier:
    """Tells people.

    Args:
        store: where projected events are.
        data: the data folder.
        tool: its name.
        table: whom to tell.
        conditions: of the tool, by name.
        silent: whether an alarm asks nobody at the moment.
        wall: the wall clock, s since 1970.
    """

    def __init__(
        self,
        store: Store,
        data: Path,
        tool: str,
        table: NotifyTable,
        conditions: Conditions,
        silent: Callable[[str], bool],
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._store = store
        self._tool = tool
        self._table = table
        self._conditions = conditions
        self._silent = silent
        self._wall = wall
        self.outbox = Outbox(data / "outbox")
        self._sent: dict[str, deque[float]] = {name: deque() for name in table.targets}
        self._news = anyio.Event()

    def wake(self) -> None:
        """Events have been projected."""
        self._news.set()

    async def run(self) -> None:
        """Tell for ever; without receivers there is nothing to do."""
        if not self._table.targets:
            return
        async with anyio.create_task_group() as group:
            for name, target in self._table.targets.items():
                group.start_soon(self._deliver, name, target)
            while True:
                self._news = anyio.Event()
                try:
                    while await self.collect():
                        pass
                except (StoreError, OSError) as error:
                    log.warning("notifications wait", reason=str(error))
                with anyio.move_on_after(LOOK_S):
                    await self._news.wait()

    # -------------------------------------------------------------------------------------------------- outbox in
    async def collect(self) -> bool:
        """Put messages of new events into the outbox; whether there may be more."""
        cursor = await anyio.to_thread.run_sync(self.outbox.cursor)
        if cursor is None:
            # The first time: nothing that happened before anybody asked to be told.
            await anyio.to_thread.run_sync(self.outbox.move_cursor, *await self._store.read(_last))
            return False
        rows = await self._store.read(partial(_after, cursor=cursor))
        if not rows:
            return False
        await anyio.to_thread.run_sync(self._put, rows)
        return len(rows) == BATCH

    def _put(self, rows: Sequence[tuple[int, Event]]) -> None:
        oldest = (self._wall() - STALE_S) * SECOND
        texts = Texts.of(self._table.language or "en")
        for _, event in rows:
            if event.time_ns < oldest:
                continue
            for message in messages_of(event, self._table, self._conditions, texts, self._silent):
                self.outbox.put(message)
        journal, event = rows[-1]
        self.outbox.move_cursor(journal, event.seq)

    # ------------------------------------------------------------------------------------------------- outbox out
    async def _deliver(self, name: str, target: Target) -> None:
        while True:
            wait_s = LOOK_S
            try:
                wait_s = await self.deliver(name, target)
            except OSError as error:
                log.warning("the outbox cannot be used", reason=str(error))
            await anyio.sleep(wait_s)

    async def deliver(self, name: str, target: Target) -> float:
        """Try what is due for a receiver; return after how long to look again, s."""
        now_ns = int(self._wall() * SECOND)
        waiting = [one for one in await anyio.to_thread.run_sync(self.outbox.waiting) if one.target == name]
        due = [one for one in waiting if one.not_before_ns <= now_ns and not self._kept_back(one)]
        if not due:
            return min(1.0, LOOK_S)
        if not self._may_send(name, target):
            return 1.0
        try:
            await anyio.to_thread.run_sync(send, target, self._tool, due)
        except SendingError as error:
            await anyio.to_thread.run_sync(self._failed, due, str(error), error.for_good, now_ns)
            return 0.2
        self._sent[name].append(self._wall())
        await anyio.to_thread.run_sync(self._arrived, due)
        log.info("told", receiver=name, messages=len(due))
        return 0.2

    def _kept_back(self, message: Message) -> bool:
        now = datetime.fromtimestamp(self._wall(), UTC).astimezone()
        return quiet_until(self._table.quiet, message.severity, now) is not None

    def _may_send(self, name: str, target: Target) -> bool:
        """Tries count too: a receiver that is down is not hammered."""
        sent, now = self._sent[name], self._wall()
        while sent and sent[0] <= now - HOUR_S:
            sent.popleft()
        return len(sent) < target.per_hour

    def _arrived(self, messages: Sequence[Message]) -> None:
        for one_message in messages:
            self.outbox.remove(one_message)

    def _failed(self, messages: Sequence[Message], fault: str, for_good: bool, now_ns: int) -> None:
        for message in messages:
            late = now_ns - message.time_ns > self._table.give_up_h * HOUR_S * SECOND
            if for_good or late:
                log.error("nobody could be told", receiver=message.target, subject=message.subject, reason=fault)
                self.outbox.failed(message, fault, now_ns)
                self.outbox.put_aside(message)
                continue
            wait_s = min(LONGEST_RETRY_S, FIRST_RETRY_S * 2**message.tries)
            self.outbox.failed(message, fault, now_ns + int(wait_s * SECOND))
        log.warning("a receiver was not reached", receiver=messages[0].target, messages=len(messages), reason=fault)


def _last(connection: Connection) -> tuple[int, int]:
    row = one(connection, "SELECT journal, seq FROM projection")
    return (int(row[0]), int(row[1])) if row else (0, 0)


def _after(connection: Connection, cursor: tuple[int, int]) -> list[tuple[int, Event]]:
    rows = connection.execute(
        "SELECT journal, seq, time_ns, scan, kind, data FROM events WHERE journal > ? OR (journal = ? AND seq > ?) "
        "ORDER BY journal, seq LIMIT ?",
        [cursor[0], cursor[0], cursor[1], BATCH],
    ).fetchall()
    return [
        (
            int(journal),
            Event(seq=seq, time_ns=time_ns, scan=scan, kind=EventKind(kind), data=json.loads(data)),
        )
        for journal, seq, time_ns, scan, kind, data in rows
    ]
