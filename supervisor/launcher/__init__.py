"""The main process: it creates image and channel, starts both halves, restarts either, and ends them in order.

A tool file and options come in; two running processes, a ready file and an exit code come out. It owns no value and no
client. It may import `controller`, `server` and `link`, but starts the halves as programs of their own.
"""
