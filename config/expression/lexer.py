"""Text of an expression into tokens."""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, auto

from config.expression.problem import ExpressionError, Problem
from config.faults import suggestion
from config.units import PER, UnitError, find_unit, spellings

MAX_LENGTH = 2000  # characters, as config.base.Expression
WORDS = frozenset({"and", "or", "not"})
FUNCTIONS = frozenset({"abs", "min", "max", "sqrt", "good", "bad", "vote", "rate"})
RESERVED = WORDS | FUNCTIONS
"""Words that cannot name a state."""


class TokenKind(Enum):
    """What a token is."""

    NUMBER = auto()
    NAME = auto()
    SIGN = auto()
    """An operator, parenthesis or comma, or one of WORDS."""
    END = auto()


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of the text."""

    kind: TokenKind
    text: str
    column: int
    value: float = 0.0
    unit: str = "1"


_SPACE = re.compile(r"\s*")
_NUMBER = re.compile(r"(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)*", re.ASCII)
_SIGN = re.compile(r"==|!=|<=|>=|[-+*/<>(),]")
_UNIT_LIKE = re.compile(r"[^\W\d_][^\s()<>=!,+*-]*|[^\s\w()<>=!,+*/.-]+[^\s()<>=!,+*-]*")
# Longest first, so that `nm/min` is not `nm`. What may not follow tells `s` from `sccm`, `nm/min` from `nm / min(…)`.
_BEHIND = r"(?![\w.²³]|\s*\()"
_UNIT = re.compile(
    "(?:" + "|".join(re.escape(s) for s in sorted(spellings, key=len, reverse=True) if s != "1") + f"){_BEHIND}"
    f"(?:/(?:{'|'.join(PER)}){_BEHIND})?"
)
_MISTAKEN = {"=": "==", "&&": "and", "||": "or", "!": "not", "&": "and", "|": "or", "<>": "!="}


def tokens(text: str) -> Iterator[Token]:
    """Yield the tokens of a text, END last; raises ExpressionError at the first piece that is none."""
    if len(text) > MAX_LENGTH:
        raise ExpressionError([Problem(MAX_LENGTH, f"is longer than {MAX_LENGTH} characters")])
    at = _skip(text, 0)
    while at < len(text):
        column = at + 1
        if number := _NUMBER.match(text, at):
            token, at = _quantity(text, number)
            yield token
        elif name := _NAME.match(text, at):
            kind = TokenKind.SIGN if name[0] in WORDS else TokenKind.NAME
            yield Token(kind, name[0], column)
            at = name.end()
        elif sign := _SIGN.match(text, at):
            yield Token(TokenKind.SIGN, sign[0], column)
            at = sign.end()
        else:
            wrong = text[at : at + 2] if text[at : at + 2] in _MISTAKEN else text[at]
            hint = f"; write {_MISTAKEN[wrong]}" if wrong in _MISTAKEN else ""
            shown = wrong if wrong.isprintable() else f"U+{ord(wrong):04X}"
            raise ExpressionError([Problem(column, f"'{shown}' has no meaning here{hint}")])
        at = _skip(text, at)
    yield Token(TokenKind.END, "the end", len(text) + 1)


def _skip(text: str, at: int) -> int:
    space = _SPACE.match(text, at)
    return space.end() if space else at


def _quantity(text: str, number: re.Match[str]) -> tuple[Token, int]:
    """A number with the unit behind it, if any; returns the token and where it ends."""
    column, value = number.start() + 1, float(number[0])
    if not math.isfinite(value):
        raise ExpressionError([Problem(column, f"'{number[0][:40]}' is too large a number")])
    behind = _skip(text, number.end())
    if unit := _UNIT.match(text, behind):
        try:
            symbol = find_unit(unit[0]).symbol
        except UnitError as error:
            raise ExpressionError([Problem(behind + 1, str(error))]) from error
        return Token(TokenKind.NUMBER, text[number.start() : unit.end()], column, value, symbol), unit.end()
    word = _UNIT_LIKE.match(text, behind)
    if word and word[0] not in WORDS and not re.match(r"\w+\s*\(", text[behind:]):
        near = next((known for known in spellings if known.lower() == word[0].lower()), None)
        hint = f"; did you mean '{near}'?" if near else suggestion(word[0], spellings)
        raise ExpressionError([Problem(behind + 1, f"unknown unit '{word[0][:40]}'{hint}")])
    return Token(TokenKind.NUMBER, number[0], column, value), number.end()
