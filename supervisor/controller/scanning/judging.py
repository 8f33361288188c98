"""Conditions judged once, at the moment somebody asks: needs of modes, operations and recipes.

The scan judges what must hold while something runs; this is for what must be so before it starts. The rules are those
of docs/reference/scan.md, Expressions, without hysteresis and with quality limit 1.
"""

import math
import operator
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from config.equipment import Need
from config.expression import compile_postfix, names, read_boolean
from kernels.tables import Op
from supervisor.controller.scanning.explain import Explainer
from supervisor.controller.scanning.scanner import View

Operand = tuple[float, int]
"""Value and quality: 0 Good, 1 Uncertain, 2 Bad."""
LIMIT = 1
NAN = math.nan


def unmet(view: View, needs: Iterable[Need]) -> list[str]:
    """Say why each need that is not met is not, with the values that decide."""
    found = list[str]()
    for need in needs:
        judged = judge(view, need.that)
        if not judged.holds:
            found.append(f"{need.reason} [{judged.values}]")
    return found


@dataclass(frozen=True)
class Judged:
    """What a condition amounts to at a moment."""

    holds: bool
    """Known and true."""
    values: str
    """Of the tags that it reads, for people."""


def judge(view: View, text: str) -> Judged:
    """Judge a condition of a checked tool file."""
    typed = read_boolean(text, view.layout.scope)
    code = compile_postfix(typed, view.layout.index)
    value, quality = evaluate(code, view.snapshot.values, view.snapshot.status)
    explainer, index = Explainer(view), view.layout.index
    read = dict.fromkeys(name.name for name in names(typed.node))
    return Judged(quality < LIMIT and value != 0, ", ".join(explainer.value(index[name]) for name in read))


def evaluate(code: NDArray[np.void], values: NDArray[np.float64], status: NDArray[np.uint32]) -> Operand:
    """Compute rows of kernels.tables.CODE over all tags' values and statuses."""
    stack = list[Operand]()
    for op, arg, count, value in zip(
        code["op"].tolist(), code["arg"].tolist(), code["count"].tolist(), code["value"].tolist(), strict=True
    ):
        if op == Op.CONST:
            stack.append((value, 0))
        elif op in _LOOKS:
            quality = min(2, int(status[arg]) >> 30)
            stack.append((float(values[arg]), quality) if op == Op.TAG else (float(quality == _LOOKS[op]), 0))
        elif op == Op.VOTE:
            votes = sum(quality >= LIMIT or x != 0 for x, quality in stack[-count:])
            del stack[-count:]
            stack.append((float(votes >= arg), 0))
        elif op in _UNARY:
            stack.append(_one(op, *stack.pop()))
        else:
            right = stack.pop()
            stack.append(_two(op, stack.pop(), right))
    (result,) = stack
    return result


_LOOKS = {Op.TAG: -1, Op.IS_GOOD: 0, Op.IS_BAD: 2}
_UNARY = frozenset({Op.NEG, Op.ABS, Op.SQRT, Op.NOT})


def _one(op: int, x: float, quality: int) -> Operand:
    match op:
        case Op.NEG:
            return -x, quality
        case Op.ABS:
            return abs(x), quality
        case Op.NOT:
            return float(x == 0), quality
        case _:
            return (NAN, 2) if x < 0 else (math.sqrt(x), quality)


def _two(op: int, left: Operand, right: Operand) -> Operand:
    (x, a), (y, b) = left, right
    if op in {Op.AND, Op.OR}:
        # A known operand that decides does so whatever the other is.
        for value, quality in (left, right):
            if quality < LIMIT and (value != 0) == (op == Op.OR):
                return value, quality
        return float((x != 0 and y != 0) if op == Op.AND else (x != 0 or y != 0)), max(a, b)
    if op == Op.DIV and y == 0:
        return NAN, 2
    return float(_BINARY[op](x, y)), max(a, b)


_BINARY: dict[int, Callable[[float, float], float]] = {
    Op.ADD: operator.add,
    Op.SUB: operator.sub,
    Op.MUL: operator.mul,
    Op.DIV: float.__truediv__,
    Op.MIN: min,
    Op.MAX: max,
    Op.LT: operator.lt,
    Op.LE: operator.le,
    Op.GT: operator.gt,
    Op.GE: operator.ge,
    Op.EQ: operator.eq,
    Op.NE: operator.ne,
}
