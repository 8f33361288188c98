"""Preflight: can this tool run this recipe, what will it take, and what speaks against it; every fault at once.

The checks are in parts: what the tool is (mode, modules, interlocks; here), what the words ask for (ranges, ramps;
`config.preflight_words`), what is measured (`config.preflight_conditions`), what the mode and the vapours permit
(`config.preflight_window`), what the gases can make (`config.chemistry`) and what meets in the chamber
(`config.preflight_gas`). A recipe without a fault here has a plan.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from config.chemistry import chemistry_faults
from config.faults import ConfigError, Fault, suggestion
from config.gases import is_hazardous
from config.plan import Plan, gas_use, plan_recipe
from config.plan.words import Words
from config.preflight_conditions import condition_faults
from config.preflight_gas import dilution_faults, gas_faults, gas_warnings, hazard_level
from config.preflight_matrix import matrix_faults
from config.preflight_window import window_faults
from config.preflight_words import word_faults, word_warnings
from config.process_mode import ETCHANTS, ProcessMode, has_module, selective, shipped_modes, why_unsupported
from config.recipe_model import Recipe
from config.tool import InterlockClass, ModuleKind, Tool

Finding = tuple[str, str]
"""Path and reason."""


@dataclass(frozen=True)
class Preflight:
    """What was found. `faults` refuse the run; `warnings` are told."""

    faults: tuple[Fault, ...]
    warnings: tuple[Fault, ...]
    planned_s: float
    """Expected length, the tool's own operations included; 0 when there are faults."""
    gas_use: dict[str, float] = field(default_factory=dict[str, float])
    """Standard litres of each gas."""
    hazard_level: int = 1
    process_mode: str | None = None
    plan: Plan | None = field(default=None, repr=False)

    @property
    def ok(self) -> bool:
        """Whether the recipe may run on the tool."""
        return not self.faults


def preflight(
    recipe: Recipe, tool: Tool, *, modes: Mapping[str, ProcessMode] | None = None, file: str = "recipe"
) -> Preflight:
    """Check a recipe against a tool.

    Args:
        recipe: what is to run.
        tool: on what.
        modes: process modes by name; the shipped ones unless given.
        file: what faults call the recipe.
    """
    known = shipped_modes() if modes is None else modes
    faults, warnings = list[Finding](), list[Finding]()
    mode = _mode(recipe, tool, known, faults, warnings)
    words = Words(recipe, tool)
    for prefix, one in recipe.called():
        named = known.get(one.process_mode or "", mode)
        found = [*_tool_faults(one, tool, named), *window_faults(words.of(one), named)]
        faults += [(prefix + path, reason) for path, reason in found]
    faults += chemistry_faults(recipe, mode)
    faults += word_faults(words)
    faults += condition_faults(words)
    faults += gas_faults(words, mode, known)
    faults += dilution_faults(words, known)
    faults += matrix_faults(words, known)
    warnings += [*word_warnings(words), *gas_warnings(words)]
    result = Preflight(
        faults=tuple(Fault(file, path, reason) for path, reason in dict.fromkeys(faults)),
        warnings=tuple(Fault(file, path, reason) for path, reason in dict.fromkeys(warnings)),
        planned_s=0.0,
        hazard_level=max(recipe.safety_hazard_level, hazard_level(recipe)),
        process_mode=mode.name if mode else recipe.process_mode,
    )
    if result.faults:
        return result
    try:
        plan = plan_recipe(recipe, tool)
    except ConfigError as error:
        return replace(result, faults=tuple(replace(fault, file=file) for fault in error.faults))
    return replace(result, planned_s=plan.planned_s, gas_use=gas_use(plan, tool), plan=plan)


