"""`cvd replay`: a recorded run, executed again."""

import argparse
from pathlib import Path

from supervisor.controller.replay import replay


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `cvd replay`."""
    parser.add_argument("tape", type=Path, metavar="TAPE", help="<data>/runs/<RunNumber>/tape")


def carry_out(arguments: argparse.Namespace) -> int:
    """Execute the tape; 0 only when every output was the same to the last bit."""
    report = replay(arguments.tape)
    print(
        f"{report.run_number} on {report.tool}, recorded by version {report.software}: "
        f"{report.scans} scans with {report.records} records in {report.seconds:.2f} s"
    )
    if report.differs is not None:
        first, last = report.differs
        print(f"DIFFERS: outputs are not the same, for the first time in scan {first} … {last}")
        return 1
    print(f"identical: {report.digests} digests of all outputs, bit for bit")
    return 0
