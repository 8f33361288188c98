"""Preflight, third part: what meets in the chamber, at once or one after the other.

Rules hold per volume. Lines of different gases are separate on every tool of this model; the chamber and what follows
it are shared, and there only the process mode can except a pair, inside of its window.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from config.gas_rules import MOST_LFL_PCT, burning, lfl_fraction
from config.gas_safety import GasSafety
from config.gases import caution_together, never_together, pairs, species
from config.plan.words import Words
from config.process_mode import PairWindow, ProcessMode
from config.recipe_model import Recipe, RecipeStep, parts


@dataclass(frozen=True)
class Mixture:
    """What flows in a step."""

    path: str
    flows: dict[str, float]
    temperatures_c: tuple[float, ...]
    pressure_torr: float
    plasma: bool
    separated: frozenset[str]
    """Gases that come as pulses with a purge behind each."""
    mode: ProcessMode | None
    """Of a called recipe; None: that of the recipe itself."""


def hazard_level(recipe: Recipe) -> int:
    """Least hazard level that the recipe's gases ask for."""
    named = [name for _, one in recipe.called() for name in one.flows]
    return max((gas.level for name in named if (gas := species(name)) is not None), default=1)


def gas_warnings(words: Words) -> Iterator[tuple[str, str]]:
    """Yield path and reason of what is permitted with care, and of a hazard level that is too low."""
    recipe = words.recipe
    for prefix, one in recipe.called():
        for a, b in pairs(one.flows):
            if (reason := caution_together(a, b)) is not None:
                yield f"{prefix}gas_flows.gases", f"{a} with {b}: {reason}"
    asked = hazard_level(recipe)
    if recipe.safety_hazard_level < asked:
        yield "safety_hazard_level", f"is {recipe.safety_hazard_level}, but its gases ask for {asked}; {asked} is used"


def gas_faults(words: Words, mode: ProcessMode | None, modes: Mapping[str, ProcessMode]) -> Iterator[tuple[str, str]]:
    """Yield path and reason of every pair that must not meet."""
    before: dict[str, str] = {}
    main = mode
    for mixture in mixtures(words, modes):
        mode = mixture.mode or main
        if not mixture.flows:
            before = {}
            continue
        for a, b in pairs(mixture.flows):
            reason = never_together(a, b)
            if reason is not None:
                yield from _meeting(mixture, a, b, reason, mode, separated={a, b} <= mixture.separated)
        for gas in mixture.flows:
            for other, path in before.items():
                reason = never_together(gas, other)
                window = mode.window(gas, other) if mode else None
                if reason is not None and other not in mixture.flows and (window is None or window.separated):
                    yield mixture.path, f"{gas} follows {other} of {path} without a step between that purges: {reason}"
        before = dict.fromkeys(mixture.flows, mixture.path)


def dilution_faults(words: Words, modes: Mapping[str, ProcessMode]) -> Iterator[tuple[str, str]]:
    """Yield path and reason of every step whose gas would burn in the exhaust, with the least dilution that it has.

    By the rule of Le Chatelier (ISO 10156:2017, 4.6): flows over their limits add up.
    """
    rules = words.tool.gas_safety
    if not isinstance(rules, GasSafety):
        return
    burns = {gas.name for gas in burning(words.tool)}
    for mixture in mixtures(words, modes):
        flows = {gas: flow for gas, flow in mixture.flows.items() if gas in burns}
        if not flows:
            continue
        shares = sum(flow / lfl_fraction(gas) for gas, flow in flows.items())
        found_pct = 100.0 * shares / (sum(flows.values()) + 1000.0 * rules.least_dilution_slm)
        if found_pct > MOST_LFL_PCT:
            named = " and ".join(f"{flow:g} sccm of {gas}" for gas, flow in sorted(flows.items()))
            words_of_it = f"{named} are {found_pct:.0f} % of the lower limit of flammability in the exhaust"
            diluted = f"which is diluted with {rules.least_dilution_slm:g} slm at least"
            yield mixture.path, f"{words_of_it}, {diluted}; {MOST_LFL_PCT:g} % are permitted"


