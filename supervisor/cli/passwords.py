"""Where a password comes from: a terminal, without echo, or standard input."""

import getpass
import sys

from supervisor.cli.errors import UsageError


def ask_password(*, from_stdin: bool, twice: bool = False) -> str:
    """Read a password.

    Raises:
        UsageError: there is nobody to ask, or the two differ.
    """
    if from_stdin:
        return sys.stdin.readline().rstrip("\n")
    if not sys.stdin.isatty():
        raise UsageError("there is no terminal to ask for a password; use --password-stdin")
    password = getpass.getpass("password: ")
    if twice and getpass.getpass("once more: ") != password:
        raise UsageError("the two passwords differ; nothing was changed")
    return password
