"""The oracle's expressions: postfix code on a stack of (value, quality).

One part of the plain-Python reference of docs/reference/scan.md; `oracle.py` says how the parts belong together.
"""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kernels.tables import Op
from tests.kernels.oracle_image import NAN, OracleImage, rows

Operand = tuple[float, int]
Expression = list[Any]

COMPARISONS = (Op.LT, Op.LE, Op.GT, Op.GE, Op.EQ, Op.NE)


def expressions(table: NDArray[np.void], code: NDArray[np.void]) -> list[Expression]:
    """Cut the code into one list of instructions for each expression."""
    instructions = rows(code)
    return [instructions[row.start : row.start + row.length] for row in rows(table)]


def arithmetic(op: int, a: Operand, b: Operand) -> Operand:
    """Apply one of + − × ÷ min max."""
    (x, _), (y, _) = a, b
    q = max(a[1], b[1])
    match op:
        case Op.ADD:
            return x + y, q
        case Op.SUB:
            return x - y, q
        case Op.MUL:
            return x * y, q
        case Op.DIV:
            return (NAN, 2) if y == 0 else (x / y, q)
        case Op.MIN:
            return x if x < y else y, q  # noqa: FURB136 (the words of the specification)
        case _:
            return x if x > y else y, q  # noqa: FURB136


def compare(instruction: Any, a: Operand, b: Operand, *, active: bool) -> Operand:
    """Compare; a condition that is active holds until its operand has come back by the hysteresis."""
    (x, _), (y, _) = a, b
    h = instruction.hysteresis
    if active and h > 0:
        if instruction.op in (Op.GT, Op.GE):
            y -= h
        elif instruction.op in (Op.LT, Op.LE):
            y += h
    result = {
        Op.LT: x < y,
        Op.LE: x <= y,
        Op.GT: x > y,
        Op.GE: x >= y,
        Op.EQ: x == y,
        Op.NE: x != y,
    }[instruction.op]
    return float(result), max(a[1], b[1])


def both(a: Operand, b: Operand, limit: int) -> Operand:
    """AND: a known false decides, whatever the other is."""
    for operand in (a, b):
        if operand[1] < limit and operand[0] == 0:
            return operand
    return float(a[0] != 0 and b[0] != 0), max(a[1], b[1])


def either(a: Operand, b: Operand, limit: int) -> Operand:
    """OR: a known true decides, whatever the other is."""
    for operand in (a, b):
        if operand[1] < limit and operand[0] != 0:
            return operand
    return float(a[0] != 0 or b[0] != 0), max(a[1], b[1])


def vote(operands: list[Operand], needed: int, limit: int) -> Operand:
    """Count those that are true or not known."""
    return float(sum(q >= limit or value != 0 for value, q in operands) >= needed), 0


def evaluate(expression: Expression, image: OracleImage, *, limit: int, active: bool = False) -> Operand:
    """Evaluate an expression; `limit` is the quality from which an operand counts as unknown."""
    stack: list[Operand] = []
    for instruction in expression:
        op = instruction.op
        if op == Op.CONST:
            stack.append((instruction.value, 0))
        elif op == Op.TAG:
            stack.append((image.value[instruction.arg], image.q(instruction.arg)))
        elif op == Op.RATE:
            stack.append(image.rate(instruction.arg, instruction.value))
        elif op == Op.IS_GOOD:
            stack.append((float(image.q(instruction.arg) == 0), 0))
        elif op == Op.IS_BAD:
            stack.append((float(image.q(instruction.arg) == 2), 0))
        elif op == Op.VOTE:
            operands = stack[-instruction.count :]
            del stack[-instruction.count :]
            stack.append(vote(operands, instruction.arg, limit))
        elif op in (Op.NEG, Op.ABS, Op.SQRT, Op.NOT):
            value, q = stack.pop()
            if op == Op.NEG:
                stack.append((-value, q))
            elif op == Op.ABS:
                stack.append((abs(value), q))
            elif op == Op.NOT:
                stack.append((float(value == 0), q))
            else:
                stack.append((NAN, 2) if value < 0 else (math.sqrt(value), q))
        else:
            b = stack.pop()
            a = stack.pop()
            if op in COMPARISONS:
                stack.append(compare(instruction, a, b, active=active))
            elif op == Op.AND:
                stack.append(both(a, b, limit))
            elif op == Op.OR:
                stack.append(either(a, b, limit))
            else:
                stack.append(arithmetic(op, a, b))
    (result,) = stack
    return result


def holds(expression: Expression, image: OracleImage) -> bool:
    """Say whether an expression of a program is known and true."""
    value, q = evaluate(expression, image, limit=1)
    return q < 1 and value != 0
