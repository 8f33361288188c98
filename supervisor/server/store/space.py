"""Free space: a ballast file that is given back when the disk fills, and the news of it."""

import contextlib
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

BALLAST_BYTES = 64 * 1024 * 1024
"""Enough for a checkpoint of what a 60 s ring holds, and for the log of a day."""
LOW_BYTES = 512 * 1024 * 1024
FILE_NAME = ".ballast"


@dataclass(frozen=True)
class Space:
    """Free space of the data folder's disk."""

    free_bytes: int
    ballast: bool
    """Whether the ballast is still held back."""

    @property
    def low(self) -> bool:
        """Whether people should do something about it."""
        return self.free_bytes < LOW_BYTES or not self.ballast


class Ballast:
    """The ballast file of a data folder. All methods block for moments: they are for worker threads."""

    def __init__(self, folder: Path, size: int = BALLAST_BYTES) -> None:
        self.path = folder / FILE_NAME
        self.size = size

    def check(self) -> Space:
        """Look at the disk; take the ballast when there is room for it, give it back when the disk is nearly full."""
        free = shutil.disk_usage(self.path.parent).free
        held = self.path.exists() and self.path.stat().st_size == self.size
        if held and free < self.size // 4:
            self.release()
            held, free = False, shutil.disk_usage(self.path.parent).free
        elif not held and free > 4 * self.size:
            held = self._take()
        return Space(free, held)

    def release(self) -> None:
        """Give the space back."""
        self.path.unlink(missing_ok=True)

    def _take(self) -> bool:
        try:
            with self.path.open("wb") as file:
                os.posix_fallocate(file.fileno(), 0, self.size)
        except OSError:
            with contextlib.suppress(OSError):
                self.release()
            return False
        return True
