"""The daemon: everything that runs when `cvd run` does, one sub-package per responsibility.

`cli` parses the command line; `launcher` starts the two halves and keeps them alive; `controller` owns hardware and
protection; `server` owns everything that other people talk to; `link` is the boundary between the two. Instrument
values and recipes come in, gated outputs, OPC UA and history go out. It may import every other room; inside,
imports run cli → launcher → controller or server → link.
"""
