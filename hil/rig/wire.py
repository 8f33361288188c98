"""One wire: where it can be reached, who hangs on it, and what is wrong with it.

Every instrument answers in its own time; a fault of the matrix stands between the speaker and the bytes that leave.
"""

import random
import re
import socket
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import anyio
import structlog
from anyio.abc import TaskGroup

from config.profile import CodecName
from hil.errors import RigError
from hil.rig.channel import Channel, PtyChannel, TcpChannel, send, stamp_arrivals
from hil.rig.faults import DEFAULTS, ONCE, Active, Kind, WireFault, spoil
from hil.rig.instrument import Instrument
from hil.rig.speaker import Speaker
from hil.rig.speakers.ae_bus import AeBusSpeaker
from hil.rig.speakers.canopen import CanopenSpeaker
from hil.rig.speakers.cxn import CxnSpeaker
from hil.rig.speakers.lines import LinesSpeaker
from hil.rig.speakers.mks import MksSpeaker
from hil.rig.speakers.modbus import ModbusRtuSpeaker, ModbusTcpSpeaker
from hil.rig.speakers.pfeiffer import PfeifferSpeaker
from hil.rig.speakers.sqm import SqmSpeaker

log = structlog.get_logger()

HOST = "127.0.0.1"
SPEAKERS: dict[CodecName, type[Speaker]] = {
    CodecName.LINES: LinesSpeaker,
    CodecName.MKS: MksSpeaker,
    CodecName.PFEIFFER: PfeifferSpeaker,
    CodecName.AE_BUS: AeBusSpeaker,
    CodecName.SQM: SqmSpeaker,
    CodecName.CANOPEN: CanopenSpeaker,
    CodecName.CXN: CxnSpeaker,
}


def speaker_of(scheme: str, instruments: Sequence[Instrument]) -> Speaker:
    """Who speaks on a wire; raises RigError for instruments that do not belong together."""
    codecs = {one.profile.codec for one in instruments}
    if len(codecs) > 1:
        names = ", ".join(one.name for one in instruments)
        raise RigError(f"{names} hang on one wire, but speak {' and '.join(sorted(codecs))}")
    codec = codecs.pop()
    if codec is CodecName.MODBUS:
        return ModbusTcpSpeaker(instruments) if scheme == "modbus-tcp" else ModbusRtuSpeaker(instruments)
    return SPEAKERS[codec](instruments)


