"""TOML as the tool files are written: sections, inline tables of tags, one blank line between tables."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, cast

WIDTH = 111
"""Of a heading's line."""


def value(thing: Any) -> str:
    """Write a value."""
    if isinstance(thing, bool):
        return "true" if thing else "false"
    if isinstance(thing, int):
        return str(thing)
    if isinstance(thing, float):
        return str(int(thing)) if thing == int(thing) and abs(thing) < 1e15 else repr(thing)
    if isinstance(thing, str):
        return '"' + thing.replace("\\", "\\\\").replace('"', '\\"') + '"'
    if isinstance(thing, Mapping):
        table = cast("Mapping[str, Any]", thing)
        return "{ " + ", ".join(f"{key(name)} = {value(item)}" for name, item in table.items()) + " }"
    return "[" + ", ".join(value(item) for item in cast("Sequence[Any]", thing)) + "]"


def key(name: str) -> str:
    """Write a key."""
    plain = name.replace("_", "").replace("-", "").isalnum() and name.isascii()
    return name if plain else f'"{name}"'


def heading(text: str) -> str:
    """A line that opens a part of the file."""
    return f"# {'-' * (WIDTH - len(text) - 1)} {text}"


def pairs(table: Mapping[str, Any]) -> list[str]:
    """Lines of a table's own values; those of `effects`, `tags` and `zones` stand below one another."""
    lines = list[str]()
    for name, item in table.items():
        if name in {"effects", "tags", "zones", "check", "needs", "findings", "counters", "tasks"} and item:
            lines.append(f"{name} = [")
            lines += [f"  {value(one)}," for one in item]
            lines.append("]")
        else:
            lines.append(f"{key(name)} = {value(item)}")
    return lines


def table(path: str, content: Mapping[str, Any], *, array: bool = False) -> list[str]:
    """Lines of a table with the tables in it: mappings named set, ramp, store, hold; lists of steps."""
    inner = {
        name: item for name, item in content.items()
        if (name in INNER and isinstance(item, Mapping)) or name == "steps"
    }  # fmt: skip
    own = {name: item for name, item in content.items() if name not in inner}
    lines = [f"[[{path}]]" if array else f"[{path}]", *pairs(own), ""]
    for name, item in inner.items():
        if name == "steps":
            for step in item:
                lines += table(f"{path}.steps", step, array=True)
        elif item:
            lines += table(f"{path}.{name}", item)
    return lines


INNER = ("set", "ramp", "store", "hold", "pressure", "plasma", "filament", "laser", "lamp", "burner", "bias", "signals")


def tables(path: str, items: Iterable[Mapping[str, Any]]) -> list[str]:
    """Lines of an array of tables."""
    return [line for item in items for line in table(path, item, array=True)]
