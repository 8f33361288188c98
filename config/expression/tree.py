"""The tree of an expression.

Columns tell where a node begins in its text; they are no part of its identity, so that trees compare by meaning.
"""

from dataclasses import dataclass, field
from fractions import Fraction

from config.unit_table import Exponents


@dataclass(frozen=True, slots=True)
class Number:
    """A number with its unit's symbol, `1` for a bare one."""

    value: float
    unit: str = "1"
    column: int = field(default=1, compare=False)


@dataclass(frozen=True, slots=True)
class Name:
    """A tag (`module.point`), or the name of a state (one word) before it is resolved."""

    name: str
    column: int = field(default=1, compare=False)


@dataclass(frozen=True, slots=True)
class Negate:
    """− operand."""

    operand: "Node"
    column: int = field(default=1, compare=False)


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """left + − * / right."""

    op: str
    left: "Node"
    right: "Node"
    column: int = field(default=1, compare=False)
    """Of the operator."""


@dataclass(frozen=True, slots=True)
class Call:
    """abs, sqrt of one argument; min, max of two or more."""

    function: str
    arguments: tuple["Node", ...]
    column: int = field(default=1, compare=False)


@dataclass(frozen=True, slots=True)
class Comparison:
    """left == != < <= > >= right."""

    op: str
    left: "Node"
    right: "Node"
    column: int = field(default=1, compare=False)
    """Of the operator."""
    exponents: Exponents | None = field(default=None, compare=False)
    """Resolved: dimension of both sides."""
    factor: Fraction = field(default=Fraction(1), compare=False)
    """Resolved: SI value of the unit in which both sides are compared."""


@dataclass(frozen=True, slots=True)
class Not:
    """Not operand."""

    operand: "Node"
    column: int = field(default=1, compare=False)


@dataclass(frozen=True, slots=True)
class Logical:
    """A chain of operands joined by one `and` or `or`."""

    op: str
    operands: tuple["Node", ...]
    column: int = field(default=1, compare=False)


@dataclass(frozen=True, slots=True)
class Vote:
    """At least `count` of the operands are true; unknown ones vote with them."""

    count: int
    operands: tuple["Node", ...]
    column: int = field(default=1, compare=False)


@dataclass(frozen=True, slots=True)
class Quality:
    """good(tag) or bad(tag)."""

    function: str
    tag: Name
    column: int = field(default=1, compare=False)


@dataclass(frozen=True, slots=True)
class Rate:
    """rate(tag, window): how fast a tag changes."""

    tag: Name
    window: Number
    """Resolved: in seconds."""
    column: int = field(default=1, compare=False)


@dataclass(frozen=True, slots=True)
class Convert:
    """Resolved: operand × factor + offset, into another unit."""

    operand: "Node"
    factor: Fraction
    offset: Fraction
    column: int = field(default=1, compare=False)


Node = Number | Name | Negate | Arithmetic | Call | Comparison | Not | Logical | Vote | Quality | Rate | Convert


def children(node: Node) -> tuple[Node, ...]:
    """Nodes directly below, in the order of the text."""
    match node:
        case Number() | Name():
            return ()
        case Negate() | Not() | Convert():
            return (node.operand,)
        case Arithmetic() | Comparison():
            return (node.left, node.right)
        case Call():
            return node.arguments
        case Logical() | Vote():
            return node.operands
        case Quality() | Rate():
            return (node.tag,)