class Wire:
    """A wire that can be opened from outside.

    Args:
        link: as the tool file names it.
        instruments: those on it.
        path: of the symbolic link to its pseudo-terminal, for links that are no socket.
        port: of its socket; 0 for any.
        on_request: told when something was received: its time (UTC, ns) and whether the kernel says so.
    """

    def __init__(
        self,
        link: str,
        instruments: Sequence[Instrument],
        *,
        path: Path,
        port: int = 0,
        seed: int = 1,
        on_request: Callable[[int, bool], None] = lambda _ns, _kernel: None,
    ) -> None:
        self.link = link
        self.scheme, _, rest = link.partition("://")
        self.query = rest.partition("?")[2]
        self.instruments = tuple(instruments)
        self.speaker = speaker_of(self.scheme, instruments)
        self.faults: dict[str, dict[Kind, Active]] = {one.name: {} for one in instruments}
        self._off_until_s: dict[str, float] = {}
        self._path = path
        self._port = port
        self._on_request = on_request
        self._noise = random.Random(seed)  # noqa: S311 - noise that can be repeated
        self._channels: set[Channel] = set()
        self._loud = anyio.Event()
        self._listener: socket.socket | None = None
        self._group: TaskGroup | None = None

    # ------------------------------------------------------------------------------------------------------ opening
    @property
    def on_socket(self) -> bool:
        """Whether it is a TCP port; else a pseudo-terminal."""
        authority = self.link.partition("://")[2].partition("?")[0]
        if self.scheme == "visa":
            return authority.startswith("TCPIP")
        return self.scheme in {"tcp", "modbus-tcp"} or (self.scheme == "modbus-rtu" and not authority.startswith("/"))

    def open(self) -> None:
        """Make it reachable; raises RigError when the port is taken."""
        if not self.on_socket:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._channels.add(PtyChannel(self._path))
            return
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((HOST, self._port))
        except OSError as error:
            listener.close()
            raise RigError(f"port {self._port} for {self.link} cannot be had: {error.strerror}") from error
        stamp_arrivals(listener)  # before the first segment of any connection can come
        listener.listen(16)
        listener.setblocking(False)
        self._listener = listener
        self._port = listener.getsockname()[1]

    @property
    def endpoint(self) -> str:
        """The link under which a controller reaches it.

        A VISA resource stays one: a socket where it is a socket, else (GPIB, USBTMC, serial) a serial resource.
        """
        where = f"{HOST}:{self._port}" if self.on_socket else str(self._path)
        if self.scheme == "visa":
            where = f"TCPIP::{HOST}::{self._port}::SOCKET" if self.on_socket else f"ASRL{self._path}::INSTR"
        if self.scheme == "can":
            options = self._options_without("interface", "interface=slcan")
        elif self.scheme == "visa" and not self.on_socket:
            # A pseudo-terminal has no parity, and pyvisa-py asks for it. `library` would lead to real hardware.
            options = self._options_without("library|parity|data_bits", "parity=none", "data_bits=8")
        else:
            options = [self.query] if self.query else []
        return f"{self.scheme}://{where}" + (f"?{'&'.join(options)}" if options else "")

    def _options_without(self, names: str, *others: str) -> list[str]:
        """The link's options but those of these names, behind others."""
        own = [option for option in self.query.split("&") if option and not re.match(f"({names})=", option)]
        return [*others, *own]

    def close(self) -> None:
        """Everything shut."""
        for channel in list(self._channels):
            channel.close()
        self._channels.clear()
        if self._listener is not None:
            anyio.notify_closing(self._listener)
            self._listener.close()
            self._listener = None

    def forget(self) -> None:
        """Take the name of its terminal away (blocking)."""
        if not self.on_socket:
            self._path.unlink(missing_ok=True)

    async def run(self) -> None:
        """Serve until cancelled; `open` comes first."""
        try:
            async with anyio.create_task_group() as group:
                self._group = group
                if self._listener is not None:
                    await self._accept(self._listener, group)
                else:
                    await self._keep_terminal()
        finally:
            self.close()

    async def _accept(self, listener: socket.socket, group: TaskGroup) -> None:
        while True:
            await anyio.wait_readable(listener)
            try:
                connection, _ = listener.accept()
            except (BlockingIOError, ConnectionAbortedError):
                continue
            channel = TcpChannel(connection)
            self._channels.add(channel)
            group.start_soon(self._serve, channel)

    async def _keep_terminal(self) -> None:
        """Another terminal under the same name after each hang-up."""
        while True:
            (channel,) = self._channels
            await self._serve(channel)
            self._channels.add(await anyio.to_thread.run_sync(PtyChannel, self._path))

    # ------------------------------------------------------------------------------------------------------ serving
    async def _serve(self, channel: Channel) -> None:
        buffer, heard_s = bytearray(), time.monotonic()
        self.speaker.reset()
        try:
            await send(channel, self.speaker.connected())
            while channel.fd >= 0:
                try:
                    await anyio.wait_readable(channel.fd)
                except (anyio.ClosedResourceError, ValueError):
                    return
                if self._has(Kind.SILENT):
                    if not self.on_socket:
                        channel.receive()  # What runs along a pulled cable is lost; TCP keeps it and tries again.
                    await self._until_loud()
                    continue
                got = channel.receive()
                if got is None:
                    return
                data, stamp_ns, kernel = got
                if self._has(Kind.HALF_OPEN):
                    channel.close(reset=True)
                    return
                now_s = time.monotonic()
                if now_s - heard_s > self.speaker.silence_s:
                    buffer.clear()
                heard_s = now_s
                buffer += data
                while (request := self.speaker.cut(buffer)) is not None:
                    self._on_request(stamp_ns, kernel)
                    await self._respond(channel, request)
        finally:
            channel.close()
            self._channels.discard(channel)

    async def _respond(self, channel: Channel, request: bytes) -> None:
        instrument = self.speaker.whose(request)
        if instrument is None or self._deaf(instrument):
            return
        faults = self.faults[instrument.name]
        if Kind.EXCEPTION in faults:
            reply = self.speaker.refuse(request)
            if reply:
                self._hit(instrument, Kind.EXCEPTION)
        else:
            reply = self.speaker.answer(instrument, request)
        if not reply:
            return
        if Kind.WRONG_ADDRESS in faults:
            reply = self.speaker.misaddress(reply)
            self._hit(instrument, Kind.WRONG_ADDRESS)
        for kind in (Kind.GARBAGE_INSIDE, Kind.SHORT, Kind.GARBAGE_BEFORE, Kind.DUPLICATE):
            if kind in faults:
                reply = spoil(kind, reply, faults[kind].value, self._noise)
                self._hit(instrument, kind)
        if Kind.LATE in faults and self._group is not None:
            value = faults[Kind.LATE].value
            self._hit(instrument, Kind.LATE)
            self._group.start_soon(self._send_later, channel, reply, value)
            return
        if Kind.SLOW in faults:
            value = faults[Kind.SLOW].value
            self._hit(instrument, Kind.SLOW)
            await anyio.sleep(value)
        if not self._has(Kind.SILENT):
            await send(channel, reply)

    async def _send_later(self, channel: Channel, reply: bytes, delay_s: float) -> None:
        await anyio.sleep(delay_s)
        if not self._has(Kind.SILENT):
            await send(channel, reply)

    async def _until_loud(self) -> None:
        while self._has(Kind.SILENT):
            await self._loud.wait()

    # ------------------------------------------------------------------------------------------------------- faults
    def inject(self, fault: WireFault) -> None:
        """Put a fault in; raises RigError for one that this wire cannot have."""
        kind = fault.fault
        self.require(fault)
        value = fault.value if fault.value is not None else DEFAULTS.get(kind, 0.0)
        if kind in {Kind.RST, Kind.FIN}:
            for channel in list(self._channels):
                channel.close(reset=kind is Kind.RST)
            return
        if kind is Kind.REBOOT:
            self._reboot(fault.instrument, value)
            return
        left = fault.count if fault.count is not None else 1 if kind is Kind.LATE and fault.for_s is None else None
        until_s = None if fault.for_s is None else time.monotonic() + fault.for_s
        self.faults[fault.instrument][kind] = Active(kind, value, left, until_s)
        self._settle()

    def require(self, fault: WireFault) -> None:
        """Refuse what cannot be; raises RigError."""
        if fault.fault is Kind.BUS_OFF and self.scheme != "can":
            raise RigError(f"bus_off is for CAN; {fault.instrument} hangs on {self.scheme}")
        if fault.fault in ONCE and fault.for_s is not None:
            raise RigError(f"{fault.fault} happens once: for_s has no meaning for it")

    def clear(self, instrument: str) -> None:
        """Everything about an instrument is well again."""
        self.faults[instrument].clear()
        self._settle()

    def look(self, now_s: float) -> None:
        """End what is over, switch on what was off, act on silence; called every few milliseconds."""
        for faults in self.faults.values():
            for active in [one for one in faults.values() if one.until_s is not None and now_s >= one.until_s]:
                del faults[active.kind]
                self._settle()
        for instrument in self.instruments:
            until_s = self._off_until_s.get(instrument.name)
            if until_s is not None and now_s >= until_s:
                del self._off_until_s[instrument.name]
                instrument.power_up()
                self.speaker.restarted(instrument)
            elif until_s is None:
                instrument.go_on(now_s)

    async def speak(self, now_s: float) -> None:
        """Send what instruments say without being asked."""
        for instrument, data in self.speaker.spontaneous(now_s):
            if not self._deaf(instrument) and not self._has(Kind.SILENT):
                for channel in list(self._channels):
                    await send(channel, data)

    def _reboot(self, name: str, off_s: float) -> None:
        self._off_until_s[name] = time.monotonic() + off_s
        instrument = next(one for one in self.instruments if one.name == name)
        for output in instrument.outputs:  # Without mains nothing is energised.
            instrument.put(output, 0.0)
        if len(self.instruments) == 1 and self.on_socket:
            for channel in list(self._channels):
                channel.close(reset=True)

    def _deaf(self, instrument: Instrument) -> bool:
        if instrument.name in self._off_until_s:
            return True
        # One with a heartbeat of its own in its registers goes on answering, always the same.
        return Kind.HANG in self.faults[instrument.name] and instrument.profile.heartbeat is None

    def _has(self, kind: Kind) -> bool:
        return any(kind in faults for faults in self.faults.values())

    def _hit(self, instrument: Instrument, kind: Kind) -> None:
        faults = self.faults[instrument.name]
        if kind in faults and not faults[kind].hit():
            del faults[kind]
            self._settle()

    def _settle(self) -> None:
        """Let the wire be as its faults say."""
        if isinstance(self.speaker, CanopenSpeaker):
            self.speaker.bus_off = self._has(Kind.BUS_OFF)
        for instrument in self.instruments:
            hangs = Kind.HANG in self.faults[instrument.name]
            if hangs != bool(instrument.frozen):
                instrument.freeze(hangs=hangs)
        if not self._has(Kind.SILENT):
            self._loud.set()
            self._loud = anyio.Event()

    def named(self) -> list[str]:
        """Faults that are in force, for people."""
        return [f"{name}: {kind}" for name, faults in self.faults.items() for kind in faults] + [
            f"{name}: off" for name in self._off_until_s
        ]
