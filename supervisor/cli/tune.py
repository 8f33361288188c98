"""`cvd tune`: gains of a loop from a relay or step test, as a proposal that an engineer approves."""

import argparse
import json
from pathlib import Path

from config.loading import load_tool
from config.regulation.record import RecordError, loop_test, tags_of_loop
from config.regulation.tuning import RULES, propose
from supervisor.cli.errors import UsageError
from supervisor.cli.records import read_record, simulated


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `cvd tune`."""
    parser.add_argument("tool", type=Path, metavar="TOOL.toml")
    parser.add_argument("--loop", required=True, help="the loop, as the tool file names it")
    parser.add_argument("--method", choices=sorted(RULES), required=True)
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--record", type=Path, metavar="RUN.csv", help="the test, as `cvd export` writes it")
    source.add_argument("--sim", metavar="OPERATION", help="carry this operation out on the simulated plant")
    parser.add_argument("--seed", type=int, help="of the simulated plant (default: the tool's)")
    parser.add_argument("--closed-loop", type=float, metavar="S", help="step: wanted time constant of the closed loop")


def carry_out(arguments: argparse.Namespace) -> int:
    """Print the proposal as JSON; it acts only once an engineer has put it into the tool file."""
    tool = load_tool(arguments.tool)
    loop = next((one for one in tool.loops if one.name == arguments.loop), None)
    if loop is None:
        raise UsageError(f"{arguments.tool}: there is no loop {arguments.loop!r}")
    if arguments.closed_loop is not None and not arguments.closed_loop > 0:
        raise UsageError("--closed-loop is a time above 0")
    try:
        if arguments.sim:
            time_s, columns = simulated(tool, arguments.sim, tags_of_loop(loop), arguments.seed)
        else:
            time_s, columns = read_record(arguments.record)
        proposal = propose(loop, loop_test(loop, time_s, columns), arguments.method, arguments.closed_loop)
    except RecordError as error:
        raise UsageError(str(error)) from error
    print(json.dumps(proposal.to_json(), indent=2, ensure_ascii=False))
    return 0
