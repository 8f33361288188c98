"""The OPC UA address space: types, instances, methods, conditions, history and publishing.

In come a tool model from `config` and an implementation of the protocols stated here (values, commands, history,
users), handed over by the daemon; out go nodes, notifications and method results. It may import `config` and
`kernels`, never `supervisor`.
"""
