"""Where clauses: all operators that Part 4 (7.7.3, 7.22.3) permits in an event filter, with null as a third outcome.

A clause is read and checked once, element by element; an element may only point at a later one, so nothing is
circular, and what two elements share is worked out once for each event.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from opcua_model.eventing.convert import Held, alike, cast_to, common, held
from opcua_model.eventing.like import compile_pattern, matches
from opcua_model.eventing.notice import Notice
from opcua_model.eventing.select import Operand, read_operand
from opcua_model.eventing.type_tree import TypeTree
from opcua_model.stack import status, ua

MOST_ELEMENTS: Final = 128
MOST_OPERANDS: Final = 256
DEEPEST: Final = 32
_O: Final = ua.FilterOperator
_COUNTS: Final = {
    _O.Equals: (2, 2),
    _O.IsNull: (1, 1),
    _O.GreaterThan: (2, 2),
    _O.LessThan: (2, 2),
    _O.GreaterThanOrEqual: (2, 2),
    _O.LessThanOrEqual: (2, 2),
    _O.Like: (2, 2),
    _O.Not: (1, 1),
    _O.Between: (3, 3),
    _O.InList: (2, MOST_OPERANDS),
    _O.And: (2, 2),
    _O.Or: (2, 2),
    _O.Cast: (2, 2),
    _O.OfType: (1, 1),
    _O.BitwiseAnd: (2, 2),
    _O.BitwiseOr: (2, 2),
}
_NOT_FOR_EVENTS: Final = frozenset({_O.InView, _O.RelatedTo})
_BOOLEAN: Final = int(ua.VariantType.Boolean)
_STRING: Final = int(ua.VariantType.String)
_KINDS: Final = {
    int(getattr(ua.ObjectIds, kind.name)): int(kind)
    for kind in ua.VariantType
    if kind.name in {
        "Boolean", "SByte", "Byte", "Int16", "UInt16", "Int32", "UInt32", "Int64", "UInt64", "Float", "Double",
        "String", "DateTime", "Guid", "StatusCode", "LocalizedText", "QualifiedName", "NodeId", "ExpandedNodeId",
    }
}  # fmt: skip
"""Data types that Cast converts to, by their identifier."""
_INTEGER_KINDS: Final = frozenset(
    int(getattr(ua.VariantType, name))
    for name in ("SByte", "Byte", "Int16", "UInt16", "Int32", "UInt32", "Int64", "UInt64")
)


@dataclass(frozen=True)
class Literal:
    """A value as a client wrote it."""

    value: Held | None


@dataclass(frozen=True)
class Element:
    """The outcome of another element."""

    index: int


Term = Operand | Literal | Element


@dataclass(frozen=True)
class Clause:
    """One element: an operator and its operands."""

    operator: Any
    terms: tuple[Term, ...]


class Where:
    """A where clause that was read; without elements every event passes."""

    def __init__(self, clauses: Sequence[Clause], types: TypeTree) -> None:
        self._clauses = clauses
        self._types = types

    def passes(self, notice: Notice) -> bool:
        """Tell whether an event is wanted: null is not."""
        if not self._clauses:
            return True
        known: dict[int, Held | None] = {}
        # From the last to the first: an element points at later ones only.
        for index in range(len(self._clauses) - 1, -1, -1):
            clause = self._clauses[index]
            known[index] = self._evaluate(clause, notice, known)
        return _truth(known[0]) is True

    def _evaluate(self, clause: Clause, notice: Notice, known: dict[int, Held | None]) -> Held | None:
        values: list[Held | None] = []
        for term in clause.terms:
            if isinstance(term, Literal):
                values.append(term.value)
            elif isinstance(term, Element):
                values.append(known[term.index])
            else:
                values.append(held(term.of(notice, self._types)))
        if clause.operator == _O.OfType:
            wanted = values[0]
            return None if wanted is None else _boolean(self._types.is_a(notice.type, wanted.value))
        return _OPERATIONS[clause.operator](values)


def _boolean(outcome: bool | None) -> Held | None:
    return None if outcome is None else Held(outcome, _BOOLEAN)


def _truth(one: Held | None) -> bool | None:
    if one is None:
        return None
    made = cast_to(one, _BOOLEAN)
    return None if made is None else bool(made.value)


def _compared(values: list[Held | None], judge: Callable[[Any, Any], bool]) -> Held | None:
    left, right = values[0], values[1]
    if left is None or right is None:
        return None
    pair = alike(left, right)
    if pair is None:
        return None
    try:
        return _boolean(bool(judge(*pair)))
    except TypeError:  # an order that the type does not have
        return None


def _like(values: list[Held | None]) -> Held | None:
    texts = [None if one is None else cast_to(one, _STRING) for one in values]
    if texts[0] is None or texts[1] is None:
        return None
    pattern = compile_pattern(str(texts[1].value))
    return None if pattern is None else _boolean(matches(str(texts[0].value), pattern))


def _between(values: list[Held | None]) -> Held | None:
    return _and([_compared(values[:2], lambda a, b: a >= b), _compared([values[0], values[2]], lambda a, b: a <= b)])


def _in_list(values: list[Held | None]) -> Held | None:
    unknown = values[0] is None
    for other in values[1:]:
        found = _compared([values[0], other], lambda a, b: a == b)
        if found is not None and found.value:
            return found
    return None if unknown else Held(False, _BOOLEAN)


def _and(values: list[Held | None]) -> Held | None:
    left, right = _truth(values[0]), _truth(values[1])
    if left is False or right is False:
        return Held(False, _BOOLEAN)
    return None if left is None or right is None else Held(True, _BOOLEAN)


def _or(values: list[Held | None]) -> Held | None:
    left, right = _truth(values[0]), _truth(values[1])
    if left is True or right is True:
        return Held(True, _BOOLEAN)
    return None if left is None or right is None else Held(False, _BOOLEAN)


def _not(values: list[Held | None]) -> Held | None:
    truth = _truth(values[0])
    return None if truth is None else Held(not truth, _BOOLEAN)


def _cast(values: list[Held | None]) -> Held | None:
    value, kind = values
    if value is None or kind is None:
        return None
    target = _KINDS.get(kind.value.Identifier) if kind.value.NamespaceIndex == 0 else None
    return None if target is None else cast_to(value, target)


def _bits(values: list[Held | None], judge: Callable[[int, int], int]) -> Held | None:
    left, right = values
    if left is None or right is None or left.kind not in _INTEGER_KINDS or right.kind not in _INTEGER_KINDS:
        return None
    pair = common(left, right)
    return None if pair is None else Held(judge(int(pair[0].value), int(pair[1].value)), pair[0].kind)


_OPERATIONS: Final[dict[Any, Callable[[list[Held | None]], Held | None]]] = {
    _O.Equals: lambda v: _compared(v, lambda a, b: a == b),
    _O.IsNull: lambda v: Held(v[0] is None, _BOOLEAN),
    _O.GreaterThan: lambda v: _compared(v, lambda a, b: a > b),
    _O.LessThan: lambda v: _compared(v, lambda a, b: a < b),
    _O.GreaterThanOrEqual: lambda v: _compared(v, lambda a, b: a >= b),
    _O.LessThanOrEqual: lambda v: _compared(v, lambda a, b: a <= b),
    _O.Like: _like,
    _O.Not: _not,
    _O.Between: _between,
    _O.InList: _in_list,
    _O.And: _and,
    _O.Or: _or,
    _O.Cast: _cast,
    _O.BitwiseAnd: lambda v: _bits(v, lambda a, b: a & b),
    _O.BitwiseOr: lambda v: _bits(v, lambda a, b: a | b),
}


# ---------------------------------------------------------------------------------------------------------- reading
def read_where(given: Any, types: TypeTree) -> tuple[Where | None, list[Any]]:
    """Read a where clause: it, or None when it is invalid, and a result for each of its elements."""
    elements = list(getattr(given, "Elements", None) or ())
    if len(elements) > MOST_ELEMENTS:
        return None, []
    results: list[Any] = []
    clauses: list[Clause] = []
    sound = True
    for index, element in enumerate(elements):
        clause, result = _read_element(element, index, len(elements), types)
        results.append(result)
        if clause is None:
            sound = False
        else:
            clauses.append(clause)
    if not sound or _depth(clauses) > DEEPEST:
        return None, results
    return Where(clauses, types), results


def _depth(clauses: Sequence[Clause]) -> int:
    depths = [0] * len(clauses)
    for index in range(len(clauses) - 1, -1, -1):
        below = (depths[term.index] for term in clauses[index].terms if isinstance(term, Element))
        depths[index] = 1 + max(below, default=0)
    return max(depths, default=0)


def _read_element(element: Any, index: int, count: int, types: TypeTree) -> tuple[Clause | None, Any]:
    result = ua.ContentFilterElementResult()
    operator = element.FilterOperator
    if operator in _NOT_FOR_EVENTS:
        result.StatusCode = status("BadFilterOperatorUnsupported")
        return None, result
    bounds = _COUNTS.get(operator)
    if bounds is None:
        result.StatusCode = status("BadFilterOperatorInvalid")
        return None, result
    given = list(element.FilterOperands or ())
    if not bounds[0] <= len(given) <= bounds[1]:
        result.StatusCode = status("BadFilterOperandCountMismatch")
        return None, result
    terms: list[Term] = []
    codes: list[Any] = []
    for place, one in enumerate(given):
        term, code = _read_term(one, index, count, types)
        if term is not None and not _suits(operator, place, term, types):
            term, code = None, "BadFilterOperandInvalid"
        codes.append(ua.StatusCode() if code == "Good" else status(code))
        if term is not None:
            terms.append(term)
    result.OperandStatusCodes = codes
    if len(terms) < len(given):
        result.StatusCode = status("BadFilterOperandInvalid")
        return None, result
    return Clause(operator, tuple(terms)), result


def _read_term(given: Any, index: int, count: int, types: TypeTree) -> tuple[Term | None, str]:
    if isinstance(given, ua.ElementOperand):
        # Only onwards: what points back could go round for ever.
        if not index < int(given.Index) < count:
            return None, "BadFilterOperandInvalid"
        return Element(int(given.Index)), "Good"
    if isinstance(given, ua.LiteralOperand):
        return Literal(held(given.Value)), "Good"
    if isinstance(given, ua.SimpleAttributeOperand):
        operand, code, fatal = read_operand(given, types)
        # A field that its type does not declare is null for ever: in a where clause that is a mistake.
        return (None, code) if fatal or code != "Good" else (operand, code)
    return None, "BadFilterOperandInvalid"  # AttributeOperand is for queries only (Part 4, 7.22.3)


def _suits(operator: Any, place: int, term: Term, types: TypeTree) -> bool:
    """Some operands must be literals of a kind."""
    if operator == _O.OfType or (operator == _O.Cast and place == 1):
        if not isinstance(term, Literal) or term.value is None or not isinstance(term.value.value, ua.NodeId):
            return False
        kind = term.value.value
        if operator == _O.OfType:
            return bool(types.line(kind))
        return kind.NamespaceIndex == 0 and kind.Identifier in _KINDS
    if operator == _O.Like and place == 1 and isinstance(term, Literal) and term.value is not None:
        text = cast_to(term.value, _STRING)
        return text is not None and compile_pattern(str(text.value)) is not None
    return True
