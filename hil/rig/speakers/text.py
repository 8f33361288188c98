"""Text that instruments take and give, by their profile's templates and patterns read backwards.

A driver fills a template; an instrument must understand what comes out of it. A driver matches a pattern; an
instrument must say what it matches. Both are derived from the profile here, independently of how the driver does it.
"""

import re
import string
from collections.abc import Sequence

from config.profile import Point, ValueType
from config.wire import LinesWire
from hil.rig.instrument import Instrument
from hil.rig.raw import Raw

_FIELDS = {
    "value": r"[+-]?\d+\.?\d*(?:[eE][+-]?\d+)?",
    "raw": r"[+-]?\d+",
    "text": r"\S+",
    "address": r"\d+",
    "n": r"\d+",
}
_NUMBER = r"[+-]?\d+\.?\d*(?:[eE][+-]?\d+)?"


class Template:
    """A command's template, as a device understands it."""

    def __init__(self, template: str, address: int | None) -> None:
        pattern = ""
        for literal, field, spec, _ in string.Formatter().parse(template):
            pattern += re.escape(literal)
            if field == "address":
                pattern += re.escape(format(address or 0, spec or ""))
            elif field is not None:
                pattern += f"(?P<{field}>{_width(field, spec or '')})"
        self._pattern = re.compile(pattern, re.DOTALL)

    def match(self, text: str) -> Raw | None:
        """The value in a command; an empty text for a command without one, none for another command."""
        found = self._pattern.fullmatch(text)
        if found is None:
            return None
        groups = found.groupdict()
        if "value" in groups or "raw" in groups:
            number = groups.get("value") or groups.get("raw") or ""
            return int(number, 16) * 1.0 if _hexadecimal(self._pattern.pattern) else float(number)
        return groups.get("text") or ""


def _hexadecimal(pattern: str) -> bool:
    return "[0-9A-Fa-f]" in pattern


def _width(field: str, spec: str) -> str:
    if spec.endswith(("x", "X")):
        return r"[0-9A-Fa-f]+"
    return _FIELDS[field]


class Commands:
    """What one instrument understands in text, and what it says."""

    def __init__(self, instrument: Instrument, wires: Sequence[tuple[Point, LinesWire]]) -> None:
        self._own = instrument
        self._reads: dict[str, list[tuple[Point, LinesWire]]] = {}
        self._writes: list[tuple[Template, Point, LinesWire, Raw | None]] = []
        for point, wire in wires:
            if wire.read is not None:
                self._reads.setdefault(wire.read.format(address=instrument.address or 0), []).append((point, wire))
            for name, command in wire.writes.items():
                raw = next(state.raw for state in point.states if state.name == name)
                self._writes.append((Template(command, instrument.address), point, wire, raw))
            if wire.write is not None:
                self._writes.append((Template(wire.write, instrument.address), point, wire, None))

    def read(self, command: str) -> list[tuple[Point, LinesWire]]:
        """Points that a command reads; none: it reads nothing."""
        return self._reads.get(command, [])

    def write(self, command: str) -> tuple[Point, LinesWire, Raw] | None:
        """The point that a command writes, and with what."""
        for template, point, wire, fixed in self._writes:
            given = template.match(command)
            if given is not None:
                return point, wire, fixed if fixed is not None else given
        return None

    def say(self, command: str, shared: Sequence[tuple[Point, LinesWire]]) -> str:
        """One answer that holds the values of all these points."""
        own = self._own.character.says(command)
        if own is not None:
            return own
        values: dict[str, tuple[Point, Raw]] = {}
        for point, wire in shared:
            raw, pattern = self._own.ask(point.name), wire.answer or ""
            if point.bits is not None and not isinstance(raw, str):
                _, before = values.get(pattern, (point, 0.0))
                raw = float(int(raw) << point.bits[0] | (0 if isinstance(before, str) else int(before)))
            values[pattern] = point, raw
        return compose({pattern: spoken(point, raw, pattern) for pattern, (point, raw) in values.items()})


