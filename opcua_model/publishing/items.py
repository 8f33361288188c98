"""Monitored items on tags, all those of one subscription as columns of one table.

A sample compares a row of the image with what was last queued and queues what differs; a publish takes the queue and
encodes it in one piece. Nothing here is done per value in Python; an item on an array is one value.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from opcua_model.publishing.encoding import Columns, array_variant, counted, data_values, one_data_value
from opcua_model.publishing.snapshot import Row, combined
from opcua_model.publishing.table import Table

DISABLED: Final = 0
SAMPLING: Final = 1
REPORTING: Final = 2

STATUS: Final = 0
STATUS_VALUE: Final = 1
STATUS_VALUE_TIMESTAMP: Final = 2

OVERFLOW: Final = np.uint32(0x0480)
"""InfoType DataValue and the overflow bit (Part 4, 7.39.1, table 181)."""

ARRAY: Final = 0x80
"""Flag of an item's kind: its value is an array of that type."""

ITEM: Final = np.dtype(
    [
        ("id", "u4"),
        ("handle", "u4"),
        ("tag", "i4"),
        ("queue", "u4"),
        ("every", "i8"),  # scans between samples; 0: one sample with each publishing
        ("slot", "i8"),  # of the last sample: its scan divided by `every`
        ("kind", "u1"),
        ("stamps", "u1"),
        ("mode", "u1"),
        ("trigger", "u1"),
        ("oldest", "?"),  # discard the oldest when the queue is full, else replace the newest
        ("fresh", "?"),  # nothing reported yet
        ("linked", "?"),  # others are reported when this one has something to report
        ("deadband", "f8"),
        ("value", "f8"),  # as last reported, as the next two
        ("status", "u4"),
        ("source", "i8"),
    ]
)
_CARRIED: Final = ("id", "handle", "queue", "kind", "stamps", "oldest")
_ROW: Final = np.dtype(
    [(name, ITEM[name]) for name in _CARRIED]
    + [("value", "f8"), ("status", "u4"), ("source", "i8"), ("server", "i8"), ("ready", "?")]
)


@dataclass
class _ArrayState:
    """What an array item watches and has reported last."""

    indices: NDArray[np.int64]
    last: NDArray[np.float64] | None = None


