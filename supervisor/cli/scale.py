"""`cvd scale`: the value of each parameter that follows from the thickness, by the model of the tool's plant."""

import argparse
import json
from pathlib import Path
from typing import Any, cast

from config.instruments import simulated
from config.loading import load_tool
from config.recipe import load_recipe
from config.recipe_parameters import Chosen, Value
from config.recipe_scaling import by_model, to_choose
from supervisor.cli.errors import UsageError
from supervisor.cli.recipe_files import add_recipe_arguments, open_recipe, read_values
from supervisor.controller.simulate import simulate


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `cvd scale`."""
    parser.add_argument("tool", type=Path, metavar="TOOL.toml")
    parser.add_argument("recipe", type=Path, metavar="RECIPE")
    parser.add_argument("--json", action="store_true", help="print values and their basis as JSON")
    add_recipe_arguments(parser)


def carry_out(arguments: argparse.Namespace) -> int:
    """Choose; one parameter after the other, those before it as chosen."""
    tool = simulated(load_tool(arguments.tool))
    recipe, document = open_recipe(arguments.recipe, arguments)
    values: dict[str, Value | Chosen] = dict(read_values(cast("list[Any]", arguments.set)))
    wanted_nm, chosen = recipe.thickness_target_nm, dict[str, Chosen]()

    def thickness(name: str, value: float) -> float:
        result = simulate(tool, load_recipe(document, values=values | {name: value}))
        if not result.completed:
            raise UsageError(f"the simulated run with {name} = {value:g} ends {result.state}: {result.cause}")
        return float(result.metrology.get("thickness_mean_nm") or 0.0)

    for name, parameter in to_choose(recipe, read_values(cast("list[Any]", arguments.set))).items():
        chosen[name] = values[name] = by_model(
            name, parameter, wanted_nm, lambda value, name=name: thickness(name, value)
        )
    if arguments.json:
        print(json.dumps({name: {"value": one.value, "basis": one.basis} for name, one in chosen.items()}))
        return 0
    for name, one in chosen.items():
        print(f"{name} = {one.value:g} {recipe.parameters[name].unit}: {one.basis}")
    if not chosen:
        print("no parameter of this recipe follows from its thickness (or all are given)")
    return 0
