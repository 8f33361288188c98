"""The boundary between the halves: image, channel and journal, and the words that cross it.

The image carries every value of the tool from the controller to the server; the channel carries typed commands,
replies and events; the journal is the controller's memory, whose tail the events are. Both halves and the launcher
import this package; it may import `config` and `kernels`, and neither half. docs/reference/link.md describes all three.
"""
