"""The simulated hot-wall furnace: heat, gas, film, instruments and faults behind one step function.

The gated outputs of the previous scan come in, postings of the instruments go out. Each subject is a file of inline C
(`heat.pxd`, `gas.pxd`, `film.pxd`, `instruments.pxd`) over one state (`state.pxd`); `model.pyx` steps them at their own
rates. It may import `config` and `kernels`.
"""
