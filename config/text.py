"""Text of a file into plain data: TOML and JSON, with what a hostile or careless file can do met before it does it.

Both parsers of the standard library nest as deeply as the text asks, take NaN and infinities, and JSON's keeps the
last of two equal keys. Here size and nesting are limited before parsing, and the rest is found afterwards with the
path of the field.
"""

import json
import math
import re
import tomllib
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import Any, cast

from config.faults import ConfigError, Fault, join

MAX_BYTES = 4 * 1024 * 1024  # a tool of 10 000 tags takes about 2 MB
MAX_NESTING = 64  # recipes nest cycles 8 deep (kernels.tables.LOOP_DEPTH), each two levels of the file
MAX_FAULTS = 100  # of one kind: a list of a million NaNs is not a million lines


class Syntax(StrEnum):
    """How a file is written."""

    TOML = "toml"
    JSON = "json"
    JSON_WITH_COMMENTS = "json with comments"
    """JSON in which `//` begins a comment, as in the guide's recipes."""


_STRINGS = r'"(?:[^"\\\n]|\\[^\n])*+"?'
_JSON_PARTS = re.compile(rf"{_STRINGS}|//[^\n]*|[\[\]{{}}]")
# Unclosed strings match to the end of the text: the parser tells about them, here they must only not cost time.
_TOML_PARTS = re.compile(
    r'"""(?:[^\\"]|\\.|"(?!""))*+(?:"""|\\?\Z)'
    r"|'''(?:[^']|'(?!''))*+(?:'''|\Z)"
    rf"|{_STRINGS}|'[^'\n]*+'?|\#[^\n]*|[\[\]{{}}.,=\n]",
    re.DOTALL,
)


def read_text(path: Path) -> str:
    """Read a file as UTF-8; raises ConfigError with one fault that says why it cannot be read."""
    try:
        kind = _not_a_file(path)
        content = b""
        if kind is None:
            with path.open("rb") as file:
                content = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise ConfigError([Fault(str(path), "", "there is no such file")]) from None
    except PermissionError:
        raise ConfigError([Fault(str(path), "", "may not be read: check its permissions and owner")]) from None
    except (OSError, ValueError) as error:  # ValueError: a path with a NUL
        reason = getattr(error, "strerror", None) or str(error)
        raise ConfigError([Fault(str(path), "", f"cannot be read: {reason}")]) from None
    if kind is not None:
        raise ConfigError([Fault(str(path), "", f"is {kind}, not a file")])
    if len(content) > MAX_BYTES:
        raise ConfigError([Fault(str(path), "", _too_large())])
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        reason = f"line {line} is not UTF-8 text (byte 0x{content[error.start]:02x}): save the file as UTF-8"
        raise ConfigError([Fault(str(path), "", reason)]) from None


def parse_text(text: str, syntax: Syntax, file: str) -> dict[str, Any]:
    """Parse text into a table of plain data without NaN, infinities, dates or repeated keys.

    Raises:
        ConfigError: with one fault when the text is not of its syntax, else with every fault of its values.
    """
    if len(text) > MAX_BYTES or len(text.encode("utf-8", "surrogatepass")) > MAX_BYTES:
        raise ConfigError([Fault(file, "", _too_large())])
    depth = _toml_nesting(text) if syntax is Syntax.TOML else _json_nesting(text)
    if depth > MAX_NESTING:
        raise ConfigError([Fault(file, "", _too_deep())])
    try:
        if syntax is Syntax.TOML:
            data: Any = tomllib.loads(text)
        else:
            if syntax is Syntax.JSON_WITH_COMMENTS:
                text = _JSON_PARTS.sub(_blank_comment, text)
            data = json.loads(text, object_pairs_hook=_Pairs)
    except (json.JSONDecodeError, tomllib.TOMLDecodeError) as error:
        kind = "TOML" if syntax is Syntax.TOML else "JSON"
        raise ConfigError([Fault(file, "", f"is not {kind}: {_where(error, text)}")]) from None
    except RecursionError:
        raise ConfigError([Fault(file, "", _too_deep())]) from None
    except ValueError:  # the interpreter's limit on the digits of a whole number
        raise ConfigError([Fault(file, "", "holds a number with thousands of digits")]) from None
    if not isinstance(data, dict):
        raise ConfigError([Fault(file, "", f"must be an object in braces at the top, is {kind_of(data)}")])
    faults = [Fault(file, path, reason) for path, reason in _flaws(data)]
    if faults:
        raise ConfigError(faults)
    return cast("dict[str, Any]", data)


