"""A compiled model as a plant: its outputs by name, its faults by their words, its wafers measured."""

from collections.abc import Callable, Mapping
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from config.layout import Layout
from hil.errors import ScriptError
from hil.parts.script import Vocabulary, read


class Model(Protocol):
    """What a compiled model offers (its stub says more)."""

    @property
    def capsule(self) -> Any:
        """PyCapsule "cvd.plant"."""
        ...

    @property
    def sensor_index(self) -> dict[str, int]:
        """Index of each instrument by the name of its tag."""
        ...

    def order(self, at_s: float, kind: int, index: int, value: float) -> None:
        """Hand an order over; raises BufferError when too many wait."""
        ...

    def advance(
        self, values: NDArray[np.float64], steps: int
    ) -> tuple[NDArray[np.float64], NDArray[np.uint32], NDArray[np.int64]]:
        """Step without a scan; return each tag's last posting, its status and how often it posted."""
        ...

    def state(self) -> dict[str, Any]:
        """Return everything that a test may want to know, SI units."""
        ...


class SimulatedPlant:
    """See hil.plant.Plant for what is promised.

    Args:
        layout: the tool's tags.
        model: a compiled model.
        vocabulary: what can fail on it.
        situations: index of each situation of the model, and its value when all is well.
        load: kind of the order that puts bare wafers in.
        measure: makes the result of the wafers that are in; told whether bare ones are on their way, and a seed.
    """

    def __init__(
        self,
        layout: Layout,
        model: Model,
        *,
        vocabulary: Vocabulary,
        situations: tuple[Mapping[str, int], Mapping[str, float]],
        load: int,
        measure: Callable[[bool, int], dict[str, Any]],
        seed: int,
    ) -> None:
        self._layout, self._model, self._seed = layout, model, seed
        self._vocabulary, self._situations = vocabulary, situations
        self._load, self._measure = load, measure
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
        self._model.order(-1.0, self._load, 0, 0.0)
        self._loads += 1

    def measure(self) -> dict[str, Any]:
        """Measure the wafers; the same film gives the same figures."""
        bare = self._model.state()["loads"] != self._loads  # new wafers are on their way in
        return self._measure(bare, self._seed ^ (self._loads * 0x9E3779B97F4A7C15 & (2**64 - 1)))

    def inject(self, fault: Mapping[str, Any]) -> None:
        """Order a fault (hil.parts.script); raises ScriptError."""
        for order in read(fault, self._vocabulary, self._model.sensor_index, *self._situations):
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
