"""Preflight, fourth part: what a recipe measures — end conditions, choices, limits, end points, pulses in whole scans.

Conditions are read with the tool's tags and units. A limit may only tighten what the tool itself watches; a cycle or a
pulse that is shorter than the scan would be another one than was written.
"""

from collections.abc import Iterator

from config.expression import ExpressionError, Node, Typed, read_boolean
from config.expression.tree import Comparison, Logical, Name, Number
from config.faults import ConfigError
from config.layout import Layout
from config.plan.words import Words
from config.recipe_model import Limit, RecipeStep, parts
from config.tool import InterlockClass

BELOW, ABOVE = frozenset({"<", "<="}), frozenset({">", ">="})
WHOLE_SCANS = 0.05
"""A pulse may differ by this from what was written, since it lasts whole scans (engineering default)."""
Finding = tuple[str, str]


def condition_faults(words: Words) -> Iterator[Finding]:
    """Yield path and reason of every condition that the tool cannot judge, and of what no scan can do."""
    scope = Layout(words.tool).scope
    tripped = list(_tripped(words))
    for path, step in _every(words):
        asked = [("until", step.until), ("repeat_until", step.repeat_until), ("when", step.when)]
        asked += [(f"limits[{number}].that", limit.that) for number, limit in enumerate(step.limits)]
        for field, text in asked:
            if text is None:
                continue
            try:
                typed = read_boolean(text, scope)
            except ExpressionError as error:
                yield f"{path}.{field}", str(error)
                continue
            if field.startswith("limits"):
                yield from ((f"{path}.{field}", reason) for reason in _looser(typed, tripped, words))
        if step.end_point is not None:
            try:
                words.end_point(step, path)
            except ConfigError as error:
                yield error.faults[0].path, error.faults[0].reason
    for prefix, inner in words.recipes():
        for path, reason in _pulses(inner):
            yield prefix + path, reason


def _every(words: Words) -> Iterator[tuple[str, RecipeStep]]:
    """Every step and group, called recipes included."""

    def inside(path: str, steps: tuple[RecipeStep, ...]) -> Iterator[tuple[str, RecipeStep]]:
        for index, step in enumerate(steps):
            here = f"{path}[{index}]"
            yield here, step
            for inner, members in parts(step, here):
                yield from inside(inner, members)

    for prefix, inner in words.recipes():
        yield from inside(f"{prefix}recipe_steps", inner.recipe.recipe_steps)


# ------------------------------------------------------------------------------------------------------- limits
def _looser(typed: Typed, tripped: list[tuple[str, str, float, str]], words: Words) -> Iterator[str]:
    """What a limit permits and the tool does not: such a limit only looks like one."""
    for tag, op, bound in _comparisons(typed.node):
        declared = words.declared.get(tag)
        unit = "" if declared is None else declared.unit
        for other, sense, at, interlock in tripped:
            if other != tag:
                continue
            if op in BELOW and sense in ABOVE and bound > at:
                yield (
                    f"permits {tag} up to {bound:g} {unit}, but {interlock} trips above {at:g} {unit}: "
                    "a recipe tightens, it never loosens"
                )
            if op in ABOVE and sense in BELOW and bound < at:
                yield (
                    f"permits {tag} down to {bound:g} {unit}, but {interlock} trips below {at:g} {unit}: "
                    "a recipe tightens, it never loosens"
                )


def _tripped(words: Words) -> Iterator[tuple[str, str, float, str]]:
    """Tag, comparison, bound and name of every interlock that compares a tag with a number."""
    scope = Layout(words.tool).scope
    for interlock in words.tool.interlocks:
        if interlock.cls is InterlockClass.PERMISSIVE:
            continue
        try:
            typed = read_boolean(interlock.when, scope)
        except (ExpressionError, TypeError, AttributeError):
            continue  # not one plain condition
        for tag, op, bound in _comparisons(typed.node, joined="or"):
            yield tag, op, bound, interlock.name


def _comparisons(node: Node, joined: str = "and") -> Iterator[tuple[str, str, float]]:
    """Comparisons of a tag with a number that count by themselves: alone, or in a chain of `and` (of `or`)."""
    match node:
        case Logical(op, operands) if op == joined:
            for operand in operands:
                yield from _comparisons(operand, joined)
        case Comparison(op, Name(tag), Number(value)):
            yield tag, op, value
        case Comparison(op, Number(value), Name(tag)):
            yield tag, {"<": ">", "<=": ">=", ">": "<", ">=": "<="}.get(op, op), value
        case _:
            return


def limit_words(limit: Limit) -> str:
    """Say a limit for people."""
    return limit.reason or f"not {limit.that}"


# ------------------------------------------------------------------------------------------------------- pulses
def _pulses(words: Words) -> Iterator[Finding]:
    """Pulses and purges last whole scans: one shorter than a scan would not happen, one near it would be another."""
    scheme = words.recipe.pulsing_scheme
    period_s = words.tool.scan.period_ms / 1000.0
    for number, pulse in enumerate(scheme.pulses if scheme else ()):
        for field, seconds in (("pulse_s", pulse.pulse_s), ("purge_s", pulse.purge_s)):
            path = f"pulsing_scheme.pulses[{number}].{field}"
            if 0 < seconds < period_s:
                yield path, f"{seconds:g} s is shorter than a scan of {words.tool.name} ({period_s:g} s)"
            elif seconds > 0 and abs(round(seconds / period_s) * period_s - seconds) > WHOLE_SCANS * seconds:
                yield path, f"{seconds:g} s is not a whole number of scans of {period_s:g} s, give or take 5 %"
