"""Every shipped tool with instruments over its wires: readings as the plant has them, outputs as they are asked.

Both ends are the shipped ones: the drivers on one side, a rig of the tool with its own framing on the other.
"""

import importlib.util
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType

import anyio
import numpy as np
import pytest

import config
from config.layout import Layout
from config.profiles import profiles_of
from config.tool import Tag, TagKind, Tool
from drivers.binding import Surroundings
from drivers.build import build
from drivers.bus import Bus
from hil.rig.bindings import rewired
from hil.rig.rig import Rig
from tests.architecture.layout import ROOT

STEMS = ("lpcvd_furnace", "pecvd_showerhead", "mocvd_rdr", "hwcvd_silicon", "lcvd_tungsten", "hdp_oxide")
WITHIN_S = 30.0


def generator() -> ModuleType:
    """`.ci/wire.py`, which is no package."""
    spec = importlib.util.spec_from_file_location("wire", ROOT / ".ci" / "wire.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["wire"] = module
    spec.loader.exec_module(module)
    return module


@dataclass
class Image:
    """What arrived, by tag."""

    values: dict[int, tuple[float, int]] = field(default_factory=dict[int, tuple[float, int]])

    def post_many(self, tags: np.ndarray, values: np.ndarray, status: np.ndarray, source_ns: np.ndarray) -> None:
        """Take postings as a scan does."""
        for tag, value, code in zip(tags, values, status, strict=True):
            self.values[int(tag)] = float(value), int(code)


@dataclass
class Stand:
    """A tool, its rig and its buses."""

    tool: Tool
    layout: Layout
    rig: Rig
    buses: list[Bus]
    image: Image

    def bound(self, kind: TagKind) -> dict[str, Tag]:
        """Tags of a kind that stand for the tool itself."""
        return {
            name: tag
            for name, tag in self.layout.declared.items()
            if tag.kind is kind and tag.point is not None and not name.startswith("devices.")
        }

    def unlike_the_truth(self) -> list[str]:
        """Inputs that are not Good, or not what the plant's sensors say."""
        found: list[str] = []
        for name, tag in self.bound(TagKind.INPUT).items():
            value, status = self.image.values.get(self.layout.index[name], (np.nan, 1))
            truth = self.rig.coupling.readings.get(name)
            tolerance = 0.01 if tag.states else 0.02 * (tag.high - tag.low)
            if status or (truth is not None and not abs(value - min(max(truth, tag.low), tag.high)) <= tolerance):
                found.append(f"{name}: {value:g} ({status:08X}), the plant says {truth}")
        return found


@asynccontextmanager
async def wired(stem: str, folder: Path) -> AsyncIterator[Stand]:
    """Run a rig of a wired tool and the buses on it."""

    def made() -> tuple[Rig, str]:
        path = config.shipped_tool(f"{stem}_wired")
        return Rig(config.load_tool(path), folder), path.read_text(encoding="utf-8")

    rig, text = await anyio.to_thread.run_sync(made)
    async with rig.running():

        def loaded() -> tuple[Tool, dict]:
            (folder / "tool.toml").write_text(rewired(text, rig.endpoints()), encoding="utf-8")
            tool = config.load_tool(folder / "tool.toml")
            return tool, profiles_of(tool)

        tool, profiles = await anyio.to_thread.run_sync(loaded)
        layout, image = Layout(tool), Image()
        buses = build(layout, profiles, Surroundings(image, lambda: True, lambda *_: None))
        async with anyio.create_task_group() as group:
            for bus in buses:
                group.start_soon(bus.run)
            yield Stand(tool, layout, rig, buses, image)
            group.cancel_scope.cancel()


async def until_empty(found, within_s: float = WITHIN_S) -> None:
    """Wait until nothing is wrong any more; fail with what still is."""
    wrong = found()
    with anyio.move_on_after(within_s):
        while wrong:
            await anyio.sleep(0.02)
            wrong = found()
    assert not wrong


@pytest.mark.parametrize("stem", STEMS)
def test_the_shipped_file_is_the_tool_with_wires(stem: str) -> None:
    assert config.shipped_tool(f"{stem}_wired").read_text() == generator().wired(stem), "run .ci/wire.py --write"


@pytest.mark.anyio
@pytest.mark.parametrize("stem", STEMS)
async def test_a_tool_is_read_and_driven_wholly_over_its_wires(stem: str, tmp_path: Path) -> None:
    """All instruments are met and armed; every input is the plant's; every output moves the plant."""
    async with wired(stem, tmp_path) as stand:
        devices = [(bus, device) for bus in stand.buses for device in bus.devices]
        await until_empty(lambda: [device.name for _, device in devices if not device.statistics.armed])
        await until_empty(stand.unlike_the_truth)
        asked = {
            name: 1.0 if tag.states else tag.low + 0.3 * (tag.high - tag.low)
            for name, tag in stand.bound(TagKind.OUTPUT).items()
        }
        owner = {bound.tag: (bus, device, bound.point) for bus, device in devices for bound in device.outputs}

        def not_followed() -> list[str]:
            """Ask as the scan does, until the plant has it."""
            found: list[str] = []
            for name, value in asked.items():
                bus, device, point = owner[stand.layout.index[name]]
                bus.want(device, point, value)
                tag = stand.layout.declared[name]
                has = stand.rig.coupling.outputs[name]
                if not abs(has - value) <= 2e-3 * (tag.high - tag.low):
                    found.append(f"{name}: {value:g} was asked, the plant has {has:g}")
            return found

        await until_empty(not_followed)
        assert not [device.name for _, device in devices if device.statistics.write_faults]
        # A flag that says once that it was switched on is read while it is met: that is no restart.
        assert not [device.name for _, device in devices if device.statistics.reboots]
