"""`cvd user`: people, their passwords and roles."""

import argparse
from pathlib import Path

from config.tool import Role
from opcua_model.settings import EndpointError
from opcua_model.trust import load_certificate, thumbprint
from supervisor.cli.errors import UsageError
from supervisor.cli.passwords import ask_password
from supervisor.server.access.users import UserStore


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare `cvd user add|certificate|list|remove`."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="add|certificate|list|remove")
    add = actions.add_parser("add", help="add a person, or give a new password and roles")
    add.add_argument("name")
    add.add_argument("--role", action="append", required=True, choices=[role.value for role in Role], dest="roles")
    add.add_argument("--password-stdin", action="store_true", help="read the password from standard input")
    certificate = actions.add_parser("certificate", help="let a person log in with a certificate (DER or PEM)")
    certificate.add_argument("name")
    certificate.add_argument("file", type=Path)
    certificate.add_argument("--role", action="append", default=[], choices=[role.value for role in Role], dest="roles")
    remove = actions.add_parser("remove", help="remove a person")
    remove.add_argument("name")
    listing = actions.add_parser("list", help="list people and roles")
    for action in (add, certificate, remove, listing):
        action.add_argument("--data", type=Path, default=Path("cvd-data"), help="data folder (default: ./cvd-data)")


def carry_out(arguments: argparse.Namespace) -> int:
    """Change or show `<data>/users.toml`; a running daemon notices at the next login."""
    users = UserStore(arguments.data / "users.toml")
    if arguments.action == "add":
        roles = [Role(role) for role in arguments.roles]
        users.add(arguments.name, ask_password(from_stdin=arguments.password_stdin, twice=True), roles)
        print(f"{arguments.name} may log in as {', '.join(arguments.roles)}")
    elif arguments.action == "certificate":
        try:
            certificate = load_certificate(arguments.file)
        except EndpointError as error:
            raise UsageError(str(error)) from error
        users.give_certificate(arguments.name, thumbprint(certificate), arguments.roles)
        print(f"{arguments.name} may log in with the certificate {arguments.file}")
    elif arguments.action == "remove":
        users.remove(arguments.name)
        print(f"{arguments.name} is removed")
    else:
        for user in users.list():
            print(f"{user.name:24} {', '.join(sorted(user.roles))}")
    return 0
