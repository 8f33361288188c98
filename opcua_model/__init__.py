"""The OPC UA address space: types, instances, methods, history, events and publishing.

In come a tool model from `config` and an implementation of the protocols stated in `interface` (values, commands,
history, users), handed over by the daemon; out go nodes, notifications and method results. It may import `config` and
`kernels`, never `supervisor`.

How it hangs together: `server` opens the endpoint and builds the `tree` (from `methods`, `variables` and `types`,
written by `space`); `listener` holds the sockets, `processor` one client's channel, `services` and `session` what a
request may do (`attributes`, `calls`, `browse`, `history`, `subscriptions`). Tag values never enter nodes: they go from
the image's `snapshot` to the wire in bulk, in `publishing`. `stack` is the only door to asyncua; `client`
is the counterpart that people and programs use.
"""
