"""A recipe with parameters is judged where its values may go, before somebody approves all of them at once."""

import json
from collections.abc import Iterator
from dataclasses import replace

from config.faults import ConfigError, Fault
from config.preflight import preflight
from config.recipe import Recipe, RecipeDocument, is_open, load_recipe
from config.tool import Tool


def corner_faults(recipe: Recipe, document: RecipeDocument, tool: Tool) -> Iterator[Fault]:
    """Yield what speaks against each parameter at its lowest and highest value, the others at their defaults.

    Values between are judged when a run chooses them; a fault is told once for each path.

    Args:
        recipe: with the defaults, itself without a fault.
        document: the same with its parameters open.
        tool: on what.
    """
    if not is_open(json.loads(document)):
        return  # its values are chosen
    told = set[str]()
    for name, parameter in recipe.parameters.items():
        for value in parameter.corners:
            if value == parameter.value:
                continue
            try:
                faults = preflight(load_recipe(document, values={name: value}), tool).faults
            except ConfigError as error:
                faults = error.faults
            for fault in faults:
                if fault.path not in told:
                    told.add(fault.path)
                    shown = str(value).lower() if isinstance(value, bool) else f"{value:g} {parameter.unit}"
                    yield replace(fault, reason=f"with {name} = {shown.removesuffix(' 1')}: {fault.reason}")
