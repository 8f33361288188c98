"""Names and units of a tree: each tag exists, each operation makes sense, and conversions are written into the tree.

Every fault of an expression is found in one pass; a part with a fault has no type and agrees with everything, so that
one mistake is told once.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction

from config.expression.measure import Boolean, Measure, Symbol, of_symbol, of_unit, product
from config.expression.parser import parse
from config.expression.problem import ExpressionError, Problem
from config.expression.tree import (
    Arithmetic,
    Call,
    Comparison,
    Convert,
    Logical,
    Name,
    Negate,
    Node,
    Not,
    Number,
    Quality,
    Rate,
    Vote,
    children,
)
from config.faults import suggestion
from config.unit_table import FREQUENCY, NONE, TEMPERATURE, TIME, Unit
from config.units import convert, find_unit, spellings

__all__ = ["Boolean", "Measure", "Symbol", "Typed", "names", "read_boolean", "read_quantity", "resolve"]

Scope = Mapping[str, Symbol]
_Typed = tuple[Node, Boolean | Measure | None]


@dataclass(frozen=True, slots=True)
class Typed:
    """A tree whose names and units are right; its numbers are in the units that the scan computes in."""

    node: Node
    type: Boolean | Measure


def resolve(node: Node, scope: Scope) -> Typed:
    """Check names and units of a tree and write the conversions into it; raises ExpressionError with every fault."""
    resolver = _Resolver(scope)
    tree, kind = resolver.resolve(node)
    if resolver.problems or kind is None:
        raise ExpressionError(resolver.problems or [Problem(node.column, "the unit of its tag is unknown")])
    return Typed(tree, kind)


def read_boolean(text: str, scope: Scope) -> Typed:
    """Parse and resolve what must be a condition; raises ExpressionError with every fault."""
    node = parse(text)
    resolver = _Resolver(scope)
    tree = resolver.condition(node)
    if resolver.problems:
        raise ExpressionError(resolver.problems)
    return Typed(tree, Boolean())


def read_quantity(text: str, scope: Scope, unit: Unit, *, truth: bool = False) -> Typed:
    """Parse and resolve what must be a value in `unit`, converted into it; raises ExpressionError with every fault.

    With `truth` the target is a tag that is 0 or 1, and a condition will do.
    """
    node = parse(text)
    resolver = _Resolver(scope)
    tree, kind = resolver.resolve(node)
    goal = of_unit(unit)
    if isinstance(kind, Boolean):
        if not truth:
            resolver.fail(node, f"is a condition, but must be {goal}")
    elif kind is not None:
        tree = resolver.fitted(tree, kind, goal, f"is {kind}, but must be {goal}")
    if resolver.problems:
        raise ExpressionError(resolver.problems)
    return Typed(tree, Boolean() if isinstance(kind, Boolean) else goal)


def names(node: Node) -> Iterator[Name]:
    """Yield the tags (and, before resolving, states) that a tree names, in the order of the text."""
    if isinstance(node, Name):
        yield node
    for child in children(node):
        yield from names(child)


class _Resolver:
    """One pass over one tree."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope
        self.problems: list[Problem] = []

    def fail(self, node: Node, reason: str) -> None:
        self.problems.append(Problem(node.column, reason))

    def resolve(self, node: Node) -> _Typed:
        match node:
            case Number(value, unit):
                del value
                return node, of_unit(find_unit(unit), constant=True)
            case Name():
                return self._name(node)
            case Negate(operand):
                inner, kind = self._measure(operand)
                if kind is None:
                    return node, None
                weight = None if kind.weight is None else -kind.weight
                return replace(node, operand=inner), kind.plain(weight=weight, constant=kind.constant)
            case Arithmetic(op):
                return self._sum(node) if op in {"+", "-"} else self._product(node)
            case Call():
                return self._call(node)
            case Comparison():
                return self._comparison(node), Boolean()
            case Not(operand):
                return replace(node, operand=self.condition(operand)), Boolean()
            case Logical() | Vote():
                return replace(node, operands=tuple(self.condition(o) for o in node.operands)), Boolean()
            case Quality(tag=tag):
                self._name(tag)
                return node, Boolean()
            case Rate():
                return self._rate(node)
            case Convert():
                raise TypeError("the tree is resolved already")

    def condition(self, node: Node) -> Node:
        """Resolve what must be a condition."""
        tree, kind = self.resolve(node)
        if isinstance(kind, Measure) and not kind.truth:
            hint = ""
            if kind.states:
                hint = f"; compare it with one of its states: {', '.join(kind.states[:8])}"
            elif not kind.constant:
                hint = "; compare it with something"
            self.fail(node, f"must be a condition, is {kind}{hint}")
        return tree

    def fitted(self, node: Node, kind: Measure, goal: Measure, otherwise: str) -> Node:
        """Convert into the unit of `goal`, or record a fault."""
        if kind.exponents != goal.exponents:
            self.fail(node, otherwise)
            return node
        weight = goal.weight if kind.weight is None else kind.weight
        if goal.weight is not None and weight != goal.weight:
            self.fail(node, f"{otherwise}; {_temperature_hint(kind, goal)}")
            return node
        return _converted(node, kind, goal, Fraction(0) if weight is None else weight)

    def _measure(self, node: Node) -> tuple[Node, Measure | None]:
        """Resolve what must be a value."""
        tree, kind = self.resolve(node)
        if isinstance(kind, Boolean):
            self.fail(node, "must be a value, is a condition")
            return tree, None
        return tree, kind

    def _name(self, node: Name) -> _Typed:
        symbol = self._scope.get(node.name)
        if symbol is not None:
            return node, of_symbol(symbol)
        if "." not in node.name:
            last = [name for name in self._scope if name.rsplit(".", 1)[-1] == node.name]
            hint = f"; did you mean '{last[0]}'?" if last else "; the name of a state stands beside == or !="
            self.fail(node, f"'{node.name[:60]}' is no tag{hint}")
        else:
            self.fail(node, f"unknown tag '{node.name[:60]}'{suggestion(node.name, self._scope)}")
        return node, None

    def _rate(self, node: Rate) -> _Typed:
        _, kind = self._measure(node.tag)
        window, second = find_unit(node.window.unit), spellings["s"]
        if window.exponents != TIME or node.window.value <= 0:
            self.fail(node.window, "must be a time above 0, over which the rate is taken, as in rate(a.b, 10 s)")
            return node, None
        if kind is None:
            return node, None
        if kind.states or kind.truth:
            self.fail(node.tag, f"'{node.tag.name}' has states and hence no rate")
            return node, None
        seconds = Number(convert(node.window.value, window, second), "s", node.window.column)
        exponents = tuple(a + b for a, b in zip(kind.exponents, FREQUENCY, strict=True))
        symbol = None if kind.symbol is None or kind.exponents == NONE else f"{kind.symbol}/s"
        return replace(node, window=seconds), Measure(exponents, kind.factor, symbol)

    def _sum(self, node: Arithmetic) -> _Typed:
        (left, a), (right, b) = self._measure(node.left), self._measure(node.right)
        if a is None or b is None:
            return node, None
        if a.exponents != b.exponents:
            self.fail(node, f"{a} and {b} cannot be {'added' if node.op == '+' else 'subtracted'}{_bare_hint(a, b)}")
            return node, None
        if a.weight is None and node.op == "-" and b.weight:
            a = replace(a, weight=Fraction(1))
        weight = None
        if not (a.weight is None and b.weight is None):
            weight = a.certain_weight + b.certain_weight * (1 if node.op == "+" else -1)
        goal = b if a.constant and not b.constant else a
        left = _converted(left, a, goal, a.certain_weight)
        right = _converted(right, b, goal, b.certain_weight)
        result = goal.plain(weight=weight, constant=a.constant and b.constant)
        if result.exponents == TEMPERATURE and weight == 0:
            result = replace(result, symbol="K" if goal.factor == 1 else None, offset=Fraction(0))
        return replace(node, left=left, right=right), result

    def _product(self, node: Arithmetic) -> _Typed:
        (left, a), (right, b) = self._measure(node.left), self._measure(node.right)
        if a is None or b is None:
            return node, None
        sign = 1 if node.op == "*" else -1
        tree = replace(node, left=left, right=right)
        weighed, scale = (a, right) if a.weight else (b, left)
        if a.weight or b.weight:
            plain = isinstance(scale, Number) and scale.unit == "1" and scale.value != 0
            if not plain or (b.weight and sign < 0):
                self.fail(node, f"{weighed} can only be multiplied with or divided by a plain number")
                return node, None
            assert isinstance(scale, Number) and weighed.weight is not None  # noqa: PT018, S101 (for the type checker)
            return tree, weighed.plain(weight=weighed.weight * Fraction(scale.value) ** sign)
        return tree, product(a, b, sign)

    def _call(self, node: Call) -> _Typed:
        resolved = [self._measure(argument) for argument in node.arguments]
        first_node, first = resolved[0]
        if any(kind is None for _, kind in resolved) or first is None:
            return node, None
        if node.function in {"min", "max"}:
            goal = next((kind for _, kind in resolved if kind is not None and not kind.constant), first)
            goal = next((kind for _, kind in resolved if kind and kind.weight and goal.weight is None), goal)
            fitted = tuple(
                self.fitted(tree, kind, goal, f"{kind} and {goal} cannot be compared{_bare_hint(kind, goal)}")
                for tree, kind in resolved
                if kind is not None
            )
            constant = all(kind is not None and kind.constant for _, kind in resolved)
            return replace(node, arguments=fitted), goal.plain(weight=goal.weight, constant=constant)
        if first.weight:
            self.fail(node, f"{node.function} of {first} means nothing: take a difference of two temperatures")
            return node, None
        if node.function == "abs":
            return replace(node, arguments=(first_node,)), first.plain(weight=first.weight, constant=first.constant)
        if any(power % 2 for power in first.exponents):
            self.fail(node, f"the square root of {first} has no unit")
            return node, None
        halved = tuple(power // 2 for power in first.exponents)
        coherent = Measure(halved, Fraction(1), None, constant=first.constant)
        squared = Measure(first.exponents, Fraction(1), None)
        return replace(node, arguments=(_converted(first_node, first, squared, Fraction(0)),)), coherent

    def _comparison(self, node: Comparison) -> Node:
        if state := self._state(node):
            return state
        (left, a), (right, b) = self._measure(node.left), self._measure(node.right)
        if a is None or b is None:
            return node
        words = f"{a} and {b} cannot be compared{_bare_hint(a, b)}"
        if a.exponents != b.exponents:
            self.fail(node, words)
            return node
        if a.constant and b.constant:
            self.fail(node, "compares two numbers: it never changes")
            return node
        if total := next((kind for kind in (a, b) if kind.weight not in {None, 0, 1}), None):
            self.fail(node, f"compares {total}: divide it to a mean first")
            return node
        if (a.constant and not b.constant) or (a.weight is None and b.weight is not None):
            goal = b
            left = self.fitted(left, a, goal, words)
        else:
            goal = a
            right = self.fitted(right, b, goal, words)
        return replace(node, left=left, right=right, exponents=goal.exponents, factor=goal.factor)

    def _state(self, node: Comparison) -> Node | None:
        """A comparison with the name of a state, resolved; None when there is none."""
        for tag, state in ((node.left, node.right), (node.right, node.left)):
            if not (isinstance(tag, Name) and isinstance(state, Name)) or state.name in self._scope:
                continue
            symbol = self._scope.get(tag.name)
            if symbol is None or (not symbol.states and "." in state.name):
                continue
            if not symbol.states:
                self.fail(state, f"'{tag.name}' has no named states, so '{state.name[:60]}' means nothing")
            elif state.name not in symbol.states:
                known = ", ".join(symbol.states[:12])
                hint = suggestion(state.name, symbol.states)
                self.fail(state, f"'{state.name[:60]}' is no state of '{tag.name}' ({known}){hint}")
            elif node.op not in {"==", "!="}:
                self.fail(node, f"states have no order: use == or != instead of {node.op}")
            else:
                value = Number(float(symbol.states.index(state.name)), "1", state.column)
                sides = (tag, value) if tag is node.left else (value, tag)
                return replace(node, left=sides[0], right=sides[1], exponents=NONE)
            return node
        return None


def _converted(node: Node, kind: Measure, goal: Measure, weight: Fraction) -> Node:
    """Into the unit of `goal`; numbers at once and exactly, everything else by a node."""
    factor = kind.factor / goal.factor
    offset = weight * (kind.offset - goal.offset) / goal.factor
    if factor == 1 and not offset:
        return node
    if isinstance(node, Number):
        return replace(node, value=float(Fraction(node.value) * factor + offset), unit=goal.symbol or "1")
    return Convert(node, factor, offset, node.column)


def _bare_hint(a: Measure, b: Measure) -> str:
    for bare, other in ((a, b), (b, a)):
        if bare.exponents == NONE and bare.constant and other.symbol:
            return f"; write the number with its unit, as in '5 {other.symbol}'"
    return ""


def _temperature_hint(kind: Measure, goal: Measure) -> str:
    if {kind.weight, goal.weight} <= {Fraction(0), Fraction(1)}:
        return "a difference of temperatures is written and declared in K, a temperature in °C"
    return "divide a sum of temperatures to a mean"
