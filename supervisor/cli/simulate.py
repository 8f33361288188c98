"""`cvd simulate`: one run on the simulated plant at full speed, without a daemon."""

import argparse
import json
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from config.instruments import simulated
from config.loading import load_tool
from supervisor.cli.errors import UsageError
from supervisor.cli.recipe_files import add_recipe_arguments, open_recipe
from supervisor.controller.simulate import SimulationResult, simulate


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `cvd simulate`."""
    parser.add_argument("tool", type=Path, metavar="TOOL.toml")
    parser.add_argument("recipe", type=Path, metavar="RECIPE")
    add_recipe_arguments(parser)
    parser.add_argument("--json", action="store_true", help="print the whole result as JSON")
    parser.add_argument("--seed", type=int, help="of the plant's noise (default: the tool's)")
    parser.add_argument("--faults", type=Path, metavar="FILE.toml", help="what fails when: a list of [[fault]] tables")


def carry_out(arguments: argparse.Namespace) -> int:
    """Simulate; 0 only when the recipe ran to its end."""
    tool, (recipe, _) = simulated(load_tool(arguments.tool)), open_recipe(arguments.recipe, arguments)
    faults = _faults(arguments.faults) if arguments.faults else ()
    result = simulate(tool, recipe, seed=arguments.seed, faults=faults)
    if arguments.json:
        print(json.dumps(result.to_json(), ensure_ascii=False))
    else:
        _show(result)
    return 0 if result.completed else 1


def _faults(path: Path) -> Sequence[dict[str, Any]]:
    try:
        script = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UsageError(f"{path}: {error}") from error
    faults = script.get("fault")
    if not isinstance(faults, list) or set(script) != {"fault"}:
        raise UsageError(f"{path}: expected a list of [[fault]] tables and nothing else")
    return faults  # pyright: ignore[reportUnknownVariableType] - the plant checks each fault itself


def _show(result: SimulationResult) -> None:
    console = Console(highlight=False)
    steps = Table(title=f"{result.recipe} on {result.tool}, simulated", title_justify="left")
    for heading, justify in (("step", "left"), ("planned s", "right"), ("took s", "right")):
        steps.add_column(heading, justify="right" if justify == "right" else "left")
    for step in result.steps:
        name = f"{step.operation}: {step.name}" if step.operation else step.name
        steps.add_row(name, f"{step.planned_s:,.0f}", f"{step.actual_s:,.1f}", style="dim" if step.operation else "")
    console.print(steps)
    console.print(f"{result.state}: {result.cause}, after {result.duration_s:,.0f} s of process")
    for warning in result.warnings:
        console.print(f"warning: {warning}", markup=False)
    for alarm in result.alarms:
        if alarm.cls in {"trip", "hold"}:
            console.print(f"{alarm.cls} at {alarm.at_s:,.1f} s in {alarm.step}: {alarm.description}", markup=False)
    film = result.metrology
    if film.get("thickness_mean_nm"):
        console.print(
            f"film: {film['film_material']} {film['thickness_mean_nm']:.2f} nm, "
            f"uniformity {film['thickness_uniformity_pct']:.2f} %, index {film['refractive_index']:.3f}"
        )
    masses = result.exhaust.mass_g
    used = ", ".join(
        f"{gas} {amount:,.0f} scc ({masses[gas]:.3g} g)" if gas in masses else f"{gas} {amount:,.0f} scc"
        for gas, amount in sorted(result.gas_use_scc.items())
    )
    console.print(f"gas: {used}")
    load = result.exhaust
    console.print(
        f"exhaust: at most {load.peak_slm:.3g} slm, {load.peak_hazardous_slm:.3g} slm of it hazardous; "
        f"{load.hazardous_l:.3g} L hazardous in all"
    )
    told = [alarm for alarm in result.alarms if alarm.cls not in {"trip", "hold"}]
    if told:
        console.print(f"alarms: {', '.join(dict.fromkeys(alarm.name for alarm in told))}")
    console.print(f"{result.scans:,} scans in {result.wall_s:.2f} s, {result.times_real_time:,.0f} × real time")
