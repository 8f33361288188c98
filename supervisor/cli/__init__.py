"""The command line `cvd`: arguments in, one clear line or table and an exit code out.

One module per command, each with `add_arguments` and a function that carries it out; `main` puts them together. It
may import every other part of the daemon; nothing imports it.
"""
