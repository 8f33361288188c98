"""A table for code without the GIL: `table.core` for look_up of physics/lookup.pxd."""

from kernels.physics.lookup cimport Lookup


cdef class Table:
    cdef Lookup core
    cdef object _held
    cdef object _log
    cdef readonly tuple axes
    cdef readonly tuple outputs
    cdef readonly dict about
