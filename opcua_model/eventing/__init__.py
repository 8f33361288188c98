"""Events: what they carry, who hears them, and which of them a client asked for.

In come occurrences of the daemon and states of its alarms, and the filters of clients; out go lists of fields in the
queues of monitored items. It may import `stack`, `space`, `interface`, `types` and what reads an IndexRange.
"""