def _separated(recipe: Recipe) -> frozenset[str]:
    scheme = recipe.pulsing_scheme
    if scheme is None or any(pulse.purge_s <= 0 for pulse in scheme.pulses):
        return frozenset()
    return frozenset(pulse.gas for pulse in scheme.pulses)


def mixtures(words: Words, modes: Mapping[str, ProcessMode]) -> Iterator[Mixture]:
    """Yield what flows in each step, in order, a cycle's twice."""
    main = words.recipe
    here_c: float | None = None
    for path, step, inner in _passes("recipe_steps", words.recipe.recipe_steps, words):
        recipe = inner.recipe
        here_c = step.temperature_c if step.temperature_c is not None else here_c
        watts = inner.plasma_power_w(step)
        flows = {gas: step.gas_flow.get(gas, flow) for gas, flow in recipe.flows.items()} if step.flows_active else {}
        if watts and not flows and words.binding.plasma is not None:
            flows = words.binding.plasma.gas
        yield Mixture(
            path=path,
            flows={gas: flow for gas, flow in flows.items() if flow > 0},
            temperatures_c=tuple(target for _, target, _ in inner.zone_targets(here_c)),
            pressure_torr=step.target_pressure_torr or recipe.pressure_setpoints.process_pressure_torr,
            plasma=watts > 0,
            separated=_separated(recipe),
            mode=modes.get(recipe.process_mode or "") if recipe is not main else None,
        )


def _passes(path: str, steps: tuple[RecipeStep, ...], words: Words) -> Iterator[tuple[str, RecipeStep, Words]]:
    """Yield the leaves in order, a cycle's twice: what ends one pass meets what begins the next.

    Of a choice both ways come one after the other: each must be right behind what was before, and before what follows.
    """
    for index, step in enumerate(steps):
        here = f"{path}[{index}]"
        if step.called is not None:
            yield from _passes(f"{here}.called.recipe_steps", step.called.recipe_steps, words.of(step.called))
            continue
        for _ in range(min(step.passes, 2)):
            for inside, inner in parts(step, here):
                yield from _passes(inside, inner, words)
        if not step.is_group:
            yield here, step, words


def _meeting(
    mixture: Mixture, a: str, b: str, reason: str, mode: ProcessMode | None, *, separated: bool
) -> Iterator[tuple[str, str]]:
    """Judge a pair that must never meet, in the light of the mode."""
    window = mode.window(a, b) if mode is not None else None
    if mode is None or window is None:
        unless = f"process mode {mode.name!r} declares no window for them" if mode else "no process mode permits them"
        yield mixture.path, f"{a} and {b} must never meet ({reason}); {unless}"
        return
    if separated:
        return
    if window.separated:
        yield mixture.path, f"{a} and {b} may meet in {mode.name!r} only as separated pulses with a purge between"
        return
    for wrong in _outside(window, mixture):
        yield mixture.path, f"{a} and {b} are outside of their window in {mode.name!r}: {wrong}"


def _outside(window: PairWindow, mixture: Mixture) -> Iterator[str]:
    low, high = window.temperature_c
    for temperature_c in sorted(set(mixture.temperatures_c)):
        if not low <= temperature_c <= high:
            yield f"{temperature_c:g} °C is not within {low:g} … {high:g} °C"
    low, high = window.pressure_torr
    if not low <= mixture.pressure_torr <= high:
        yield f"{mixture.pressure_torr:g} Torr is not within {low:g} … {high:g} Torr"
    if window.plasma is not None and window.plasma != mixture.plasma:
        yield f"the plasma must be {'on' if window.plasma else 'off'}"
    first, second = window.gases
    ratio = mixture.flows[second] / mixture.flows[first]
    low, high = window.ratio
    if not low <= ratio <= high:
        yield f"{second} over {first} is {ratio:g}, not within {low:g} … {high:g}"
