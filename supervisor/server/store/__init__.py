"""The database of one tool: opening, migrations, one owner thread, free space.

Functions over a DuckDB connection come in and are carried out one after another on the thread that owns it; their
results go out. Everything that the server remembers is written through here. It may import DuckDB and `errors`.
"""
