"""Runs kept scan by scan: the tape of a whole run, the flight recorder around a trip, and how a tape is played again.

Rows of the logging and flight rings come in; archives go out that appear whole or not at all, and from them the same
scans again, bit for bit. Imports `records`, `runs`, `scanning` and `compile`.
"""
