"""What an expression was worth at a moment: for words to people, never for control.

The scan alone decides; it evaluates every expression itself (docs/reference/scan.md, Expressions). Explanations need
the same answer for parts of an expression (which of three voters has voted?) from a snapshot.
Rows of kernels.tables.CODE and a snapshot come in, value and quality come out, by the same rules.
"""

import math
import operator
from collections.abc import Callable
from typing import Any

from numpy.typing import NDArray

from kernels.image import Snapshot
from kernels.tables import Op

Operand = tuple[float, int]
"""Value, and quality: 0 Good, 1 Uncertain, 2 Bad."""

_COMPARE: dict[int, Callable[[float, float], bool]] = {
    Op.LT: operator.lt, Op.LE: operator.le, Op.GT: operator.gt, Op.GE: operator.ge, Op.EQ: operator.eq,
    Op.NE: operator.ne,
}  # fmt: skip
_JOIN: dict[int, Callable[[float, float], float]] = {
    Op.ADD: operator.add, Op.SUB: operator.sub, Op.MUL: operator.mul, Op.MIN: min, Op.MAX: max,
}  # fmt: skip
_GIVES_WAY = {Op.GT: -1.0, Op.GE: -1.0, Op.LT: 1.0, Op.LE: 1.0}


def evaluate(code: NDArray[Any], snapshot: Snapshot, *, limit: int = 1, active: bool = False) -> Operand:
    """Evaluate an expression without rates: those live in the scan's memory, and no interlock holds one directly.

    Args:
        code: rows of kernels.tables.CODE.
        snapshot: the moment.
        limit: quality from which an operand counts as unknown (2 where Uncertain is accepted).
        active: whether comparisons hold on by their hysteresis.
    """
    stack: list[Operand] = []
    for op, arg, count, _, value, hysteresis in code.tolist():
        match op:
            case Op.CONST:
                stack.append((value, 0))
            case Op.TAG:
                stack.append((float(snapshot.values[arg]), quality(snapshot, arg)))
            case Op.IS_GOOD | Op.IS_BAD:
                stack.append((float(quality(snapshot, arg) == (0 if op == Op.IS_GOOD else 2)), 0))
            case Op.VOTE:
                votes = sum(q >= limit or x != 0 for x, q in stack[-count:])
                del stack[-count:]
                stack.append((float(votes >= arg), 0))
            case Op.NEG | Op.ABS | Op.NOT | Op.SQRT:
                stack.append(_alone(op, stack.pop()))
            case _:
                b, a = stack.pop(), stack.pop()
                held = _GIVES_WAY.get(op, 0.0) * hysteresis if active and hysteresis > 0 else 0.0
                stack.append(_together(op, a, b, limit, held))
    return stack[0]


def quality(snapshot: Snapshot, tag: int) -> int:
    """Quality of a tag: 0 Good, 1 Uncertain, 2 Bad."""
    return min(int(snapshot.status[tag]) >> 30, 2)


def _alone(op: int, a: Operand) -> Operand:
    x, q = a
    match op:
        case Op.NEG:
            return -x, q
        case Op.ABS:
            return abs(x), q
        case Op.NOT:
            return float(x == 0), q
        case _:
            return (math.nan, 2) if x < 0 else (math.sqrt(x), q)


def _together(op: int, a: Operand, b: Operand, limit: int, held: float) -> Operand:
    q = max(a[1], b[1])
    if op in {Op.AND, Op.OR}:
        decides = op == Op.OR
        for x, of in (a, b):
            if of < limit and (x != 0) == decides:
                return x, of
        both = a[0] != 0 and b[0] != 0
        return float(a[0] != 0 or b[0] != 0 if decides else both), q
    if op in _COMPARE:
        return float(_COMPARE[op](a[0], b[0] + held)), q
    if op == Op.DIV:
        return (math.nan, 2) if b[0] == 0 else (a[0] / b[0], q)
    return _JOIN[op](a[0], b[0]), q
