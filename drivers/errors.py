"""What can go wrong between us and an instrument.

DriverError
├── LinkError        the wire is not there: open it again            (also ConnectionError)
├── NoAnswer         nothing complete came in time: the link is dirty (also TimeoutError)
├── BadFrame         what came is no answer to what was asked: dirty  (also ValueError)
└── DeviceRefused    a proper answer that says no: the link is clean
"""

from typing import Literal

Refusal = Literal["configuration", "bad", "busy"]


class DriverError(Exception):
    """Base of this room's errors."""


class LinkError(DriverError, ConnectionError):
    """The link could not be opened, or was lost."""


class NoAnswer(DriverError, TimeoutError):  # noqa: N818 - says what it is
    """The device did not answer in time, or not completely."""


class BadFrame(DriverError, ValueError):  # noqa: N818 - says what it is
    """Bytes came that are no answer to the request: a late one, another device's, or noise."""


class DeviceRefused(DriverError):  # noqa: N818 - says what it is
    """The device answered that it will not.

    Args:
        kind: configuration (it never will: Modbus exceptions 1 … 3), bad (no value now: 4, 0Bh), busy (worth a bounded
            number of repeats: 5, 6).
        text: what it said.
    """

    def __init__(self, kind: Refusal, text: str) -> None:
        super().__init__(text)
        self.kind: Refusal = kind
