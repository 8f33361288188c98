"""A tool whose rows prove themselves: its hands all show the index of the scan, so a row in which one does not is torn.

Also a plant written in Python, by the C struct of kernels/plant.pxd, for tests only: the scan then needs the GIL.
"""

import ctypes
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from kernels.image import Image
from kernels.scan import Scan
from kernels.tables import Command, SystemTag, Tables
from tests.kernels.tables_builder import ProgramBuilder, ToolBuilder, tag

HANDS = 200
CONDITIONS = 3
FIRST = len(SystemTag)  # the spring: a set point that a program raises; the hands behind it show what it was


def clockwork_tables(hands: int = HANDS) -> Tables:
    """Build the tool."""
    tool = ToolBuilder(period_s=0.001)
    spring = tool.setpoint(0.0, 1e15)
    for _ in range(hands):
        tool.computed(tag(spring))
    for _ in range(CONDITIONS):
        tool.condition(tag(spring).below(-1.0))
    return tool.build()


def clockwork(image: Image | None, *, log_every: int = 1, hands: int = HANDS) -> Scan:
    """Return a scan, ten scans old, whose hands show its index."""
    scan = Scan(clockwork_tables(hands), image, log_every=log_every)
    program = ProgramBuilder()
    program.ramp(FIRST, 1e15, rate=1.0)
    program.wait(1_000_000_000)
    program.end()
    scan.load(0, program.build())
    for op in (Command.LOAD, Command.ARM, Command.START):
        scan.command(op)
    scan.advance(10)
    return scan


def new_image(flight_rows: int = 64, log_rows: int = 16, hands: int = HANDS) -> Image:
    """Make an image for the clockwork."""
    return Image.create(tags=FIRST + 1 + hands, conditions=CONDITIONS, flight_rows=flight_rows, log_rows=log_rows)


def torn(scan: NDArray[np.int64] | int, values: NDArray[np.float64]) -> int:
    """Count rows whose hands do not all show the row's own scan index."""
    hands = np.atleast_2d(values)[:, FIRST + 1 :]
    return int(np.count_nonzero((hands != np.atleast_1d(scan)[:, np.newaxis]).any(axis=1)))


class _PlantInput(ctypes.Structure):
    _fields_ = (("tag", ctypes.c_int), ("status", ctypes.c_uint), ("value", ctypes.c_double))


_STEP = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.c_void_p, ctypes.c_longlong, ctypes.POINTER(ctypes.c_double), ctypes.POINTER(_PlantInput)
)


class _PlantStep(ctypes.Structure):
    _fields_ = (("step", _STEP), ("state", ctypes.c_void_p), ("capacity", ctypes.c_int))


class PythonPlant:
    """A plant from a function of the coming scan's index that returns (tag, value, status) for each instrument."""

    def __init__(self, says: Callable[[int], list[tuple[int, float, int]]], capacity: int = 16) -> None:
        def step(_: object, scan: int, values: object, inputs: "ctypes._Pointer[_PlantInput]") -> int:
            said = says(scan)
            for index, (at, value, status) in enumerate(said):
                inputs[index] = _PlantInput(at, status, value)
            return len(said)

        self._step = _PlantStep(_STEP(step), None, capacity)
        new = ctypes.pythonapi.PyCapsule_New
        new.restype, new.argtypes = ctypes.py_object, (ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p)
        self._name = ctypes.c_char_p(b"cvd.plant")
        self.capsule = new(ctypes.addressof(self._step), self._name, None)
