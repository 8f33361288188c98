"""The one owner of the database: a thread that carries out functions over its connection, one after another.

A second thread reads, so that a long trend does not hold up what is recorded. Both have low priority, and DuckDB
itself starts none. When a full disk has made DuckDB give up all its connections, the owner opens them again.
"""

import contextlib
import os
import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

import anyio
import anyio.from_thread
import anyio.lowlevel
import duckdb
import structlog

from supervisor.server.errors import StoreError
from supervisor.server.store.opening import configure, open_database, translated
from supervisor.server.store.rows import Connection

log = structlog.get_logger()
T = TypeVar("T")
NICE = 10
"""Below everything that the scan or a session waits for."""


@dataclass
class _Job:
    work: Callable[[Connection], Any]
    token: anyio.lowlevel.EventLoopToken
    done: anyio.Event
    result: Any = None
    error: BaseException | None = None


@dataclass
class _Worker:
    """A thread with a connection of its own."""

    name: str
    perform: "Callable[[_Job], None]"
    jobs: "queue.SimpleQueue[_Job | None]" = field(default_factory=queue.SimpleQueue["_Job | None"])
    thread: threading.Thread | None = None

    def start(self) -> None:
        self.thread = threading.Thread(target=self._loop, name=self.name, daemon=True)
        self.thread.start()

    def _loop(self) -> None:
        # An unprivileged thread may always make itself less important.
        with contextlib.suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICE)
        while (job := self.jobs.get()) is not None:
            self.perform(job)
            with contextlib.suppress(anyio.RunFinishedError):
                anyio.from_thread.run_sync(job.done.set, token=job.token)


class Store:
    """The open database.

    Args:
        path: the database file; created when missing.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.repaired: list[str] = []
        """What had to be repaired when it was opened, for people."""
        self._connection: Connection | None = None
        self._cursor: Connection | None = None
        self._maintaining = False
        self._gate = threading.Lock()  # Held by whoever uses the reader's connection, or replaces both.
        self._writer = _Worker("store-writer", self._write)
        self._reader = _Worker("store-reader", self._read)

    async def __aenter__(self) -> Self:
        await anyio.to_thread.run_sync(self._open)
        self._writer.start()
        self._reader.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with anyio.CancelScope(shield=True):
            await anyio.to_thread.run_sync(self._close)

    async def write(self, work: Callable[[Connection], T]) -> T:
        """Carry out `work` in one transaction of its own; rolled back when it raises.

        Raises:
            StoreError: the database refused; the text says what to do.
        """
        return await self._ask(self._writer, lambda connection: transaction(connection, work))

    async def maintain(self, work: Callable[[Connection], T]) -> T:
        """Carry out `work` on the owner's connection outside of a transaction (CHECKPOINT, COPY, several of them)."""

        def maintenance(connection: Connection) -> T:
            self._maintaining = True
            try:
                return work(connection)
            finally:
                self._maintaining = False

        return await self._ask(self._writer, maintenance)

    def interrupt(self) -> None:
        """Cut maintenance short: it fails, is rolled back, and is done again after the next start."""
        connection = self._connection
        if self._maintaining and connection is not None:
            connection.interrupt()

    async def read(self, work: Callable[[Connection], T]) -> T:
        """Carry out `work`, which only reads, beside the owner; all that it reads is of one moment."""
        return await self._ask(self._reader, lambda connection: transaction(connection, work))

    async def _ask(self, worker: _Worker, work: Callable[[Connection], T]) -> T:
        # Otherwise a loop of questions, each shielded, would never notice that it has been cancelled.
        await anyio.lowlevel.checkpoint_if_cancelled()
        job = _Job(work, anyio.lowlevel.current_token(), anyio.Event())
        worker.jobs.put(job)
        # What has been handed over will be done: whoever asked learns the outcome even when being cancelled.
        with anyio.CancelScope(shield=True):
            await job.done.wait()
        if job.error is not None:
            raise job.error
        return job.result

    def _open(self) -> None:
        self._connection, repaired = open_database(self.path)
        self.repaired += repaired
        self._cursor = self._connection.cursor()
        configure(self._cursor)

    def _close(self) -> None:
        for worker in (self._reader, self._writer):
            worker.jobs.put(None)
            if worker.thread is not None:
                worker.thread.join()
        self._release()

    def _release(self) -> None:
        for connection in (self._cursor, self._connection):
            if connection is not None:
                with contextlib.suppress(duckdb.Error):
                    connection.close()
        self._connection = self._cursor = None

    def _write(self, job: _Job) -> None:
        if self._connection is None and not self._reopen(job):
            return
        assert self._connection is not None  # noqa: S101 (reopened above)
        self._attempt(job, self._connection)

    def _read(self, job: _Job) -> None:
        with self._gate:
            if self._cursor is None:
                job.error = StoreError(f"{self.path} is being opened again; ask once more in a moment")
            else:
                self._attempt(job, self._cursor)

    def _attempt(self, job: _Job, connection: Connection) -> None:
        try:
            job.result = job.work(connection)
        except duckdb.FatalException as error:
            # DuckDB answers nothing any more until every connection is closed (a full disk during a checkpoint).
            log.warning("database gave up its connections; opening it again", reason=str(error).splitlines()[0])
            job.error = translated(error, self.path)
            if threading.current_thread() is self._writer.thread:
                with self._gate:
                    self._release()
        except duckdb.Error as error:
            job.error = translated(error, self.path)
            job.error.__cause__ = error
        except Exception as error:  # noqa: BLE001 - handed to whoever asked
            job.error = error

    def _reopen(self, job: _Job) -> bool:
        with self._gate:
            try:
                self._open()
            except StoreError as error:
                job.error = error
                return False
        log.info("database opened again", path=str(self.path))
        return True


def transaction(connection: Connection, work: Callable[[Connection], T]) -> T:
    """Carry out `work` between BEGIN and COMMIT."""
    connection.execute("BEGIN")
    try:
        result = work(connection)
        connection.execute("COMMIT")
    except BaseException:
        # After a failed COMMIT there is nothing to roll back, and a connection that gave up cannot.
        with contextlib.suppress(duckdb.Error):
            connection.execute("ROLLBACK")
        raise
    return result
