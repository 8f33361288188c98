"""A tool with faulty fields, repaired just enough that the rest of it can be checked.

One bad number should not hide that two interlocks contradict one another: all faults of a file are told at once. What
is repaired is never used for anything but further faults, and those which the repair may have caused are dropped.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, cast

from config.base import NAME, POINT_NAME, TAG_NAME, TITLE, TOOL_NAME
from config.faults import Fault, join
from config.tool import Tool
from config.validation import Flaw, Parts, child_schema, examine, schema_of, schema_variants

_SAMPLES = {NAME: "x", POINT_NAME: "x", TAG_NAME: "x.x", TOOL_NAME: "x", TITLE: "x"}
# A tag of which one of these is unknown may be anything to those that name it.
_IDENTITY = frozenset({"name", "kind", "unit", "states", "expression", "low", "high"})
# Sections whose checks look into another section; that one's faults may come from a repair.
_LOOKED_AT_BY = {
    "interlocks": ("modules", "gases"),
    "gases": ("recipe", "telemetry", "gas_safety"),
    "gas_safety": ("modules", "gases", "operations", "interlocks"),
    "operations": ("recipe", "gas_safety"),
    "loops": ("safe_sequence",),
    "maps": ("safe_sequence",),
    "scan": ("operations", "safe_sequence"),
}
_DEEPEST_MINIMUM = 8


def repair(data: Mapping[str, Any], flaws: Sequence[Flaw]) -> Tool | None:
    """Return the tool without its flaws, or None when too much depends on what is wrong."""
    if any(_is_vital(flaw) for flaw in flaws):
        return None
    schema = schema_of(Tool)
    copy = json.loads(json.dumps(data))
    for flaw in flaws:
        _mend(copy, flaw, schema)
    tool, _ = examine(copy, Tool, "")
    return tool


def concerning_others(faults: Iterable[Fault], flaws: Sequence[Flaw]) -> list[Fault]:
    """Keep the faults that lie outside of whatever was repaired, and of what is checked against it."""
    places = {join("", *_place(flaw.parts)) for flaw in flaws}
    places |= {other for flaw in flaws for other in _LOOKED_AT_BY.get(str(flaw.parts[0]), ())}
    return [fault for fault in faults if not any(_lies_in(fault.path, place) for place in places)]


def _is_vital(flaw: Flaw) -> bool:
    """Whether the identity of a module or tag is in doubt."""
    match flaw.parts:
        case () | ("modules",) | ("modules", int()):
            return True
        case ("modules", int(), "tags"):
            return True
        case ("modules", int(), "tags", int(), *rest):
            return not rest or (rest[0] in _IDENTITY and flaw.kind != "extra_forbidden")
        case ("modules", int(), field, *_):
            return field == "name"
        case _:
            return False


def _place(parts: Parts) -> Parts:
    """The smallest part of a tool that is checked as one: a tag, an interlock, an operation or a section."""
    if parts[0] == "modules":
        return parts[:4] if len(parts) > 3 else parts[:2]
    return parts[:2] if len(parts) > 1 and isinstance(parts[1], int) else parts[:1]


def _lies_in(path: str, place: str) -> bool:
    return path == place or path.startswith((f"{place}.", f"{place}["))


def _mend(data: Any, flaw: Flaw, schema: dict[str, Any]) -> None:
    """Take a faulty field away where it may be missing; put a harmless value there where it may not."""
    at = schema
    for part in flaw.parts[:-1]:
        data, at = data[part], child_schema(at, part, schema)
    last = flaw.parts[-1]
    if isinstance(data, dict):
        table = cast("dict[str, Any]", data)
        fields = [variant for variant in schema_variants(at, schema) if "properties" in variant]
        required = any(last in variant.get("required", ()) for variant in fields)
        if required:
            table[str(last)] = _minimum(child_schema(at, last, schema), schema)
        else:
            table.pop(str(last), None)
    else:
        data[last] = _minimum(child_schema(at, last, schema), schema)


def _minimum(at: dict[str, Any], schema: dict[str, Any], depth: int = 0) -> Any:
    """The least value that a schema accepts, more or less: what is not accepted ends the repair."""
    for variant in schema_variants(at, schema) if depth < _DEEPEST_MINIMUM else ():
        if "const" in variant:
            return variant["const"]
        if "enum" in variant:
            return variant["enum"][0]
        match variant.get("type"):
            case "object":
                properties = variant.get("properties", {})
                return {name: _minimum(properties[name], schema, depth + 1) for name in variant.get("required", ())}
            case "array":
                items = variant.get("prefixItems") or [variant.get("items", {})] * variant.get("minItems", 0)
                return [_minimum(item, schema, depth + 1) for item in items]
            case "string":
                return _SAMPLES.get(variant.get("pattern", ""), "x")
            case "number" | "integer":
                return max(variant.get("minimum", 1), variant.get("exclusiveMinimum", 0) + 1)
            case "boolean":
                return False
            case _:
                continue
    return None
