"""TCP streams that notice a dead peer."""

import os
import socket

import anyio

from drivers.errors import LinkError
from drivers.transports.stream import DescriptorStream

CONNECT_S = 3.0
"""Longest wait for a connection."""
IDLE_S, INTERVAL_S, PROBES = 2, 1, 3
"""Keepalive: a peer that vanished without a word is found 5 s after it fell silent."""
UNACKNOWLEDGED_MS = 3000
"""TCP_USER_TIMEOUT: sent bytes that nobody acknowledged for so long end the connection (RFC 5482)."""
_OPTIONS = (
    (socket.IPPROTO_TCP, socket.TCP_NODELAY, 1),
    (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
    (socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, IDLE_S),
    (socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, INTERVAL_S),
    (socket.IPPROTO_TCP, socket.TCP_KEEPCNT, PROBES),
    (socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, UNACKNOWLEDGED_MS),
)


class TcpStream(DescriptorStream):
    """A connection; use `open_tcp`."""

    def __init__(self, sock: socket.socket) -> None:
        super().__init__(sock.fileno())
        self._socket = sock

    async def aclose(self) -> None:
        """Close without waiting for the other side."""
        if self._socket.fileno() >= 0:
            anyio.notify_closing(self._socket)
            self._socket.close()
        await anyio.lowlevel.checkpoint()


async def open_tcp(host: str, port: int) -> TcpStream:
    """Connect.

    Raises:
        LinkError: nobody answers there.
    """
    try:
        with anyio.fail_after(CONNECT_S):
            found = await anyio.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            return TcpStream(await _connected(found[0][0], found[0][4]))
    except (OSError, TimeoutError) as error:
        reason = getattr(error, "strerror", None) or f"no answer for {CONNECT_S:g} s"
        raise LinkError(f"{host}:{port} cannot be reached: {reason}") from error


async def _connected(family: int, address: tuple[object, ...]) -> socket.socket:
    sock = socket.socket(family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
    try:
        for level, option, value in _OPTIONS:
            sock.setsockopt(level, option, value)
        code = sock.connect_ex(address)
        if code:
            await anyio.wait_writable(sock)
            code = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if code:
            raise OSError(code, os.strerror(code))  # noqa: TRY301 - the socket must be closed
    except BaseException:
        sock.close()
        raise
    return sock
