"""`cvd replay`: a recorded run, executed again; or beside it what other files or this version would have done."""

import argparse
from pathlib import Path

from supervisor.cli.errors import UsageError
from supervisor.controller.tapes.comparison import ComparisonReport, compare
from supervisor.controller.tapes.replay import replay

SHOWN = 12
"""Tags of a difference that are printed."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `cvd replay`."""
    parser.add_argument("tape", type=Path, metavar="TAPE", help="<data>/runs/<RunNumber>/tape")
    parser.add_argument(
        "--against",
        nargs="*",
        type=Path,
        metavar="FILE",
        help="compare scan by scan with another tool file (.toml), another recipe (.json) or both, as this version "
        "compiles them; without a file with the tape's own",
    )


def carry_out(arguments: argparse.Namespace) -> int:
    """Execute the tape; 0 only when every output was the same to the last bit."""
    if arguments.against is not None:
        tools = [file for file in arguments.against if file.suffix.lower() != ".json"]
        recipes = [file for file in arguments.against if file.suffix.lower() == ".json"]
        return _tell(compare(arguments.tape, tool=_only(tools, "tool file"), recipe=_only(recipes, "recipe")))
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


def _only(files: list[Path], what: str) -> Path | None:
    if len(files) > 1:
        raise UsageError(f"--against takes one {what}, not {', '.join(map(str, files))}")
    return files[0] if files else None


def _tell(report: ComparisonReport) -> int:
    print(
        f"{report.run_number} on {report.tool}, recorded by version {report.software}: "
        f"{report.scans} scans executed twice in {report.seconds:.2f} s"
    )
    if report.scan is None:
        print("identical: the outputs of both are the same after every scan, bit for bit")
        return 0
    print(f"DIFFERS: for the first time in scan {report.scan}, {report.at_s:.3f} s after the start")
    for one in report.differences[:SHOWN]:
        print(f"  {one.tag}: {one.recorded:.17g} as recorded, {one.other:.17g} in the other version")
    if len(report.differences) > SHOWN:
        print(f"  and {len(report.differences) - SHOWN} more")
    return 1
