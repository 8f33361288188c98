"""Preflight, fifth part: windows — of the process mode, and of vapours, which condense beyond their saturation.

Only steps in which gas flows are judged: a mode says where a film grows, not how hot a clean or a standby may be.
"""

from collections.abc import Iterator
from typing import Any, cast

from config.plan.words import Words
from config.process_mode import ProcessMode
from config.recipe_model import RecipeStep
from kernels.sources import VAPOUR, vapour_pressure
from kernels.vacuum import PA_PER_TORR

LINE_K = 293.15
"""A line that nobody heats is as cold as the room, 20 °C (engineering default)."""
Finding = tuple[str, str]


def saturation_torr(species: str, temperature_k: float) -> float | None:
    """Saturation pressure of a precursor; None for what is a gas or has no data here."""
    return vapour_pressure(species, temperature_k) / PA_PER_TORR if species in VAPOUR else None


def window_faults(words: Words, mode: ProcessMode | None) -> Iterator[Finding]:
    """Yield path and reason of every step of a recipe's own that leaves a window."""
    warm: float | None = None
    recipe = words.recipe
    for path, step, _ in recipe.leaves():
        warm = step.temperature_c if step.temperature_c is not None else warm
        if not step.flows_active:
            continue
        torr = step.target_pressure_torr or recipe.pressure_setpoints.process_pressure_torr
        if mode is not None:
            yield from _outside(words, mode, step, path, warm, torr)
        yield from _condensing(words, step, path, torr)


def _outside(
    words: Words, mode: ProcessMode, step: RecipeStep, path: str, warm: float | None, torr: float
) -> Iterator[Finding]:
    if (window := _range(mode, "temperature_range_c")) is not None:
        low, high = window
        field = "temp_c" if step.temp_c is not None else "target_temp_c"
        where = f"{path}.{field}" if step.temperature_c is not None else path
        for target in sorted({target for _, target, _ in words.zone_targets(warm)}):
            if not low <= target <= high:
                yield where, f"{target:g} °C is outside of the window of {mode.name!r}, {low:g} … {high:g} °C"
    if (window := _range(mode, "pressure_range_torr")) is not None:
        low, high = window
        where = f"{path}.target_pressure_torr" if step.target_pressure_torr is not None else path
        if not low <= torr <= high:
            yield where, f"{torr:g} Torr is outside of the window of {mode.name!r}, {low:g} … {high:g} Torr"


def _range(mode: ProcessMode, name: str) -> tuple[float, float] | None:
    found: Any = mode.capabilities.get(name)
    if not isinstance(found, list | tuple):
        return None
    values = cast("list[Any]", found)
    if len(values) != 2 or not all(isinstance(value, int | float) for value in values):
        return None
    return float(values[0]), float(values[1])


def _carried(words: Words, gas: str) -> bool:
    """Whether its flow is a carrier's: the tool says so, or has a bubbler with a part that is named after the gas."""
    if any(feed.name == gas and feed.kind != "gas" for feed in words.tool.gases):
        return True
    part = f"{gas.lower()}."
    return any(
        module.kind.value == "bubblers" and any(tag.name.startswith(part) for tag in module.tags)
        for module in words.tool.modules
    )


def _condensing(words: Words, step: RecipeStep, path: str, torr: float) -> Iterator[Finding]:
    """A precursor whose share of the pressure is above its saturation in a cold line rains out before the chamber."""
    flows = {gas: step.gas_flow.get(gas, flow) for gas, flow in words.recipe.flows.items()}
    total = sum(flows.values())
    for gas, flow in flows.items():
        if flow <= 0 or gas not in words.gases or _carried(words, gas):
            continue  # a bubbler's flow is that of its carrier, which is saturated at the bath at most
        most = saturation_torr(gas, LINE_K)
        share = torr * flow / total
        if most is not None and share > most:
            where = f"{path}.{gas}_flow" if gas in step.gas_flow else path
            yield (
                where,
                (
                    f"{gas} would have {share:.3g} Torr of {torr:g} Torr, above its saturation of {most:.3g} Torr "
                    f"at {LINE_K - 273.15:g} °C: it condenses in the line; dilute it or lower the pressure"
                ),
            )
