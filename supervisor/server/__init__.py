"""The half that people talk to: OPC UA, recipes, runs, alarms, history, access, analytics, reports.

The image and the journal's events come in, typed commands go out. It may import `link`, `opcua_model`, `config` and
`kernels`, never `controller`, `drivers` or `hil`.
"""
