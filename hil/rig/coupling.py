"""Between instruments and plant: what the plant reads is what points say; what is written to points moves the plant."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from config.instruments import conversion
from config.profile import RESERVED
from config.tool import TagKind, Tool
from hil.plant import Plant, create
from hil.rig.instrument import Instrument

GOOD = 0


@dataclass(frozen=True)
class Bond:
    """A tag and its point: tag = point × gain + offset."""

    tag: str
    instrument: Instrument
    point: str
    gain: float
    offset: float


class Coupling:
    """The plant of a tool and its instruments.

    Args:
        tool: with its devices.
        instruments: by name.

    Raises:
        PlantError: its plant cannot be made. A tool without `[plant]` has none: its readings stay as they are set.
    """

    def __init__(self, tool: Tool, instruments: Mapping[str, Instrument]) -> None:
        self.plant: Plant | None = create(tool) if tool.plant is not None else None
        self.period_s = tool.scan.period_ms / 1000.0
        self.readings: dict[str, float] = {}
        """What the plant's sensors said last, by tag: the truth that instruments pass on."""
        self.outputs: dict[str, float] = {}
        """What instruments ask of the plant, by tag, in the tag's unit."""
        self._inputs: dict[str, Bond] = {}
        self._written: dict[tuple[str, str], Bond] = {}
        self._failed: set[str] = set()
        for module in tool.modules:
            for tag in module.tags:
                device, _, point = (tag.point or "").partition(".")
                if tag.point is None or point in RESERVED:
                    continue
                instrument = instruments[device]
                gain, offset = conversion(tag, instrument.points[point].unit)
                bond = Bond(f"{module.name}.{tag.name}", instrument, point, gain, offset)
                if tag.kind is TagKind.INPUT:
                    self._inputs[bond.tag] = bond
                else:
                    self._written[device, point] = bond
                    instrument.outputs.add(point)
                    held = (tag.safe - offset) / gain
                    instrument.show(point, held)
                    self.outputs[bond.tag] = tag.safe

    def wrote(self, instrument: Instrument, point: str, value: float) -> str | None:
        """An instrument's point was written; the tag that moved, if one did."""
        bond = self._written.get((instrument.name, point))
        if bond is None or math.isnan(value):
            return None
        self.outputs[bond.tag] = value * bond.gain + bond.offset
        return bond.tag

    def step(self, steps: int) -> None:
        """Let the plant go on, then show what its sensors say."""
        if self.plant is None or steps <= 0:
            return
        values, status, _ = self.plant.advance(self.outputs, steps)
        for tag, value in values.items():
            self.readings[tag] = value
            bond = self._inputs.get(tag)
            if bond is not None:
                self._show(bond, value, broken=status[tag] != GOOD)

    def state(self) -> dict[str, Any]:
        """What only a simulation knows."""
        return self.plant.state() if self.plant is not None else {}

    def _show(self, bond: Bond, value: float, *, broken: bool) -> None:
        if broken or math.isnan(value):
            self._failed.add(bond.tag)
            bond.instrument.fail(bond.point)
            return
        if bond.tag in self._failed:
            self._failed.discard(bond.tag)
            bond.instrument.recover(bond.point)
        bond.instrument.show(bond.point, (value - bond.offset) / bond.gain)
