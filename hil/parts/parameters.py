"""Parameters of a simulated plant as a tool file changes them."""

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

T = TypeVar("T", bound="DataclassInstance")


class ParameterError(ValueError):
    """A parameter that the plant has not, or cannot have."""


def changed(defaults: T, changes: Mapping[str, float]) -> T:
    """Return a plant's defaults with a tool's changes; raises ParameterError, naming each unknown one."""
    known = {field.name for field in fields(defaults)}
    if unknown := sorted(set(changes) - known):
        raise ParameterError(f"plant.parameters: unknown {', '.join(unknown)}; there are {', '.join(sorted(known))}")
    return replace(defaults, **changes)
