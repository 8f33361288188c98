"""What differs between two recipes, in words and numbers: for whoever approves the second one.

Two documents go in. Out come changes by path, steps matched by name rather than by place, so that an inserted step is
one change; and the numbers that follow: length, gas, passes.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any, cast

from config.faults import join
from config.preflight import preflight
from config.recipe import Recipe
from config.recipe_parameters import FLOW, NUMBERS
from config.tool import Tool

LISTS_BY_NAME = {
    "recipe_steps": "name", "steps": "name", "then": "name", "otherwise": "name", "gases": "name", "zones": "zone",
    "pulses": "gas",
}  # fmt: skip
"""Lists whose entries are known by one of their words."""
ABSENT = object()
CONSEQUENCE = "consequence"
"""Kind of what nobody has written, but follows."""


@dataclass(frozen=True)
class Change:
    """One thing that differs."""

    path: str
    """In the second recipe; of what is gone, in the first; of a consequence, its figure."""
    kind: str
    """added, removed, changed; consequence."""
    before: Any
    after: Any
    words: str

    def to_json(self) -> dict[str, Any]:
        """Plain data; `a` and `b` are the values before and after."""
        return {"path": self.path, "kind": self.kind, "a": self.before, "b": self.after, "words": self.words}


def changes(a: Mapping[str, Any], b: Mapping[str, Any]) -> list[Change]:
    """Compare two recipe documents; the version is no change."""
    return [change for change in _tables(a, b, "", "") if change.path != "version"]


def _values(a: Any, b: Any, path: str, word: str) -> Iterator[Change]:
    if isinstance(a, dict) and isinstance(b, dict):
        yield from _tables(cast("dict[str, Any]", a), cast("dict[str, Any]", b), path, word)
    elif isinstance(a, list) and isinstance(b, list):
        yield from _lists(cast("list[Any]", a), cast("list[Any]", b), path, word)
    elif a != b:
        yield _change(a, b, path, word)


def _tables(a: Mapping[str, Any], b: Mapping[str, Any], path: str, word: str) -> Iterator[Change]:
    del word
    for name in sorted(a.keys() | b.keys()):
        here = join(path, name)
        before, after = a.get(name, ABSENT), b.get(name, ABSENT)
        if _is_empty(before) and _is_empty(after):
            continue  # an omitted word and an empty one say the same
        yield from _values(before, after, here, name)


def _is_empty(value: Any) -> bool:
    return value is ABSENT or value is None or value in ({}, [])


def _lists(a: Sequence[Any], b: Sequence[Any], path: str, word: str) -> Iterator[Change]:
    """Match entries by what names them; where nothing does, by their place."""
    key = LISTS_BY_NAME.get(word)

    def label(entry: Any) -> str:
        return str(cast("dict[str, Any]", entry).get(key)) if key and isinstance(entry, dict) else ""

    names = ([label(entry) for entry in a], [label(entry) for entry in b])
    if key is None:
        for index in range(max(len(a), len(b))):
            before = a[index] if index < len(a) else ABSENT
            after = b[index] if index < len(b) else ABSENT
            yield from _values(before, after, join(path, index), word)
        return
    for tag, a0, a1, b0, b1 in SequenceMatcher(None, *names, autojunk=False).get_opcodes():
        both = min(a1 - a0, b1 - b0) if tag in {"equal", "replace"} else 0
        for offset in range(both):
            yield from _values(a[a0 + offset], b[b0 + offset], join(path, b0 + offset), "")
        for index in range(a0 + both, a1):
            yield _change(a[index], ABSENT, join(path, index), word, names[0][index])
        for index in range(b0 + both, b1):
            yield _change(ABSENT, b[index], join(path, index), word, names[1][index])


def _change(a: Any, b: Any, path: str, word: str, label: str = "") -> Change:
    unit = NUMBERS.get(word, "sccm" if FLOW.fullmatch(word) else "")
    unit = "" if unit == "1" else unit
    what = f"{path} ({label})" if label else path
    if a is ABSENT:
        return Change(path, "added", None, b, f"{what}: new" + (f", {_said(b, unit)}" if not label else ""))
    if b is ABSENT:
        return Change(path, "removed", a, None, f"{what}: no more" + (f" (was {_said(a, unit)})" if not label else ""))
    words = f"{what}: {_said(a, unit)} → {_said(b, unit)}"
    if _is_number(a) and _is_number(b):
        share = f", {100.0 * (b - a) / abs(a):+.3g} %" if a else ""
        words += f" ({b - a:+g}{f' {unit}' if unit else ''}{share})"
    return Change(path, "changed", a, b, words)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _said(value: Any, unit: str) -> str:
    if _is_number(value):
        return f"{value:g} {unit}".rstrip()
    shown = repr(value) if isinstance(value, str) else str(value).lower() if isinstance(value, bool) else str(value)
    return shown if len(shown) <= 80 else f"{shown[:79]}…"


# ------------------------------------------------------------------------------------------------------- numbers
def consequences(a: Recipe, b: Recipe, tool: Tool) -> list[Change]:
    """What the changes come to on a tool: the expected length, and each gas that is used otherwise."""
    before, after = (preflight(recipe, tool) for recipe in (a, b))
    if before.plan is None or after.plan is None:
        which = " and ".join(name for name, one in (("the first", before), ("the second", after)) if not one.ok)
        return [Change("figures", CONSEQUENCE, before.ok, after.ok, f"{which} cannot run on {tool.name}: no figures")]
    found = list[Change]()
    if before.planned_s != after.planned_s:
        found.append(_figure("duration_s", before.planned_s, after.planned_s, "expected length", "s"))
    for gas in sorted(before.gas_use.keys() | after.gas_use.keys()):
        used = (before.gas_use.get(gas, 0.0), after.gas_use.get(gas, 0.0))
        if used[0] != used[1]:
            found.append(_figure(f"gas_use_l.{gas}", *used, f"{gas} that will be used", "L"))
    return found


def _figure(name: str, a: float, b: float, what: str, unit: str) -> Change:
    share = f", {100.0 * (b - a) / a:+.3g} %" if a else ""
    words = f"{what}: {a:.4g} {unit} → {b:.4g} {unit} ({b - a:+.3g} {unit}{share})"
    return Change(f"figures.{name}", CONSEQUENCE, a, b, words)
