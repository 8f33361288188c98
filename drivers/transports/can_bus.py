"""A CAN bus with CANopen nodes: one transfer at a time, and between transfers what nodes say by themselves.

No thread stands between the loop and the bus. PDOs, heartbeats and boot-up messages are noted with the time at which
they came; an answer that is about another object than the one asked for is a late one and is dropped.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import anyio

from config.profile import Profile
from config.wire import CanSettings
from drivers.codecs import sdo
from drivers.codecs.canopen import BOOT_UPS, HEARTBEAT, NMT, CanopenCodec, wire_of
from drivers.codecs.exchange import Codec, Fetch, Raw, Store
from drivers.conversation import BABBLE_S
from drivers.errors import LinkError, NoAnswer
from drivers.link import Link
from drivers.transports.can_wire import CanWire, Frame, open_can

OUR_NODE = 127
"""Node number of this controller's heartbeat."""
OPERATIONAL = 0x05
BOOTED = 0x00
SILENT_HEARTBEATS = 3
"""A node that leaves out so many heartbeats hangs."""
NODE, FUNCTION = 0x7F, 0x780
"""Of an identifier: the node's number, and what the frame is for (CiA 301, 7.3.5)."""
BEAT = 0x700
TPDO = {0x180: 1, 0x280: 2, 0x380: 3, 0x480: 4}
RPDO = {1: 0x200, 2: 0x300, 3: 0x400, 4: 0x500}


@dataclass
class _Node:
    """What a node said by itself."""

    boot_ups: int = 0
    beat_s: float | None = None
    pdos: dict[int, tuple[float, bytes]] = field(default_factory=dict[int, tuple[float, bytes]])


