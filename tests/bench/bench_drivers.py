"""Drivers: a round trip beside the bare library's, and what many devices cost.

The devices are a process of their own (`python -m tests.bench.bench_drivers`): Modbus TCP servers with 100 registers,
and servers of text lines. Processor time is that of this process alone.
"""

import os
import pty
import socketserver
import statistics
import struct
import subprocess
import sys
import tempfile
import threading
import time
import tty
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import anyio
import numpy as np

from config.profile import Profile
from config.profiles import find_profile, load_profile
from drivers.binding import Bound, Surroundings
from drivers.build import make_conversation
from drivers.bus import Bus
from drivers.codecs import make_codec
from drivers.codecs.canopen import CanopenCodec
from drivers.conversation import StreamConversation
from drivers.device import Device
from drivers.link import parse_link
from drivers.transports.tcp import open_tcp
from tests.bench.figure import Figure
from tests.config.device_profiles import point, write_profile

ROOT = Path(__file__).resolve().parents[2]
REGISTERS = 100
TRIPS = 2000
MODBUS, LINES = 20, 40
SECONDS = 8.0
RATE_HZ = 10.0
LINE_PROFILE = """
schema_version = 1
name = "line_meter"
codec = "lines"
links = ["tcp"]
verified = true
watchdog = "none"
identity = { manufacturer = "Test", model = "meter", function = "test", documents = ["bench"] }
line = { send_end = "\\n", answer_end = "\\n" }
timing = { answer_s = 0.5, quiet_s = 0.1 }
poll = { fast = { period_s = 0.1 } }

[[points]]
name = "value"
description = "value"
access = "r"
type = "number"
low = -1e9
high = 1e9
poll = "fast"
plausible = { step = 1e6 }
lines = { read = "READ?", answer = '(?P<value>[\\d.]+)' }
source = "bench"
"""


class _Modbus(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        answer = b""
        while data := self.request.recv(4096):
            count = int.from_bytes(data[10:12])
            if len(answer) != 2 * count:
                answer = struct.pack(f">{count}H", *range(count))
            head = struct.pack(">HHBBB", 0, 3 + len(answer), data[6], data[7], len(answer))
            self.request.sendall(data[:2] + head + answer)


class _Lines(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        while data := self.request.recv(4096):
            self.request.sendall(b"123.456\n" * data.count(b"\n"))


def _serve() -> None:
    ports: list[int] = []
    for kind in [_Modbus] * MODBUS + [_Lines] * LINES:
        server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), kind)
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        ports.append(server.server_address[1])
    print(*ports, flush=True)
    sys.stdin.read()


