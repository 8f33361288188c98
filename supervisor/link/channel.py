"""The channel: typed messages over one inherited SOCK_SEQPACKET pair, with either end replaceable.

The launcher keeps both ends open, so the death of a half closes nothing: what it left unread stays in the socket.
Therefore each end draws an epoch when it starts, the two greet each other, and a frame counts only when it is from
the present peer to the present self. A command that was sent to a controller that died is dropped by its successor:
an unjournalled command never happened.

Frame: sender's epoch (8 bytes), receiver's epoch (8), message number (u32), part (u16), parts (u16), then bytes. A
greeting has no parts. A message is the JSON of one of `supervisor.link.messages`.
"""

import secrets
import socket
import struct
from types import TracebackType
from typing import Literal, Self, TypeAlias

import anyio
import structlog
from pydantic import TypeAdapter, ValidationError

from supervisor.link.errors import MessageError
from supervisor.link.messages import Command, Event, Query, Reply, Subscribe, ToController, ToServer

log = structlog.get_logger()

FRAME_BYTES = 32 * 1024
"""Of payload in a frame: well below the least socket buffer that Linux gives."""
MESSAGE_BYTES = 16 * 1024 * 1024
"""Greatest message: a recipe with its longest permitted text stays far below."""
BUFFER_BYTES = 1024 * 1024
NOBODY = bytes(8)
_HEADER = struct.Struct("<8s8sIHH")

AnyMessage: TypeAlias = Command | Query | Subscribe | Reply | Event


class Attached:
    """Yielded by `receive` when a peer has appeared: the first, or the successor of one that died."""


ATTACHED = Attached()


def socket_pair() -> tuple[socket.socket, socket.socket]:
    """Make the pair that the launcher keeps: (controller's end, server's end)."""
    pair = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    for end in pair:
        end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, BUFFER_BYTES)
        end.setblocking(False)
    return pair


class Channel:
    """One end of the channel.

    Args:
        sock: the inherited end; closed with the channel.
        side: which half this is; it decides what may be received.
    """

    def __init__(self, sock: socket.socket, side: Literal["controller", "server"]) -> None:
        sock.setblocking(False)
        self._socket = sock
        self._epoch = secrets.token_bytes(8)
        self._peer = NOBODY
        self._attached = anyio.Event()
        self._sending = anyio.Lock()
        self._number = 0
        self._parts: list[bytes] = []
        self._partial = -1
        self._greeted = False
        received = ToController if side == "controller" else ToServer
        self._reader: TypeAdapter[AnyMessage] = TypeAdapter(received)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def attached(self) -> bool:
        """Whether a peer has been met; it may have died since."""
        return self._peer != NOBODY

    def close(self) -> None:
        """Close this end; the launcher's copy stays open."""
        self._socket.close()

    async def send(self, message: AnyMessage) -> None:
        """Send a message, waiting for a peer and for room.

        Raises:
            MessageError: it is larger than MESSAGE_BYTES.
        """
        payload = _payload(message)
        async with self._sending:
            await self._attached.wait()
            self._number += 1
            for frame in self._frames(payload):
                await self._put(frame)

    def offer(self, message: AnyMessage) -> bool:
        """Send a message if there is a peer with room for it; never waits. False when it was not sent."""
        if not self.attached or self._sending.locked():
            return False
        self._number += 1
        try:
            for frame in self._frames(_payload(message)):
                self._socket.send(frame)
        except (BlockingIOError, ConnectionError):
            return False  # A message of which only some parts went out is dropped by the receiver.
        return True

    async def receive(self) -> AnyMessage | Attached:
        """Return the next message, or ATTACHED when another peer has appeared.

        Raises:
            MessageError: the peer sent something that is no message for this side; the channel goes on.
        """
        if not self._greeted:
            self._greeted = True
            await self._greet()
        while True:
            frame = await self._get()
            if len(frame) < _HEADER.size:
                raise MessageError(f"a frame of {len(frame)} bytes is shorter than its header")
            sender, receiver, number, part, parts = _HEADER.unpack_from(frame)
            if not parts:
                if await self._meet(sender, receiver):
                    return ATTACHED
            elif sender == self._peer and receiver == self._epoch:
                payload = self._join(number, part, parts, frame[_HEADER.size :])
                if payload is not None:
                    return self._read(payload)

    async def _meet(self, sender: bytes, receiver: bytes) -> bool:
        """Take a greeting; answer one that does not know us yet. True when the peer is new."""
        new = sender != self._peer
        if new:
            self._peer, self._parts, self._partial = sender, [], -1
        if receiver != self._epoch:
            await self._greet()
        if new:
            self._attached.set()
        return new

    async def _greet(self) -> None:
        await self._put(_HEADER.pack(self._epoch, self._peer, 0, 0, 0))

    def _frames(self, payload: bytes) -> list[bytes]:
        parts = max(1, -(-len(payload) // FRAME_BYTES))
        return [
            _HEADER.pack(self._epoch, self._peer, self._number & 0xFFFFFFFF, part, parts)
            + payload[part * FRAME_BYTES : (part + 1) * FRAME_BYTES]
            for part in range(parts)
        ]

    def _join(self, number: int, part: int, parts: int, piece: bytes) -> bytes | None:
        if part == 0:
            self._parts, self._partial = [], number
        if number != self._partial or part != len(self._parts):
            self._parts, self._partial = [], -1  # The rest of a message whose beginning was given up.
            return None
        self._parts.append(piece)
        if len(self._parts) < parts:
            return None
        payload = b"".join(self._parts)
        self._parts, self._partial = [], -1
        return payload

    def _read(self, payload: bytes) -> AnyMessage:
        try:
            return self._reader.validate_json(payload)
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            where = ".".join(str(part) for part in first["loc"])
            raise MessageError(f"the peer sent no message of this protocol: {where}: {first['msg']}") from error

    async def _put(self, frame: bytes) -> None:
        while True:
            try:
                self._socket.send(frame)
            except BlockingIOError:
                await anyio.wait_writable(self._socket)
            except ConnectionError:
                # Launcher and peer are gone: nobody will ever read it. Whoever sends has been told to end by now, and
                # must not fail in what it does until then.
                await anyio.sleep_forever()
            else:
                return

    async def _get(self) -> bytes:
        while True:
            try:
                frame = self._socket.recv(FRAME_BYTES + _HEADER.size)
            except BlockingIOError:
                await anyio.wait_readable(self._socket)
                continue
            except ConnectionError:
                frame = b""  # The peer went with frames of ours unread, and so did the launcher.
            if not frame:
                raise anyio.EndOfStream
            return frame


def _payload(message: AnyMessage) -> bytes:
    payload = message.model_dump_json().encode()
    if len(payload) > MESSAGE_BYTES:
        raise MessageError(f"a message of {len(payload):,} bytes is over the limit of {MESSAGE_BYTES:,}")
    return payload
