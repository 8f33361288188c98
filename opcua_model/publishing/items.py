"""Monitored items on tags, all those of one subscription as columns of one table.

A sample compares the snapshot with what was last reported and queues the rows that differ; a publish takes the queue
and encodes it in one piece. Nothing here is done per value in Python.
"""

from collections.abc import Iterable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from kernels.image import Snapshot
from opcua_model.publishing.encoding import counted, data_values

DISABLED: Final = 0
SAMPLING: Final = 1
REPORTING: Final = 2

STATUS: Final = 0
STATUS_VALUE: Final = 1
STATUS_VALUE_TIMESTAMP: Final = 2

OVERFLOW: Final = np.uint32(0x0480)
"""InfoType DataValue and the overflow bit (Part 4, 7.39.1, table 181)."""

ITEM: Final = np.dtype(
    [
        ("id", "u4"),
        ("handle", "u4"),
        ("tag", "i4"),
        ("queue", "u4"),
        ("kind", "u1"),
        ("stamps", "u1"),
        ("mode", "u1"),
        ("trigger", "u1"),
        ("oldest", "?"),  # discard the oldest when the queue is full, else replace the newest
        ("fresh", "?"),  # nothing reported yet
        ("deadband", "f8"),
        ("value", "f8"),  # as last reported, as the next two
        ("status", "u4"),
        ("source", "i8"),
    ]
)
_CARRIED: Final = ("id", "handle", "queue", "kind", "stamps", "oldest")
_ROW: Final = np.dtype(
    [(name, ITEM[name]) for name in _CARRIED] + [("value", "f8"), ("status", "u4"), ("source", "i8"), ("server", "i8")]
)


