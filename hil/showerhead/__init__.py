"""The simulated showerhead reactor: gas, heat, high frequency, discharge, film, instruments and faults of one wafer.

The gated outputs of the previous scan come in, postings of the instruments go out. Each subject is a file of inline C
(`gas.pxd`, `discharge.pxd`, `film.pxd`) over one state (`state.pxd`) that is made of `hil.parts`; `model.pyx` steps
them. It may import `config` and `kernels`.
"""