def kind_of(value: object) -> str:
    """Say what a plain value is, for a fault: `text 'abc'`, `a list`."""
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case str():
            return f"text '{value}'" if len(value) <= 60 else f"text '{value[:59]}…'"
        case int() | float():
            shown = repr(value) if abs(value) < 1e30 else f"{float(value):g}" if abs(value) < 1e300 else "a huge number"
            return f"the number {shown}" if shown != "a huge number" else shown
        case list():
            return "a list"
        case dict():
            return "a table"
        case _:
            return "a date or time"


class _Pairs(dict[str, Any]):
    """An object of a JSON file that remembers the keys that were given twice."""

    def __init__(self, pairs: list[tuple[str, Any]]) -> None:
        super().__init__(pairs)
        self.repeated: list[str] = []
        if len(self) < len(pairs):
            seen: set[str] = set()
            self.repeated = sorted({key for key, _ in pairs if key in seen or seen.add(key)})


def _not_a_file(path: Path) -> str | None:
    """Say what a path is, when reading it would fail or never end."""
    if path.is_dir():
        return "a folder"
    return "a device, pipe or socket" if path.exists() and not path.is_file() else None


def _too_large() -> str:
    return f"is larger than {MAX_BYTES // 2**20} MB"


def _too_deep() -> str:
    return f"is nested more than {MAX_NESTING} levels deep"


def _blank_comment(match: re.Match[str]) -> str:
    part = match.group()
    return " " * len(part) if part.startswith("//") else part


def _where(error: Exception, text: str) -> str:
    """Line and column first, the parser's words behind."""
    if isinstance(error, json.JSONDecodeError):
        return f"line {error.lineno}, column {error.colno}: {error.msg}"
    end = f"line {text.count(chr(10)) + 1}, column {len(text) - text.rfind(chr(10))}"
    words = str(error).replace("(at end of document)", f"(at {end})")
    found = re.fullmatch(r"(.*) \(at line (\d+), column (\d+)\)", words, re.DOTALL)
    return f"line {found[2]}, column {found[3]}: {found[1]}" if found else words


def _json_nesting(text: str) -> int:
    depth = deepest = 0
    for match in _JSON_PARTS.finditer(text):
        part = match.group()
        if part in "[{":
            depth += 1
            deepest = max(deepest, depth)
        elif part in "]}":
            depth -= 1
    return deepest


def _toml_nesting(text: str) -> int:
    """Greatest nesting, with the parts of a dotted key counted as levels."""
    depth = deepest = dots = 0
    for match in _TOML_PARTS.finditer(text):
        part = match.group()
        if part == ".":
            dots += 1
        elif part in "[{":
            depth += 1
        elif part in "]}":
            depth -= 1
        elif part in ",=\n":
            dots = 0
        deepest = max(deepest, depth + dots)
    return deepest


def _flaws(data: Any) -> Iterator[tuple[str, str]]:
    """Yield path and reason of each value that neither syntax should have let through."""
    found = 0
    stack: list[tuple[str, Any, int]] = [("", data, 1)]
    while stack and found < MAX_FAULTS:
        path, value, depth = stack.pop()
        reasons: list[tuple[str, str]] = []
        if depth > MAX_NESTING + 1:
            yield "", _too_deep()
            return
        if isinstance(value, dict):
            items = cast("dict[str, Any]", value)
            if isinstance(value, _Pairs):
                reasons += [(join(path, key), "is given twice") for key in value.repeated]
            reasons += [(join(path, repr(key)), "its key is not text") for key in items if not _is_text(key)]
            stack += [(join(path, key), item, depth + 1) for key, item in reversed(items.items()) if _is_text(key)]
        elif isinstance(value, list):
            entries = cast("list[Any]", value)
            stack += [(join(path, index), entries[index], depth + 1) for index in reversed(range(len(entries)))]
        elif isinstance(value, float) and not math.isfinite(value):
            reasons.append((path, f"must be a finite number, is {value}"))
        elif isinstance(value, str) and not _is_text(value):
            reasons.append((path, "holds half of a surrogate pair: not text"))
        elif not isinstance(value, (str, bool, int, float, type(None))):
            reasons.append((path, "is a date or time; write it as text in quotes"))
        elif isinstance(value, int) and not -(2**63) <= value < 2**63:
            reasons.append((path, "is too large for a whole number"))
        found += len(reasons)
        yield from reasons


def _is_text(value: str) -> bool:
    return value.isascii() or not any("\ud800" <= character <= "\udfff" for character in value)
