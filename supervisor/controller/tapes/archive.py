"""An archive that appears whole or not at all: a ZIP of NumPy arrays and texts, each with its checksum.

It is written beside under a partial name, synced, and only then renamed. Members carry a fixed date: the same content
makes the same bytes. Any archiver opens it.
"""

import io
import os
import zipfile
import zlib
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

PARTIAL = ".partial"
LEVEL = 6
"""Of compression: a second of a processor for the three million records of an hour's recipe."""
LARGEST = 64 * 2**20
"""Bytes that a member may claim; nothing that is written here comes near."""
DAMAGES = (zipfile.BadZipFile, zlib.error, KeyError, TypeError, ValueError, EOFError, NotImplementedError)
"""What a damaged archive, member, array or text raises."""


class ArchiveWriter:
    """An archive being written; it has its name only when it is whole.

    Raises:
        OSError: the disk refuses; also by `add`, `add_array` and `close`.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._partial = path.with_name(path.name + PARTIAL)
        path.parent.mkdir(parents=True, exist_ok=True)
        self._sink = self._partial.open("wb")
        self._archive = zipfile.ZipFile(self._sink, "w")

    def add(self, name: str, content: bytes) -> None:
        """Add a text or other bytes."""
        self._archive.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED, LEVEL)

    def add_array(self, name: str, array: NDArray[Any]) -> None:
        """Add an array."""
        buffer = io.BytesIO()
        np.lib.format.write_array(buffer, array, allow_pickle=False)
        self.add(name, buffer.getvalue())

    def close(self) -> None:
        """Finish it: from here on it has its name, is whole and is on the disk."""
        self._archive.close()
        self._sink.flush()
        os.fsync(self._sink.fileno())
        self._sink.close()
        self._partial.replace(self.path)
        folder = os.open(self.path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def abandon(self) -> None:
        """Give it up; what was written stays beside as a partial file."""
        # The archive wants to be closed before its sink, and may meet the full disk again.
        with suppress(OSError):
            self._archive.close()
        with suppress(OSError):
            self._sink.close()

    def discard(self) -> None:
        """Give it up and remove what was written."""
        self.abandon()
        self._partial.unlink(missing_ok=True)


def member(archive: zipfile.ZipFile, name: str) -> bytes:
    """Read a member; raises one of `DAMAGES` when it is not there or not as it was written."""
    size = archive.getinfo(name).file_size
    if size > LARGEST:
        raise ValueError(f"{name} claims {size} bytes, more than any part has")
    return archive.read(name)


def array(archive: zipfile.ZipFile, name: str) -> NDArray[Any]:
    """Read an array; raises as `member` does."""
    return np.lib.format.read_array(io.BytesIO(member(archive, name)), allow_pickle=False)
