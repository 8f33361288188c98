"""The value of a resolved tree whose names are all known beforehand: a recipe's parameters, never a tag.

Exact fractions are rounded once, at the end, so that `thickness / rate` does not depend on how it is written. The
scan's expressions are not evaluated here: kernels compute those.
"""

import math
from collections.abc import Mapping
from fractions import Fraction

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

Values = Mapping[str, float | bool]
_LARGEST = Fraction(10) ** 300


def evaluate(typed: Typed, values: Values) -> float | bool:
    """Compute a resolved expression.

    Args:
        typed: what `read_quantity` or `read_boolean` gave.
        values: of every name in it, in the name's own unit.

    Raises:
        ExpressionError: a division by zero, the root of a negative number, a result beyond 1e300.
    """
    result = _value(typed.node, values)
    return result if isinstance(result, bool) else float(result)


def _value(node: Node, values: Values) -> Fraction | bool:
    match node:
        case Number(value):
            return Fraction(value)
        case Name(name):
            value = values[name]
            return value if isinstance(value, bool) else Fraction(value)
        case Negate(operand):
            return -_number(operand, values)
        case Convert(operand, factor, offset):
            return _bounded(_number(operand, values) * factor + offset, node)
        case Arithmetic():
            return _bounded(_arithmetic(node, values), node)
        case Call():
            return _call(node, values)
        case Comparison():
            return _comparison(node, values)
        case Not(operand):
            return not _truth(operand, values)
        case Logical(op, operands):
            found = [_truth(operand, values) for operand in operands]
            return any(found) if op == "or" else all(found)
        case Vote(count, operands):
            return sum(_truth(operand, values) for operand in operands) >= count
        case Rate():
            raise ExpressionError([Problem(node.column, "a parameter has no rate: rate() is for tags")])
        case Quality():
            raise ExpressionError([Problem(node.column, "a parameter has no quality: good() and bad() are for tags")])


def _number(node: Node, values: Values) -> Fraction:
    return Fraction(_value(node, values))


def _truth(node: Node, values: Values) -> bool:
    return bool(_value(node, values))


def _bounded(value: Fraction, node: Node) -> Fraction:
    """Fractions grow without end where floats overflow."""
    if abs(value) > _LARGEST:
        raise ExpressionError([Problem(node.column, "is larger than 1e300")])
    return value


def _arithmetic(node: Arithmetic, values: Values) -> Fraction:
    left, right = _number(node.left, values), _number(node.right, values)
    match node.op:
        case "+":
            return left + right
        case "-":
            return left - right
        case "*":
            return left * right
        case _:
            if not right:
                raise ExpressionError([Problem(node.column, "divides by zero")])
            return left / right


def _call(node: Call, values: Values) -> Fraction:
    arguments = [_number(argument, values) for argument in node.arguments]
    match node.function:
        case "abs":
            return abs(arguments[0])
        case "min":
            return min(arguments)
        case "max":
            return max(arguments)
        case _:
            if arguments[0] < 0:
                raise ExpressionError([Problem(node.column, "is the square root of a negative number")])
            return Fraction(math.sqrt(arguments[0]))


def _comparison(node: Comparison, values: Values) -> bool:
    left, right = _number(node.left, values), _number(node.right, values)
    match node.op:
        case "==":
            return left == right
        case "!=":
            return left != right
        case "<":
            return left < right
        case "<=":
            return left <= right
        case ">":
            return left > right
        case _:
            return left >= right
