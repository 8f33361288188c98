"""`cvd audit`: the audit trail, proved; and with it everything that a data folder keeps, compared."""

import argparse
from pathlib import Path

from supervisor.cli.errors import UsageError
from supervisor.server.projection.agreement import disagreements
from supervisor.server.records import audit
from supervisor.server.store.opening import FILE_NAME, open_to_read


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare `cvd audit verify`."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="verify|agree")
    verify = actions.add_parser("verify", help="walk the whole chain of a data folder that no daemon holds")
    verify.add_argument("--data", type=Path, default=Path("cvd-data"), help="data folder (default: ./cvd-data)")
    agree = actions.add_parser(
        "agree", help="compare journal, events, audit trail and run records of a data folder that no daemon holds"
    )
    agree.add_argument("--data", type=Path, default=Path("cvd-data"), help="data folder (default: ./cvd-data)")


def carry_out(arguments: argparse.Namespace) -> int:
    """Walk the chain, or compare all; 0 only when everything is as it was written and nothing is missing."""
    path = arguments.data / FILE_NAME
    if not path.exists():
        raise UsageError(f"there is no {path}: name the daemon's data folder with --data")
    return _agree(arguments.data) if arguments.action == "agree" else _verify(arguments, path)


def _agree(data: Path) -> int:
    faults = disagreements(data)
    for fault in faults:
        print(fault)
    print(f"{data}: {f'{len(faults)} disagreements' if faults else 'journal, events, audit trail and runs agree'}")
    return int(bool(faults))


def _verify(arguments: argparse.Namespace, path: Path) -> int:
    with open_to_read(path) as connection:
        kept = audit.HeadFile(arguments.data / "audit.head").read()
        faults, reached = audit.verify(connection, kept), audit.head(connection)
    for fault in faults:
        print(fault)
    if kept is None:
        print("audit.head is missing: rows that were cut off the end cannot be told")
    if faults:
        print(f"{path}: NOT whole, {len(faults)} faults in {reached.seq} rows")
        return 1
    print(f"{path}: whole, {reached.seq} rows, ends in {reached.sha}")
    return 0
