"""An open connection of a wire: a TCP socket or the master of a pseudo-terminal, with receive time stamps."""

import contextlib
import os
import pty
import socket
import struct
import termios
import time
import tty
from pathlib import Path
from typing import Protocol

import anyio

LARGEST = 65536
SO_TIMESTAMPNS = 35  # asm-generic/socket.h; Python does not name it
ANCILLARY = 128


class Channel(Protocol):
    """Bytes in both directions."""

    fd: int

    def receive(self) -> tuple[bytes, int, bool] | None:
        """What has arrived, when (UTC, ns), and whether the kernel says so; none: the other side is gone."""
        ...

    def close(self, *, reset: bool = False) -> None:
        """Close, in order or with a reset; again does nothing."""
        ...


def stamp_arrivals(connection: socket.socket) -> None:
    """Ask the kernel for the time of each arrival, where it can tell."""
    with contextlib.suppress(OSError):
        connection.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)


class TcpChannel:
    """An accepted connection; the kernel stamps what it receives."""

    def __init__(self, connection: socket.socket) -> None:
        connection.setblocking(False)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        stamp_arrivals(connection)
        self._socket = connection
        self.fd = connection.fileno()

    def receive(self) -> tuple[bytes, int, bool] | None:
        """Take what is there."""
        try:
            data, ancillary, _, _ = self._socket.recvmsg(LARGEST, ANCILLARY)
        except BlockingIOError:
            return b"", 0, False
        except OSError:
            return None
        if not data:
            return None
        for level, kind, content in ancillary:
            if level == socket.SOL_SOCKET and kind == SO_TIMESTAMPNS and len(content) >= 16:
                seconds, nanoseconds = struct.unpack("@qq", content[:16])
                return data, seconds * 1_000_000_000 + nanoseconds, True
        return data, time.time_ns(), False

    def close(self, *, reset: bool = False) -> None:
        """Close; with a reset the other side sees RST."""
        if self.fd < 0:
            return
        if reset:
            with contextlib.suppress(OSError):
                self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        anyio.notify_closing(self.fd)
        self.fd = -1
        self._socket.close()


class PtyChannel:
    """A pseudo-terminal, its name kept in a symbolic link that outlives a hang-up."""

    def __init__(self, link: Path) -> None:
        self.fd, self._slave = pty.openpty()
        tty.setraw(self.fd, termios.TCSANOW)
        os.set_blocking(self.fd, False)
        scratch = link.with_name(f".{link.name}.new")
        scratch.unlink(missing_ok=True)
        scratch.symlink_to(os.ttyname(self._slave))
        scratch.replace(link)

    def receive(self) -> tuple[bytes, int, bool] | None:
        """Take what is there; the kernel stamps no terminal, so the time is that of the reading."""
        try:
            data = os.read(self.fd, LARGEST)
        except BlockingIOError:
            return b"", 0, False
        except OSError:
            return None
        return (data, time.time_ns(), False) if data else None

    def close(self, *, reset: bool = False) -> None:
        """Hang up."""
        _ = reset
        if self.fd < 0:
            return
        anyio.notify_closing(self.fd)
        fd, self.fd = self.fd, -1
        os.close(fd)
        os.close(self._slave)


async def send(channel: Channel, data: bytes) -> bool:
    """Send everything; false when the other side is gone."""
    rest = memoryview(data)
    while rest:
        if channel.fd < 0:
            return False
        try:
            rest = rest[os.write(channel.fd, rest) :]
        except BlockingIOError:
            try:
                await anyio.wait_writable(channel.fd)
            except (anyio.ClosedResourceError, ValueError):
                return False
        except OSError:
            return False
    return True
