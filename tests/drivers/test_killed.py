"""SIGKILL of the controller: on every kind of wire a device with a watchdog makes its outputs safe by itself."""

import signal
import subprocess
import sys
from pathlib import Path

import anyio
import pytest

from config.profiles import available, find_profile
from config.tool import Device, LinkLoss, Module, ModuleKind, Tag, TagKind, Tool
from hil.rig.rig import Rig
from tests.architecture.layout import ROOT
from tests.config.minimal_tool import minimal_tool
from tests.drivers.fake_modbus import until

pytestmark = [
    # The rig is the device side: it makes the names of its pseudo-terminals when it opens its wires, before it serves.
    pytest.mark.allow_blocking(
        "os.mkdir", "os.stat", "os.unlink", "os.link", "os.symlink", "os.readlink", "os.replace"
    ),
]
WIRES = {
    "coupler": ("beckhoff_bk9050", "modbus-tcp://coupler:502", None, ("do_5", "ao_2")),
    "generator": ("ae_rf", "serial:///dev/generator", 1, ("setpoint", "rf")),
    "match": ("tnc_match", "serial:///dev/match", 1, ("setpoint", "rf")),
    "transducer": ("cia404_transducer", "can:///dev/can", 5, ("output",)),
}
"""Profile, link, address and outputs: Modbus TCP, AE Bus, T&C and CANopen."""


def tool() -> Tool:
    """Four instruments with watchdogs, and nothing else."""
    devices = tuple(
        Device(name=name, profile=profile, link=link, address=address, on_link_loss=LinkLoss.ZERO)
        for name, (profile, link, address, _) in WIRES.items()
    )
    tags = tuple(
        Tag(name=f"{name}.{point}", kind=TagKind.OUTPUT, description=point, low=0, high=1, point=f"{name}.{point}",
            unit=find_profile(profile).by_name[point].unit, hazardous=True)
        for name, (profile, _, _, points) in WIRES.items()
        for point in points
    )  # fmt: skip
    module = Module(name="outputs", kind=ModuleKind.CONTROL, description="Outputs", tags=tags)
    return minimal_tool().model_copy(update={"modules": (module,), "devices": devices, "plant": None})


def test_every_shipped_instrument_with_a_watchdog_is_killed_here() -> None:
    watched = {name for name in available() if find_profile(name).watchdog != "none"}
    assert {profile for profile, *_ in WIRES.values()} == watched


@pytest.mark.anyio
async def test_a_killed_controller_leaves_nothing_on_at_any_device(tmp_path: Path) -> None:
    rig = await anyio.to_thread.run_sync(lambda: Rig(tool(), tmp_path))
    outputs = [(name, point) for name, (_, _, _, points) in WIRES.items() for point in points]

    def shown() -> dict[tuple[str, str], float]:
        return {one: rig.instrument(one[0]).value(one[1]) for one in outputs}

    async with rig.running():
        ends = rig.endpoints()
        wired = rig.tool.model_copy(
            update={"devices": tuple(one.model_copy(update={"link": ends[one.link]}) for one in rig.tool.devices)}
        )
        path = tmp_path / "tool.json"
        await anyio.Path(path).write_text(wired.model_dump_json(by_alias=True), encoding="utf-8")
        command = [sys.executable, "-m", "tests.drivers.driving", str(path)]
        async with await anyio.open_process(command, cwd=ROOT, stderr=subprocess.STDOUT) as child:
            assert child.stdout is not None
            try:
                with anyio.fail_after(60):
                    said = await child.stdout.receive()
                assert said.startswith(b"driving"), said
                assert set(shown().values()) == {1.0}
            finally:
                child.send_signal(signal.SIGKILL)
            await child.wait()
        with anyio.move_on_after(15):
            await until(lambda: set(shown().values()) == {0.0}, 20.0)
        assert shown() == dict.fromkeys(outputs, 0.0)
