"""The journal: the controller's append-only memory, in segments of checksummed records.

`<folder>/<first seq>.journal` begins with MAGIC. A record is a header of four u32 (length of the payload, CRC-32 of
the rest of the record, number in this segment of the batch that it was synced with, records of that batch still to
come) and the payload, the JSON of an Event. Only one controller thread writes; anyone may read what has been synced.

A crash can leave damage in the last batch only, since a batch is written when the one before is on the disk: such a
torn tail, never acknowledged, is moved aside. Damage that a later batch follows is refused: a disk has failed.
"""

import os
import struct
import threading
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from supervisor.link.errors import JournalError
from supervisor.link.messages import Event

MAGIC = b"CVDJRNL1"
SEGMENT_BYTES = 64 * 1024 * 1024
"""A segment is closed at the first sync behind this size."""
RECORD_BYTES = 64 * 1024 * 1024
"""A length above this is damage, not a record."""
SUFFIX = ".journal"
_HEAD = struct.Struct("<IIII")


class Journal:
    """A journal open for appending.

    Args:
        folder: created when missing.

    Raises:
        JournalError: a record before the tail is damaged.
        OSError: the folder cannot be read or written.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.recovered: list[str] = []
        """What was repaired when it was opened, for people."""
        self._lock = threading.Lock()
        self._pending: list[bytes] = []
        folder.mkdir(parents=True, exist_ok=True)
        self._batch = 0
        self.last_seq, self._path, self._size = self._recover()
        self._fd = os.open(self._path, os.O_WRONLY | os.O_CLOEXEC)

    @property
    def pending(self) -> int:
        """Records that have been appended and not yet synced."""
        return len(self._pending)

    def append(self, record: Event) -> None:
        """Take a record; it is safe after the next `sync`."""
        if record.seq != self.last_seq + 1:
            raise ValueError(f"record {record.seq} does not follow {self.last_seq}")
        payload = record.model_dump_json().encode()
        with self._lock:
            self._pending.append(payload)
            self.last_seq = record.seq

    def sync(self) -> None:
        """Bring everything that was appended to the disk.

        Raises:
            OSError: the disk refused. Nothing is lost: the next call tries again with the same records.
        """
        with self._lock:
            batch, first = list(self._pending), self.last_seq - len(self._pending) + 1
        if not batch:
            return
        try:
            if self._size > SEGMENT_BYTES:
                self._rotate(first)
            number = self._batch + 1
            data = b"".join(_record(payload, number, len(batch) - 1 - index) for index, payload in enumerate(batch))
            _write(self._fd, data, self._size)
            os.fdatasync(self._fd)
        except OSError:
            os.ftruncate(self._fd, self._size)
            raise
        self._size += len(data)
        self._batch = number
        with self._lock:
            del self._pending[: len(batch)]

    def read(self, after: int = 0) -> Iterator[Event]:
        """Yield the synced records behind `after`, in order."""
        return read_journal(self.folder, after)

    def close(self) -> None:
        """Close the file; what was not synced is not kept."""
        os.close(self._fd)

    def _rotate(self, first: int) -> None:
        path = self.folder / f"{first:012d}{SUFFIX}"
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o640)
        try:
            _write(fd, MAGIC, 0)
            os.fsync(fd)
            _sync_folder(self.folder)
        except OSError:
            os.close(fd)
            path.unlink(missing_ok=True)
            raise
        os.close(self._fd)
        self._fd, self._path, self._size, self._batch = fd, path, len(MAGIC), 0

    def _recover(self) -> tuple[int, Path, int]:
        """Find the end; return the last record's number, the segment to write and its sound length."""
        segments = _segments(self.folder)
        while segments:
            path = segments[-1]
            last, end, left, self._batch = _first(path) - 1, len(MAGIC), 0, 0
            for record in _records(path):
                last, end, left, self._batch = record.event.seq, record.end, record.left, record.batch
            size = path.stat().st_size
            if size >= len(MAGIC) and path.read_bytes()[: len(MAGIC)] == MAGIC:
                if size > end:
                    self._set_aside(path, end, last, self._batch if left else self._batch + 1)
                return last, path, end
            self.recovered.append(f"{path.name} was created but never written; removed")
            path.unlink()
            segments.pop()
        path = self.folder / f"{1:012d}{SUFFIX}"
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o640)
        try:
            _write(fd, MAGIC, 0)
            os.fsync(fd)
        finally:
            os.close(fd)
        _sync_folder(self.folder)
        return 0, path, len(MAGIC)

    def _set_aside(self, path: Path, end: int, last: int, batch: int) -> None:
        """Cut off the torn rest of a batch, keeping its bytes; refuse when a later batch follows the damage."""
        with path.open("r+b") as file:
            file.seek(end)
            torn = file.read()
            if any(found != batch for found in _batches_inside(torn)):
                raise JournalError(
                    f"{path}: record {last + 1} at byte {end} is damaged and later ones follow it, so this is "
                    "not the trace of a power cut. Copy the folder away for examination, then move the file out of "
                    "the journal folder to start anew."
                )
            aside = path.with_suffix(f".torn-after-{last}")
            aside.write_bytes(torn)
            file.truncate(end)
            os.fsync(file.fileno())
        self.recovered.append(
            f"{path.name}: {len(torn)} bytes of an unfinished record after number {last} were moved to {aside.name}"
        )


