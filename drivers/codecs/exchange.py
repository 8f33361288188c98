"""What codecs and the one who talks agree on."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from config.profile import Point, State

Raw = float | str
"""What the wire carried for a point, before scale, states and limits; a bool is 0.0 or 1.0."""


@dataclass(frozen=True)
class Fetch:
    """One exchange that reads some points.

    Attributes:
        points: in the order in which `read` returns their values.
        key: whatever the codec needs to know about it.
    """

    points: tuple[Point, ...]
    key: Any = field(default=None, repr=False)


@dataclass(frozen=True)
class Store:
    """One exchange that writes a point.

    Attributes:
        point: what is written.
        raw: number for the wire.
        state: name of the state that it stands for, where the point has states.
    """

    point: Point
    raw: Raw
    state: str | None = None


class Codec(Protocol):
    """One device's language. It is told everything that it needs in the calls, and keeps nothing but counters."""

    def plan(self, points: Sequence[Point]) -> tuple[Fetch, ...]:
        """Say which exchanges read these points."""
        ...

    def ask(self, fetch: Fetch) -> bytes:
        """Bytes that ask for the points."""
        ...

    def read(self, fetch: Fetch, frame: bytes) -> Sequence[Raw]:
        """Values of one complete answer; raises BadFrame or DeviceRefused."""
        ...

    def tell(self, store: Store) -> bytes:
        """Bytes that write a point."""
        ...

    def wrote(self, store: Store, frame: bytes) -> None:
        """Check the answer to a write; raises BadFrame or DeviceRefused."""
        ...

    def cut(self, buffer: bytes, request: Fetch | Store) -> int:
        """Length of the complete answer at the beginning of the buffer, 0 while it is not complete.

        Raises:
            BadFrame: what is there cannot become an answer to the request.
        """
        ...

    def answered(self, request: Fetch | Store) -> bool:
        """Whether the device answers to it at all."""
        ...

    def close(self, request: Fetch | Store) -> bytes:
        """Bytes that end the exchange after a good answer; usually none."""
        ...

    def select(self) -> tuple[bytes, Fetch] | None:
        """An exchange that must come first when the wire was used for another device; usually none."""
        ...


class PlainCodec:
    """What most codecs have in common."""

    def answered(self, request: Fetch | Store) -> bool:
        """Every request is answered."""
        _ = request
        return True

    def close(self, request: Fetch | Store) -> bytes:
        """Nothing follows an answer."""
        _ = request
        return b""

    def select(self) -> tuple[bytes, Fetch] | None:
        """The address is part of each request."""
        return None


def by_key(points: Sequence[Point], key: Callable[[Point], Any]) -> tuple[Fetch, ...]:
    """Put points with the same key into one exchange, in the order of their first."""
    order: dict[Any, list[Point]] = {}
    for point in points:
        order.setdefault(key(point), []).append(point)
    return tuple(Fetch(tuple(members), name) for name, members in order.items())


def state_of(point: Point, name: str | None) -> State | None:
    """Look up a state by its name."""
    return next((state for state in point.states if state.name == name), None)


__all__ = ["Codec", "Fetch", "PlainCodec", "Raw", "Store", "by_key", "state_of"]
