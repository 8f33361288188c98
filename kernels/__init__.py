"""Compiled kernels: process image, scan, interlocks, recipe program, control loops, and the physics.

Flat tables and arrays in SI units come in, numbers go out; nothing here allocates in the scan, reads a clock or
touches a device. Importable as a library of its own. It imports nothing of ours.
"""

from importlib.machinery import PathFinder

if PathFinder.find_spec("kernels.scan", __path__) is None:
    raise ImportError("the kernels are not built: run `make setup` (or pip install .)")
