"""The device side of each protocol, one module each; none knows of sockets, and none shares code with the drivers.

Bytes of a request come in, bytes of the answer go out. It may import `hil.rig.instrument` and `hil.rig.speaker`.
"""
