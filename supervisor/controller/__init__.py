"""The half that owns hardware and protection: tables, scan thread, driver binding, runs, interlocks, journal.

Typed commands and instrument values come in; outputs, the image and the journal's events go out. It may import
`link`, `drivers`, `hil`, `config` and `kernels`, never `server`, asyncua, duckdb or `opcua_model`.
"""
