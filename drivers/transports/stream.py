"""What a stream of bytes can do, whatever carries it."""

import os
from typing import Protocol

import anyio

from drivers.errors import LinkError

LARGEST = 65536


class Stream(Protocol):
    """An open stream."""

    can_settle: bool
    """Whether waiting in silence is enough after a fault; else it is closed and opened again."""

    async def send(self, data: bytes) -> None:
        """Send all bytes; raises LinkError."""
        ...

    async def receive(self) -> bytes:
        """Wait for at least one byte; raises LinkError when the other side is gone. May be cancelled at any time."""
        ...

    def pending(self) -> bytes:
        """Take what has arrived already, without waiting; raises LinkError."""
        ...

    async def aclose(self) -> None:
        """Close; again does nothing."""
        ...


class DescriptorStream:
    """A stream on a non-blocking file descriptor: a socket, or a serial port.

    The loop is asked only when nothing is there: bytes that lie in the kernel are taken at once, and a byte that came
    before a request is seen before the request is sent.
    """

    can_settle = True

    def __init__(self, fd: int) -> None:
        self._fd = fd

    @property
    def descriptor(self) -> int:
        """What the kernel calls it."""
        return self._fd

    async def send(self, data: bytes) -> None:
        """Send all bytes."""
        rest = memoryview(data)
        while rest:
            try:
                rest = rest[os.write(self._fd, rest) :]
            except BlockingIOError:
                await anyio.wait_writable(self._fd)
            except OSError as error:
                raise LinkError(f"sending failed: {error.strerror}") from error

    async def receive(self) -> bytes:
        """Wait for bytes."""
        data = b""
        while not data:
            try:
                await anyio.wait_readable(self._fd)
            except (anyio.ClosedResourceError, ValueError) as error:
                raise LinkError("the link was closed") from error
            data = self.pending()
        return data

    def pending(self) -> bytes:
        """Take what is there."""
        try:
            data = os.read(self._fd, LARGEST)
        except BlockingIOError:
            return b""
        except OSError as error:
            raise LinkError(f"the link broke: {error.strerror}") from error
        if not data:
            raise LinkError("the device closed the connection")
        return data
