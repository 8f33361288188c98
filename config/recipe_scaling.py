"""From the thickness that is wanted to the time (or the passes) that it takes: by the last runs, or by the model.

A parameter with `scale` is chosen so when nobody gives it a value, inside of the limits that were approved. What was
chosen and why is written into the recipe that runs.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from config.faults import ConfigError, Fault, join
from config.recipe import Recipe
from config.recipe_parameters import Chosen, Parameter, Values

CLOSE = 0.005
"""A predicted thickness this near to the wanted one is near enough: a reflectometer's own uncertainty (usual value)."""
MOST_RUNS = 5
"""Of the model, for one parameter."""


@dataclass(frozen=True)
class Past:
    """A run that was measured."""

    number: str
    value: float
    """Of the parameter."""
    thickness_nm: float


def to_choose(recipe: Recipe, given: Values) -> dict[str, Parameter]:
    """Parameters that follow from the thickness, and that nobody has given."""
    return {name: one for name, one in recipe.parameters.items() if one.scale is not None and name not in given}


def by_last_runs(name: str, parameter: Parameter, wanted_nm: float, past: Sequence[Past]) -> Chosen:
    """Choose by the mean growth of the last runs; by the default where none was measured.

    Raises:
        ConfigError: it would be beyond the parameter's limits.
    """
    known = [run for run in past if run.thickness_nm > 0 and run.value > 0]
    if not known:
        return Chosen(parameter.default, "the default: no run of this recipe has been measured yet")
    per_nm = sum(run.value / run.thickness_nm for run in known) / len(known)
    unit = "" if parameter.unit == "1" else f" {parameter.unit}"
    words = f"{wanted_nm:g} nm at {per_nm:.4g}{unit}/nm, mean of {', '.join(run.number for run in known)}"
    return _chosen(name, parameter, per_nm * wanted_nm, words)


def by_model(name: str, parameter: Parameter, wanted_nm: float, thickness: Callable[[float], float]) -> Chosen:
    """Choose by the model: the value at which it predicts the wanted thickness.

    Args:
        name: of the parameter.
        parameter: its limits and its default, from where the search begins.
        wanted_nm: the thickness.
        thickness: predicted thickness in nm at a value; a whole simulated run.

    Raises:
        ConfigError: no value within the limits gives it.
    """
    value, tried = float(parameter.default), list[tuple[float, float]]()
    for _ in range(MOST_RUNS):
        found = thickness(value)
        tried.append((value, found))
        if found <= 0:
            raise ConfigError([Fault("recipe", join("values", name), f"the model grows nothing at {value:g}")])
        if abs(found - wanted_nm) <= CLOSE * wanted_nm:
            break
        following = value * wanted_nm / found
        if len(tried) > 1:
            (x0, y0), (x1, y1) = tried[-2:]
            following = x1 + (wanted_nm - y1) * (x1 - x0) / (y1 - y0) if y1 != y0 else following
        following = _whole(parameter, following)
        if following == value:
            break
        _chosen(name, parameter, following, "the model")
        value = following
    value, found = min(tried, key=lambda one: abs(one[1] - wanted_nm))
    return _chosen(name, parameter, value, f"the model predicts {found:.4g} nm for {wanted_nm:g} nm")


def _whole(parameter: Parameter, value: float) -> float:
    return float(round(value)) if parameter.type == "integer" else value


def _chosen(name: str, parameter: Parameter, value: float, basis: str) -> Chosen:
    value = _whole(parameter, value)
    if reason := parameter.refusal(value):
        raise ConfigError([Fault("recipe", join("values", name), f"{reason} ({basis})")])
    return Chosen(value, basis)
