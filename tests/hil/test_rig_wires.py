"""Simulated instruments as programs of others meet them: pymodbus, canopen, PyVISA, bare sockets."""

import json
import socket
import struct
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anyio
import canopen
import pytest
import pyvisa
from pymodbus.client import ModbusTcpClient

from config.tool import Device, LinkLoss, Module, ModuleKind, Tag, TagKind, Tool
from hil.rig.bindings import rewired
from hil.rig.client import RigClient
from hil.rig.control import respond, serve_control
from hil.rig.faults import Kind, WireFault
from hil.rig.rig import Rig
from hil.rig.speakers.modbus import crc16
from tests.config.minimal_tool import minimal_tool

DEVICES = (
    Device(name="io", profile="beckhoff_bk9050", link="modbus-tcp://10.0.0.1:502", on_link_loss=LinkLoss.ZERO),
    Device(
        name="heat", profile="watlow_ez_zone_pm", link="modbus-rtu://10.0.0.2:1", address=3, on_link_loss=LinkLoss.NONE
    ),
    Device(name="gauge", profile="mks_937b", link="tcp://10.0.0.3:1", address=3, on_link_loss=LinkLoss.NONE),
    Device(name="cell", profile="cia404_transducer", link="can://can0", address=5, on_link_loss=LinkLoss.ZERO),
)
TAGS = (
    Tag(
        name="valve",
        kind=TagKind.OUTPUT,
        low=0,
        high=1,
        states=("closed", "open"),
        description="Valve",
        point="io.do_0",
    ),
    Tag(
        name="pressure", kind=TagKind.INPUT, unit="Torr", description="Pressure", period_s=0.5, point="gauge.pressure_1"
    ),
)


def tool() -> Tool:
    module = Module(name="rack", kind=ModuleKind.VACUUM, description="A rack", tags=TAGS)
    return minimal_tool().model_copy(update={"modules": (module,), "devices": DEVICES, "plant": None})


class Bench:
    """A rig that runs in a thread, so that libraries which block can be its clients."""

    def __init__(self, folder: Path) -> None:
        self.rig = Rig(tool(), folder)
        self.ports: dict[str, str] = {}
        self.control = 0
        self._up, self._down = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=lambda: anyio.run(self._serve))
        self._thread.start()
        assert self._up.wait(20)

    async def _serve(self) -> None:
        async with self.rig.running(), anyio.create_task_group() as group:
            self.ports = {one.name: wire.endpoint for wire in self.rig.wires for one in wire.instruments}
            group.start_soon(self._answer)
            await anyio.to_thread.run_sync(self._down.wait)
            group.cancel_scope.cancel()

    async def _answer(self) -> None:
        def started(port: int) -> None:
            self.control = port
            self._up.set()

        await serve_control(self.rig, 0, started=started, stop=lambda: None)

    def port(self, name: str) -> int:
        return int(self.ports[name].rpartition(":")[2])

    def socket(self, name: str) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port(name)), timeout=5)

    def close(self) -> None:
        self._down.set()
        self._thread.join(10)
        assert not self._thread.is_alive()


@pytest.fixture
def bench(tmp_path) -> Iterator[Bench]:
    made = Bench(tmp_path)
    yield made
    made.close()


@pytest.fixture
def client(bench) -> Iterator[RigClient]:
    with RigClient(bench.control) as made:
        yield made


def received(connection: socket.socket, count: int) -> bytes:
    data = b""
    while len(data) < count:
        piece = connection.recv(count - len(data))
        assert piece, f"the connection ended after {data!r}"
        data += piece
    return data


def test_pymodbus_moves_a_valve_and_the_write_has_the_kernels_time(bench, client) -> None:
    with ModbusTcpClient("127.0.0.1", port=bench.port("io")) as modbus:
        assert not modbus.write_coil(0, True).isError()
        assert modbus.read_coils(0, count=8).bits[0] is True
        assert modbus.read_input_registers(0x5000, count=1).exception_code == 2
    assert client.truth()["outputs"] == {"rack.valve": 1.0}
    (write,) = client.writes()
    assert (write["instrument"], write["point"], write["value"], write["tag"]) == ("io", "do_0", 1.0, "rack.valve")
    assert write["kernel"] is True


