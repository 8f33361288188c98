"""Methods of the address space: each call's arguments, permission, the command that it becomes, its typed answer.

Callers with their identity and roles come in; commands for the controller, rows and answers go out. `desk` holds what
all of them share. Imports `records`, `projection`, `access` and `store`.
"""
