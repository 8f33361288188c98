"""The data folder: one daemon at a time, writable, with room."""

import fcntl
import os
import shutil
from pathlib import Path
from types import TracebackType
from typing import Self

from supervisor.launcher.errors import DataFolderError

LEAST_FREE_BYTES = 64 * 1024 * 1024
"""Below this the daemon does not start: a run's history alone needs it."""


class DataFolder:
    """A data folder held by this process until it is closed.

    Raises:
        DataFolderError: it cannot be created or written, is nearly full, or another daemon holds it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            path.mkdir(parents=True, exist_ok=True, mode=0o750)
            self._fd = os.open(path / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
        except OSError as error:
            raise DataFolderError(
                f"the data folder {path} cannot be used: {error.strerror}; give another with --data"
            ) from error
        try:
            self._take()
            free = shutil.disk_usage(path).free
            if free < LEAST_FREE_BYTES:
                raise DataFolderError(
                    f"the data folder {path} has {free >> 20} MB left and needs {LEAST_FREE_BYTES >> 20}; "
                    "free some space, or give another with --data"
                )
        except OSError:
            os.close(self._fd)
            raise

    def _take(self) -> None:
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            owner = os.pread(self._fd, 32, 0).decode("ascii", "replace").strip() or "unknown"
            raise DataFolderError(
                f"the data folder {self.path} is in use by another cvd daemon (process {owner}); "
                "stop that one, or give this one another folder with --data"
            ) from None
        try:
            os.ftruncate(self._fd, 0)
            os.pwrite(self._fd, f"{os.getpid()}\n".encode(), 0)
            os.fsync(self._fd)
        except OSError as error:
            raise DataFolderError(f"the data folder {self.path} cannot be written: {error.strerror}") from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self._fd)
