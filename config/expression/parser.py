"""Tokens of an expression into its tree, by recursive descent.

either     = both { "or" both }
both       = negation { "and" negation }
negation   = "not" negation | comparison
comparison = sum [ ( "==" | "!=" | "<" | "<=" | ">" | ">=" ) sum ]
sum        = product { ( "+" | "-" ) product }
product    = factor { ( "*" | "/" ) factor }
factor     = "-" factor | number [ unit ] | function "(" … ")" | name | "(" either ")"
"""

from collections.abc import Callable

from config.expression.lexer import FUNCTIONS, Token, TokenKind, tokens
from config.expression.problem import ExpressionError, Problem
from config.expression.tree import (
    Arithmetic,
    Call,
    Comparison,
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

MAX_NESTING = 24  # parentheses, calls, `not` and signs within one another: an expression is for people
MAX_DEPTH = 64  # levels of the tree, chains of + and * included: what walks it may recurse
COMPARISONS = frozenset({"==", "!=", "<", "<=", ">", ">="})


def parse(text: str) -> Node:
    """Parse an expression; raises ExpressionError at the first piece that does not fit."""
    parser = _Parser(list(tokens(text)))
    tree = parser.whole()
    if _deeper_than(tree, MAX_DEPTH):
        raise ExpressionError(
            [Problem(tree.column, f"is deeper than {MAX_DEPTH} levels: use computed tags for its parts")]
        )
    return tree


def _deeper_than(tree: Node, limit: int) -> bool:
    level: list[Node] = [tree]
    for _ in range(limit):
        level = [child for node in level for child in children(node)]
    return bool(level)


class _Parser:
    """A cursor over the tokens."""

    def __init__(self, found: list[Token]) -> None:
        self._tokens = found
        self._at = 0
        self._nesting = 0

    def whole(self) -> Node:
        tree = self._either()
        if self._next.kind is not TokenKind.END:
            extra = "comparisons cannot be chained: join two with and" if self._next.text in COMPARISONS else ""
            raise self._fault(extra or f"expected an operator, found {self._found()}")
        return tree

    @property
    def _next(self) -> Token:
        return self._tokens[self._at]

    def _found(self) -> str:
        return self._next.text if self._next.kind is TokenKind.END else f"'{self._next.text[:40]}'"

    def _take(self) -> Token:
        token = self._next
        self._at += 1
        return token

    def _sees(self, *signs: str) -> bool:
        return self._next.kind is TokenKind.SIGN and self._next.text in signs

    def _expect(self, sign: str, where: str) -> Token:
        if not self._sees(sign):
            raise self._fault(f"expected '{sign}' {where}, found {self._found()}")
        return self._take()

    def _fault(self, reason: str, column: int | None = None) -> ExpressionError:
        return ExpressionError([Problem(self._next.column if column is None else column, reason)])

    def _inside(self, part: Callable[[], Node]) -> Node:
        """Go one level down, but not endlessly."""
        if self._nesting >= MAX_NESTING:
            raise self._fault(f"is nested more than {MAX_NESTING} levels deep")
        self._nesting += 1
        node = part()
        self._nesting -= 1
        return node

    def _chain(self, op: str, part: Callable[[], Node]) -> Node:
        first = part()
        operands = [first]
        while self._sees(op):
            self._take()
            operands.append(part())
        return Logical(op, tuple(operands), first.column) if len(operands) > 1 else first

    def _either(self) -> Node:
        return self._chain("or", self._both)

    def _both(self) -> Node:
        return self._chain("and", self._negation)

    def _negation(self) -> Node:
        if not self._sees("not"):
            return self._comparison()
        column = self._take().column
        return Not(self._inside(self._negation), column)

    def _comparison(self) -> Node:
        left = self._sum()
        if not self._sees(*COMPARISONS):
            return left
        op = self._take()
        return Comparison(op.text, left, self._sum(), op.column)

    def _sum(self) -> Node:
        node = self._product()
        while self._sees("+", "-"):
            op = self._take()
            node = Arithmetic(op.text, node, self._product(), op.column)
        return node

    def _product(self) -> Node:
        node = self._factor()
        while self._sees("*", "/"):
            op = self._take()
            node = Arithmetic(op.text, node, self._factor(), op.column)
        return node

    def _factor(self) -> Node:
        token = self._next
        if self._sees("-"):
            self._take()
            if self._next.kind is TokenKind.NUMBER:
                number = self._take()
                return Number(-number.value, number.unit, token.column)
            return Negate(self._inside(self._factor), token.column)
        if token.kind is TokenKind.NUMBER:
            self._take()
            return Number(token.value, token.unit, token.column)
        if token.kind is TokenKind.NAME:
            self._take()
            return self._call(token) if self._sees("(") else Name(token.text, token.column)
        if self._sees("("):
            self._take()
            inner = self._inside(self._either)
            self._expect(")", f"for the parenthesis of column {token.column}")
            return inner
        raise self._fault(f"expected a value, found {self._found()}")

    def _call(self, function: Token) -> Node:
        if function.text not in FUNCTIONS:
            known = ", ".join(sorted(FUNCTIONS))
            hint = suggestion(function.text, FUNCTIONS) or f"; there are {known}"
            raise self._fault(f"unknown function '{function.text[:40]}'{hint}", function.column)
        self._take()
        arguments = [self._inside(self._either)]
        while self._sees(","):
            self._take()
            arguments.append(self._inside(self._either))
        self._expect(")", f"behind the arguments of {function.text}")
        return self._checked_call(function, arguments)

    def _checked_call(self, function: Token, arguments: list[Node]) -> Node:
        name, column = function.text, function.column
        if name in {"good", "bad"}:
            tag = arguments[0]
            if len(arguments) != 1 or not isinstance(tag, Name):
                raise self._fault(f"{name}(…) takes the name of one tag", column)
            return Quality(name, tag, column)
        if name == "rate":
            tag, window = arguments[0], arguments[-1]
            if len(arguments) != 2 or not isinstance(tag, Name) or not isinstance(window, Number):
                raise self._fault("rate(…) takes the name of one tag and a time, as in rate(a.b, 10 s)", column)
            return Rate(tag, window, column)
        if name == "vote":
            count, *operands = arguments
            if not isinstance(count, Number) or count.unit != "1" or count.value != int(count.value) or not operands:
                raise self._fault(
                    "vote(…) takes a whole number k and then the conditions of which k must be true", column
                )
            if not 1 <= count.value <= len(operands):
                raise self._fault(f"vote: {count.value:g} of {len(operands)} can never decide anything", count.column)
            return Vote(int(count.value), tuple(operands), column)
        wanted = 1 if name in {"abs", "sqrt"} else 2
        if len(arguments) < wanted or (wanted == 1 and len(arguments) > 1):
            raise self._fault(f"{name}(…) takes {'one argument' if wanted == 1 else 'two arguments or more'}", column)
        return Call(name, tuple(arguments), column)
