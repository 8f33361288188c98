"""Monitored items on values that are no tags: names, states, figures of the server, any attribute of any node.

They change seldom and by themselves: whoever changes one passes it on, and what differs from the last report waits
here, in the queue of its item, until it is published.
"""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any, cast

from opcua_model.publishing.encoding import SERVER, SOURCE
from opcua_model.publishing.items import DISABLED, OVERFLOW, REPORTING, STATUS_VALUE, STATUS_VALUE_TIMESTAMP
from opcua_model.publishing.ranges import IndexRange, cut
from opcua_model.stack import ua


@dataclass
class Wish:
    """What a client may change of an item."""

    handle: int
    queue: int
    oldest: bool
    trigger: int
    deadband: float
    stamps: int


@dataclass
class ValueItem:
    """One monitored attribute."""

    number: int
    wish: Wish
    mode: int
    callback: int
    """Handle of asyncua's data change callback."""
    node: Any
    attribute: int
    part: IndexRange | None
    last: Any = None
    """The DataValue that was queued last; None: nothing yet."""
    waiting: "deque[tuple[Any, bool]]" = field(default_factory=deque["tuple[Any, bool]"])
    """DataValues, and whether they are to be reported."""
    linked: bool = False

    def offer(self, data: Any) -> bool:
        """Queue a value when it differs from the last one; return whether it did."""
        if self.mode == DISABLED:
            return False
        data = cut(data, self.part)
        if self.last is not None and not _differs(self.last, data, self.wish):
            return False
        self.last = data
        self.waiting.append((_stamped(data, self.wish.stamps), self.mode == REPORTING))
        self.bound()
        return True

    def bound(self) -> None:
        """Drop what exceeds the queue, by the item's discard policy; mark the loss."""
        size = max(self.wish.queue, 1)
        while len(self.waiting) > size:
            if self.wish.oldest:
                self.waiting.popleft()
                if size > 1:
                    data, ready = self.waiting[0]
                    self.waiting[0] = (_overflowed(data), ready)
            else:
                data, ready = self.waiting.pop()
                self.waiting.pop()
                self.waiting.append((_overflowed(data) if size > 1 else data, ready))

    def set_mode(self, mode: int) -> bool:
        """Change the mode; return whether the value is wanted anew."""
        anew = self.mode == DISABLED and mode != DISABLED
        self.mode = mode
        if mode == DISABLED:
            self.waiting.clear()
            self.last = None
        else:
            self.waiting = deque((data, mode == REPORTING) for data, _ in self.waiting)
        return anew

    def fire(self) -> None:
        """Report what was only sampled so far."""
        self.waiting = deque((data, True) for data, _ in self.waiting)


class ValueItems:
    """The items of one subscription on values that are no tags."""

    def __init__(self) -> None:
        self.items: dict[int, ValueItem] = {}
        self.by_callback: dict[int, ValueItem] = {}
        self._busy: dict[int, ValueItem] = {}
        """Items with something in their queue."""

    def __len__(self) -> int:
        return len(self.items)

    def add(self, item: ValueItem) -> None:
        """Take an item."""
        self.items[item.number] = item
        self.by_callback[item.callback] = item

    def remove(self, number: int) -> ValueItem | None:
        """Forget an item; None when there is none of that number."""
        item = self.items.pop(number, None)
        if item is not None:
            self.by_callback.pop(item.callback, None)
            self._busy.pop(number, None)
        return item

    def offer(self, item: ValueItem, data: Any) -> bool:
        """Offer a value to an item."""
        queued = item.offer(data)
        if queued:
            self._busy[item.number] = item
        return queued

    def fire(self, ids: Iterable[int]) -> None:
        """Report what items that only sample have queued."""
        for number in ids:
            item = self._busy.get(number)
            if item is not None:
                item.fire()

    @property
    def waiting(self) -> int:
        """Notifications that wait to be published."""
        return sum(ready for item in self._busy.values() for _, ready in item.waiting)

    def take(self, limit: int) -> list[Any]:
        """Take up to `limit` notifications (0: all)."""
        notes: list[Any] = []
        for item in list(self._busy.values()):
            kept: deque[tuple[Any, bool]] = deque()
            for data, ready in item.waiting:
                if ready and (not limit or len(notes) < limit):
                    notes.append(ua.MonitoredItemNotification(ClientHandle=item.wish.handle, Value=data))
                else:
                    kept.append((data, ready))
            item.waiting = kept
            if not kept:
                del self._busy[item.number]
        return notes


def _differs(before: Any, after: Any, wish: Wish) -> bool:
    """Compare two DataValues as a filter asks for."""
    if before.StatusCode != after.StatusCode:
        return True
    if wish.trigger >= STATUS_VALUE and _moved(_plain(before), _plain(after), wish.deadband):
        return True
    moved = before.SourceTimestamp != after.SourceTimestamp
    return wish.trigger == STATUS_VALUE_TIMESTAMP and bool(moved)


def _plain(data: Any) -> Any:
    return None if data.Value is None else data.Value.Value


def _moved(before: Any, after: Any, deadband: float) -> bool:
    if isinstance(before, list) and isinstance(after, list):
        one, other = cast("list[Any]", before), cast("list[Any]", after)
        return len(one) != len(other) or any(_moved(*pair, deadband) for pair in zip(one, other, strict=True))
    if isinstance(before, int | float) and isinstance(after, int | float) and not isinstance(before, bool):
        known, known_after = before == before, after == after  # noqa: PLR0124 - not a number stays not a number
        if not (known and known_after):
            return known != known_after
        return abs(after - before) > deadband if deadband else before != after
    return bool(before != after)


def _stamped(data: Any, stamps: int) -> Any:
    """Leave only the times that the client wants; the DataValue itself belongs to the node."""
    changes: dict[str, Any] = {}
    if not stamps & SOURCE:
        changes |= {"SourceTimestamp": None, "SourcePicoseconds": None}
    if not stamps & SERVER:
        changes |= {"ServerTimestamp": None, "ServerPicoseconds": None}
    return replace(data, **changes) if changes else data


def _overflowed(data: Any) -> Any:
    return replace(data, StatusCode=ua.StatusCode(data.StatusCode.value | int(OVERFLOW)))
