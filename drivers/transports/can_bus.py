"""CAN and CANopen: python-can below, canopen above, one call at a time.

Its SDO client fails when threads use it at once (measured with canopen 2.4.1), so a limiter lets one call through. What
comes by itself (PDOs, heartbeats, boot-up messages) is noted in the library's receiving thread with its time.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

import anyio

from config.profile import Profile
from config.wire import CanSettings
from drivers.codecs.canopen import BOOT_UPS, HEARTBEAT, NMT, CanopenCodec, aborted, wire_of
from drivers.codecs.exchange import Codec, Fetch, Raw, Store
from drivers.errors import DriverError, LinkError, NoAnswer
from drivers.link import Link

OUR_NODE = 127
"""Node number of this controller's heartbeat."""
OPERATIONAL = 0x05
BOOTED = 0x00
SILENT_HEARTBEATS = 3
"""A node that leaves out so many heartbeats hangs."""
TPDO = {1: 0x180, 2: 0x280, 3: 0x380, 4: 0x480}
RPDO = {1: 0x200, 2: 0x300, 3: 0x400, 4: 0x500}
T = TypeVar("T")


@dataclass
class _Node:
    """What a node says by itself; written by the receiving thread, each field in one step."""

    sdo: Any
    boot_ups: int = 0
    beat_s: float | None = None
    pdos: dict[int, tuple[float, bytes]] | None = None


class CanConversation:
    """A CAN bus with its nodes.

    Args:
        link: `can://can0`, or `can:///dev/ttyACM0?interface=slcan`.
        profiles: of its devices; the first one's bit rate holds.
    """

    def __init__(self, link: Link, profiles: Sequence[Profile]) -> None:
        self._link = link
        self._bitrate = (next((profile.can for profile in profiles if profile.can), None) or CanSettings()).bitrate
        self._network: Any = None
        self._nodes: dict[int, _Node] = {}
        self._alone = anyio.CapacityLimiter(1)

    async def open(self) -> None:
        """Open the interface; nodes are met when they are first asked."""
        await self.close()
        self._network = await anyio.to_thread.run_sync(self._connect, limiter=self._alone)

    async def close(self) -> None:
        """Close the interface."""
        network, self._network = self._network, None
        self._nodes.clear()
        if network is not None:
            with anyio.CancelScope(shield=True), anyio.move_on_after(2):
                await anyio.to_thread.run_sync(partial(_disconnect, network), abandon_on_cancel=True)

    async def settle(self, quiet_s: float) -> None:
        """An SDO's answer names its object, and the library drops late ones."""
        _ = quiet_s
        await self._do(self._check)

    async def fetch(self, codec: Codec, fetch: Fetch, answer_s: float) -> Sequence[Raw]:
        """Read an object, or take the newest PDO."""
        node = await self._node(codec)
        assert isinstance(codec, CanopenCodec)  # noqa: S101 - drivers.build
        self._alive(codec, node)
        pdo, index, sub = fetch.key
        if pdo:
            known = (node.pdos or {}).get(pdo)
            if known is None or time.monotonic() - known[0] > answer_s:
                raise NoAnswer(f"PDO {pdo} of node {codec.node} has not come for {answer_s:g} s")
            return codec.read(fetch, known[1])
        if index == BOOT_UPS:
            return [float(node.boot_ups)]
        return codec.read(fetch, await self._do(lambda: _upload(node, index, sub, answer_s)))

    async def store(self, codec: Codec, store: Store, answer_s: float) -> None:
        """Write an object, send a PDO, a command to the node or our heartbeat."""
        node = await self._node(codec)
        assert isinstance(codec, CanopenCodec)  # noqa: S101 - drivers.build
        wire, data = wire_of(store.point), codec.tell(store)
        if wire.index == NMT:
            await self._do(lambda: self._send(0, bytes([data[0], codec.node])))
        elif wire.index == HEARTBEAT:
            await self._do(lambda: self._send(0x700 + OUR_NODE, bytes([OPERATIONAL])))
        elif wire.pdo:
            self._alive(codec, node)
            await self._do(lambda: self._send(RPDO[wire.pdo or 1] + codec.node, data))
        else:
            await self._do(lambda: _download(node, wire.index, wire.sub, data, answer_s))

    def _alive(self, codec: CanopenCodec, node: _Node) -> None:
        silent_s = SILENT_HEARTBEATS * codec.heartbeat_s
        if codec.heartbeat_s and node.beat_s is not None and time.monotonic() - node.beat_s > silent_s:
            raise NoAnswer(f"node {codec.node} has sent no heartbeat for {silent_s:g} s")

    async def _node(self, codec: Codec) -> _Node:
        assert isinstance(codec, CanopenCodec)  # noqa: S101 - drivers.build
        known = self._nodes.get(codec.node)
        if known is None:
            known = self._nodes[codec.node] = await self._do(lambda: self._meet(codec.node))
        return known

    async def _do(self, call: Callable[[], T]) -> T:
        if self._network is None:
            raise LinkError("the CAN bus is closed")
        import can

        try:
            return await anyio.to_thread.run_sync(call, limiter=self._alone)
        except DriverError:  # an answer that did not come is an OSError too, and no lost adapter
            raise
        except (can.CanError, OSError, ValueError) as error:  # pyserial's errors are OSErrors, garbage a ValueError
            raise LinkError(f"the CAN adapter cannot be used: {error}") from error

    # ------------------------------------------------------------------------------------ in the worker's thread
    def _connect(self) -> Any:
        import can
        import canopen

        options = dict(self._link.options)
        interface = options.pop("interface", "slcan" if self._link.path.startswith("/") else "socketcan")
        bitrate = int(options.pop("bitrate", self._bitrate))
        network: Any = canopen.Network()
        network.listeners.append(_errors_kept())
        try:
            network.connect(interface=interface, channel=self._link.path, bitrate=bitrate, **options)
        except (can.CanError, OSError, ValueError, ImportError) as error:
            raise LinkError(f"the CAN bus {self._link.path} cannot be opened: {error}") from error
        return network

    def _check(self) -> None:
        """An error in the receiving thread means that the bus is off or gone."""
        try:
            self._network.check()
        except Exception as error:
            raise LinkError(f"the CAN bus failed: {error}") from error

    def _send(self, identifier: int, data: bytes) -> None:
        import can

        self._check()
        try:
            self._network.send_message(identifier, data)
        except (can.CanError, OSError) as error:
            raise LinkError(f"the CAN bus does not send: {error}") from error

    def _meet(self, number: int) -> _Node:
        import canopen

        remote: Any = canopen.RemoteNode(number, canopen.ObjectDictionary())
        self._network.add_node(remote)
        remote.sdo.MAX_RETRIES = 1  # one attempt; canopen counts down to 0 and takes 0 for no end
        node = _Node(remote.sdo, pdos={})
        self._network.subscribe(0x700 + number, partial(_beat, node))
        for pdo, base in TPDO.items():
            self._network.subscribe(base + number, partial(_note, node, pdo))
        return node


