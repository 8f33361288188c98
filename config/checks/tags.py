"""Checks of modules and tags."""

import re

from config.checks.report import DEENERGISED, Report
from config.expression import names
from config.expression.lexer import RESERVED
from config.faults import join
from config.tool import Tag, TagKind
from config.unit_table import UNITS, Unit
from config.units import PER, UnitError, find_unit

_LONGEST = 96  # characters of config.base.TagName
_STATE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
_SUFFIXES = {unit.suffix: unit for unit in UNITS if unit.suffix}
# Which kinds a field means something for; elsewhere it would be silently ignored.
_MEANT_FOR = {
    "initial": (TagKind.SETPOINT,),
    "safe": (TagKind.OUTPUT,),
    "rate_per_s": (TagKind.OUTPUT,),
    "period_s": (TagKind.INPUT,),
    "role": (TagKind.SETPOINT, TagKind.OUTPUT),
}


def unit_of_name(name: str, *, letters: bool = False) -> Unit | None:
    """The unit that the last words of a name say (`power_kw`); single letters only when asked for."""
    words = [word for word in re.split(r"[._]", name) if word != "per"]  # `nm_per_min` is `nm_min`
    if len(words) > 2 and words[-1] in PER and "_".join(words[-2:]) not in _SUFFIXES and words[-2] in _SUFFIXES:
        return find_unit(f"{_SUFFIXES[words[-2]].symbol}/{words[-1]}")  # `kpa_min`: of no table
    for count in (3, 2, 1):
        suffix = "_".join(words[-count:])
        if len(words) > count and suffix in _SUFFIXES and (letters or len(suffix) > 1):
            return _SUFFIXES[suffix]
    return None


def check_tags(report: Report) -> None:
    """Check names, units, limits, states and computed tags."""
    modules = list(enumerate(report.tool.modules))
    report.unique(((f"modules[{m}].name", module.name) for m, module in modules), "module")
    seen: dict[str, str] = {}
    for m, module in modules:
        if module.name == "system":
            report.add(f"modules[{m}].name", "'system' is the scan's own: choose another name")
        for t, tag in enumerate(module.tags):
            path, name = f"modules[{m}].tags[{t}]", f"{module.name}.{tag.name}"
            if name in seen:
                report.add(join(path, "name"), f"tag '{name}' exists already, at {seen[name]}")
                continue
            seen[name] = path
            _check_tag(report, path, name, tag)
    for name, path in seen.items():
        above = name.rpartition(".")[0]
        while "." in above:
            if above in seen:
                report.add(join(path, "name"), f"'{name}' lies below '{above}', which is a tag itself")
            above = above.rpartition(".")[0]


def _check_tag(report: Report, path: str, name: str, tag: Tag) -> None:
    if len(name) > _LONGEST:
        report.add(join(path, "name"), f"'{name}' has {len(name)} characters; at most {_LONGEST} are possible")
    _check_unit(report, path, name, tag)
    given = tag.model_fields_set
    if tag.kind is not TagKind.COMPUTED and not {"low", "high"} <= given:
        what = "what is plausible" if tag.kind is TagKind.INPUT else "what is permitted"
        report.add(path, f"needs low and high: {what}")
    for field, kinds in _MEANT_FOR.items():
        if field in given and tag.kind not in kinds and getattr(tag, field) not in {0.0, None}:
            meant = " or ".join(kind.value for kind in kinds)
            report.add(join(path, field), f"means nothing for a tag of kind {tag.kind.value}, only for {meant}")
    if tag.low == tag.high and len(tag.states) != 1:
        report.add(join(path, "high"), f"low and high are both {tag.low:g}: the tag cannot change")
    if tag.hazardous and tag.safe != DEENERGISED:
        reason = f"a hazardous output is safe when it is de-energised, at {DEENERGISED:g}, not at {tag.safe:g}"
        report.add(join(path, "safe"), reason)
    period_s = report.tool.scan.period_ms / 1000
    if tag.kind is TagKind.INPUT and 0 < tag.period_s < period_s:
        reason = f"{tag.period_s:g} s is shorter than a scan ({period_s:g} s): each value would count as too old"
        report.add(join(path, "period_s"), reason)
    if tag.rate_per_s > 0 and tag.rate_per_s * 86400 < tag.high - tag.low:
        report.add(join(path, "rate_per_s"), "is so slow that the output takes more than a day over its range")
    _check_states(report, path, tag)
    if tag.expression is not None:
        _check_computed(report, path, name, tag, tag.expression)


def _check_unit(report: Report, path: str, name: str, tag: Tag) -> None:
    try:
        unit = find_unit(tag.unit)
    except UnitError as error:
        report.add(join(path, "unit"), str(error))
        return
    if unit.symbol != tag.unit:
        report.add(join(path, "unit"), f"write '{unit.symbol}' for '{tag.unit}'")
    said = unit_of_name(name)
    if said is not None and unit.symbol != "1" and (said.exponents, said.factor) != (unit.exponents, unit.factor):
        report.add(join(path, "name"), f"'{name}' says {said.symbol}, but its unit is {unit.symbol}")
    if tag.states and unit.symbol != "1":
        report.add(join(path, "unit"), f"a tag with states has no unit, so not {unit.symbol}")


def _check_states(report: Report, path: str, tag: Tag) -> None:
    if len(tag.states) == 1:
        report.add(join(path, "states"), "one state is no choice: give at least two")
    report.unique(((join(path, "states", i), state) for i, state in enumerate(tag.states)), "state")
    for i, state in enumerate(tag.states):
        if not _STATE.fullmatch(state) or state in RESERVED:
            reason = f"'{state[:60]}' is not one word of letters, digits and _ that expressions have no other use for"
            report.add(join(path, "states", i), reason)


def _check_computed(report: Report, path: str, name: str, tag: Tag, text: str) -> None:
    typed = report.quantity(join(path, "expression"), text, tag, rates=True)
    if typed is None:
        return
    own = report.layout.index[name]
    if tag.otherwise is not None and not tag.low <= tag.otherwise <= tag.high:
        report.add(join(path, "otherwise"), f"{tag.otherwise:g} is outside {tag.low:g} … {tag.high:g}")
    for used in dict.fromkeys(node.name for node in names(typed.node)):
        other = report.layout.declared.get(used)
        late = other is not None and other.kind is TagKind.COMPUTED and report.layout.index[used] >= own
        if late and other is not None and other.otherwise is None:
            what = "itself" if used == name else f"'{used}', which is computed after it: move that above"
            report.add(join(path, "expression"), f"uses {what}")