def spoken(point: Point, raw: Raw, pattern: str) -> str:
    """A value as text that the pattern's group takes."""
    group = _group(pattern)
    if isinstance(raw, str):
        return raw if raw or re.fullmatch(group, "") else sample(group)
    if point.type is ValueType.HEX:
        return next((text for width in (1, 2, 4, 3, 8) if re.fullmatch(group, text := f"{int(raw):0{width}X}")),
                    f"{int(raw):X}")  # fmt: skip
    texts = [f"{raw:.2E}", f"{raw:.3E}", f"{raw:g}", f"{raw:.0f}", *(f"{raw:.{n}f}" for n in range(1, 6))]
    texts += [f"{raw:0{width}.0f}" for width in range(1, 10)] + [f"{raw:+.{n}E}" for n in range(4)]
    texts += [f"{raw:0{width}.{n}f}" for n in range(1, 4) for width in range(4, 9)] + [_short(raw, n) for n in range(4)]
    fitting = [text for text in texts if re.fullmatch(group, text)]
    return min(fitting, key=lambda text: (abs(float(text) - raw), len(text))) if fitting else f"{raw:g}"


def _short(raw: float, digits: int) -> str:
    """`7.60E+2`: an exponent of one digit, as MKS prints it."""
    mantissa, exponent = f"{raw:.{digits}E}".split("E")
    return f"{mantissa}E{exponent[0]}{exponent[1:].lstrip('0') or '0'}"


def compose(pieces: dict[str, str]) -> str:
    """An answer that matches every pattern, each with its value in the place of its group."""
    first, *others = pieces
    text = fill(first, pieces[first])
    for pattern in others:
        found = re.fullmatch(pattern, text, re.DOTALL)
        if found is None:
            raise ValueError(f"{text!r}, made for {first!r}, does not match {pattern!r}, which reads the same answer")
        text = text[: found.start("value")] + pieces[pattern] + text[found.end("value") :]
    return text


def fill(pattern: str, value: str) -> str:
    """An answer that matches the pattern with this value."""
    return "".join(value if named else part if literal else sample(part) for part, literal, named in _parts(pattern))


def _group(pattern: str) -> str:
    return next((part for part, _, named in _parts(pattern) if named), _NUMBER)


def _parts(pattern: str) -> list[tuple[str, bool, bool]]:
    """A pattern as a row of (text or expression, is literal, is the named value)."""
    parts: list[tuple[str, bool, bool]] = []
    at = 0
    while at < len(pattern):
        char = pattern[at]
        if char == "(":
            end = _closing(pattern, at)
            inner = pattern[at + 1 : end]
            named = inner.startswith("?P<value>")
            body = inner.removeprefix("?P<value>") if named else inner.removeprefix("?:")
            after, end = _quantifier(pattern, end + 1)
            if body.startswith("?i") and not after:
                at = end
                continue
            parts.append((body if not after else f"(?:{body}){after}", False, named))
            at = end
        elif char == "[":
            end = _set_end(pattern, at)
            after, stop = _quantifier(pattern, end + 1)
            parts.append((pattern[at : end + 1] + after, False, False))
            at = stop
        elif char == "\\":
            after, stop = _quantifier(pattern, at + 2)
            token = pattern[at : at + 2]
            literal = not token[1].isalnum() and not after
            parts.append((token[1] if literal else token + after, literal, False))
            at = stop
        else:
            after, stop = _quantifier(pattern, at + 1)
            literal = char != "." and not after
            parts.append((char if literal else char + after, literal, False))
            at = stop
    return parts


def _quantifier(pattern: str, at: int) -> tuple[str, int]:
    found = re.compile(r"[*+?]|\{\d+(?:,\d*)?\}").match(pattern, at)
    return (found[0], found.end()) if found else ("", at)


def _closing(pattern: str, at: int) -> int:
    depth = 0
    while at < len(pattern):
        if pattern[at] == "\\":
            at += 1
        elif pattern[at] == "[":
            at = _set_end(pattern, at)
        elif pattern[at] == "(":
            depth += 1
        elif pattern[at] == ")":
            depth -= 1
            if depth == 0:
                return at
        at += 1
    return at


def _set_end(pattern: str, at: int) -> int:
    return pattern.index("]", at + 2)


def sample(expression: str) -> str:
    """A short text that matches an expression: what an instrument says in a place that nobody named."""
    candidates = ["", "0", "00", "0000", "000000", " ", "0.0", "A", "0.00E+00", "0" * 8, "0" * 3, "00000", "1", "Torr"]
    candidates += ["0" * width for width in range(2, 33)] + ["A" * width for width in range(2, 17)] + ["+", "-", "OK"]
    candidates += expression.split("|")
    for text in candidates:
        if re.fullmatch(expression, text):
            return text
    raise ValueError(f"no text is known that matches {expression!r}")
