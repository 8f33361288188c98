"""Sockets: frames are held against their bounds before they are waited for, and what is too much waits outside.

A connection whose requests pile up is not read on, so that TCP slows its client down; one that does not fetch its
answers gets no further ones until it does, and is given up after a time. One request of each connection is worked on
at a time, in turn, so that a client with many does not starve another with one.
"""

import asyncio
from typing import Any, Final

from opcua_model.channel import transport_limits
from opcua_model.desk import log
from opcua_model.door import Door, peer_of
from opcua_model.processor import Processor
from opcua_model.settings import Limits
from opcua_model.stack import BinaryServer, Buffer, OpcuaProtocol, binary, ua

HEADER: Final = 8
"""Bytes that say type and size of a chunk (Part 6, 7.1.2.2)."""
_PLAIN: Final = b"SecurityPolicy#None"
_POLICY: Final = 80
"""Bytes within which a channel's request names its policy; without security it costs nothing."""
_LEAST: Final = {b"HEL": 32, b"ACK": 28, b"ERR": 16, b"OPN": 32, b"MSG": 24, b"CLO": 24}
"""Bytes of the shortest frame of each kind (Part 6, 6.7.2 and 7.1.2)."""


class Protocol(OpcuaProtocol):
    """One connection."""

    def __init__(self, bounds: Limits, door: Door, **named: Any) -> None:
        super().__init__(**named)
        self._bounds = bounds
        self._door = door
        self._received = bytearray()
        self._watch: asyncio.TimerHandle | None = None
        self._stall: asyncio.TimerHandle | None = None
        self._fetched = asyncio.Event()
        self._fetched.set()
        self._paused = False
        self.peer = ""
        """Under which name it is counted."""

    @property
    def active(self) -> bool:
        """True while somebody is logged in."""
        return self.processor is not None and bool(self.processor.active)

    @property
    def stage(self) -> int:
        """How far it has come: nothing, greeted, a channel, a session, logged in."""
        return 0 if self.processor is None else int(self.processor.stage)

    # --------------------------------------------------------------------------------------------- coming and going

    def connection_made(self, transport: Any) -> None:
        """Take a connection when there is room, or when another one makes it."""
        self.peer_name = transport.get_extra_info("peername")
        self.peer = peer_of(self.peer_name)
        admitted, leaving = self._door.makes_room(self.peer, self.clients)
        if leaving is not None:
            leaving.drop("made room for another connection")
            self.clients.remove(leaving)
        if not admitted:
            log.warning("connection_refused", peer=self.peer, reason="all connections are in use")
            transport.close()
            return
        self.transport = transport
        transport.set_write_buffer_limits(high=self._bounds.unsent_bytes)
        self.processor = Processor(self.iserver, transport, self.limits, self._bounds)
        self.processor.set_policies(self.iserver.policies)
        self.iserver.asyncio_transports.append(transport)
        self.clients.append(self)
        self._task = asyncio.create_task(self._process_received_message_loop())
        self._watch_life()

    def _watch_life(self) -> None:
        self._watch = asyncio.get_running_loop().call_later(self._bounds.activation_s, self._check_life)

    def _check_life(self) -> None:
        if not self.active:
            self.drop("nobody logged in")
        elif self.processor.expired:
            self.drop("its channel was not renewed in time")
        else:
            self._watch_life()

    def drop(self, reason: str) -> None:
        """Close the connection from this side."""
        log.info("connection_dropped", peer=self.peer, reason=reason)
        self._received.clear()
        if self.transport is not None:
            # Who does not read would keep a polite close waiting.
            self.transport.abort() if self.transport.get_write_buffer_size() else self.transport.close()

    def connection_lost(self, ex: BaseException | None) -> None:
        """Clean up; what is being carried out for the client is carried out."""
        for timer in (self._watch, self._stall):
            if timer is not None:
                timer.cancel()
        self._fetched.set()
        if self.processor is not None:
            super().connection_lost(ex)

    # ------------------------------------------------------------------------------------------------------- frames

    def data_received(self, data: bytes) -> None:
        """Take bytes."""
        if self.transport is None or self.transport.is_closing():
            return
        self._received += data
        self._cut()

    def _cut(self) -> None:
        """Cut frames off what was received, as many as there are places for."""
        received, at = self._received, 0
        while len(received) - at >= HEADER and not self.messages.full():
            size = int.from_bytes(received[at + 4 : at + 8], "little")
            if not _LEAST.get(bytes(received[at : at + 3]), size + 1) <= size <= self._bounds.chunk_bytes:
                self.drop("no frame of OPC UA, or one that is too long")
                return
            if len(received) - at < size:
                break
            frame = Buffer(bytes(received[at : at + size]))
            self.messages.put_nowait((binary.header_from_binary(frame), frame))
            at += size
        del received[:at]
        self._read_on()

    def _read_on(self) -> None:
        """Read the socket, unless requests have piled up."""
        full = self.messages.full()
        if full == self._paused or self.transport is None or self.transport.is_closing():
            return
        self._paused = full
        self.transport.pause_reading() if full else self.transport.resume_reading()

    async def _process_received_message_loop(self) -> None:
        while True:
            header, frame = await self.messages.get()
            if frame is None or self.processor is None:
                return
            if header.MessageType == ua.MessageType.SecureOpen and _PLAIN not in bytes(frame)[:_POLICY]:
                await asyncio.sleep(self._door.handshake_wait_s(self.peer))
            if not await self._process_one_msg(header, frame):
                return
            await self._fetched.wait()
            if self._received or self._paused:
                self._cut()
            await asyncio.sleep(0)  # now the others

    async def _process_one_msg(self, header: Any, buf: Any) -> bool:
        try:
            going = await self.processor.process(header, buf)
        except Exception as error:  # noqa: BLE001 - whatever a hostile frame does, it costs this connection only
            log.info("connection_dropped", peer=self.peer, reason=f"{type(error).__name__}: {error}"[:300])
            going = False
        if not going and self.transport is not None:
            self.transport.close()
        return bool(going)

    # ------------------------------------------------------------------------------------- clients that do not read

    def pause_writing(self) -> None:
        """Too many answers wait: no more until some are fetched."""
        self._fetched.clear()
        if self.processor is not None:
            self.processor.hold()
        loop = asyncio.get_running_loop()
        self._stall = loop.call_later(self._bounds.stalled_s, self.drop, "it does not fetch its answers")

    def resume_writing(self) -> None:
        """Answers were fetched."""
        if self._stall is not None:
            self._stall.cancel()
        self._fetched.set()
        if self.processor is not None:
            self.processor.go_on()

    async def ended(self) -> None:
        """Wait until the connection's tasks are over."""
        tasks = [task for task in (self._task, *(self.processor.tasks if self.processor else ())) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


class Listener(BinaryServer):
    """The listening socket with its connections."""

    def __init__(self, iserver: Any, host: str, port: int, bounds: Limits) -> None:
        self._bounds = bounds
        self._door = Door(bounds)
        super().__init__(iserver, host, port, transport_limits(bounds))

    def _make_protocol(self) -> Protocol:
        return Protocol(
            self._bounds,
            self._door,
            iserver=self.iserver,
            policies=self.iserver.policies,
            clients=self.clients,
            closing_tasks=self.closing_tasks,
            limits=self.limits,
        )

    async def stop(self) -> None:
        """Close every connection, then the socket; nothing of them is left running."""
        connections = list(self.clients)
        for connection in connections:
            if connection.transport is not None and connection.transport.get_write_buffer_size():
                connection.transport.abort()  # who does not read keeps nobody waiting
        await super().stop()
        for connection in connections:
            await connection.ended()
        await asyncio.sleep(0)  # the transports report their end with the next turn of the loop
        await self._close_tasks()
