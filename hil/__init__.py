"""The simulated tool: a plant made of physics kernels, and the instruments that speak for it.

Set points come in over the same wires as on the real tool (or directly, in process), measurements go out with noise,
drift, quantisation and scripted faults. Everything is seeded. It may import `config` and `kernels`, never `drivers`:
the device side has its own framing.
"""
