"""Molecules by name for other kernels."""

from kernels.physics.molecule cimport Molecule


cdef Molecule molecule_of(kind) except *
