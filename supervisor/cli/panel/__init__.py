"""`cvd panel`: the tool on a terminal, for somebody who has the role to operate it.

What comes in is what the OPC UA endpoint says and what a person types; what goes out are the same method calls and
writes that any other client makes, so nothing is possible here that the daemon would refuse elsewhere. `catalogue` is
what a tool has, `picture` how it stands, `session` the connection, `app` with `views` and `dialogs` the screen. Textual
runs the terminal's event loop. May import: opcua_model's client, the command line.
"""

import argparse
import json
from pathlib import Path

from supervisor.cli.errors import UsageError
from supervisor.cli.passwords import ask_password
from supervisor.launcher.daemon import READY_FILE


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `cvd panel`."""
    parser.add_argument("--user", required=True, help="who operates; the roles decide what is permitted")
    parser.add_argument("--data", type=Path, default=Path("cvd-data"), help="data folder of a daemon on this computer")
    parser.add_argument("--endpoint", help="address of a daemon elsewhere, opc.tcp://host:4840/cvd")
    parser.add_argument("--password-stdin", action="store_true", help="read the password from standard input")


def carry_out(arguments: argparse.Namespace) -> int:
    """Show the panel until it is left."""
    from supervisor.cli.panel.app import Panel

    endpoint = arguments.endpoint or _endpoint_of(arguments.data)
    password = ask_password(from_stdin=arguments.password_stdin)
    panel = Panel(endpoint, arguments.user, password)
    panel.run()
    if panel.refused:
        raise UsageError(panel.refused)
    return 0


def _endpoint_of(data: Path) -> str:
    try:
        return str(json.loads((data / READY_FILE).read_text(encoding="utf-8"))["endpoint"])
    except OSError as error:
        raise UsageError(f"no daemon is ready in {data} ({error.strerror}); --endpoint names one elsewhere") from error
