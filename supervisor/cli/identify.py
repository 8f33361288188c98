"""`cvd identify`: the model of a group of loops from a step test, as lines for the tool file."""

import argparse
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from config.loading import load_tool
from config.regulation.identify import identify
from config.regulation.model import LinearModel
from config.regulation.record import RecordError, record_of, tags_of
from supervisor.cli.errors import UsageError
from supervisor.cli.records import read_record, simulated


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `cvd identify`."""
    parser.add_argument("tool", type=Path, metavar="TOOL.toml")
    parser.add_argument("--group", required=True, help="the group of loops, as the tool file names it")
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--record", type=Path, metavar="RUN.csv", help="a step test, as `cvd export` writes it")
    source.add_argument("--sim", action="store_true", help="carry the test out on the simulated plant")
    parser.add_argument("--seed", type=int, help="of the simulated plant (default: the tool's)")
    parser.add_argument("--sample", type=float, default=4.0, metavar="S", help="period of the model (%(default)s s)")
    parser.add_argument("--order", type=int, default=1, help="samples of the past that it looks at (%(default)s)")


def carry_out(arguments: argparse.Namespace) -> int:
    """Print the model; it acts only once an engineer has put it into the tool file."""
    tool = load_tool(arguments.tool)
    group = next((one for one in tool.groups if one.name == arguments.group), None)
    if group is None:
        known = ", ".join(one.name for one in tool.groups) or "none"
        raise UsageError(f"{arguments.tool}: there is no group {arguments.group!r}; there are: {known}")
    if not arguments.sample > 0 or not 1 <= arguments.order <= 4:
        raise UsageError("--sample is above 0, --order 1 … 4")
    try:
        if arguments.sim:
            if group.test is None:
                raise UsageError(f"group {group.name} names no test: an operation that moves its outputs")
            names = [name for part in tags_of(tool, group) for name in part]
            time_s, columns = simulated(tool, group.test, names, arguments.seed)
            seed = arguments.seed if arguments.seed is not None or tool.plant is None else tool.plant.seed
            test = f"{group.test} on the simulated plant, seed {seed}"
        else:
            time_s, columns = read_record(arguments.record)
            test = f"{group.test}, {arguments.record.name}"
        record = record_of(tool, group, time_s, columns, arguments.sample)
        name = f"{tool.name}, {tool.identification.serial_number}"
        model = identify(record, tool=name, test=test, on=datetime.now(UTC).date(), order=arguments.order)
    except RecordError as error:
        raise UsageError(str(error)) from error
    print("\n".join(written(model)))
    return 0


def written(model: LinearModel) -> Iterator[str]:
    """Write a model as the lines of a tool file, below its [[groups]]."""
    about = model.provenance
    yield "[groups.model]"
    yield f"sample_s = {model.sample_s:g}"
    yield f"measured = {list(model.measured)}"
    yield f"outputs = {list(model.outputs)}"
    for name, rows in (("a", model.a), ("b", model.b)):
        yield f"{name} = ["
        yield from (f"  {list(row)}," for row in rows)
        yield "]"
    yield (
        f'provenance = {{ identified = "{about.identified}", tool = "{about.tool}", test = "{about.test}", '
        f"samples = {about.samples}, one_step = {about.one_step}, simulated = {about.simulated} }}"
    )
