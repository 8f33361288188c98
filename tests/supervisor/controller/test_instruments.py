"""A controller on real wires: five instruments of a rig on TCP and serial lines, and their faults."""

import json
import signal
import time
from pathlib import Path

import anyio
import pytest

from hil.rig.faults import Kind, WireFault
from hil.rig.rig import Rig
from supervisor.link.messages import CommandKind, EventKind
from tests.config.minimal_tool import tool_of
from tests.supervisor.controller.house import house
from tests.supervisor.controller.wired_stand import DEVICES, Wired, wired, wired_data

pytestmark = [
    pytest.mark.anyio,
    # The rig is the device side: it makes the names of its pseudo-terminals when it opens its wires, before it serves.
    pytest.mark.allow_blocking(
        "os.mkdir", "os.stat", "os.unlink", "os.link", "os.symlink", "os.readlink", "os.replace"
    ),
]

NAMES = tuple(device["name"] for device in DEVICES)
READINGS = {
    "panel.sih4.flow_sccm": ("mfc", "flow"),
    "chamber.pressure_torr": ("gauge", "pressure_1"),
    "chamber.temperature_c": ("tc", "temperature"),
    "vacuum.pump.running": ("io", "di_0"),
}
FIRST = {"mfc": ("flow", 0.0), "gauge": ("pressure_1", 0.1), "tc": ("temperature", 25.0), "io": ("di_0", 1.0)}
SECOND = {"mfc": ("flow", 7.0), "gauge": ("pressure_1", 0.2), "tc": ("temperature", 31.0), "io": ("di_0", 1.0)}


def show(stand: Wired, values: dict[str, tuple[str, float]]) -> None:
    """Let the instruments measure this."""
    for instrument, (point, value) in values.items():
        stand.rig.instrument(instrument).show(point, value)
    stand.rig.instrument("io").show("ai_0", 630.0)  # 25 °C of 1300 on 32767


def agrees(stand: Wired, values: dict[str, tuple[str, float]]) -> bool:
    """Whether the scan has it, Good."""
    wanted = {tag: values[name][1] for tag, (name, _) in READINGS.items()}
    return all(
        stand.status(tag) == 0 and abs(stand.value(tag) - value) <= 1e-3 * abs(value) for tag, value in wanted.items()
    )


def all_armed(stand: Wired) -> bool:
    return all(stand.value(f"devices.{name}.armed") == 1.0 for name in NAMES)


async def ready(stand: Wired) -> None:
    """Instruments have come; what tripped while nothing was known is reset by a person."""
    show(stand, FIRST)
    await stand.until(lambda: agrees(stand, FIRST) and all_armed(stand), 20.0)
    await stand.clear("mara")


async def test_readings_come_in_and_outputs_go_out(tmp_path: Path) -> None:
    async with wired(tmp_path) as stand:
        await ready(stand)
        assert stand.value("chamber.wall_c") == pytest.approx(25.0, abs=0.05)
        assert stand.rig.instrument("valve").value("position_setpoint") == 100.0  # safe: open
        await stand.done("mara", CommandKind.ARM)
        await stand.done("mara", CommandKind.WRITE, tag="panel.sih4.setpoint_sccm", value=40.0)
        await stand.done("mara", CommandKind.WRITE, tag="panel.sih4.valve", value=1.0)
        await stand.until(lambda: stand.shows("mfc", "setpoint") == 40.0 and stand.shows("io", "do_0") == 1.0)


async def test_nothing_hazardous_goes_out_before_every_watchdog_is_proven(tmp_path: Path) -> None:
    async with wired(tmp_path, WireFault(instrument="io", fault=Kind.SILENT)) as stand:
        show(stand, FIRST)
        await stand.until(lambda: stand.value("devices.tc.armed") == 1.0)
        held = [
            row for row in (await stand.ask("check_interlocks"))["conditions"] if row["name"] == "device_io_unarmed"
        ]
        assert held[0]["in_force"]
        stand.rig.clear("io")
        await stand.until(lambda: all_armed(stand), 20.0)


async def test_a_coupler_that_falls_silent_takes_heat_and_gas_away_on_both_sides(tmp_path: Path) -> None:
    async with wired(tmp_path) as stand:
        await ready(stand)
        await stand.done("mara", CommandKind.ARM)
        await stand.done("mara", CommandKind.WRITE, tag="panel.sih4.valve", value=1.0)
        await stand.until(lambda: stand.shows("io", "do_0") == 1.0)
        stand.rig.inject(WireFault(instrument="io", fault=Kind.SILENT))
        await stand.until(lambda: stand.shows("io", "do_0") == 0.0)  # its own watchdog
        await stand.until(lambda: stand.value("panel.sih4.valve") == 0.0)  # the permissive
        await stand.until(lambda: stand.status("vacuum.pump.running") >= 0x80000000)
        stand.rig.clear("io")
        await stand.until(lambda: all_armed(stand), 20.0)
        assert stand.value("panel.sih4.valve") == 0.0
        assert stand.shows("io", "do_0") == 0.0
        await stand.hear(EventKind.NOTICE)
        assert [event for event in stand.told(EventKind.NOTICE) if "instrument io" in str(event.data["text"])]


