"""A pulse valve on a fast link of its own: armed like any instrument, then moved by the real-time thread."""

from pathlib import Path
from typing import Any

import anyio
import pytest

from config.faults import ConfigError
from config.profile import Watchdog
from config.profiles import FOLDER, SHIPPED
from hil.rig.faults import Kind, WireFault
from hil.rig.kinds import CHARACTERS, Cia404
from hil.rig.raw import Refused
from supervisor.link.messages import CommandKind, EventKind
from tests.config.minimal_tool import tool_of
from tests.supervisor.controller.test_instruments import ready
from tests.supervisor.controller.wired_stand import Wired, wired, wired_data

pytestmark = [
    pytest.mark.anyio,
    # The rig is the device side: it makes the names of its pseudo-terminals when it opens its wires, before it serves.
    pytest.mark.allow_blocking(
        "os.mkdir", "os.stat", "os.unlink", "os.link", "os.symlink", "os.readlink", "os.replace"
    ),
]
CAN_LINK = "can:///dev/pulser?interface=slcan"
VALVE = "panel.sih4.pulse_valve"
PULSES = 50


class CanOutputs(Cia404):
    """A node that takes its valves to 0 as well when our heartbeat stops, and obeys no PDO until it comes again."""

    alone = False

    def heartbeat(self, producer: int) -> None:
        super().heartbeat(producer)
        self.alone = False

    def allow(self, name: str, value: float) -> None:
        super().allow(name, value)
        if self.alone and name.startswith("do_"):
            raise Refused("mode")

    def expire(self, watchdog: Watchdog) -> None:
        self.alone = True
        super().expire(watchdog)
        for n in range(4):
            self._own.put(f"do_{n}", 0.0)


@pytest.fixture
def can_outputs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A CANopen device whose four outputs are bytes of its first receive PDO."""
    text = (SHIPPED / "cia404_transducer.toml").read_text(encoding="utf-8")
    text = text.replace("cia404_transducer", "can_outputs").replace('eds = "can_outputs.eds"', "")
    text += """
[[points]]
name = "do_{n}"
description = "Output {n}"
access = "w"
type = "u8"
low = 0
high = 1
repeat = 4
first = 0
canopen = { index = 0x6200, sub = 1, pdo = 1, at = 0 }
source = "CiA 401, 6200h"
"""
    folder = tmp_path / "devices"
    folder.mkdir()
    (folder / "can_outputs.toml").write_text(text, encoding="utf-8")
    monkeypatch.setenv(FOLDER, str(folder))
    monkeypatch.setitem(CHARACTERS, "can_outputs", CanOutputs)


def on_can(data: dict[str, Any]) -> None:
    """The same valve as a byte of a PDO."""
    with_pulser(data)
    data["devices"][-1].update(profile="can_outputs", link=CAN_LINK, address=9)


def with_pulser(data: dict[str, Any]) -> None:
    """A coupler with one valve, on a link of its own, and an operation that pulses it."""
    data["devices"].append({"name": "pulser", "profile": "beckhoff_bk9050", "link": "modbus-tcp://pulser:502",
                            "on_link_loss": "zero", "fast": True})  # fmt: skip
    panel = next(module for module in data["modules"] if module["name"] == "panel")
    panel["tags"].append({"name": "sih4.pulse_valve", "kind": "output", "states": ["shut", "open"], "low": 0, "high": 1,
                          "hazardous": True, "role": "maintenance", "description": "Pulse valve of silane",
                          "point": "pulser.do_3"})  # fmt: skip
    trip = next(row for row in data["interlocks"] if row["class"] == "trip")
    trip["effects"].append({"output": VALVE, "value": 0})
    data["safe_sequence"]["steps"][0]["set"][VALVE] = 0
    pulse = [{"name": "open", "set": {VALVE: 1}, "min_s": 0.02}, {"name": "shut", "set": {VALVE: 0}, "min_s": 0.02}]
    data.setdefault("operations", []).append(
        {"name": "pulses", "title": "Pulses", "description": "Pulses of silane", "bound_s": 60,
         "hold": {VALVE: 0}, "steps": [{"name": "cycle", "repeat": PULSES, "steps": pulse}]}
    )  # fmt: skip


def seen(stand: Wired) -> list[float]:
    """What the valve's coil was told, as the instrument received it, without what only repeats."""
    told = [write.value for write in stand.rig.writes if write.instrument == "pulser" and write.point == "do_3"]
    return [value for n, value in enumerate(told) if n == 0 or value != told[n - 1]]


async def start(stand: Wired) -> None:
    await stand.until(lambda: stand.value("devices.pulser.armed") == 1.0, 20.0)
    await ready(stand)
    await stand.done("mara", CommandKind.ARM)
    reply = await stand.start("mara", "pulses")
    assert (reply.status, reply.reason) == ("Good", "")


