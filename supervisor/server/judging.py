"""Judging a recipe document before anything is stored or started: its own faults, and what this tool cannot do."""

from dataclasses import dataclass
from typing import Any

from config.faults import ConfigError, Fault
from config.preflight import Preflight, preflight
from config.recipe import Recipe, load_recipe
from config.tool import Tool
from opcua_model.interface import Refused


@dataclass(frozen=True)
class Judgement:
    """What was found."""

    recipe: Recipe | None
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
        }


def judge(text: str, tool: Tool) -> Judgement:
    """Judge a document; some hundred milliseconds at worst: for a worker thread."""
    try:
        recipe = load_recipe(text)
    except ConfigError as error:
        return Judgement(None, error.faults, None)
    found = preflight(recipe, tool)
    return Judgement(recipe, found.faults, found)


def sound(text: str, tool: Tool) -> tuple[Recipe, dict[str, Any]]:
    """Return a recipe that the tool could run, and its report.

    Raises:
        Refused: with every fault.
    """
    found = judge(text, tool)
    if found.recipe is None or not found.ok:
        words = "\n".join(f"{fault.path}: {fault.reason}" if fault.path else fault.reason for fault in found.faults)
        raise Refused("BadInvalidArgument", words)
    return found.recipe, found.report()