class TagItems:
    """The tag items of one subscription and the notifications that wait."""

    def __init__(self) -> None:
        self._items = Table.of(np.zeros(0, ITEM))
        self._queue = Table.of(np.zeros(0, _ROW))
        self._fast: tuple[float, NDArray[np.bool_]] | None = None
        self._arrays: dict[int, _ArrayState] = {}
        self._payloads: dict[int, bytes] = {}
        self._serial = 0
        self._ready = 0
        self._lossy = False

    def __len__(self) -> int:
        return len(self._items)

    @property
    def waiting(self) -> int:
        """Notifications that wait to be published."""
        return self._ready

    # ------------------------------------------------------------------------------------------------- the table

    def add(self, items: NDArray[np.void], arrays: dict[int, NDArray[np.int64]] | None = None) -> None:
        """Take new items (rows of `ITEM`), their ids greater than all before; `arrays` has the tags of array items."""
        items["fresh"], items["slot"] = True, -1
        self._items = self._items.joined(Table.of(items))
        self._fast = None
        for number, indices in (arrays or {}).items():
            self._arrays[number] = _ArrayState(indices)

    def rows(self, ids: Iterable[int]) -> NDArray[np.int64]:
        """Find rows by item id, -1 where there is none."""
        wanted = np.fromiter(ids, np.int64)
        if not len(self._items):
            return np.full(len(wanted), -1)
        found = np.searchsorted(self._items["id"], wanted)
        found = np.minimum(found, len(self._items) - 1)
        return np.where(self._items["id"][found] == wanted, found, -1)

    def tag(self, row: int) -> int:
        """Index of the tag that a row watches; -1 for an array."""
        return int(self._items["tag"][row])

    def kind(self, row: int) -> int:
        """Type of a row's value, with `ARRAY` when it is an array."""
        return int(self._items["kind"][row])

    def mode(self, row: int) -> int:
        """Monitoring mode of a row."""
        return int(self._items["mode"][row])

    def modify(
        self,
        row: int,
        *,
        handle: int,
        queue: int,
        oldest: bool,
        trigger: int,
        deadband: float,
        stamps: int,
        every: int = 0,
    ) -> None:
        """Change an item; what was reported last stays the base of comparison."""
        items = self._items
        waiting = self._queue["id"] == items["id"][row]
        for name, value in (("handle", handle), ("queue", queue), ("oldest", oldest), ("stamps", stamps)):
            items[name][row] = value
            self._queue[name][waiting] = value
        items["trigger"][row], items["deadband"][row], items["every"][row] = trigger, deadband, every
        self._fast = None
        self._bound_queue()
        self._recount()

    def set_mode(self, row: int, mode: int) -> None:
        """Change the monitoring mode; what was disabled reports its value anew (Part 4, 5.12.4)."""
        items = self._items
        own = self._queue["id"] == items["id"][row]
        if mode == DISABLED:
            self._queue = self._queue.at(~own)
        else:
            # What was sampled and not reported is reported from now on; what waits is kept back the other way round.
            self._queue["ready"][own] = mode == REPORTING
        if items["mode"][row] == DISABLED and mode != DISABLED:
            items["fresh"][row], items["slot"][row] = True, -1
        items["mode"][row] = mode
        self._recount()

    def link(self, row: int, linked: bool) -> None:
        """Say whether others are reported together with this item."""
        self._items["linked"][row] = linked
        self._fast = None

    def fire(self, ids: Iterable[int]) -> None:
        """Report what items that only sample have queued (SetTriggering, Part 4, 5.12.1.6)."""
        self._queue["ready"][np.isin(self._queue["id"], np.fromiter(ids, np.uint32))] = True
        self._recount()

    def remove(self, rows: NDArray[np.int64]) -> None:
        """Forget items and what waits of them."""
        gone = self._items["id"][rows]
        for number in gone.tolist():
            self._arrays.pop(number, None)
        kept = np.ones(len(self._items), np.bool_)
        kept[rows] = False
        self._items = self._items.at(kept)
        self._queue = self._queue.at(~np.isin(self._queue["id"], gone))
        self._fast = None
        self._recount()

    def clear(self) -> None:
        """Forget everything."""
        self._items = Table.of(np.zeros(0, ITEM))
        self._queue = Table.of(np.zeros(0, _ROW))
        self._fast = None
        self._arrays.clear()
        self._recount()

    def report_all(self) -> None:
        """Report every item once more with the next sample (a subscription that moved to another session)."""
        self._items["fresh"][:], self._items["slot"][:] = True, -1

    def lose(self) -> None:
        """Rows were lost before they could be sampled: the next value of each fast item says so."""
        self._lossy = True

    # ------------------------------------------------------------------------------------------------- sampling

    def fast(self, scans: float) -> NDArray[np.bool_]:
        """Tell which items want several samples within a publishing interval of so many scans.

        An item that keeps one value only has nothing of samples in between, unless others hang on its changes.
        """
        if self._fast is None or self._fast[0] != scans:
            items = self._items
            fast = (items["every"] > 0) & (items["every"] < scans)
            fast &= (items["queue"] > 1) | items["linked"]
            self._fast = scans, fast
        return self._fast[1]

    def sample_rows(self, rows: Iterable[Row], fast: NDArray[np.bool_]) -> list[int]:
        """Sample fast items with rows of the scan, oldest first; return the ids of linked items with news."""
        fired: list[int] = []
        for row in rows:
            fired += self._sample(row, self._due(row, fast))
        self._lossy = False
        return fired

    def sample(self, now: Row, scans: float = 0.0, fast: NDArray[np.bool_] | None = None) -> list[int]:
        """Sample all other items with the newest row, at the end of a publishing interval of so many scans.

        Returns the ids of linked items with news. What wants to be sampled as often as it is published, or more
        often, is so with every publishing; what wants it less often, when its own interval has begun anew.
        """
        if not len(self._items):
            return []
        slow = self._items["every"] > scans
        others = None if fast is None or not fast.any() else ~fast
        if others is None and not slow.any():
            return self._sample(now, None)
        others = np.ones(len(slow), np.bool_) if others is None else others
        now_due = self._due(now, others & slow)
        chosen = np.flatnonzero(others & ~slow)
        return self._sample(now, np.union1d(chosen, now_due))

    def begin(self, now: Row) -> list[int]:
        """Take the first sample of new items; return the ids of linked items with news."""
        return self._sample(now, np.flatnonzero(self._items["fresh"]))

    def sample_status(self, now: Row, fast: NDArray[np.bool_]) -> list[int]:
        """Sample fast items although no new row came: their source may be gone."""
        return self._sample(now, np.flatnonzero(fast))

    def _due(self, row: Row, among: NDArray[np.bool_]) -> NDArray[np.int64]:
        """Rows of the items whose sampling interval has begun anew."""
        items = self._items
        every = items["every"]
        slots = row.scan // np.maximum(every, 1)
        due = np.flatnonzero(among & (slots != items["slot"]))
        items["slot"][due] = slots[due]
        return due

    def _sample(self, now: Row, chosen: NDArray[np.int64] | None) -> list[int]:
        """Queue what differs from what was last reported, among the chosen rows (None: all)."""
        items = self._items if chosen is None else self._items.at(chosen)
        if not len(items):
            return []
        tags = items["tag"]
        value, status, source = now.values[tags], now.status[tags], now.source_ns[tags]
        with np.errstate(invalid="ignore"):
            moved = np.abs(value - items["value"]) > items["deadband"]
        unknown = np.isnan(value)
        if unknown.any() or np.isnan(items["value"]).any():
            moved |= unknown != np.isnan(items["value"])
        payloads: dict[int, NDArray[np.float64]] = {}
        if self._arrays:
            for row in np.flatnonzero(items["kind"] >= ARRAY).tolist():
                state = self._arrays[int(items["id"][row])]
                elements, status[row], source[row] = combined(now, state.indices)
                moved[row] = _array_moved(state.last, elements, float(items["deadband"][row]))
                payloads[row] = elements
        trigger = items["trigger"]
        changed = items["fresh"] | (status != items["status"]) | ((trigger >= STATUS_VALUE) & moved)
        timed = trigger == STATUS_VALUE_TIMESTAMP
        if timed.any():
            changed |= timed & (source != items["source"])
        changed &= items["mode"] != DISABLED
        rows = np.flatnonzero(changed)
        if not len(rows):
            return []
        new = Table({name: items[name][rows] for name in _CARRIED})
        new["value"], new["status"], new["source"] = value[rows], status[rows], source[rows]
        new["server"] = np.full(len(rows), now.time_ns, np.int64)
        new["ready"] = items["mode"][rows] == REPORTING
        for place, row in enumerate(rows.tolist()) if payloads else ():
            if row in payloads:
                number, kind = int(items["id"][row]), int(items["kind"][row]) & ~ARRAY
                self._arrays[number].last = payloads[row]
                self._serial += 1
                self._payloads[self._serial] = array_variant(payloads[row], kind)
                new["value"][place] = self._serial
        kept = rows if chosen is None else chosen[rows]
        table = self._items
        table["value"][kept], table["status"][kept] = new["value"], new["status"]
        table["source"][kept], table["fresh"][kept] = new["source"], False
        if self._lossy:
            new["status"] = new["status"] | OVERFLOW
        self._append(new)
        linked = table["linked"][kept]
        return table["id"][kept[linked]].tolist() if linked.any() else []

    def _append(self, new: Table) -> None:
        if len(self._queue):
            self._queue = self._queue.joined(new)
            self._bound_queue()
            self._recount()
        else:
            self._queue = new
            self._ready = int(np.count_nonzero(new["ready"]))

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
        self._queue = queue.at(keep)

    def _recount(self) -> None:
        self._ready = int(np.count_nonzero(self._queue["ready"]))
        if self._payloads:
            arrays = self._queue["kind"] >= ARRAY
            kept = {int(serial) for serial in self._queue["value"][arrays].tolist()}
            self._payloads = {serial: body for serial, body in self._payloads.items() if serial in kept}

    # ----------------------------------------------------------------------------------------------- publishing

    def take(self, limit: int) -> tuple[int, bytes]:
        """Take up to `limit` notifications (0: all), oldest first, as a DataChangeNotification's body."""
        if self._ready == len(self._queue) and (not limit or limit >= self._ready):
            rows, self._queue = self._queue, Table.of(np.zeros(0, _ROW))
        else:
            ready = np.flatnonzero(self._queue["ready"])
            ready = ready[:limit] if limit else ready
            rows = self._queue.at(ready)
            kept = np.ones(len(self._queue), np.bool_)
            kept[ready] = False
            self._queue = self._queue.at(kept)
        body = self._encode(rows)
        self._recount()
        return len(rows), counted(len(rows), body)

    def _encode(self, rows: Table) -> bytes:
        if not self._payloads:
            return _encode_scalars(rows)
        array = rows["kind"] >= ARRAY
        # Only the values of one item have an order to keep (Part 4, 7.20.2): scalars first, then arrays.
        columns = [rows[name][array].tolist() for name in ("value", "status", "source", "server", "stamps", "handle")]
        return _encode_scalars(rows.at(~array)) + b"".join(
            one_data_value(self._payloads[int(serial)], status, source, server, stamps, handle)
            for serial, status, source, server, stamps, handle in zip(*columns, strict=True)
        )


def _encode_scalars(rows: Table) -> bytes:
    return data_values(
        Columns(
            rows["value"], rows["status"], rows["source"], rows["server"], rows["kind"], rows["stamps"], rows["handle"]
        )
    )


def _array_moved(before: NDArray[np.float64] | None, after: NDArray[np.float64], deadband: float) -> bool:
    """Tell whether any element moved by more than the deadband (Part 8, 7.2)."""
    if before is None:
        return True
    with np.errstate(invalid="ignore"):
        moved = np.abs(after - before) > deadband
    return bool((moved | (np.isnan(after) != np.isnan(before))).any())


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
