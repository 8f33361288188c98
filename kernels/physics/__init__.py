"""Equations of the physics as inline C, shared by the library modules of `kernels` and the simulated plant.

Numbers in SI units come in, numbers go out; nothing is allocated and no Python object is touched. Each file is one
subject; the modules `kernels.growth`, `kernels.vacuum`, `kernels.thermal` and `kernels.transport` are its doors for
Python. It imports nothing but libm.
"""