def read_journal(folder: Path, after: int = 0) -> Iterator[Event]:
    """Yield the records of a journal behind `after`, in order, up to the first that is not whole."""
    segments = _segments(folder)
    for index, path in enumerate(segments):
        if index + 1 < len(segments) and _first(segments[index + 1]) <= after + 1:
            continue
        for record in _records(path):
            if record.event.seq > after:
                yield record.event


def _segments(folder: Path) -> list[Path]:
    return sorted(folder.glob(f"[0-9]*{SUFFIX}"))


def _first(path: Path) -> int:
    return int(path.stem)


@dataclass(frozen=True)
class _Record:
    event: Event
    end: int
    """Offset behind the record."""
    batch: int
    left: int


def _record(payload: bytes, batch: int, left: int) -> bytes:
    crc = zlib.crc32(payload, zlib.crc32(struct.pack("<II", batch, left)))
    return _HEAD.pack(len(payload), crc, batch, left) + payload


def _records(path: Path) -> Iterator[_Record]:
    """Yield the records of a segment, up to the first that is not whole."""
    with path.open("rb") as file:
        if file.read(len(MAGIC)) != MAGIC:
            return
        end = len(MAGIC)
        while len(head := file.read(_HEAD.size)) == _HEAD.size:
            length, crc, batch, left = _HEAD.unpack(head)
            if length > RECORD_BYTES:
                return
            payload = file.read(length)
            if len(payload) < length or zlib.crc32(payload, zlib.crc32(head[8:])) != crc:
                return
            try:
                event = Event.model_validate_json(payload)
            except ValidationError:
                return
            end += _HEAD.size + length
            yield _Record(event, end, batch, left)


def _batches_inside(data: bytes) -> Iterator[int]:
    """Yield the batch numbers of sound records that start anywhere in these bytes."""
    start = 0
    while (brace := data.find(b'{"', start + _HEAD.size)) >= 0:
        start = brace - _HEAD.size
        length, crc, batch, _ = _HEAD.unpack_from(data, start)
        payload = data[brace : brace + length]
        if 0 < length == len(payload) and zlib.crc32(payload, zlib.crc32(data[start + 8 : brace])) == crc:
            yield batch
        start += 1


def _write(fd: int, data: bytes, offset: int) -> None:
    view = memoryview(data)
    while view:
        written = os.pwrite(fd, view, offset)
        view, offset = view[written:], offset + written


def _sync_folder(folder: Path) -> None:
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
