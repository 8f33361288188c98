"""The main process: creates image, channel and journal, starts both halves and restarts either with back-off.

It may import `controller`, `server` and `link`.
"""
