"""`cvd kinetics tabulate`: a Cantera mechanism as a table that the simulated plant interpolates."""

import argparse
import sys
from pathlib import Path

from config.kinetics import Grid, KineticsError, Plan, parse_grid, tabulate
from supervisor.cli.errors import UsageError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `cvd kinetics`."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    made = actions.add_parser("tabulate", help="work a mechanism out over temperature, pressure and composition")
    made.add_argument("mechanism", metavar="MECH.yaml", help="a file, or one that Cantera ships (diamond.yaml)")
    made.add_argument("--output", type=Path, required=True, metavar="TABLE.npz", help="where the table goes")
    made.add_argument("--surface", help="the surface phase whose rates are wanted; without one, gas after a residence")
    made.add_argument("--phase", help="the gas phase of a file that holds several")
    made.add_argument("--temperature", required=True, metavar="K", help="LOW:HIGH:COUNT or one number")
    made.add_argument("--pressure", required=True, metavar="PA", help="LOW:HIGH:COUNT or one number")
    made.add_argument("--fraction", action="append", default=[], metavar="GAS=LOW:HIGH:COUNT", help="one more axis")
    made.add_argument(
        "--base", metavar="GAS:SHARE,…", help="the other gases; by default those of the mechanism's state"
    )
    made.add_argument("--residence", type=float, metavar="S", help="time at constant temperature and pressure")
    made.add_argument("--tolerance", type=float, default=0.01, help="largest relative error that is kept (%(default)s)")
    made.add_argument("--held-out", type=int, default=100, metavar="N", help="points of the error (%(default)s)")
    made.add_argument("--seed", type=int, default=1, help="of the held-out points (%(default)s)")


def carry_out(arguments: argparse.Namespace) -> int:
    """Make the table and say how far it can be trusted."""
    try:
        plan = Plan(
            mechanism=arguments.mechanism,
            temperature=parse_grid(arguments.temperature),
            pressure=parse_grid(arguments.pressure),
            fractions=_fractions(arguments.fraction),
            base=_base(arguments.base),
            surface=arguments.surface,
            phase=arguments.phase,
            residence_s=arguments.residence,
            tolerance=arguments.tolerance,
            held_out=arguments.held_out,
            seed=arguments.seed,
        )
        table = tabulate(plan, lambda line: print(line, file=sys.stderr))
    except KineticsError as error:
        raise UsageError(str(error)) from None
    table.save(arguments.output)
    for axis in table.axes:
        print(f"{axis.name}: {axis.values[0]:g} … {axis.values[-1]:g}, {len(axis.values)} points, {axis.scale}")
    for name, error in table.about["error"].items():
        print(f"{name}: error at most {error:.1e} at {plan.held_out} held-out points")
    print(f"{arguments.output}: written")
    return 0


def _fractions(texts: list[str]) -> dict[str, Grid]:
    found = dict[str, Grid]()
    for text in texts:
        name, equals, grid = text.partition("=")
        if not name or not equals or name in found:
            raise UsageError(f"--fraction {text}: GAS=LOW:HIGH:COUNT, each gas once")
        found[name] = parse_grid(grid)
    return found


def _base(text: str | None) -> dict[str, float]:
    found = dict[str, float]()
    for part in text.split(",") if text else []:
        name, _, share = part.partition(":")
        try:
            found[name.strip()] = float(share)
        except ValueError:
            raise UsageError(f"--base {text}: GAS:SHARE,GAS:SHARE, as in H2:0.99,CH4:0.01") from None
    return found