class TagItems:
    """The tag items of one subscription and the notifications that wait."""

    def __init__(self) -> None:
        self._items = np.zeros(0, ITEM)
        self._queue = np.zeros(0, _ROW)

    def __len__(self) -> int:
        return len(self._items)

    @property
    def waiting(self) -> int:
        """Notifications that wait to be published."""
        return len(self._queue)

    def add(self, items: NDArray[np.void]) -> None:
        """Take new items (rows of `ITEM`), their ids greater than all before."""
        items["fresh"] = True
        self._items = np.concatenate([self._items, items])

    def rows(self, ids: Iterable[int]) -> NDArray[np.int64]:
        """Find rows by item id, -1 where there is none."""
        wanted = np.fromiter(ids, np.int64)
        if not len(self._items):
            return np.full(len(wanted), -1)
        found = np.searchsorted(self._items["id"], wanted)
        found = np.minimum(found, len(self._items) - 1)
        return np.where(self._items["id"][found] == wanted, found, -1)

    def tag(self, row: int) -> int:
        """Index of the tag that a row watches."""
        return int(self._items["tag"][row])

    def modify(
        self, row: int, *, handle: int, queue: int, oldest: bool, trigger: int, deadband: float, stamps: int
    ) -> None:
        """Change an item; what was reported last stays the base of comparison."""
        item = self._items[row]
        waiting = self._queue["id"] == item["id"]
        for name, value in (("handle", handle), ("queue", queue), ("oldest", oldest), ("stamps", stamps)):
            item[name] = value
            self._queue[name][waiting] = value
        item["trigger"], item["deadband"] = trigger, deadband
        self._bound_queue()

    def set_mode(self, row: int, mode: int) -> None:
        """Change the monitoring mode; what was disabled reports its value anew (Part 4, 5.12.4)."""
        item = self._items[row]
        if mode != REPORTING:
            self._queue = self._queue[self._queue["id"] != item["id"]]
        if item["mode"] != REPORTING and mode == REPORTING:
            item["fresh"] = True
        item["mode"] = mode

    def remove(self, rows: NDArray[np.int64]) -> None:
        """Forget items and what waits of them."""
        gone = self._items["id"][rows]
        self._items = np.delete(self._items, rows)
        self._queue = self._queue[~np.isin(self._queue["id"], gone)]

    def clear(self) -> None:
        """Forget everything."""
        self._items = np.zeros(0, ITEM)
        self._queue = np.zeros(0, _ROW)

    def report_all(self) -> None:
        """Report every item once more with the next sample (a subscription that moved to another session)."""
        self._items["fresh"] = True

    def sample(self, now: Snapshot) -> None:
        """Queue the items whose tag differs from what was last reported."""
        items = self._items
        if not len(items):
            return
        tags = items["tag"]
        value, status, source = now.values[tags], now.status[tags], now.source_ns[tags]
        with np.errstate(invalid="ignore"):
            moved = np.abs(value - items["value"]) > items["deadband"]
        moved |= np.isnan(value) != np.isnan(items["value"])
        changed = items["fresh"] | (status != items["status"])
        changed |= (items["trigger"] >= STATUS_VALUE) & moved
        changed |= (items["trigger"] == STATUS_VALUE_TIMESTAMP) & (source != items["source"])
        changed &= items["mode"] == REPORTING
        rows = np.flatnonzero(changed)
        if not len(rows):
            return
        new = np.empty(len(rows), _ROW)
        for name in _CARRIED:
            new[name] = items[name][rows]
        new["value"], new["status"], new["source"] = value[rows], status[rows], source[rows]
        new["server"] = now.time_ns
        items["value"][rows], items["status"][rows] = new["value"], new["status"]
        items["source"][rows], items["fresh"][rows] = new["source"], False
        if len(self._queue):
            self._queue = np.concatenate([self._queue, new])
            self._bound_queue()
        else:
            self._queue = new

    def _bound_queue(self) -> None:
        """Drop what exceeds the queue of an item, by its own discard policy; mark the loss."""
        queue = self._queue
        if not len(queue):
            return
        rank, count = _ranks(queue["id"])
        over = count > queue["queue"]
        if not over.any():
            return
        from_end = count - 1 - rank
        size = queue["queue"].astype(np.int64)
        oldest = queue["oldest"].astype(bool)
        keep = (oldest & (from_end < size)) | (~oldest & ((rank < size - 1) | (from_end == 0)))
        marked = over & (size > 1) & ((oldest & (from_end == size - 1)) | (~oldest & (from_end == 0)))
        queue["status"][marked] |= OVERFLOW
        self._queue = queue[keep]

    def take(self, limit: int) -> tuple[int, bytes]:
        """Take up to `limit` notifications (0: all), oldest first, as a DataChangeNotification's body."""
        rows = self._queue if not limit else self._queue[:limit]
        self._queue = self._queue[len(rows) :]
        parts: list[bytes] = []
        rank, _ = _ranks(rows["id"])
        # Values of one item keep their order; between items there is none to keep, so equal shapes go together.
        for layer in range(int(rank.max()) + 1 if len(rows) else 0):
            chosen = rows[rank == layer]
            shape = chosen["kind"].astype(np.int64) * 4 + chosen["stamps"]
            for one in np.unique(shape):
                same = chosen[shape == one]
                same = same[np.argsort(same["status"] >> np.uint32(31), kind="stable")]
                parts.append(
                    data_values(
                        int(one) // 4,
                        int(one) % 4,
                        same["value"],
                        same["status"],
                        same["source"],
                        same["server"],
                        same["handle"],
                    )
                )
        return len(rows), counted(len(rows), b"".join(parts))


def _ranks(ids: NDArray[np.uint32]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return, for each row, how many of its id stand before it and how many there are of it."""
    total = len(ids)
    order = np.argsort(ids, kind="stable")
    ordered = ids[order]
    starts = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]])) if total else np.zeros(0, int)
    sizes = np.diff(np.concatenate([starts, [total]]))
    rank, count = np.empty(total, np.int64), np.empty(total, np.int64)
    rank[order] = np.arange(total) - np.repeat(starts, sizes)
    count[order] = np.repeat(sizes, sizes)
    return rank, count
