"""`cvd tune`: gains of a loop from a relay or step test, as a proposal that an engineer approves."""

import argparse
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

from config.loading import load_tool
from config.regulation.excite import Excitation, operation
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
    source.add_argument("--operation", action="store_true", help="print such a test as an operation for the tool file")
    for name, default, words in (
        ("move", 1.0, "of the output, to either side"),
        ("leave", 10.0, "how far the process value may go from its set point"),
        ("rest", 60.0, "s in auto before the test"),
        ("wait", 600.0, "s: longest half swing, or how long a step is watched"),
        ("band", 0.0, "relay: hysteresis, in the unit of the process value"),
    ):
        parser.add_argument(f"--{name}", type=float, default=default, help=f"--operation: {words} (%(default)s)")
    parser.add_argument("--seed", type=int, help="of the simulated plant (default: the tool's)")
    parser.add_argument("--closed-loop", type=float, metavar="S", help="step: wanted time constant of the closed loop")


def carry_out(arguments: argparse.Namespace) -> int:
    """Print the proposal as JSON, or the test that a proposal needs; neither acts before an engineer approves it."""
    tool = load_tool(arguments.tool)
    loop = next((one for one in tool.loops if one.name == arguments.loop), None)
    if loop is None:
        raise UsageError(f"{arguments.tool}: there is no loop {arguments.loop!r}")
    if arguments.closed_loop is not None and not arguments.closed_loop > 0:
        raise UsageError("--closed-loop is a time above 0")
    if arguments.operation:
        how = Excitation(arguments.move, arguments.leave, arguments.rest, arguments.wait, arguments.band)
        try:
            print("\n".join(written(operation(tool, loop.name, arguments.method, how))))
        except ValueError as error:
            raise UsageError(str(error)) from error
        return 0
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


def written(words: Mapping[str, Any]) -> Iterator[str]:
    """Write an operation as the lines of a tool file."""
    yield "[[operations]]"
    for name, value in words.items():
        if name != "steps":
            yield f"{name} = {_inline(value)}"
    yield "steps = ["
    yield from (f"  {_inline(step)}," for step in words["steps"])
    yield "]"


def _inline(value: Any) -> str:
    if isinstance(value, Mapping):
        pairs = cast("Mapping[str, Any]", value)
        return "{ " + ", ".join(f"{json.dumps(k) if '.' in k else k} = {_inline(v)}" for k, v in pairs.items()) + " }"
    if isinstance(value, Sequence) and not isinstance(value, str):
        items = cast("Sequence[Any]", value)
        return "[" + ", ".join(_inline(one) for one in items) + "]"
    return json.dumps(value, ensure_ascii=False)
