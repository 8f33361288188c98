"""The rig: every instrument of a tool on its real wire, and one plant behind them all.

A tool file and its device profiles come in; servers on TCP ports and pseudo-terminals go out, one for each wire, that
answer as the instruments would, with their volatile state, their watchdogs and, where a test asks for it, their
faults. What is written to a bound point moves the plant's output; what the plant reads is what the instrument says.
Framing is written here on its own (`speakers/`), apart from the drivers, so that one mistake cannot hide on both sides.
It may import `config`, `kernels` and the rest of `hil`, never `drivers`.
"""
