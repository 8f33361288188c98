"""What an expression can come to while its tags stay within given ranges: interval arithmetic over resolved trees.

Checks of a tool ask whether a cause can be true at all; checks of a recipe whether a step makes it true for certain.
The answer errs to one side: what is called impossible, or certain, is so; an expression that names a tag twice may keep
a possibility that it has not. Values that are Bad are left out: they trip whatever the range.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from config.expression import ExpressionError, Node, read_boolean, read_quantity
from config.expression.tree import (
    Arithmetic,
    Call,
    Comparison,
    Convert,
    Logical,
    Name,
    Negate,
    Not,
    Number,
    Quality,
    Vote,
)
from config.layout import SYSTEM_SYMBOLS, Layout, symbol_of

Range = tuple[float, float]
EVERYTHING: Range = (-math.inf, math.inf)


@dataclass(frozen=True)
class Outcome:
    """What a condition can be."""

    true: bool
    false: bool


class Ranges:
    """Ranges of a tool's tags.

    Args:
        layout: the tool.
        known: ranges that are narrower than what the tags declare.
    """

    def __init__(self, layout: Layout, known: Mapping[str, Range] | None = None) -> None:
        self._layout = layout
        self._known = dict(known or {})
        self._under_way = set[str]()

    def condition(self, text: str) -> Outcome:
        """Say what a condition can be; anything where it is at fault."""
        try:
            node = read_boolean(text, self._layout.scope).node
        except ExpressionError:
            return Outcome(true=True, false=True)
        return self._truth(node)

    def tag(self, name: str) -> Range:
        """Range of a tag; a computed one has that of its expression within its limits."""
        if name in self._known:
            return self._known[name]
        tag = self._layout.declared.get(name)
        if tag is None:
            return (0.0, 1.0) if SYSTEM_SYMBOLS[name].truth else EVERYTHING
        limits = (tag.low, tag.high)
        if tag.expression is None or name in self._under_way:
            return limits
        self._under_way.add(name)
        try:
            symbol = symbol_of(tag)
            if symbol.unit is None:
                return EVERYTHING
            node = read_quantity(tag.expression, self._layout.scope, symbol.unit, truth=symbol.truth).node
            return self._value(node)
        except ExpressionError:
            return EVERYTHING
        finally:
            self._under_way.discard(name)

    def _truth(self, node: Node) -> Outcome:
        match node:
            case Not(operand):
                inner = self._truth(operand)
                return Outcome(true=inner.false, false=inner.true)
            case Logical(op, operands):
                parts = [self._truth(one) for one in operands]
                if op == "and":
                    return Outcome(all(one.true for one in parts), any(one.false for one in parts))
                return Outcome(any(one.true for one in parts), all(one.false for one in parts))
            case Vote(count, operands):
                parts = [self._truth(one) for one in operands]
                certain, possible = sum(not one.false for one in parts), sum(one.true for one in parts)
                return Outcome(possible >= count, certain < count)
            case Comparison(op, left, right):
                return _compare(op, self._value(left), self._value(right))
            case Quality():
                return Outcome(true=True, false=True)
            case _:
                low, high = self._value(node)
                return Outcome(true=(low, high) != (0.0, 0.0), false=low <= 0.0 <= high)

    def _value(self, node: Node) -> Range:
        match node:
            case Number(value):
                return value, value
            case Name(name):
                return self.tag(name) if name in self._layout.scope else EVERYTHING
            case Negate(operand):
                low, high = self._value(operand)
                return -high, -low
            case Convert(operand, factor, offset):
                ends = [end * float(factor) + float(offset) for end in self._value(operand)]
                return min(ends), max(ends)
            case Arithmetic(op, left, right):
                return _arithmetic(op, self._value(left), self._value(right))
            case Call(function, arguments):
                return _call(function, [self._value(one) for one in arguments])
            case _:
                truth = self._truth(node)
                return (0.0 if truth.false else 1.0), (1.0 if truth.true else 0.0)


def _compare(op: str, left: Range, right: Range) -> Outcome:
    less, greater = left[0] < right[1], left[1] > right[0]
    touch = left[0] <= right[1] and right[0] <= left[1]
    same = left[0] == left[1] == right[0] == right[1]
    match op:
        case ">":
            return Outcome(greater, left[0] <= right[1])
        case ">=":
            return Outcome(left[1] >= right[0], less)
        case "<":
            return Outcome(less, left[1] >= right[0])
        case "<=":
            return Outcome(left[0] <= right[1], greater)
        case "==":
            return Outcome(touch, not same)
        case _:
            return Outcome(not same, touch)


def _arithmetic(op: str, a: Range, b: Range) -> Range:
    match op:
        case "+":
            return a[0] + b[0], a[1] + b[1]
        case "-":
            return a[0] - b[1], a[1] - b[0]
        case "/" if b[0] <= 0.0 <= b[1]:
            return EVERYTHING
        case _:
            join: Callable[[float, float], float] = _product if op == "*" else _quotient
            ends = [join(x, y) for x in a for y in b]
            return min(ends), max(ends)


def _product(x: float, y: float) -> float:
    return 0.0 if 0.0 in {x, y} else x * y


def _quotient(x: float, y: float) -> float:
    return 0.0 if math.isinf(y) else x / y


def _call(function: str, of: list[Range]) -> Range:
    match function:
        case "min":
            return min(one[0] for one in of), min(one[1] for one in of)
        case "max":
            return max(one[0] for one in of), max(one[1] for one in of)
        case "abs":
            low, high = of[0]
            least = 0.0 if low <= 0.0 <= high else min(abs(low), abs(high))
            return least, max(abs(low), abs(high))
        case _:  # sqrt: of what is negative it is Bad
            low, high = of[0]
            return math.sqrt(max(low, 0.0)), math.sqrt(max(high, 0.0))
