"""Values in bulk: monitored items, sampling, queues, publishing and batch reads over columns of a snapshot.

In come rows of a table of doubles (values, statuses, source times) and what clients ask for; out go the encoded bodies
of notifications and answers, made by numpy and never value by value. It may import `stack`, `settings`, `interface`
and `kernels`; how nodes are found is told by a `source`.
"""
