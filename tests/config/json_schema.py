"""The part of JSON Schema (2020-12) that our schemas use, so that tests can hold documents against them."""

import re
from typing import Any

# What is said for people only.
_ANNOTATIONS = {"title", "description", "default", "examples", "$defs", "$schema", "$id"}
_TYPES: dict[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "boolean": (bool,),
    "null": (type(None),),
    "integer": (int,),
    "number": (int, float),
}


def complaints(value: Any, schema: dict[str, Any], root: dict[str, Any], path: str = "$") -> list[str]:
    """Say where a value breaks a schema; an unknown keyword is an error of this module."""
    found: list[str] = []
    for keyword, rule in schema.items():
        if keyword in _ANNOTATIONS:
            continue
        found += _judge(keyword, rule, value, schema, root, path)
    return found


def _judge(keyword: str, rule: Any, value: Any, schema: dict[str, Any], root: dict[str, Any], path: str) -> list[str]:
    match keyword:
        case "$ref":
            return complaints(value, root["$defs"][rule.removeprefix("#/$defs/")], root, path)
        case "type":
            named = [rule] if isinstance(rule, str) else rule
            right = any(isinstance(value, _TYPES[name]) for name in named)
            return [] if right and (not isinstance(value, bool) or "boolean" in named) else [f"{path}: no {rule}"]
        case "const" | "enum":
            allowed = [rule] if keyword == "const" else rule
            return [] if value in allowed else [f"{path}: not one of {allowed}"]
        case "anyOf" | "oneOf":
            tried = [complaints(value, option, root, path) for option in rule]
            return [] if any(not told for told in tried) else [f"{path}: fits nothing of {len(rule)}"]
        case "allOf":
            return [told for option in rule for told in complaints(value, option, root, path)]
        case "minimum" | "maximum" | "exclusiveMinimum" | "exclusiveMaximum":
            if not isinstance(value, (int, float)):
                return []
            right = {
                "minimum": value >= rule, "maximum": value <= rule,
                "exclusiveMinimum": value > rule, "exclusiveMaximum": value < rule,
            }[keyword]  # fmt: skip
            return [] if right else [f"{path}: {keyword} {rule}"]
        case "minLength" | "maxLength" | "minItems" | "maxItems":
            if not isinstance(value, str if "Length" in keyword else list):
                return []
            right = len(value) >= rule if keyword.startswith("min") else len(value) <= rule
            return [] if right else [f"{path}: {keyword} {rule}"]
        case "pattern":
            return [] if not isinstance(value, str) or re.search(rule, value) else [f"{path}: not {rule}"]
        case "format":
            return [] if rule == "date" and re.fullmatch(r"\d{4}-\d\d-\d\d", str(value)) else [f"{path}: no {rule}"]
        case "required":
            return [f"{path}: without {name}" for name in rule if isinstance(value, dict) and name not in value]
        case "properties" | "additionalProperties" | "patternProperties" | "propertyNames":
            return _table(keyword, rule, value, schema, root, path) if isinstance(value, dict) else []
        case "items" | "prefixItems":
            return _list(keyword, rule, value, schema, root, path) if isinstance(value, list) else []
        case _:
            raise NotImplementedError(f"keyword {keyword}")


def _table(
    keyword: str, rule: Any, value: dict[str, Any], schema: dict[str, Any], root: dict[str, Any], path: str
) -> list[str]:
    named, patterns = schema.get("properties", {}), schema.get("patternProperties", {})
    if keyword == "propertyNames":
        return [told for name in value for told in complaints(name, rule, root, f"{path}.{name} (name)")]
    if keyword == "properties":
        rules: dict[str, Any] = {name: rule[name] for name in value if name in rule}
    elif keyword == "patternProperties":
        rules = {name: sub for name in value for pattern, sub in rule.items() if re.search(pattern, name)}
    else:
        others = [name for name in value if name not in named and not any(re.search(p, name) for p in patterns)]
        if rule is False:
            return [f"{path}.{name}: not known" for name in others]
        rules = {} if rule is True else dict.fromkeys(others, rule)
    return [told for name, sub in rules.items() for told in complaints(value[name], sub, root, f"{path}.{name}")]


def _list(
    keyword: str, rule: Any, value: list[Any], schema: dict[str, Any], root: dict[str, Any], path: str
) -> list[str]:
    first = len(schema.get("prefixItems", ()))
    pairs = zip(value, rule, strict=False) if keyword == "prefixItems" else ((item, rule) for item in value[first:])
    return [told for i, (item, sub) in enumerate(pairs) for told in complaints(item, sub, root, f"{path}[{i}]")]
