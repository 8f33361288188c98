"""Tables of rates that were worked out beforehand, interpolated with a stated error.

A table holds outputs over axes such as temperature, pressure and mole fractions. `save` and `load` use NumPy's npz
without pickle, with everything that is known about the table as JSON beside the numbers.
"""

import json
import math
import zipfile
from dataclasses import dataclass

import numpy as np

from kernels.physics.lookup cimport AXES, look_up

_INTO = {"linear": lambda x: x, "log": np.log, "reciprocal": lambda x: -1.0 / x}


@dataclass(frozen=True)
class Axis:
    """One axis of a table."""

    name: str
    values: tuple
    scale: str = "linear"

    def __post_init__(self):
        values = tuple(float(value) for value in self.values)
        object.__setattr__(self, "values", values)
        if self.scale not in _INTO:
            raise ValueError(f"axis {self.name}: scale is linear, log or reciprocal, not {self.scale!r}")
        if not values or not all(math.isfinite(value) for value in values):
            raise ValueError(f"axis {self.name}: at least one value, all finite")
        least = 1e-12 * (values[len(values) - 1] - values[0])
        if any(not b - a > least for a, b in zip(values, values[1:], strict=False)):
            raise ValueError(f"axis {self.name}: values must rise, by more than 1e-12 of their range")
        if self.scale != "linear" and values[0] <= 0.0:
            raise ValueError(f"axis {self.name}: a {self.scale} axis needs values above 0")

    def coordinate(self, value):
        """Return where a value stands in the coordinate of interpolation."""
        return _INTO[self.scale](np.asarray(value, np.float64))


cdef class Table:
    """Outputs over axes."""

    def __init__(self, axes, outputs, values, about=None):
        cdef int i
        cdef const double[::1] grid
        cdef const double[::1] flat
        self.axes, self.outputs, self.about = tuple(axes), tuple(outputs), dict(about or {})
        if not 1 <= len(self.axes) <= AXES or not self.outputs:
            raise ValueError(f"a table has 1 … {AXES} axes and at least one output")
        if len({axis.name for axis in self.axes}) != len(self.axes) or len(set(self.outputs)) != len(self.outputs):
            raise ValueError("axes and outputs must have names of their own")
        data = np.array(values, np.float64)
        shape = (*(len(axis.values) for axis in self.axes), len(self.outputs))
        if data.shape != shape:
            raise ValueError(f"values must have the shape {shape}, have {data.shape}")
        if not np.all(np.isfinite(data)):
            raise ValueError("values must all be finite")
        # An output that is positive everywhere is interpolated as its logarithm
        columns = data.reshape(-1, len(self.outputs))
        self._log = np.all(columns > 0.0, axis=0)
        columns[:, self._log] = np.log(columns[:, self._log])
        columns = np.ascontiguousarray(columns.ravel())
        grids = [np.ascontiguousarray(axis.coordinate(axis.values)) for axis in self.axes]
        self._held = (columns, grids)
        self.core.axes, self.core.outputs = len(self.axes), len(self.outputs)
        for i in range(self.core.axes):
            grid = grids[i]
            self.core.size[i], self.core.grid[i] = grid.shape[0], &grid[0]
        flat = columns
        self.core.value = &flat[0]

    @property
    def values(self):
        """Outputs on the axes, [len(axis), …, len(outputs)]."""
        shape = (*(len(axis.values) for axis in self.axes), len(self.outputs))
        columns = self._held[0].reshape(-1, len(self.outputs)).copy()
        columns[:, self._log] = np.exp(columns[:, self._log])
        return columns.reshape(shape)

    def __call__(self, **at):
        """Return every output at one point, by name."""
        cdef double where[AXES]
        cdef int i
        cdef double[::1] view
        for name in at:
            if name not in {axis.name for axis in self.axes}:
                raise ValueError(f"no axis {name!r}; there are {', '.join(axis.name for axis in self.axes)}")
        for i in range(self.core.axes):
            axis = self.axes[i]
            if axis.name not in at:
                raise ValueError(f"{axis.name} is missing")
            value = float(at[axis.name])
            # What differs by rounding alone from the end of an axis is the end
            low, high = axis.values[0], axis.values[len(axis.values) - 1]
            slack = 1e-12 * max(abs(low), abs(high))
            if not low - slack <= value <= high + slack:
                raise ValueError(f"{axis.name} must be {low:g} … {high:g}, is {value:g}: the table ends there")
            where[i] = axis.coordinate(min(max(value, low), high))
        found = np.empty(len(self.outputs))
        view = found
        if look_up(&self.core, where, &view[0]):
            raise ValueError(f"outside of the table: {at}")
        found[self._log] = np.exp(found[self._log])
        return dict(zip(self.outputs, found.tolist(), strict=True))

    def save(self, path):
        """Write the table to a file."""
        head = {
            "format": "cvd-table 1",
            "axes": [{"name": axis.name, "scale": axis.scale} for axis in self.axes],
            "outputs": list(self.outputs),
            "about": self.about,
        }
        grids = {f"axis{i}": np.array(axis.values) for i, axis in enumerate(self.axes)}
        with open(path, "wb") as file:
            np.savez_compressed(file, head=np.array(json.dumps(head)), values=self.values, **grids)


def load(path):
    """Read a table from a file."""
    try:
        with open(path, "rb") as file, np.load(file, allow_pickle=False) as kept:
            head = json.loads(str(kept["head"]))
            if head["format"] != "cvd-table 1":
                raise ValueError(f"is {head['format']!r}")
            axes = [Axis(axis["name"], tuple(kept[f"axis{i}"].tolist()), axis["scale"])
                    for i, axis in enumerate(head["axes"])]
            return Table(axes, head["outputs"], kept["values"], head["about"])
    except (ValueError, KeyError, TypeError, AttributeError, EOFError, zipfile.BadZipFile) as error:
        raise ValueError(f"{path}: no table of rates ({error})") from None