def _mode(
    recipe: Recipe,
    tool: Tool,
    modes: Mapping[str, ProcessMode],
    faults: list[Finding],
    warnings: list[Finding],
) -> ProcessMode | None:
    """Find the recipe's process mode; where it names none, the tool's only one for its film."""
    if recipe.process_mode is not None:
        mode = modes.get(recipe.process_mode)
        if mode is None:
            hint = suggestion(recipe.process_mode, modes) or f"; known: {', '.join(modes)}"
            faults.append(("process_mode", f"there is no process mode {recipe.process_mode!r}{hint}"))
        return mode
    fitting = [
        mode
        for name in tool.recipe.process_modes
        if (mode := modes.get(name)) is not None and recipe.film_target in mode.films
    ]
    if len(fitting) != 1:
        named = " or ".join(repr(mode.name) for mode in fitting)
        found = f"{tool.name} has {named} for {recipe.film_target}" if fitting else (
            f"{tool.name} is set up for no mode that makes {recipe.film_target} "
            f"(recipe.process_modes: {', '.join(map(repr, tool.recipe.process_modes)) or 'none'})"
        )  # fmt: skip
        faults.append(("process_mode", f"is not named, and {found}"))
        return None
    mode = fitting[0]
    warnings.append(
        ("process_mode", f"is not named; {mode.name!r} is {tool.name}'s only mode for {recipe.film_target}")
    )
    return mode


# What a recipe's settings need, and how a tool file names it.
_SETTINGS = {
    "plasma_settings": (("rf", "microwave", "remote_plasma"), "a plasma source"),
    "filament_settings": (("filament",), "a filament"),
    "laser_settings": (("laser", "uv_lamp"), "a laser or a lamp"),
}


def _tool_faults(recipe: Recipe, tool: Tool, mode: ProcessMode | None) -> Iterator[Finding]:
    """What the tool as such speaks against."""
    if mode is not None:
        for reason in why_unsupported(mode, tool):
            yield "process_mode", f"{tool.name} cannot run {mode.name!r}: {reason}"
        if selective(mode) and not any(gas.name in ETCHANTS for gas in recipe.gas_flows.gases):
            etchants = " or ".join(ETCHANTS)
            yield "gas_flows.gases", f"{mode.name!r} is selective: without {etchants} nuclei stay on the mask"
    for name, (kinds, what) in _SETTINGS.items():
        if getattr(recipe, name) is not None and not has_module(tool, *kinds):
            yield name, f"{tool.name} has no module of kind {' or '.join(kinds)}: it cannot use {what}"
    for path, step, _ in recipe.leaves():
        if step.plasma_power_w is not None and not has_module(tool, *_SETTINGS["plasma_settings"][0]):
            yield f"{path}.plasma_power_w", f"{tool.name} has no plasma source: no module can perform this step"
    if not has_module(tool, ModuleKind.GAS_PANEL):
        yield "gas_flows", f"{tool.name} has no gas panel"
    interlocks = {interlock.name: interlock for interlock in tool.interlocks}
    for index, name in enumerate(recipe.required_interlocks):
        if name not in interlocks:
            yield (
                f"required_interlocks[{index}]",
                f"{tool.name} has no interlock {name!r}{suggestion(name, interlocks)}",
            )
    operations = [operation.name for operation in tool.operations]
    for index, one in enumerate(recipe.requires):
        if one.operation not in operations:
            yield (
                f"requires[{index}].operation",
                f"{tool.name} has no operation {one.operation!r}{suggestion(one.operation, operations)}",
            )
    # A gas that burns or poisons must be shut by something that no recipe can talk out of it.
    shut_by_trip = {
        effect.output
        for interlock in tool.interlocks
        if interlock.cls is InterlockClass.TRIP
        for effect in interlock.effects
    }
    valves = {gas.name: gas.valve for gas in tool.gases}
    for index, gas in enumerate(recipe.gas_flows.gases):
        if is_hazardous(gas.name) and gas.name in valves and valves[gas.name] not in shut_by_trip:
            yield f"gas_flows.gases[{index}].name", f"no trip of {tool.name} shuts {valves[gas.name]}"