def test_three_requests_in_one_segment_are_three_answers(bench) -> None:
    asked = b"".join(struct.pack(">HHHBBHH", n, 0, 6, 1, 1, 0, 8) for n in (1, 2, 3))
    with bench.socket("io") as connection:
        connection.sendall(asked)
        answers = received(connection, 30)
    assert [struct.unpack_from(">H", answers, 10 * n)[0] for n in range(3)] == [1, 2, 3]


def test_the_coupler_lets_its_outputs_fall_when_it_hears_no_more_writes(bench, client) -> None:
    with ModbusTcpClient("127.0.0.1", port=bench.port("io")) as modbus:
        modbus.write_register(0x1120, 100)
        modbus.write_register(0x1122, 0)
        modbus.write_coil(0, True)
        client.wait_for(lambda truth: truth["outputs"]["rack.valve"] == 0.0, within_s=5)
        assert client.status()["instruments"]["io"]["watchdog_acted"] is True
        modbus.write_coil(0, True)
        assert modbus.read_coils(0, count=1).bits[0] is False, "a tripped watchdog is not reset by a write"
        modbus.write_register(0x1121, 0xBECF)
        modbus.write_register(0x1121, 0xAFFE)
        modbus.write_coil(0, True)
        assert modbus.read_coils(0, count=1).bits[0] is True


def rtu(*body: int) -> bytes:
    return bytes(body) + crc16(bytes(body)).to_bytes(2, "little")


def test_the_watlow_speaks_fahrenheit_until_it_is_told_otherwise_and_its_words_are_the_manuals(bench, client) -> None:
    client.ask("set", instrument="heat", point="temperature", value=100.0)
    with bench.socket("heat") as connection:
        connection.sendall(rtu(3, 3, 0x01, 0x68, 0, 2))
        answer = received(connection, 9)
        assert struct.unpack(">f", answer[5:7] + answer[3:5])[0] == pytest.approx(212.0)
        connection.sendall(rtu(3, 6, 0x09, 0xBA, 0, 15))
        received(connection, 8)
        # 75.0 is 0000h, 4296h at register 2160 (User's Manual): low word first
        connection.sendall(rtu(3, 16, 0x08, 0x70, 0, 2, 4, 0x00, 0x00, 0x42, 0x96))
        received(connection, 8)
    assert client.ask("read", instrument="heat", point="setpoint")["value"] == 75.0


def test_another_units_request_and_a_damaged_one_are_not_answered(bench) -> None:
    with bench.socket("heat") as connection:
        connection.sendall(rtu(4, 3, 0x01, 0x68, 0, 2) + b"\x03\x03\x01\x68\x00\x02\x00\x00")
        connection.sendall(rtu(3, 3, 0x01, 0x6A, 0, 1))
        assert received(connection, 7)[:3] == bytes((3, 3, 2))


def test_pyvisa_reads_the_gauge(bench, client) -> None:
    client.ask("set", instrument="gauge", point="pressure_1", value=760.2)
    manager = pyvisa.ResourceManager("@py")
    resource: Any = manager.open_resource(f"TCPIP::127.0.0.1::{bench.port('gauge')}::SOCKET")
    resource.timeout = 5000
    resource.write_raw(b"@003PR1?;FF")
    assert resource.read_bytes(18) == b"@003ACK7.602E+2;FF"
    resource.write_raw(b"@003XYZ?;FF")
    assert resource.read_bytes(13) == b"@003NAK160;FF"
    resource.close()
    manager.close()


