"""`cvd backup`: a data folder as one archive."""

import argparse
from pathlib import Path

from supervisor.launcher.backup import back_up


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `cvd backup`."""
    parser.add_argument("--data", type=Path, default=Path("cvd-data"), help="data folder (default: ./cvd-data)")
    parser.add_argument("--output", type=Path, required=True, metavar="FILE.tar", help="the archive, a new file")


def carry_out(arguments: argparse.Namespace) -> int:
    """Write the archive; it appears whole or not at all."""
    count = back_up(arguments.data, arguments.output)
    print(f"{arguments.output}: {count} files of {arguments.data}; it holds keys and password hashes, keep it private")
    return 0