async def test_the_end_of_the_controller_makes_instruments_safe(tmp_path: Path) -> None:
    async with wired(tmp_path) as stand:
        await ready(stand)
        await stand.done("mara", CommandKind.ARM)
        await stand.done("mara", CommandKind.WRITE, tag="panel.sih4.setpoint_sccm", value=40.0)
        await stand.done("mara", CommandKind.WRITE, tag="panel.sih4.valve", value=1.0)
        await stand.until(lambda: stand.shows("mfc", "setpoint") == 40.0 and stand.shows("io", "do_0") == 1.0)
        stand.controller.stop("SIGTERM")
        with anyio.fail_after(10.0):
            await stand.controller.ended.wait()
        assert stand.shows("io", "do_0") == 0.0
        assert stand.shows("mfc", "setpoint") == 0.0
        assert stand.shows("tc", "mode") == 0.0  # off


CHECKED = ("mfc", "gauge", "valve")
"""Noise inside of an answer shows in its check sum or form; Modbus on TCP has only the sum of TCP itself."""
FAULTS = [
    Kind.RST, Kind.FIN, Kind.SILENT, Kind.HALF_OPEN, Kind.SLOW, Kind.LATE, Kind.SHORT, Kind.GARBAGE_BEFORE,
    Kind.GARBAGE_INSIDE, Kind.WRONG_ADDRESS, Kind.EXCEPTION, Kind.DUPLICATE, Kind.HANG,
]  # fmt: skip


async def test_no_fault_of_any_wire_becomes_a_wrong_value_and_all_recover(tmp_path: Path) -> None:
    """Every row of the fault matrix on every instrument of this tool at once, one row after the other."""
    async with wired(tmp_path) as stand:
        await ready(stand)
        told: set[tuple[str, float]] = set()
        image, layout = stand.controller.image, stand.controller.scanner.layout
        indices = {tag: layout.index[tag] for tag in READINGS}
        truth = [FIRST, SECOND]
        seen = image.flight().next  # before, instruments said what they were delivered with

        def look() -> None:
            """Every scan's Good values since the last look."""
            nonlocal seen
            rows = image.flight(seen)
            seen = rows.next
            for tag, index in indices.items():
                good = rows.status[:, index] == 0
                told.update((tag, float(value)) for value in set(rows.values[good, index]))

        for number, kind in enumerate(FAULTS):
            now, then = truth[number % 2], truth[(number + 1) % 2]
            for name in CHECKED if kind is Kind.GARBAGE_INSIDE else NAMES:
                stand.rig.inject(WireFault(instrument=name, fault=kind))
            began_s = time.monotonic()
            await stand.until(lambda began_s=began_s: time.monotonic() - began_s > 0.2)
            look()
            show(stand, then)
            await stand.until(lambda began_s=began_s: time.monotonic() - began_s > 0.4)
            stand.rig.clear()
            await stand.until(lambda then=then: agrees(stand, then), 25.0)
            look()
            assert now is not then
        for tag, value in told:
            name = READINGS[tag][0]
            allowed = {FIRST[name][1], SECOND[name][1]}
            assert any(abs(value - one) <= 1e-3 * max(abs(one), 1e-9) for one in allowed), (tag, value)


async def test_a_controller_that_is_killed_leaves_the_rest_to_the_devices_own_watchdog(tmp_path: Path) -> None:
    rig = await anyio.to_thread.run_sync(lambda: Rig(tool_of(wired_data()), tmp_path))
    async with rig.running():
        data = wired_data()
        for device in data["devices"]:
            device["link"] = rig.endpoints()[device["link"]]
        tool = tmp_path / "tool.json"
        await anyio.Path(tool).write_text(json.dumps(data), encoding="utf-8")
        for instrument, (point, value) in FIRST.items():
            rig.instrument(instrument).show(point, value)
        rig.instrument("io").show("ai_0", 630.0)
        async with house(tmp_path, tool) as stand:
            await stand.move_in()
            await stand.until(lambda: all(stand.value(f"devices.{name}.armed") == 1.0 for name in NAMES), 20.0)
            await stand.clear("mara")
            await stand.done("mara", CommandKind.ARM)
            await stand.done("mara", CommandKind.WRITE, tag="panel.sih4.valve", value=1.0)
            await stand.until(lambda: rig.instrument("io").value("do_0") == 1.0)
            stand.kill(signal.SIGKILL)
            await stand.until(lambda: rig.instrument("io").value("do_0") == 0.0)
            assert rig.instrument("io").tripped
