"""The rest of a recipe: what is left of it when it was interrupted in a step.

In comes a recipe and where it was; out comes a recipe of its own that does the rest, or the reason why there is none.
The tool's operations around a recipe (leak check, purge) belong to the rest too: it is planned like any other.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from config.faults import ConfigError, Fault
from config.recipe_model import Recipe, RecipeStep, leaves

LEAST_S = 1.0
"""Less than this is no rest of a step: the next one begins."""
_TOP = re.compile(r"recipe_steps\[(\d+)\](.*)")


@dataclass(frozen=True)
class Interruption:
    """Where a recipe was."""

    path: str | None
    """Step (`recipe_steps[2]`, inside of a cycle `recipe_steps[2].steps[0]`); none: an operation of the tool's."""
    begun: bool = True
    """Any step of the recipe had begun."""
    elapsed_s: float = 0.0
    """Time in the step."""
    gas_scc: Mapping[str, float] = field(default_factory=dict[str, float])
    """Gas that the step had used, in standard cm³."""
    passes: int = 0
    """Whole passes of the cycle that were done."""

    def spent_s(self, recipe: Recipe, step: RecipeStep) -> float:
        """Effective time in the step: where gases flow, as long as the scarcest would flow as the recipe says."""
        if not step.flows_active:
            return self.elapsed_s
        flows = {gas: step.gas_flow.get(gas, flow) for gas, flow in recipe.flows.items()}
        return min((60.0 * self.gas_scc.get(gas, 0.0) / flow for gas, flow in flows.items() if flow > 0), default=0.0)


def continuation(recipe: Recipe, at: Interruption) -> Recipe:
    """Return the rest of a recipe.

    Raises:
        ConfigError: the recipe does not allow it there, or nothing is left.
    """
    if at.path is None:
        if at.begun:
            raise _refused("recipe_steps", "every step of the recipe was over: there is nothing to resume")
        return recipe
    match = _TOP.fullmatch(at.path)
    index = int(match[1]) if match else len(recipe.recipe_steps)
    if match is None or index >= len(recipe.recipe_steps):
        raise _refused(at.path, "the recipe has no such step")
    rest = [*_rest(recipe, recipe.recipe_steps[index], index, at), *recipe.recipe_steps[index + 1 :]]
    if not rest:
        raise _refused(at.path, "nothing is left of the recipe")
    return recipe.model_copy(update={"recipe_steps": (_heated(recipe, rest[0], index), *rest[1:])})


def _rest(recipe: Recipe, step: RecipeStep, index: int, at: Interruption) -> list[RecipeStep]:
    """What is left of the step that was interrupted."""
    where = f"recipe_steps[{index}].resume"
    if step.resume == "no":
        raise _refused(where, f"the recipe does not allow to resume in the step {step.name!r}")
    if step.steps:
        if at.path is not None and at.path.count(".steps[") > 1:
            raise _refused(where, f"it was inside of a cycle within {step.name!r}: which pass is not told apart")
        left = step.repeat - at.passes
        return [step.model_copy(update={"repeat": left})] if left > 0 else []
    if step.resume == "repeat":
        return [step]
    pulsed = {pulse.gas for pulse in recipe.pulsing_scheme.pulses} if recipe.pulsing_scheme else set[str]()
    if step.flows_active and pulsed & set(recipe.flows):
        raise _refused(where, f"pulses of {step.name!r} cannot be continued, only repeated")
    if step.plasma_power_w or (step.flows_active and recipe.plasma_settings is not None):
        raise _refused(where, f"the plasma of {step.name!r} cannot be continued, only the step be repeated")
    left_s = (step.duration_s or 0.0) - at.spent_s(recipe, step)
    if step.duration_s is None or step.until is not None:
        return [step]
    return [step.model_copy(update={"duration_s": left_s})] if left_s >= LEAST_S else []


def _heated(recipe: Recipe, first: RecipeStep, index: int) -> RecipeStep:
    """The first step at the temperature that an earlier one had asked for, where it names none itself."""
    if first.is_group or first.temperature_c is not None:
        return first
    before = [
        step.temperature_c
        for path, step, _ in leaves("recipe_steps", recipe.recipe_steps[:index])
        if step.temperature_c is not None and ".parallel" not in path
    ]
    if not before or not first.flows_active:
        return first
    return first.model_copy(update={"target_temp_c": before[-1]})


def _refused(path: str, reason: str) -> ConfigError:
    return ConfigError([Fault("recipe", path, reason)])