class CanConversation:
    """A CAN bus with its nodes.

    Args:
        link: `can://can0`, or `can:///dev/ttyACM0`.
        profiles: of its devices; the first one's bit rate holds.
    """

    def __init__(self, link: Link, profiles: Sequence[Profile]) -> None:
        self._link = link
        self._bitrate = (next((profile.can for profile in profiles if profile.can), None) or CanSettings()).bitrate
        self._wire: CanWire | None = None
        self._nodes: dict[int, _Node] = {}
        self._answers: list[Frame] = []
        """Of SDO servers, not looked at yet."""

    @property
    def descriptor(self) -> int:
        """Of the open bus, for somebody who talks on it alone for a while."""
        return self._opened().descriptor

    async def open(self) -> None:
        """Open the bus; nodes are met when they are first asked."""
        await self.close()
        self._wire = await open_can(self._link, self._bitrate)

    async def close(self) -> None:
        """Close the bus."""
        wire, self._wire = self._wire, None
        self._nodes.clear()
        self._answers.clear()
        if wire is not None:
            await wire.aclose()

    async def settle(self, quiet_s: float) -> None:
        """Wait until no SDO server has said anything for `quiet_s`: a late answer would be the next question's."""
        wire = self._opened()
        until_s = time.monotonic() + BABBLE_S
        while True:
            self._note(wire)
            self._answers.clear()
            with anyio.move_on_after(quiet_s) as silence:
                while not self._answers:
                    await wire.wait()
                    self._note(wire)
            if silence.cancelled_caught:
                return
            if time.monotonic() > until_s:
                raise LinkError(f"the CAN bus is not quiet after {BABBLE_S:g} s")

    async def idle(self, wake: anyio.Event) -> None:
        """Note what nodes say by themselves until there is something to do."""
        async with anyio.create_task_group() as group:
            group.start_soon(self._listen)
            await wake.wait()
            group.cancel_scope.cancel()

    async def fetch(self, codec: Codec, fetch: Fetch, answer_s: float) -> Sequence[Raw]:
        """Read an object, or take the newest PDO."""
        assert isinstance(codec, CanopenCodec)  # noqa: S101 - drivers.build
        wire, node = self._opened(), self._node(codec)
        self._note(wire)
        self._alive(codec, node)
        pdo, index, sub = fetch.key
        if pdo:
            known = node.pdos.get(pdo)
            if known is None or time.monotonic() - known[0] > answer_s:
                raise NoAnswer(f"PDO {pdo} of node {codec.node} has not come for {answer_s:g} s")
            return codec.read(fetch, known[1])
        if index == BOOT_UPS:
            return [float(node.boot_ups)]
        upload = sdo.Upload(index, sub)
        over = False
        with anyio.move_on_after(answer_s) as waiting:
            first = True
            while not over:
                over = upload.take(await self._exchange(wire, codec.node, upload.request(), upload.object, first=first))
                first = False
        if waiting.cancelled_caught and not over:
            await self._give_up(wire, codec.node, index, sub, answer_s)
        return codec.read(fetch, bytes(upload.data))

    async def store(self, codec: Codec, store: Store, answer_s: float) -> None:
        """Write an object, send a PDO, a command to the node or our heartbeat."""
        assert isinstance(codec, CanopenCodec)  # noqa: S101 - drivers.build
        bus, node = self._opened(), self._node(codec)
        wire, data = wire_of(store.point), codec.tell(store)
        if wire.index == NMT:
            await bus.send(0, bytes([data[0], codec.node]))
        elif wire.index == HEARTBEAT:
            await bus.send(BEAT + OUR_NODE, bytes([OPERATIONAL]))
        elif wire.pdo:
            self._note(bus)
            self._alive(codec, node)
            await bus.send(RPDO[wire.pdo] + codec.node, data)
        else:
            frame = sdo.download(wire.index, wire.sub, data)
            done = False
            with anyio.move_on_after(answer_s):
                sdo.written(await self._exchange(bus, codec.node, frame, frame[1:4], first=True), frame[1:4])
                done = True
            if not done:
                await self._give_up(bus, codec.node, wire.index, wire.sub, answer_s)

    async def _exchange(self, wire: CanWire, node: int, request: bytes, name: bytes, *, first: bool) -> bytes:
        """Send a frame to a node's server and wait for its answer; the first one of a transfer names its object."""
        self._note(wire)
        self._answers.clear()
        await wire.send(sdo.REQUEST + node, request)
        while True:
            for frame in self._answers:
                data = frame.data
                if frame.identifier == sdo.REPLY + node and (
                    not first or len(data) != sdo.FRAME or sdo.names(data, name)
                ):
                    return data
            self._answers.clear()
            await wire.wait()
            self._note(wire)

    async def _give_up(self, wire: CanWire, node: int, index: int, sub: int, answer_s: float) -> None:
        await wire.send(sdo.REQUEST + node, sdo.abort(index, sub))
        raise NoAnswer(f"node {node} did not answer for object {index:04X}h sub {sub} within {answer_s:g} s")

    def _opened(self) -> CanWire:
        if self._wire is None:
            raise LinkError("the CAN bus is closed")
        return self._wire

    def _node(self, codec: CanopenCodec) -> _Node:
        return self._nodes.setdefault(codec.node, _Node())

    def _alive(self, codec: CanopenCodec, node: _Node) -> None:
        silent_s = SILENT_HEARTBEATS * codec.heartbeat_s
        if codec.heartbeat_s and node.beat_s is not None and time.monotonic() - node.beat_s > silent_s:
            raise NoAnswer(f"node {codec.node} has sent no heartbeat for {silent_s:g} s")

    async def _listen(self) -> None:
        wire = self._opened()
        while True:
            try:
                await wire.wait()
                self._note(wire)
            except LinkError:  # the next exchange meets it again, and says so
                await anyio.sleep_forever()

    def _note(self, wire: CanWire) -> None:
        """Sort what has come."""
        for frame in wire.pending():
            function, number = frame.identifier & FUNCTION, frame.identifier & NODE
            if function == sdo.REPLY:
                self._answers.append(frame)
                continue
            node = self._nodes.get(number)
            if node is None:
                continue
            if function == BEAT:
                node.boot_ups += frame.data == bytes([BOOTED])
                node.beat_s = frame.at_s
            elif function in TPDO:
                node.pdos[TPDO[function]] = (frame.at_s, frame.data)
