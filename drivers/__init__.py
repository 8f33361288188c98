"""Real instruments on real wires: buses, codecs and the tasks that own them.

Bytes of an instrument come in, values with OPC UA status and source time go out; the way back is writes with
read-back. What a device looks like is data (profiles in `config/devices/`), how its bytes are framed is code here. It
may import `config` and `kernels`, never `hil`: the two share profiles but no framing.
"""
