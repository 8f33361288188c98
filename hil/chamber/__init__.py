"""The simulated tool of any kind: one model made of parts, of which a tool's file says which it has.

A gas panel with lines, bubblers, boats and mist, a chamber with pumps or an exhaust, heating zones, rotation, sources
of energy (high frequency, microwaves, remote plasma, bias, hot wire, laser, lamp, burner), films with their rate laws
or half-reactions, and instruments in situ. Gated outputs of the previous scan come in, postings of the instruments go
out.
`composition.py` reads what a tool has; each subject is a file of inline C over one state (`state.pxd`), made of
`hil.parts` and the kernels' physics. A part that a tool has not costs a comparison. It may import `config` and
`kernels`.
"""
