"""Plain data into a model, with every fault in the words of someone who writes such a file."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeVar, cast

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from config.base import WORDS
from config.docstrings import no_texts
from config.faults import ConfigError, Fault, join, suggestion
from config.text import kind_of

M = TypeVar("M", bound=BaseModel)
Parts = tuple[str | int, ...]
"""A place in plain data: keys and indices from the top."""


@dataclass(frozen=True, slots=True)
class Flaw:
    """A fault of a field with its place in the data."""

    fault: Fault
    parts: Parts
    kind: str
    """Pydantic's name for it."""


def validate(data: Mapping[str, Any], model: type[M], file: str) -> M:
    """Make a model of plain data under the rules of JSON: a list is a tuple, text an enumeration; nothing is coerced.

    Raises:
        ConfigError: with every fault that the model knows of.
    """
    made, flaws = examine(data, model, file)
    if made is None:
        raise ConfigError(flaw.fault for flaw in flaws)
    return made


def examine(data: Mapping[str, Any], model: type[M], file: str) -> tuple[M | None, list[Flaw]]:
    """Make a model of plain data, or tell why not and where."""
    try:
        return model.model_validate_json(json.dumps(data)), []
    except ValidationError as error:
        schema = schema_of(model)
        details = error.errors(include_url=False)
        return None, [flaw for detail in details if (flaw := _flaw(detail, data, schema, file)) is not None]


@cache
def schema_of(model: type[BaseModel]) -> dict[str, Any]:
    """JSON Schema of a model, to look things up in; nobody changes it."""
    with no_texts():
        return model.model_json_schema(by_alias=True)


_LIMITS = {
    "greater_than": ("must be above", "gt"),
    "greater_than_equal": ("must be at least", "ge"),
    "less_than": ("must be below", "lt"),
    "less_than_equal": ("must be at most", "le"),
}
_KINDS = {
    "string_type": "text",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "tuple_type": "a list",
    "list_type": "a list",
    "dict_type": "a table",
    "model_type": "a table",
    "model_attributes_type": "a table",
    "uuid_parsing": "a UUID",
    "uuid_type": "a UUID",
}


def _flaw(detail: ErrorDetails, data: Any, schema: dict[str, Any], file: str) -> Flaw | None:
    """Say what pydantic found in the words of someone who writes such a file; None for what it only inferred."""
    kind, context, value = detail["type"], detail.get("ctx", {}), detail["input"]
    parts, at = _locate(detail["loc"], kind, data, schema)
    key = str(detail["loc"][-2]) if detail["loc"] and detail["loc"][-1] == "[key]" else None
    if kind == "missing":
        reason = "is missing"
    elif kind == "extra_forbidden":
        known = _fields(at, schema)
        named = str(detail["loc"][-1])
        reason = f"unknown field{suggestion(named, known) or f'; known: {_some(known)}' if known else ''}"
    elif kind in _LIMITS:
        words, limit = _LIMITS[kind]
        reason = f"{words} {_number(context[limit])}, is {kind_of(value).removeprefix('the number ')}"
    elif kind in _KINDS:
        reason = f"must be {_KINDS[kind]}, is {kind_of(value)}"
    elif kind in {"enum", "literal_error"}:
        choices = [choice.strip("'") for choice in str(context["expected"]).replace(" or ", ", ").split(", ")]
        reason = f"must be {_some(choices, 'or')}, is {kind_of(value)}"
        if isinstance(value, str) and value not in choices:
            reason += suggestion(value, choices)
    elif kind == "string_pattern_mismatch":
        pattern = str(context["pattern"])
        reason = f"{kind_of(value)} is not {WORDS.get(pattern, f'of the form {pattern}')}"
    elif kind in {"string_too_short", "string_too_long"}:
        limit = context.get("min_length", context.get("max_length"))
        reason = "must not be empty" if limit == 1 else f"must have at {_bound(kind)} {limit} characters"
    elif kind in {"too_short", "too_long"}:
        limit = context.get("min_length", context.get("max_length"))
        entries = len(cast("list[Any]", value)) if isinstance(value, (list, dict)) else 0
        if kind == "too_short" and entries >= int(str(limit)):
            return None  # faulty entries were not counted; they have faults of their own
        reason = f"must have at {_bound(kind)} {limit} {'entry' if limit == 1 else 'entries'}, has {entries}"
    elif kind == "value_error":
        reason = str(context["error"])
    elif kind == "finite_number":
        reason = "must be a finite number"
    else:
        reason = detail["msg"][:1].lower() + detail["msg"][1:]
    reason = reason if key is None else f"as a key: {reason}"
    return Flaw(Fault(file, join("", *parts), reason), parts, kind)


def _bound(kind: str) -> str:
    return "least" if kind.endswith("short") else "most"


def _number(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _some(names: Iterable[str], last: str = "and") -> str:
    """Join a few names; the rest is only counted."""
    shown = list(names)
    if len(shown) > 12:
        return f"{', '.join(shown[:12])} {last} {len(shown) - 12} more"
    return f"{', '.join(shown[:-1])} {last} {shown[-1]}" if len(shown) > 1 else "".join(shown)


def _locate(loc: tuple[int | str, ...], kind: str, data: Any, schema: dict[str, Any]) -> tuple[Parts, dict[str, Any]]:
    """Return a location in the data and the schema of the table around it.

    Pydantic's location also names the members of unions, which are nothing that stands in the file: only parts that
    lead through the data count, and the last one where it is what misses.
    """
    parts: Parts = ()
    at, inside = schema, schema
    for position, part in enumerate(loc):
        last = position == len(loc) - 1
        if isinstance(part, int) and isinstance(data, list) and part < len(cast("list[Any]", data)):
            data = cast("list[Any]", data)[part]
        elif isinstance(part, str) and isinstance(data, dict) and part in data:
            data = cast("dict[str, Any]", data)[part]
        elif not (last and kind == "missing"):
            continue
        parts += (part,)
        inside, at = at, child_schema(at, part, schema)
    return parts, inside


def child_schema(at: dict[str, Any], part: int | str, schema: dict[str, Any]) -> dict[str, Any]:
    """Step down in a JSON Schema; an empty one where it does not say."""
    for candidate in schema_variants(at, schema):
        if isinstance(part, int):
            listed: list[Any] = candidate.get("prefixItems", [])
            found: Any = listed[part] if part < len(listed) else candidate.get("items")
        else:
            others = [*candidate.get("patternProperties", {}).values(), candidate.get("additionalProperties")]
            found = candidate.get("properties", {}).get(part, others[0])
        if isinstance(found, dict):
            return cast("dict[str, Any]", found)
    return {}


def _fields(at: dict[str, Any], schema: dict[str, Any]) -> list[str]:
    return [name for candidate in schema_variants(at, schema) for name in candidate.get("properties", {})]


def schema_variants(at: dict[str, Any], schema: dict[str, Any]) -> list[dict[str, Any]]:
    """Resolve references and unions, a few levels deep."""
    variants: list[dict[str, Any]] = []
    waiting = [at]
    for _ in range(32):
        if not waiting:
            break
        candidate = waiting.pop()
        variants.append(candidate)
        if "$ref" in candidate:
            waiting.append(schema.get("$defs", {}).get(candidate["$ref"].rsplit("/", 1)[-1], {}))
        waiting += [*candidate.get("anyOf", ()), *candidate.get("oneOf", ()), *candidate.get("allOf", ())]
    return variants