async def falls_silent(stand: Wired) -> None:
    """With the valve open its device says nothing for a while: it is shut on both sides, and stays so."""
    await stand.done("mara", CommandKind.WRITE, tag=VALVE, value=1.0)
    await stand.until(lambda: stand.shows("pulser", "do_3") == 1.0)
    stand.rig.inject(WireFault(instrument="pulser", fault=Kind.SILENT))
    await stand.until(lambda: stand.value(VALVE) == 0.0)  # the permissive
    await stand.until(lambda: stand.shows("pulser", "do_3") == 0.0)  # its own watchdog
    stand.rig.clear()
    await stand.until(lambda: stand.value("devices.pulser.armed") == 1.0, 20.0)
    assert (stand.value(VALVE), stand.shows("pulser", "do_3")) == (0.0, 0.0)


async def test_every_pulse_of_a_program_reaches_the_valve_once(tmp_path: Path) -> None:
    async with wired(tmp_path, change=with_pulser) as stand:
        await start(stand)
        await stand.until(lambda: stand.value("devices.pulser.edges") == 2 * PULSES, 30.0)
        await stand.until(lambda: len(seen(stand)) == 2 * PULSES + 1)
        assert seen(stand) == [0.0, *[1.0, 0.0] * PULSES]
        stamps = [write for write in stand.rig.writes if write.instrument == "pulser" and write.point == "do_3"]
        assert all(write.kernel for write in stamps)
        assert not stand.rig.instrument("pulser").tripped


async def test_a_lost_fast_link_disarms_and_comes_back_with_the_valve_shut(tmp_path: Path) -> None:
    async with wired(tmp_path, change=with_pulser) as stand:
        await stand.until(lambda: stand.value("devices.pulser.armed") == 1.0, 20.0)
        await ready(stand)
        await stand.done("mara", CommandKind.ARM)
        await falls_silent(stand)


@pytest.mark.usefixtures("can_outputs")
async def test_pulses_leave_in_pdos_and_a_node_that_falls_silent_is_met_again(tmp_path: Path) -> None:
    """Over CAN nothing repeats a write: the node's heartbeat shows that it is there, and ours keeps it armed."""
    async with wired(tmp_path, change=on_can) as stand:
        await start(stand)
        await stand.until(lambda: stand.value("devices.pulser.edges") == 2 * PULSES, 30.0)
        await stand.until(lambda: len(seen(stand)) == 2 * PULSES + 1)
        assert seen(stand) == [0.0, *[1.0, 0.0] * PULSES]
        assert not stand.rig.instrument("pulser").tripped
        await falls_silent(stand)


async def test_an_edge_that_cannot_leave_is_told_with_its_number(tmp_path: Path) -> None:
    async with wired(tmp_path, change=with_pulser) as stand:
        await stand.until(lambda: stand.value("devices.pulser.armed") == 1.0, 20.0)
        await ready(stand)
        await stand.done("mara", CommandKind.ARM)
        await stand.done("mara", CommandKind.WRITE, tag=VALVE, value=1.0)
        await stand.until(lambda: stand.shows("pulser", "do_3") == 1.0)
        stand.rig.inject(WireFault(instrument="pulser", fault=Kind.RST))
        await stand.until(lambda: stand.value("devices.pulser.late_edges") >= 1.0)
        await stand.until(lambda: any("edge 2 of do_3 (off) could not leave" in words(event)
                                      for event in stand.told(EventKind.NOTICE)))  # fmt: skip


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda data, valve, pulser: valve.update(point="pulser.ao_1"), "no fast output"),
        (lambda data, valve, pulser: pulser.update(link="modbus-tcp://io:502", address=9), "belongs to one device"),
        (lambda data, valve, pulser: pulser.update(profile="vat_65", link="tcp://p:1"), "fast outputs need modbus-tcp"),
        (lambda data, valve, pulser: valve.update(point="io.do_9"), "no output is bound to pulser"),
        (lambda data, valve, pulser: data["modules"][0]["tags"][0].update(point="pulser.ai_0"), "for outputs alone"),
    ],
)
async def test_a_fast_link_that_could_not_keep_its_promise_is_refused(change: Any, reason: str) -> None:
    def load() -> None:
        data = wired_data()
        with_pulser(data)
        valve = next(tag for module in data["modules"] for tag in module["tags"] if tag["name"] == "sih4.pulse_valve")
        change(data, valve, data["devices"][-1])
        tool_of(data)

    with pytest.raises(ConfigError, match=reason):
        await anyio.to_thread.run_sync(load)


def words(event: Any) -> str:
    return str(event.data["text"])
