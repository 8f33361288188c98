"""Open wires: bytes on TCP and serial lines and through VISA, frames on CAN.

A link of the tool file comes in, something that sends and receives goes out. Nothing here knows what bytes mean.
Libraries are imported only by the transport that needs them.
"""