def test_canopen_reads_a_value_over_slcan_and_sees_the_heartbeat(bench, client) -> None:
    client.ask("set", instrument="cell", point="value", value=1250.0)
    network = canopen.Network()
    network.connect(interface="slcan", channel=bench.ports["cell"].removeprefix("can://").partition("?")[0])
    try:
        node = network.add_node(5, canopen.ObjectDictionary())
        assert struct.unpack("<I", node.sdo.upload(0x1000, 0))[0] == 0x00020194
        assert struct.unpack("<f", node.sdo.upload(0x6130, 1))[0] == 1250.0
        node.sdo.download(0x1017, 0, struct.pack("<H", 50))
        node.nmt.wait_for_heartbeat(timeout=5)
        with pytest.raises(canopen.SdoAbortedError) as caught:
            node.sdo.upload(0x2000, 0)
        assert caught.value.code == 0x06020000
    finally:
        network.disconnect()


def test_a_reset_a_closed_and_a_forgotten_connection_look_as_they_should(bench, client) -> None:
    with bench.socket("gauge") as connection:
        client.inject("gauge", "rst")
        with pytest.raises(ConnectionResetError):
            connection.recv(1)
    with bench.socket("gauge") as connection:
        connection.sendall(b"@003PR1?;FF")
        received(connection, 5)
        client.inject("gauge", "fin")
        while connection.recv(100):
            pass
    with bench.socket("gauge") as connection:
        client.inject("gauge", "half_open")
        connection.sendall(b"@003PR1?;FF")
        with pytest.raises(ConnectionResetError):
            connection.recv(1)


def test_a_rebooted_device_has_forgotten_what_is_volatile(bench, client) -> None:
    before = client.status()["instruments"]["heat"]["power_ups"]
    client.inject("heat", "reboot", value=0.0)
    with RigClient(bench.control) as other:
        other.wait_for(lambda _: client.status()["instruments"]["heat"]["power_ups"] == before + 1)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"nonsense", "not JSON"),
        (b"[1]", "one JSON object"),
        (b'{"do": "dance"}', "there is no 'dance'"),
        (b'{"do": "inject", "instrument": "pump", "fault": "rst"}', "there is no instrument 'pump'"),
        (b'{"do": "inject", "instrument": "io", "fault": "flood"}', "fault"),
        (b'{"do": "inject", "instrument": "io", "fault": "bus_off"}', "bus_off is for CAN"),
        (b'{"do": "inject", "plant": {"fault": "leak"}}', "has no [plant]"),
        (b'{"do": "read", "instrument": "io", "point": "x"}', "has no point 'x'"),
        (b'{"do": "status", "more": 1}', "unknown: more"),
    ],
)
def test_what_the_control_port_does_not_understand_is_told_and_changes_nothing(tmp_path, line, reason) -> None:
    rig = Rig(tool(), tmp_path)
    answer, over = respond(rig, line)
    assert answer["ok"] is False
    assert reason in answer["error"]
    assert not over
    assert all(not wire.named() for wire in rig.wires)


def test_links_of_a_tool_file_are_replaced_and_nothing_else() -> None:
    text = '# link = "a"\n[[devices]]\nname = "x"\nlink = "tcp://a:1" # here\n[[devices]]\nlink="tcp://b:2"\n'
    made = rewired(text, {"tcp://a:1": "tcp://b:2", "tcp://b:2": "tcp://a:1"})
    assert made == text.replace("a:1", "?").replace("b:2", "a:1").replace("?", "b:2")


def test_faults_of_unknown_kinds_are_refused() -> None:
    with pytest.raises(ValueError, match="fault"):
        WireFault.model_validate_json(json.dumps({"instrument": "io", "fault": "rain"}))
    assert {kind.value for kind in Kind} >= {"rst", "fin", "silent", "half_open", "slow", "late", "short", "hang"}


def test_a_rig_leaves_no_file_open(tmp_path) -> None:
    before = len(list(Path("/proc/self/fd").iterdir()))
    Bench(tmp_path).close()
    assert len(list(Path("/proc/self/fd").iterdir())) <= before
