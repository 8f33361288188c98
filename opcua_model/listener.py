"""Sockets: frames that are too long, too many or nothing but noise end a connection, and parked ones make room."""

import asyncio
from typing import Any, Final

from opcua_model.desk import log
from opcua_model.processor import Processor
from opcua_model.settings import Limits
from opcua_model.stack import BinaryServer, OpcuaProtocol, TransportLimits

HEADER: Final = 8
"""Bytes that say type and size of a chunk (Part 6, 7.1.2.2)."""
_KINDS: Final = (b"HEL", b"OPN", b"MSG", b"CLO", b"ERR")


class Protocol(OpcuaProtocol):
    """One connection."""

    def __init__(self, bounds: Limits, **named: Any) -> None:
        super().__init__(**named)
        self._bounds = bounds
        self._watch: asyncio.TimerHandle | None = None

    @property
    def active(self) -> bool:
        """True while somebody is logged in."""
        return self.processor is not None and bool(self.processor.active)

    def connection_made(self, transport: Any) -> None:
        """Take a connection; when all places are taken, the oldest one that nobody uses makes room."""
        self.peer_name = transport.get_extra_info("peername")
        if len(self.clients) >= self._bounds.connections:
            idle = next((one for one in self.clients if not one.active), None)
            if idle is None:
                log.warning("connection_refused", peer=str(self.peer_name), reason="all connections are in use")
                transport.close()
                return
            idle.drop("made room for another connection")
            self.clients.remove(idle)
        self.transport = transport
        self.processor = Processor(self.iserver, transport, self.limits, self._bounds)
        self.processor.set_policies(self.policies)
        self.iserver.asyncio_transports.append(transport)
        self.clients.append(self)
        self._task = asyncio.create_task(self._process_received_message_loop())
        self._watch_login()

    def _watch_login(self) -> None:
        loop = asyncio.get_running_loop()
        self._watch = loop.call_later(self._bounds.activation_s, self._check_login)

    def _check_login(self) -> None:
        if self.active:
            self._watch_login()
        else:
            self.drop("nobody logged in")

    def drop(self, reason: str) -> None:
        """Close the connection from this side."""
        log.info("connection_dropped", peer=str(self.peer_name), reason=reason)
        if self.transport is not None:
            self.transport.close()

    def connection_lost(self, ex: BaseException | None) -> None:
        """Clean up."""
        if self._watch is not None:
            self._watch.cancel()
        if self.processor is not None:
            super().connection_lost(ex)

    def data_received(self, data: bytes) -> None:
        """Take bytes; a frame is looked at before it is waited for."""
        if self.transport is None or self.transport.is_closing():
            return
        self._buffer += data
        while len(self._buffer) >= HEADER:
            size = int.from_bytes(self._buffer[4:8], "little")
            if self._buffer[:3] not in _KINDS or not HEADER < size <= self._bounds.chunk_bytes:
                self.drop("no frame of OPC UA, or one that is too long")
                self._buffer = b""
                return
            if len(self._buffer) < size:
                return
            frame, rest = self._buffer[:size], self._buffer[size:]
            self._buffer = frame
            super().data_received(b"")
            if self._buffer:  # it could not be taken as a frame
                self.drop("a frame that cannot be read")
                self._buffer = b""
                return
            self._buffer = rest

    async def _process_one_msg(self, header: Any, buf: Any) -> bool:
        try:
            return bool(await super()._process_one_msg(header, buf))
        except Exception as error:  # noqa: BLE001 - whatever a hostile frame does, it costs this connection only
            log.info("connection_dropped", peer=str(self.peer_name), reason=f"{type(error).__name__}: {error}"[:300])
            if self.transport is not None:
                self.transport.close()
            return False

    async def ended(self) -> None:
        """Wait until the connection's task is over."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)


class Listener(BinaryServer):
    """The listening socket with its connections."""

    def __init__(self, iserver: Any, host: str, port: int, bounds: Limits) -> None:
        self._bounds = bounds
        limits = TransportLimits(
            max_recv_buffer=bounds.chunk_bytes,
            max_send_buffer=bounds.chunk_bytes,
            max_chunk_count=bounds.message_bytes // 8192,
            max_message_size=bounds.message_bytes,
        )
        super().__init__(iserver, host, port, limits)

    def _make_protocol(self) -> Protocol:
        return Protocol(
            self._bounds,
            iserver=self.iserver,
            policies=self._policies,
            clients=self.clients,
            closing_tasks=self.closing_tasks,
            limits=self.limits,
        )

    async def stop(self) -> None:
        """Close every connection, then the socket; nothing of them is left running."""
        connections = list(self.clients)
        await super().stop()
        for connection in connections:
            await connection.ended()
        await asyncio.sleep(0)  # the transports report their end with the next turn of the loop
        await self._close_tasks()
