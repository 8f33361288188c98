"""Opening the database file, whatever has happened to it, with a message that says what to do."""

import errno
import os
import re
import shutil
import time
from pathlib import Path

import duckdb

from supervisor.server.errors import StoreError, StoreFullError, StoreLockedError
from supervisor.server.store.migrate import applied, migrate, migrations
from supervisor.server.store.rows import Connection

FILE_NAME = "cvd.duckdb"
_CORRUPT = re.compile(r"Corrupt WAL file: entry at byte position (\d+)")
_LOCKED = re.compile(r"Conflicting lock is held in (?P<program>.+?) \(PID (?P<pid>\d+)\)")
_SPACE = re.compile(r"no space left|disk (is )?full|file too large|out of disk", re.IGNORECASE)


def open_database(path: Path) -> tuple[Connection, list[str]]:
    """Open and migrate the database; return it and what had to be repaired, for people.

    Raises:
        StoreLockedError: another process holds it.
        StoreFullError: there is no space.
        StoreError: anything else, with the remedy.
    """
    _writable(path.parent)
    repaired: list[str] = []
    connection = _connect(path, repaired)
    try:
        known = migrations()
        version = applied(connection)
        if 0 < version < known[-1].version:
            # A file of our own that is opened and closed here would drop DuckDB's lock: close, copy, open again.
            connection.execute("CHECKPOINT")
            connection.close()
            _backup(path, version)
            connection = _connect(path, repaired)
        migrate(connection, known)
    except duckdb.Error as error:
        connection.close()
        raise translated(error, path) from error
    except BaseException:
        connection.close()
        raise
    return connection, repaired


def open_to_read(path: Path) -> Connection:
    """Open the database of a data folder that no daemon holds, for reading only.

    Raises:
        StoreLockedError: another process holds it.
        StoreError: it cannot be read.
    """
    settings: dict[str, str | bool | int | float | list[str]] = {"threads": 1, "autoinstall_known_extensions": "false"}
    try:
        connection = duckdb.connect(str(path), read_only=True, config=settings)
    except duckdb.Error as error:
        raise translated(error, path) from error
    configure(connection)
    return connection


def configure(connection: Connection) -> None:
    """Set what every connection needs."""
    connection.execute("SET TimeZone = 'UTC'")
    connection.execute("SET enable_progress_bar = false")
    connection.execute("SET preserve_insertion_order = true")


def translated(error: duckdb.Error, path: Path) -> StoreError:
    """Say in words for people what DuckDB's error means."""
    text = str(error)
    if match := _LOCKED.search(text):
        return StoreLockedError(
            f"{path} is held by another process: PID {match['pid']} ({match['program']}). Only one program can open "
            "it, even for reading: stop that one, or give this daemon another folder with --data"
        )
    if _SPACE.search(text):
        return StoreFullError(errno.ENOSPC, f"no space left for {path}: free some; recording goes on by itself then")
    return StoreError(f"{path}: {text.splitlines()[0]}")


def _writable(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / f".probe-{os.getpid()}"
        probe.write_bytes(b"probe")
        probe.unlink()
    except OSError as error:
        if error.errno in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}:
            raise StoreFullError(error.errno, f"the data folder {folder} is full: free some space") from error
        raise StoreError(
            f"the data folder {folder} cannot be written ({error.strerror}): correct its permissions, or give another "
            "folder with --data"
        ) from error


def _connect(path: Path, repaired: list[str]) -> Connection:
    # No extension is loaded from the network, and nothing that a view or a recipe says can read other files' formats.
    settings: dict[str, str | bool | int | float | list[str]] = {
        "threads": 1,
        "autoinstall_known_extensions": "false",
        "memory_limit": "256MB",
    }
    try:
        connection = duckdb.connect(str(path), config=settings)
    except duckdb.Error as error:
        match = _CORRUPT.search(str(error))
        if match is None:
            raise translated(error, path) from error
        repaired.append(_cut_wal(path, int(match[1])))
        try:
            connection = duckdb.connect(str(path), config=settings)
        except duckdb.Error as again:
            raise translated(again, path) from again
    configure(connection)
    return connection


def _cut_wal(path: Path, position: int) -> str:
    """Keep the damaged files aside and cut the log where its damage begins."""
    wal = path.with_name(path.name + ".wal")
    aside = path.with_name(f"{path.name}.corrupt-{time.strftime('%Y%m%d-%H%M%S')}")
    shutil.copy2(path, aside)
    shutil.copy2(wal, aside.with_name(aside.name + ".wal"))
    size = wal.stat().st_size
    with wal.open("r+b") as file:
        file.truncate(position)
        os.fsync(file.fileno())
    return (
        f"the write-ahead log of {path.name} was damaged at byte {position} of {size} and was cut there; "
        f"events come again from the journal, telemetry behind it is lost; both files are kept as {aside.name}"
    )


def _backup(path: Path, version: int) -> None:
    target = path.with_name(f"{path.name}.before-{version + 1:04d}")
    temporary = target.with_name(target.name + ".tmp")
    shutil.copy2(path, temporary)
    with temporary.open("rb") as file:
        os.fsync(file.fileno())
    temporary.replace(target)
