"""What a crew relies on between runs: mode, lock-outs, wear, calibrations, work that is due, the clock.

The scan's view and completed work come in; whether something may start, and set points of horn and lights, go out.
Imports `runs` and `scanning`; what it remembers is in one file of the data folder (`memory`).
"""
