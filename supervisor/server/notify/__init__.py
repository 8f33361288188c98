"""Reaching people: what happened goes to web hooks and by mail, whatever becomes of this process meanwhile.

Projected events come in; messages go out, each written to the outbox of the data folder before it is tried and removed
when it has arrived. Nothing of the daemon waits for a receiver. It may import the store, the words and the alarms of
the server, and nothing that moves the tool.
"""
