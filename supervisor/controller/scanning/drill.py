"""Drills on the simulated plant: faults that a trainer or a test writes into `drill.jsonl` of the data folder.

One JSON object a line, in the words of a fault script (docs/how-to/faults.md): `{"fault": "power_loss"}`, and
`{"fault": "power_loss", "clear": true}`. Only what is appended while the controller runs strikes. A controller with
real instruments has no drill: it never looks at the file.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import anyio
import structlog

log = structlog.get_logger()

FILE_NAME = "drill.jsonl"
LOOK_S = 0.1
LONGEST_LINE = 10_000


class Drill:
    """Follows the file.

    Args:
        folder: the data folder.
        inject: lets a fault strike; raises ValueError for one that there is not.
        tell: told of each.
    """

    def __init__(self, folder: Path, inject: Callable[[dict[str, Any]], None], tell: Callable[[str], None]) -> None:
        self._path = folder / FILE_NAME
        self._inject = inject
        self._tell = tell
        self._read = 0

    async def run(self) -> None:
        """Follow for ever."""
        self._read = await anyio.to_thread.run_sync(self._size)
        while True:
            for line in await anyio.to_thread.run_sync(self._lines):
                self._strike(line)
            await anyio.sleep(LOOK_S)

    def _size(self) -> int:
        return self._path.stat().st_size if self._path.exists() else 0

    def _lines(self) -> list[bytes]:
        """Whole lines that have come since (blocking)."""
        if self._size() <= self._read:
            return []
        with self._path.open("rb") as file:
            file.seek(self._read)
            text = file.read(100 * LONGEST_LINE)
        whole, end, _ = text.rpartition(b"\n")
        self._read += len(whole) + len(end)
        return [line for line in whole.split(b"\n") if line.strip()]

    def _strike(self, line: bytes) -> None:
        try:
            fault = _fault(line)
            self._inject(fault)
        except (ValueError, TypeError) as error:
            log.warning("a line of the drill is no fault", reason=str(error))
            self._tell(f"drill: {line[:200]!r} is no fault: {error}")
            return
        self._tell(f"drill: {json.dumps(fault)}")


def _fault(line: bytes) -> dict[str, Any]:
    fault: Any = json.loads(line)
    if not isinstance(fault, dict):
        raise TypeError("it is no JSON object")
    return cast("dict[str, Any]", fault)
