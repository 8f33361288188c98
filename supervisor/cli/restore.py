"""`cvd restore`: a new data folder from an archive."""

import argparse
from pathlib import Path

from supervisor.launcher.backup import restore


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `cvd restore`."""
    parser.add_argument("archive", type=Path, metavar="FILE.tar", help="what `cvd backup` wrote")
    parser.add_argument("--data", type=Path, required=True, metavar="NEWDIR", help="a folder that is new or empty")


def carry_out(arguments: argparse.Namespace) -> int:
    """Prove every digest, then put the folder in place."""
    count = restore(arguments.archive, arguments.data)
    print(f"{arguments.data}: {count} files, each as it was kept; `cvd audit verify` proves the audit trail")
    return 0