def _beat(node: _Node, identifier: int, data: bytearray, at_s: float) -> None:
    _ = identifier, at_s
    if bytes(data) == bytes([BOOTED]):
        node.boot_ups += 1
    node.beat_s = time.monotonic()


def _note(node: _Node, pdo: int, identifier: int, data: bytearray, at_s: float) -> None:
    _ = identifier, at_s
    if node.pdos is not None:
        node.pdos[pdo] = (time.monotonic(), bytes(data))


def _upload(node: _Node, index: int, sub: int, answer_s: float) -> bytes:
    return _sdo(node, answer_s, lambda: bytes(node.sdo.upload(index, sub)))


def _download(node: _Node, index: int, sub: int, data: bytes, answer_s: float) -> None:
    _sdo(node, answer_s, lambda: node.sdo.download(index, sub, data))


def _sdo(node: _Node, answer_s: float, call: Callable[[], T]) -> T:
    import can
    import canopen

    node.sdo.RESPONSE_TIMEOUT = answer_s
    try:
        return call()
    except canopen.SdoAbortedError as error:
        raise aborted(error.code) from error
    except canopen.SdoCommunicationError as error:
        raise NoAnswer(f"SDO: {error}") from error
    except (can.CanError, OSError) as error:
        raise LinkError(f"the CAN bus failed: {error}") from error


def _disconnect(network: Any) -> None:
    """Close; an adapter that was pulled out cannot be told so any more."""
    import can

    try:
        network.disconnect()
    except (can.CanError, OSError):
        bus = network.bus
        port = getattr(bus, "serialPortOrig", None)  # python-can's slcan closes it after the command that failed
        if port is not None:
            port.close()


def _errors_kept() -> Any:
    """A listener that lets the reading thread end quietly: its error is kept, and `network.check` raises it."""
    import can

    class Kept(can.Listener):
        def on_message_received(self, msg: can.Message) -> None:
            _ = msg

        def on_error(self, exc: Exception) -> None:
            _ = exc

        def stop(self) -> None:
            pass

    return Kept()
