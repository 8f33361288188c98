"""The simulated furnace as a plant: the model, wired to the tags of a tool."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from config.layout import Layout
from hil.errors import PlantError, ScriptError
from hil.furnace import metrology, script, wiring
from hil.furnace.model import NORMAL, SITUATIONS_BY_NAME, Model
from hil.furnace.parameters import ParameterError, with_changes


class FurnacePlant:
    """A hot-wall furnace (see hil.plant.Plant for what is promised)."""

    def __init__(self, layout: Layout, parameters: Mapping[str, float], seed: int) -> None:
        """Wire the furnace up; raises PlantError for a tool that it is not."""
        try:
            self._parameters = with_changes(parameters)
        except ParameterError as error:
            raise PlantError(f"{layout.tool.name}: {error}") from None
        self._layout = layout
        self._seed = seed & (2**64 - 1)
        self._model = Model(
            self._parameters,
            wiring.outputs(layout),
            wiring.sensors(layout, self._parameters),
            layout.tool.scan.period_ms / 1000.0,
            self._seed,
        )
        self._image: NDArray[np.float64] = np.zeros(len(layout.tags))
        for name, tag in layout.declared.items():
            self._image[layout.index[name]] = tag.safe if tag.kind.value == "output" else 0.0
        self._loads = 1

    @property
    def capsule(self) -> object:
        """PyCapsule "cvd.plant"."""
        return self._model.capsule

    def load_wafers(self) -> None:
        """Put bare wafers in before the coming step."""
        self._model.order(-1.0, script.LOAD, 0, 0.0)
        self._loads += 1

    def measure(self) -> dict[str, Any]:
        """Measure the wafers; the same film gives the same figures."""
        oxide, silicon = self._model.thickness()
        state = self._model.state()
        if state["loads"] != self._loads:  # new wafers are on their way in
            oxide, silicon = np.zeros_like(oxide), np.zeros_like(silicon)
        count = len(oxide) * len(metrology.SITES)
        noise = self._model.repeatability(self._seed ^ (self._loads * 0x9E3779B97F4A7C15 & (2**64 - 1)), count)
        return metrology.measure(
            oxide, silicon, self._model.tilts(), noise, self._parameters.wafer_diameter_m / 2.0,
            state["oxidant_ratio"], state["mean_temperature_k"],
        )  # fmt: skip

    def inject(self, fault: Mapping[str, Any]) -> None:
        """Order a fault (hil.furnace.script); raises ScriptError."""
        orders = script.read(fault, self._model.sensor_index, SITUATIONS_BY_NAME, NORMAL)
        for order in orders:
            try:
                self._model.order(order.at_s, order.kind, order.index, order.value)
            except BufferError as error:
                raise ScriptError(str(error)) from None

    def state(self) -> dict[str, Any]:
        """Say what only a simulation knows, in SI units."""
        return self._model.state()

    def advance(
        self, outputs: Mapping[str, float], steps: int
    ) -> tuple[dict[str, float], dict[str, int], dict[str, int]]:
        """Step without a scan, with these outputs from now on.

        Returns:
            The last posting of each input that posted, its status, and how often it posted, by the tag's name.
        """
        for name, value in outputs.items():
            self._image[self._layout.index[name]] = value
        values, status, posted = self._model.advance(self._image, steps)
        at = [(name, self._layout.index[name]) for name in self._layout.tags if posted[self._layout.index[name]]]
        return (
            {name: float(values[index]) for name, index in at},
            {name: int(status[index]) for name, index in at},
            {name: int(posted[index]) for name, index in at},
        )
