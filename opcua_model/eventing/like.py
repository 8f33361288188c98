r"""The Like operator of filters (Part 4, 7.7.3): `%` any text, `_` any character, `[a-c]`, `[^x]`, `\\` as it is.

Matching goes back to the last `%` only, so its time is bounded by the product of the lengths, whatever a client wrote.
"""

from dataclasses import dataclass
from typing import Final

LONGEST_PATTERN: Final = 512


@dataclass(frozen=True)
class _One:
    """One character: any, one of some, or none of them."""

    ranges: tuple[tuple[str, str], ...] = ()
    inverted: bool = False
    any: bool = False

    def fits(self, character: str) -> bool:
        if self.any:
            return True
        return any(low <= character <= high for low, high in self.ranges) != self.inverted


_MANY: Final = None


def compile_pattern(pattern: str) -> list[_One | None] | None:
    """Read a pattern; None for `%`. A pattern that cannot be read is None as a whole."""
    if len(pattern) > LONGEST_PATTERN:
        return None
    made: list[_One | None] = []
    at = 0
    while at < len(pattern):
        character = pattern[at]
        at += 1
        if character == "%":
            if not made or made[-1] is not _MANY:
                made.append(_MANY)
        elif character == "_":
            made.append(_One(any=True))
        elif character == "[":
            end = pattern.find("]", at + 1)
            if end < 0:
                return None
            made.append(_set(pattern[at:end]))
            at = end + 1
        elif character == "\\":
            if at == len(pattern):
                return None
            made.append(_One(((pattern[at], pattern[at]),)))
            at += 1
        else:
            made.append(_One(((character, character),)))
    return made


def _set(text: str) -> _One:
    inverted = text.startswith("^") and len(text) > 1
    text = text[1:] if inverted else text
    ranges: list[tuple[str, str]] = []
    at = 0
    while at < len(text):
        if at + 2 < len(text) and text[at + 1] == "-":
            ranges.append((text[at], text[at + 2]))
            at += 3
        else:
            ranges.append((text[at], text[at]))
            at += 1
    return _One(tuple(ranges), inverted)


def matches(text: str, pattern: list[_One | None]) -> bool:
    """Tell whether a whole text is of a pattern."""
    at = token = 0
    star, kept = -1, 0
    while at < len(text):
        now = pattern[token] if token < len(pattern) else _One()
        if token < len(pattern) and now is _MANY:
            star, kept = token, at
            token += 1
        elif token < len(pattern) and now is not None and now.fits(text[at]):
            at, token = at + 1, token + 1
        elif star >= 0:
            kept += 1
            at, token = kept, star + 1
        else:
            return False
    return all(one is _MANY for one in pattern[token:])
