"""The command line `cvd`: arguments in, one clear line or table and an exit code out.

It may import every other part of the daemon; nothing imports it.
"""
