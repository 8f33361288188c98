"""CANopen over slcan on a pseudo-terminal against the rig's node, and a VISA socket resource against a line server."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import pytest
from anyio.abc import SocketAttribute, SocketStream

from config.profile import Profile
from config.profiles import find_profile
from config.tool import Tool
from drivers.binding import Bound, Surroundings
from drivers.build import make_conversation
from drivers.bus import Bus
from drivers.codecs import make_codec
from drivers.codecs.canopen import CanopenCodec
from drivers.device import UNARMED_SCANS, Device
from drivers.link import parse_link
from hil.rig.faults import Kind, WireFault
from hil.rig.rig import Rig
from tests.config.minimal_tool import tool_of
from tests.drivers.fake_modbus import Posted, until
from tests.supervisor.controller.wired_stand import wired_data

pytestmark = [
    pytest.mark.anyio,
    # The rig is the device side: it makes the names of its pseudo-terminals when it opens its wires, before it serves.
    pytest.mark.allow_blocking(
        "os.mkdir", "os.stat", "os.unlink", "os.link", "os.symlink", "os.readlink", "os.replace"
    ),
]


def can_tool() -> Tool:
    """The small tool with its gauge replaced by a CANopen one."""
    data = wired_data()
    data["devices"][2] = {
        "name": "gauge", "profile": "cia404_transducer", "link": "can:///dev/can?interface=slcan", "address": 5,
        "on_link_loss": "zero",
    }  # fmt: skip
    for module in data["modules"]:
        for tag in module["tags"]:
            if tag.get("point") == "gauge.pressure_1":
                tag["point"] = "gauge.value"
    return tool_of(data)


@asynccontextmanager
async def can_device(folder: Path) -> AsyncIterator[tuple[Rig, Bus, Device, Posted]]:
    """The rig's node and a driver for it."""
    tool = await anyio.to_thread.run_sync(can_tool)
    profile: Profile = await anyio.to_thread.run_sync(find_profile, "cia404_transducer")
    rig = await anyio.to_thread.run_sync(lambda: Rig(tool, folder))
    posted = Posted()
    async with rig.running():
        link = parse_link(rig.endpoints()["can:///dev/can?interface=slcan"])
        around = Surroundings(posted, lambda: True, lambda *_: None)
        device = Device(
            "gauge", profile, CanopenCodec(profile, 5), [Bound("value", 1)], [Bound("output", 2, safe=0.0)],
            [Bound("armed", 3)], around,
        )  # fmt: skip
        bus = Bus("can", make_conversation(link, [profile]), [device])
        async with anyio.create_task_group() as group:
            group.start_soon(bus.run)
            yield rig, bus, device, posted
            with anyio.fail_after(5):
                await bus.end()
            group.cancel_scope.cancel()


async def test_a_canopen_node_is_identified_armed_read_and_written(tmp_path: Path) -> None:
    async with can_device(tmp_path) as (rig, bus, device, posted):
        rig.instrument("gauge").show("value", 5000.0)
        await until(lambda: posted.good(3, 1.0) and posted.good(1, 5000.0), 15.0)
        bus.want(device, "output", 12.5)
        await until(lambda: rig.instrument("gauge").value("output") == 12.5 and not device.unconfirmed)


async def test_a_node_that_restarts_is_armed_again(tmp_path: Path) -> None:
    async with can_device(tmp_path) as (rig, _, device, posted):
        rig.instrument("gauge").show("value", 5000.0)
        await until(lambda: posted.good(3, 1.0), 15.0)
        before = len(posted.all)
        rig.inject(WireFault(instrument="gauge", fault=Kind.REBOOT, value=0.3))
        await until(lambda: (3, 0.0, 0) in posted.all[before:], 15.0)
        await until(lambda: posted.good(3, 1.0) and device.statistics.reconnects >= 1, 15.0)


async def test_a_visa_socket_is_read_and_opened_again_after_a_fault(tmp_path: Path) -> None:
    from tests.bench.bench_drivers import LINE_PROFILE

    def make() -> Profile:
        from config.profiles import load_profile

        path = tmp_path / "line_meter.toml"
        path.write_text(LINE_PROFILE.replace('links = ["tcp"]', 'links = ["visa"]'), encoding="utf-8")
        return load_profile(path)

    profile = await anyio.to_thread.run_sync(make)
    answers, connections = [b"1.5\n"], list[SocketStream]()

    async def serve(stream: SocketStream) -> None:
        connections.append(stream)
        async with stream:
            while True:
                try:
                    await stream.receive()
                    await stream.send(answers[0])
                except (anyio.EndOfStream, anyio.BrokenResourceError, anyio.ClosedResourceError):
                    return

    posted = Posted()
    around = Surroundings(posted, lambda: True, lambda *_: None)
    listener = await anyio.create_tcp_listener(local_host="127.0.0.1")
    port = listener.extra(SocketAttribute.local_port)  # noqa: S610 - anyio, no Django
    link = parse_link(f"visa://TCPIP::127.0.0.1::{port}::SOCKET")
    device = Device("meter", profile, make_codec(profile, "visa", None), [Bound("value", 1)], [], [], around)
    bus = Bus("visa", make_conversation(link, [profile]), [device])
    async with listener, anyio.create_task_group() as group:
        group.start_soon(listener.serve, serve)
        group.start_soon(bus.run)
        await until(lambda: posted.good(1, 1.5), 15.0)
        answers[0] = b"nonsense\n"
        await until(lambda: len(connections) > 1, 15.0)
        answers[0] = b"2.5\n"
        await until(lambda: posted.good(1, 2.5), 15.0)
        assert {value for _, value, status in posted.all if status == 0} == {1.5, 2.5}
        with anyio.fail_after(5):
            await bus.end()
        group.cancel_scope.cancel()


async def test_a_device_that_is_armed_again_at_once_was_unarmed_for_whole_scans(tmp_path: Path) -> None:
    """Two postings between scans hide one another; the interlock that keeps outputs safe would never see the first."""
    async with can_device(tmp_path) as (rig, _, device, posted):
        await until(lambda: posted.good(3, 1.0), 15.0)
        rig.inject(WireFault(instrument="gauge", fault=Kind.REBOOT, value=0.05))
        await until(lambda: device.unarmed_until_s > 0.0, 15.0)
        until_s = device.unarmed_until_s
        await until(lambda: device.statistics.armed, 15.0)
        assert anyio.current_time() >= until_s
        assert until_s - device.around.scan_s * UNARMED_SCANS > 0.0
