"""The smallest valid tool, as plain data to change and as a model: for every test that needs some tool."""

import copy
import json
import re
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

from config.loading import read_tool
from config.text import Syntax
from config.tool import Tool

FILE = Path(__file__).with_name("minimal.toml")


@cache
def _read() -> dict[str, Any]:
    return tomllib.loads(FILE.read_text(encoding="utf-8"))


def minimal_data() -> dict[str, Any]:
    """A fresh copy of the tool's plain data."""
    return copy.deepcopy(_read())


def tool_of(data: dict[str, Any]) -> Tool:
    """Load a tool from plain data as from a file; raises ConfigError."""
    return read_tool(json.dumps(data), Syntax.JSON, "tool.json")


def minimal_tool() -> Tool:
    """The smallest tool."""
    return tool_of(minimal_data())


def steps_to(path: str) -> list[str | int]:
    """Split `a[0].b["c.d"]` into its parts."""
    found = re.findall(r'\["([^"]*)"\]|\[(\d+)\]|([^.\[\]]+)', path)
    return [int(index) if index else quoted or plain for quoted, index, plain in found]


def change(data: dict[str, Any], path: str, value: Any) -> None:
    """Set the field at a path; `...` takes it away; an index behind the end appends."""
    *way, last = steps_to(path)
    place: Any = data
    for part in way:
        place = place[part] if isinstance(part, int) else place.setdefault(part, {})
    if value is ...:
        del place[last]
    elif isinstance(last, int) and last == len(place):
        place.append(value)
    else:
        place[last] = value
