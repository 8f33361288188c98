"""What speaks for the instruments of one wire: bytes in, whole requests, their instrument, bytes out.

No input or output happens here (hil.rig.wire does that), so every speaker can be tested byte by byte.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar

from hil.rig.instrument import Instrument


class Speaker(ABC):
    """The device side of a protocol.

    Args:
        instruments: those that hang on the wire.
    """

    silence_s: ClassVar[float] = 0.2
    """A request that is not complete after so long without a byte is forgotten."""

    def __init__(self, instruments: Sequence[Instrument]) -> None:
        self.instruments = tuple(instruments)
        self.by_address = {one.address if one.address is not None else 0: one for one in instruments}

    @abstractmethod
    def cut(self, buffer: bytearray) -> bytes | None:
        """Take the first whole request out of the buffer, noise before it included; none: there is none yet."""

    @abstractmethod
    def whose(self, request: bytes) -> Instrument | None:
        """Which instrument is meant; none: nobody here answers."""

    @abstractmethod
    def answer(self, instrument: Instrument, request: bytes) -> bytes:
        """What the instrument says; nothing for a request that it does not answer."""

    @abstractmethod
    def refuse(self, request: bytes) -> bytes:
        """The device's own words for a fault of its own (injected)."""

    @abstractmethod
    def misaddress(self, reply: bytes) -> bytes:
        """A sound answer that another instrument might have given (injected)."""

    def connected(self) -> bytes:
        """What is said without being asked when someone opens the wire."""
        return b""

    def spontaneous(self, now_s: float) -> list[tuple[Instrument, bytes]]:
        """What is said without being asked, as time goes on: heartbeats and the like."""
        _ = now_s
        return []

    def reset(self) -> None:  # noqa: B027 - most protocols have nothing to forget
        """The wire was opened anew: what belonged to the old connection is forgotten."""

    def restarted(self, instrument: Instrument) -> None:
        """An instrument was switched off and on."""
        _ = instrument

    @property
    def sole(self) -> Instrument:
        """The instrument of a wire that has no addresses."""
        return self.instruments[0]