@contextmanager
def devices() -> Iterator[list[int]]:
    """Ports of the servers."""
    command = [sys.executable, "-m", "tests.bench.bench_drivers"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        assert child.stdin is not None
        try:
            yield [int(port) for port in child.stdout.readline().split()]
        finally:
            child.stdin.close()


class Table:
    """An input table that counts."""

    def __init__(self) -> None:
        self.posted = 0

    def post_many(self, tags: np.ndarray, values: np.ndarray, status: np.ndarray, source_ns: np.ndarray) -> None:
        """Count."""
        self.posted += len(tags)


def _register_profile(folder: Path) -> Profile:
    points = [point(f"r{n}", n, type="u16", low=0, high=65535) for n in range(REGISTERS)]
    return load_profile(write_profile(folder, "registers", points, period_s=1 / RATE_HZ))


def _line_profile(folder: Path) -> Profile:
    path = folder / "line_meter.toml"
    path.write_text(LINE_PROFILE, encoding="utf-8")
    return load_profile(path)


def _bus(profile: Profile, scheme: str, port: int, number: int, table: Table) -> Bus:
    around = Surroundings(table, lambda: True, lambda *_: None)
    inputs = [Bound(name, 100 * number + n) for n, name in enumerate(profile.by_name)]
    device = Device(f"d{number}", profile, make_codec(profile, scheme, 1), inputs, [], [], around)
    return Bus(f"{scheme}://{port}", StreamConversation(lambda: open_tcp("127.0.0.1", port)), [device], seed=number)


async def _ours(profile: Profile, scheme: str, port: int) -> float:
    conversation = StreamConversation(lambda: open_tcp("127.0.0.1", port))
    codec = make_codec(profile, scheme, 1)
    fetch = codec.plan(tuple(profile.by_name.values()))[0]
    await conversation.open()
    times: list[float] = []
    for _ in range(TRIPS):
        began = time.perf_counter()
        await conversation.fetch(codec, fetch, 1.0)
        times.append(time.perf_counter() - began)
    await conversation.close()
    return statistics.median(times) * 1e6


async def _pymodbus(port: int) -> float:
    from pymodbus.client import AsyncModbusTcpClient

    client = AsyncModbusTcpClient("127.0.0.1", port=port)
    await client.connect()
    times: list[float] = []
    for _ in range(TRIPS):
        began = time.perf_counter()
        await client.read_holding_registers(0, count=REGISTERS, device_id=1)
        times.append(time.perf_counter() - began)
    client.close()
    return statistics.median(times) * 1e6


def _pyvisa(port: int) -> float:
    import pyvisa

    session: Any = pyvisa.ResourceManager("@py").open_resource(f"TCPIP::127.0.0.1::{port}::SOCKET")
    session.read_termination = session.write_termination = "\n"
    times: list[float] = []
    for _ in range(TRIPS):
        began = time.perf_counter()
        session.query("READ?")
        times.append(time.perf_counter() - began)
    session.close()
    return statistics.median(times) * 1e6


def _serve_can() -> None:
    """A CANopen node behind an slcan adapter on a pseudo-terminal: it answers each read of 1000h."""
    master, slave = pty.openpty()
    tty.setraw(master)
    tty.setraw(slave)
    print(os.ttyname(slave), flush=True)
    answer, rest = f"t585843001000{struct.pack('<I', 0x00020194).hex().upper()}\r".encode(), b""
    while True:
        *lines, rest = (rest + os.read(master, 4096)).split(b"\r")
        if said := b"".join(answer if line.startswith(b"t6058400010") else b"" for line in lines):
            os.write(master, said)


@contextmanager
def can_node() -> Iterator[str]:
    """Name of the adapter's port."""
    command = [sys.executable, "-m", "tests.bench.bench_drivers", "can"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        try:
            yield child.stdout.readline().strip()
        finally:
            child.kill()


async def _our_sdo(path: str) -> float:
    profile = find_profile("cia404_transducer")
    codec = CanopenCodec(profile, 5)
    conversation = make_conversation(parse_link(f"can://{path}?interface=slcan"), [profile])
    fetch = codec.plan([profile.by_name["device_type"]])[0]
    await conversation.open()
    times: list[float] = []
    for _ in range(TRIPS):
        began = time.perf_counter()
        await conversation.fetch(codec, fetch, 1.0)
        times.append(time.perf_counter() - began)
    await conversation.close()
    return statistics.median(times) * 1e6


def _python_can(path: str) -> float:
    import can

    bus = can.Bus(interface="slcan", channel=path, bitrate=500_000, sleep_after_open=0)
    request = can.Message(arbitration_id=0x605, is_extended_id=False, data=bytes.fromhex("4000100000000000"))
    times: list[float] = []
    for _ in range(TRIPS):
        began = time.perf_counter()
        bus.send(request)
        answer = bus.recv(1.0)
        while answer is None or answer.arbitration_id != 0x585:
            answer = bus.recv(1.0)
        times.append(time.perf_counter() - began)
    bus.shutdown()
    return statistics.median(times) * 1e6


SILENT = {
    "gauge": "chamber.pressure_torr > 999 Torr",
    "tc": "chamber.temperature_c > 1299 °C",
    "mfc": "panel.sih4.flow_sccm > 104 sccm",
}
"""Instruments on a serial line of text, on Modbus TCP and on Modbus RTU, with what is unknown without them."""


def _watched(data: dict[str, Any]) -> None:
    """Silane shuts when one of these readings is unknown."""
    for name, cause in SILENT.items():
        data["interlocks"].append({
            "name": f"{name}_unknown", "description": "A reading is unknown", "class": "trip", "when": cause,
            "consequence": "Nobody knows", "action": "See the instrument", "priority": "high",
            "effects": [{"output": "panel.sih4.valve", "value": 0}],
        })  # fmt: skip


async def _reaction(folder: Path) -> list[tuple[str, float, float]]:
    """An instrument dies silently: its name, seconds until the coupler has shut the valve, and what is declared."""
    from config.profiles import profiles_of
    from config.reaction import reactions
    from hil.rig.faults import Kind, WireFault
    from supervisor.link.messages import CommandKind
    from tests.supervisor.controller.test_instruments import ready
    from tests.supervisor.controller.wired_stand import wired

    found: list[tuple[str, float, float]] = []
    async with wired(folder, change=_watched) as stand:

        async def armed() -> None:
            """On a busy machine a reading may be late once more, and trip."""
            await ready(stand)
            while (await stand.command("mara", CommandKind.ARM)).status != "Good":
                await ready(stand)

        tool = stand.controller.tool
        declared = {row.device: row.total_s or 0.0 for row in reactions(tool, profiles_of(tool))}
        for name in SILENT:
            took: list[float] = []
            for _ in range(3):
                await armed()
                await stand.done("mara", CommandKind.WRITE, tag="panel.sih4.valve", value=1.0)
                await stand.until(lambda: stand.shows("io", "do_0") == 1.0)
                stand.rig.inject(WireFault(instrument=name, fault=Kind.SILENT))
                began = time.monotonic()
                await stand.until(lambda: stand.shows("io", "do_0") == 0.0)
                took.append(time.monotonic() - began)
                stand.rig.clear()
                await stand.until(lambda name=name: stand.value(f"devices.{name}.armed") == 1.0, 20.0)
            found.append((name, max(took), declared[name]))
    return found


async def _load(buses: list[Bus]) -> tuple[float, float, int]:
    """Share of a core in per cent, 99 % slot jitter in ms, and missed slots, once everything is connected."""
    share, late, missed = 0.0, [0.0], 0
    async with anyio.create_task_group() as group:
        for bus in buses:
            group.start_soon(bus.run)
        await anyio.sleep(2.0)
        for bus in buses:
            bus.jitters.clear()
            bus.devices[0].statistics.missed_slots = 0
        cpu, wall = time.process_time(), time.monotonic()
        await anyio.sleep(SECONDS)
        share = 100 * (time.process_time() - cpu) / (time.monotonic() - wall)
        late = [value for bus in buses for value in bus.jitters]
        missed = sum(bus.devices[0].statistics.missed_slots for bus in buses)
        group.cancel_scope.cancel()
    return share, float(np.percentile(late, 99)) * 1e3, missed


def figures() -> list[Figure]:
    """Measure."""
    with tempfile.TemporaryDirectory() as name, devices() as ports:
        folder = Path(name)
        registers, line = _register_profile(folder), _line_profile(folder)
        rounds = [
            (anyio.run(_ours, registers, "modbus-tcp", ports[0]), anyio.run(_pymodbus, ports[0])) for _ in range(3)
        ]
        texts = [(anyio.run(_ours, line, "tcp", ports[MODBUS]), _pyvisa(ports[MODBUS])) for _ in range(3)]
        with can_node() as path:
            sdos = [(anyio.run(_our_sdo, path), _python_can(path)) for _ in range(3)]
        table = Table()
        some = [_bus(registers, "modbus-tcp", port, n, table) for n, port in enumerate(ports[:MODBUS])]
        share, jitter_ms, missed = anyio.run(_load, some)
        many = [_bus(registers, "modbus-tcp", port, n, table) for n, port in enumerate(ports[:MODBUS])]
        many += [_bus(line, "tcp", port, MODBUS + n, table) for n, port in enumerate(ports[MODBUS:])]
        silent = anyio.run(_reaction, folder)
        share_60, jitter_60_ms, missed_60 = anyio.run(_load, many)
    ours, theirs = (statistics.median(column) for column in zip(*rounds, strict=True))
    sdo, bare_sdo = (statistics.median(column) for column in zip(*sdos, strict=True))
    spoken, visa = (statistics.median(column) for column in zip(*texts, strict=True))
    return [
        Figure("Modbus TCP, 100 registers, round trip", ours, "µs", theirs, "pymodbus client", "≤ 1.2 ×"),
        Figure("text line over TCP, round trip", spoken, "µs", visa, "pyvisa-py socket", "≤ 1.2 ×"),
        Figure("CANopen SDO over slcan, round trip", sdo, "µs", bare_sdo, "python-can, send and recv", "≤ 1.2 ×"),
        Figure("20 devices × 100 registers at 10 Hz", share, "% of a core", target="≤ 5"),
        Figure("the same, slot jitter p99", jitter_ms, "ms", target="≤ 10"),
        Figure("60 devices, Modbus and text, at 10 Hz", share_60, "% of a core", target="≤ 20"),
        Figure("the same, slot jitter p99", jitter_60_ms, "ms", target="≤ 10"),
        *(
            Figure(
                f"{name} dies silently → valve shut elsewhere, worst of 3",
                took_s,
                "s",
                declared_s,
                "as cvd check says",
                "≤ 1 ×",
            )
            for name, took_s, declared_s in silent
        ),
        Figure("slots missed in both", float(missed + missed_60), "", target="0"),
    ]


if __name__ == "__main__":
    _serve_can() if sys.argv[1:] == ["can"] else _serve()
