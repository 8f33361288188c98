"""A tree as text, with no more parentheses than it needs: parsing the text gives the tree again."""

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

_OR, _AND, _NOT, _COMPARISON, _SUM, _PRODUCT, _FACTOR = range(7)


def to_text(node: Node) -> str:
    """Print a tree (for a resolved one: with its conversions written out as sums and products)."""
    return _print(node, _OR)


def _print(node: Node, least: int) -> str:
    """Print, in parentheses where the node binds less tightly than asked for."""
    text, binding = _bare(node)
    return text if binding >= least else f"({text})"


def _bare(node: Node) -> tuple[str, int]:
    match node:
        case Number(value, unit):
            number = repr(value).removesuffix(".0")
            return (number if unit == "1" else f"{number} {unit}"), _FACTOR
        case Name(name):
            return name, _FACTOR
        case Negate(operand):
            # `-5` would be read as the number −5
            inner = _print(operand, _FACTOR)
            plain = isinstance(operand, Number) and not inner.startswith("-")
            return (f"-({inner})" if plain else f"-{inner}"), _FACTOR
        case Arithmetic(op, left, right):
            level = _SUM if op in {"+", "-"} else _PRODUCT
            return f"{_print(left, level)} {op} {_print(right, level + 1)}", level
        case Call(function, arguments):
            return f"{function}({', '.join(_print(argument, _OR) for argument in arguments)})", _FACTOR
        case Comparison(op, left, right):
            return f"{_print(left, _SUM)} {op} {_print(right, _SUM)}", _COMPARISON
        case Not(operand):
            return f"not {_print(operand, _NOT)}", _NOT
        case Logical(op, operands):
            level = _OR if op == "or" else _AND
            return f" {op} ".join(_print(operand, level + 1) for operand in operands), level
        case Vote(count, operands):
            return f"vote({count}, {', '.join(_print(operand, _OR) for operand in operands)})", _FACTOR
        case Quality(function, tag):
            return f"{function}({tag.name})", _FACTOR
        case Rate(tag, window):
            return f"rate({tag.name}, {_print(window, _OR)})", _FACTOR
        case Convert(operand, factor, offset):
            scaled = f"{_print(operand, _PRODUCT)} * {float(factor)!r}" if factor != 1 else _print(operand, _SUM)
            return (f"{scaled} + {float(offset)!r}", _SUM) if offset else (scaled, _PRODUCT)
