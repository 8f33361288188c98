"""The phases of the scan, one `.pxd` each, compiled into `kernels.scan` as one C function without the GIL.

Tables and state (`state.pxd`) come in and are changed in place in the order of docs/reference/scan.md: latch, computed
tags, conditions, program, ramps and loops, gate, publish. Nothing here allocates, locks, raises, or reads a clock. It
may cimport the flat modules of `kernels` (tables, atomics, memory, layout, plant) and nothing else.

The `.pxi` files are parts of `scan.pyx` that no scan comes to: what proves its tables, copies them, and sets its memory
before the first one.
"""
