"""The boundary between the halves: image, channel and the journal's format.

Both halves import it; it imports neither.
"""
