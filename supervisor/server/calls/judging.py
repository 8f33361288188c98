"""Judging a recipe document before anything is stored or started: its own faults, and what this tool cannot do."""

from dataclasses import dataclass
from typing import Any

from config.faults import ConfigError, Fault
from config.preflight import Preflight, preflight
from config.recipe import Recipe, RecipeDocument, read_recipe
from config.recipe_calls import Library
from config.recipe_corners import corner_faults
from config.recipe_parameters import Values
from config.tool import Tool
from opcua_model.interface import Refused


@dataclass(frozen=True)
class Judgement:
    """What was found."""

    recipe: Recipe | None
    """With the values that were given, else the defaults."""
    document: RecipeDocument | None
    """As it is approved: whole, its parameters open."""
    faults: tuple[Fault, ...]
    found: Preflight | None

    @property
    def ok(self) -> bool:
        """Whether the tool could run it."""
        return not self.faults

    def report(self) -> dict[str, Any]:
        """Return the diagnostics as they are told."""
        told = [(fault, "error") for fault in self.faults]
        if self.found is not None:
            told += [(warning, "warning") for warning in self.found.warnings]
        return {
            "ok": self.ok,
            "diagnostics": [{"path": f.path, "reason": f.reason, "severity": severity} for f, severity in told],
            "planned_s": self.found.planned_s if self.found and self.ok else None,
            "gas_use_l": self.found.gas_use if self.found else {},
            "hazard_level": self.found.hazard_level if self.found else None,
            "process_mode": self.found.process_mode if self.found else None,
            "parameters": _shown(self.recipe),
        }


def _shown(recipe: Recipe | None) -> dict[str, Any]:
    parameters = {} if recipe is None else recipe.parameters
    return {name: parameter.model_dump(mode="json", exclude_none=True) for name, parameter in parameters.items()}


def judge(text: str, tool: Tool, library: Library | None = None, values: Values | None = None) -> Judgement:
    """Judge a document; some hundred milliseconds at worst: for a worker thread.

    Without values it is judged for approval: at its defaults, and wherever its parameters may go.
    """
    try:
        recipe, document = read_recipe(text, library=library, values=values)
    except ConfigError as error:
        return Judgement(None, None, error.faults, None)
    found = preflight(recipe, tool)
    faults = found.faults
    if not faults and values is None:
        faults = tuple(corner_faults(recipe, document, tool))
    return Judgement(recipe, document, faults, found)


def sound(
    text: str, tool: Tool, library: Library | None = None, values: Values | None = None
) -> tuple[Recipe, RecipeDocument, dict[str, Any]]:
    """Return a recipe that the tool could run, its document with parameters open, and its report.

    Raises:
        Refused: with every fault.
    """
    found = judge(text, tool, library, values)
    if found.recipe is None or found.document is None or not found.ok:
        words = "\n".join(f"{fault.path}: {fault.reason}" if fault.path else fault.reason for fault in found.faults)
        raise Refused("BadInvalidArgument", words)
    return found.recipe, found.document, found.report()
