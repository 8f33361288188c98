"""`cvd tune`: gains of a loop from a relay or step test, as a proposal that an engineer approves."""

import argparse
import json
from pathlib import Path

import numpy as np

from config.layout import Layout
from config.loading import load_tool
from config.regulation.tuning import Column, Proposal, TuningError, relay_gains, step_gains
from config.tool import Loop, Tool
from kernels.tables import LoopMode
from supervisor.cli.errors import UsageError
from supervisor.cli.identify import read_record
from supervisor.controller.simulate import simulate_operation

RULES = {
    "relay": "Tyreus and Luyben (1992) from a relay test (Åström and Hägglund 1984)",
    "step": "SIMC (Skogestad 2003) from a step test",
}


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
    time_s, columns = _simulated(tool, loop, arguments) if arguments.sim else read_record(arguments.record)
    try:
        pv, out, time = _test(loop, time_s, columns)
        if arguments.method == "relay":
            kp, ti_s, found = relay_gains(time, pv, out)
        else:
            kp, ti_s, found = step_gains(time, pv, out, closed_loop_s=arguments.closed_loop)
    except TuningError as error:
        raise UsageError(str(error)) from error
    proposal = Proposal(
        loop.name,
        arguments.method,
        RULES[arguments.method],
        float(f"{kp:.3g}"),
        float(f"{ti_s:.3g}"),
        {name: float(f"{value:.4g}") for name, value in found.items()},
        {"kp": loop.kp, "ti_s": loop.ti_s, "td_s": loop.td_s},
    )
    print(json.dumps(proposal.to_json(), indent=2, ensure_ascii=False))
    return 0


def _test(loop: Loop, time_s: list[float], columns: dict[str, Column]) -> tuple[Column, Column, Column]:
    """Cut the stretch in which the loop was in manual, with the last moments before it."""
    if missing := [name for name in (loop.pv, loop.out, loop.mode) if name not in columns]:
        raise TuningError(f"the record has no column {', '.join(missing)}")
    manual = np.flatnonzero(columns[loop.mode] == LoopMode.MANUAL)
    if not manual.size:
        raise TuningError(f"the record has no stretch in which loop {loop.name} was in manual")
    part = slice(int(manual[0]) + 1, int(manual[-1]) + 1)
    return columns[loop.pv][part], columns[loop.out][part], np.array(time_s)[part]


def _simulated(tool: Tool, loop: Loop, arguments: argparse.Namespace) -> tuple[list[float], dict[str, Column]]:
    index = Layout(tool).index
    names = [loop.pv, loop.out, loop.mode]
    places = [index[name] for name in names]
    time_s, rows = list[float](), list[Column]()

    def watch(seconds: float, values: Column) -> None:
        time_s.append(seconds)
        rows.append(values[places])

    ended = simulate_operation(tool, arguments.sim, seed=arguments.seed, watch=watch)
    if ended != "COMPLETE":
        raise UsageError(f"{arguments.sim} did not end well on the simulated plant: {ended}")
    return time_s, dict(zip(names, np.array(rows).T, strict=True))
