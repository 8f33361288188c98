"""A resolved tree into rows of code for the scan.

`not` is pushed inwards: `not (a and b)` becomes `not a or not b`, `not (p > 5 Torr)` becomes `p <= 5 Torr`. With three
values (true, false, unknown) this changes nothing, for an unknown operand leaves every one of these unknown. It makes
hysteresis right: each comparison then says the thing that is true while the condition is present. A `vote` counts
unknown operands as votes, and `good` is not the opposite of `bad`, so there `not` stays; comparisons below such a vote
get no hysteresis.
"""

import math
from collections.abc import Mapping
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from config.expression.problem import ExpressionError, Problem
from config.expression.resolve import Typed
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
)
from config.units import Quantity
from kernels.tables import CODE, STACK_DEPTH, Op

_ARITHMETIC = {"+": Op.ADD, "-": Op.SUB, "*": Op.MUL, "/": Op.DIV}
_CALLS = {"abs": Op.ABS, "sqrt": Op.SQRT, "min": Op.MIN, "max": Op.MAX}
_COMPARISONS = {"<": Op.LT, "<=": Op.LE, ">": Op.GT, ">=": Op.GE, "==": Op.EQ, "!=": Op.NE}
_OPPOSITES = {
    Op.LT: Op.GE, Op.GE: Op.LT, Op.GT: Op.LE, Op.LE: Op.GT, Op.EQ: Op.NE, Op.NE: Op.EQ
}  # fmt: skip
_ROUNDING = 1e-9  # 0.3 s at 100 ms are 3 scans, not 4
_ORDERED = frozenset({Op.LT, Op.LE, Op.GT, Op.GE})


def compile_postfix(
    expression: Typed, index: Mapping[str, int], hysteresis: Quantity | None = None, *, period_s: float | None = None
) -> NDArray[np.void]:
    """Compile a resolved expression into rows of kernels.tables.CODE.

    Args:
        expression: what `resolve` (or `read_boolean`, `read_quantity`) returned.
        index: index of each tag by its full name.
        hysteresis: by how much every ordered comparison of its dimension must be left again; a difference.
        period_s: of the scan, where rates are allowed: in computed tags and alarms.

    Raises:
        ExpressionError: too many operands for the scan's stack, a hysteresis that no comparison can use, a rate where
            there may be none or over less than two scans.
    """
    compiler = _Compiler(index, hysteresis, period_s)
    compiler.emit(expression.node)
    if compiler.deepest > STACK_DEPTH:
        reason = (
            f"needs {compiler.deepest} operands at once, the scan has {STACK_DEPTH}: use computed tags for its parts"
        )
        raise ExpressionError([Problem(expression.node.column, reason)])
    if hysteresis is not None and not compiler.attached:
        where = "outside of `not vote(…)` " if compiler.withheld else ""
        reason = (
            f"has no comparison {where}that a hysteresis of {hysteresis} ({hysteresis.unit.dimension}) could act on"
        )
        raise ExpressionError([Problem(expression.node.column, reason)])
    return np.array(compiler.rows, CODE)


class _Compiler:
    """Collects rows and keeps count of the stack."""

    def __init__(self, index: Mapping[str, int], hysteresis: Quantity | None, period_s: float | None) -> None:
        self._index = index
        self._period_s = period_s
        self._hysteresis = hysteresis
        self._usable = True
        self._depth = 0
        self.deepest = 0
        self.attached = 0
        self.withheld = 0
        self.rows: list[tuple[int, int, int, int, float, float]] = []

    def emit(self, node: Node, *, negated: bool = False) -> None:
        """Emit the code of a node; of its opposite when negated."""
        match node:
            case Number(value):
                self._row(Op.CONST, 0, value=value)
            case Name(name):
                self._row(Op.TAG, 0, arg=self._index[name])
                self._negate(negated)
            case Negate(operand):
                self.emit(operand)
                self._row(Op.NEG, 1)
            case Arithmetic(op, left, right):
                self.emit(left)
                self.emit(right)
                self._row(_ARITHMETIC[op], 2)
            case Convert(operand, factor, offset):
                self.emit(operand)
                self._scale(factor, offset)
            case Call(function, arguments):
                self.emit(arguments[0])
                for argument in arguments[1:]:
                    self.emit(argument)
                    self._row(_CALLS[function], 2)
                if len(arguments) == 1:
                    self._row(_CALLS[function], 1)
            case Comparison(op, left, right):
                self.emit(left)
                self.emit(right)
                code = _COMPARISONS[op]
                code = _OPPOSITES[code] if negated else code
                self._row(code, 2, hysteresis=self._width(node, code))
            case Not(operand):
                self.emit(operand, negated=not negated)
            case Logical(op, operands):
                joined = Op.AND if (op == "and") != negated else Op.OR
                self.emit(operands[0], negated=negated)
                for operand in operands[1:]:
                    self.emit(operand, negated=negated)
                    self._row(joined, 2)
            case Vote(count, operands):
                usable, self._usable = self._usable, self._usable and not negated
                for operand in operands:
                    self.emit(operand)
                self._usable = usable
                self._row(Op.VOTE, len(operands), arg=count, count=len(operands))
                self._negate(negated)
            case Quality(function, tag):
                self._row(Op.IS_GOOD if function == "good" else Op.IS_BAD, 0, arg=self._index[tag.name])
                self._negate(negated)
            case Rate(tag):
                self._row(Op.RATE, 0, arg=self._index[tag.name], value=float(self._window(node)))

    def _window(self, node: Rate) -> int:
        """Scans over which a rate is taken; never shorter than said."""
        if self._period_s is None:
            reason = "rate(…) stands in computed tags and alarms only: declare a computed tag with it and use that"
            raise ExpressionError([Problem(node.column, reason)])
        scans = math.ceil(node.window.value / self._period_s - _ROUNDING)
        if scans < 2:
            reason = (
                f"a rate over {node.window.value:g} s has less than two scans of {self._period_s:g} s to be taken from"
            )
            raise ExpressionError([Problem(node.window.column, reason)])
        return scans

    def _row(
        self, op: Op, operands: int, *, arg: int = 0, count: int = 0, value: float = 0.0, hysteresis: float = 0.0
    ) -> None:
        self.rows.append((int(op), arg, count, 0, value, hysteresis))
        self._depth += 1 - operands
        self.deepest = max(self.deepest, self._depth)

    def _negate(self, negated: bool) -> None:
        if negated:
            self._row(Op.NOT, 1)

    def _scale(self, factor: Fraction, offset: Fraction) -> None:
        if factor != 1:
            self._row(Op.CONST, 0, value=float(factor))
            self._row(Op.MUL, 2)
        if offset:
            self._row(Op.CONST, 0, value=float(offset))
            self._row(Op.ADD, 2)

    def _width(self, node: Comparison, code: Op) -> float:
        """The hysteresis of a comparison in the unit that it compares in."""
        wanted = self._hysteresis
        if wanted is None or code not in _ORDERED or node.exponents != wanted.unit.exponents:
            return 0.0
        if not self._usable:
            self.withheld += 1
            return 0.0
        self.attached += 1
        return float(Fraction(wanted.value) * wanted.unit.factor / node.factor)
