"""Select clauses: which fields of an event a client wants."""

from dataclasses import dataclass
from typing import Any, Final

from opcua_model.eventing.notice import Notice, Path, path_of
from opcua_model.eventing.type_tree import TypeTree
from opcua_model.publishing.ranges import IndexRange, RangeInvalid, cut, parse_range
from opcua_model.stack import Attr, Ids, status, ua

MOST_CLAUSES: Final = 200
_DEEPEST: Final = 8
_NULL: Final = ua.Variant(None, ua.VariantType.Null)
_BASE: Final = ua.NodeId(Ids.BaseEventType)
_CONDITION: Final = ua.NodeId(Ids.ConditionType)


@dataclass(frozen=True)
class Operand:
    """A field as a client names it."""

    kind: Any
    path: Path
    attribute: int
    part: IndexRange | None

    def of(self, notice: Notice, types: TypeTree) -> Any:
        """The field's variant; null where this event is of another type or has no such field."""
        # Part 4, 7.7.4.5: BaseEventType stands for every type, its path is followed whatever the event is.
        if self.kind != _BASE and not types.is_a(notice.type, self.kind):
            return _NULL
        found = notice.get(self.path, self.attribute)
        if found is None:
            return _NULL
        return found if self.part is None else cut(ua.DataValue(found), self.part).Value


def read_operand(given: Any, types: TypeTree) -> tuple[Operand | None, str, bool]:
    """Read a SimpleAttributeOperand: it, its status, and whether it makes the filter invalid as a whole."""
    kind = given.TypeDefinitionId
    if kind is None or kind.is_null():
        kind = _BASE
    if not types.line(kind):
        return None, "BadNodeIdUnknown" if not types.is_object_type(kind) else "BadTypeDefinitionInvalid", True
    if not types.is_event(kind):
        return None, "BadTypeDefinitionInvalid", True
    path = path_of(given.BrowsePath)
    if len(path) > _DEEPEST or any(not name or name == "None" for _, name in path):
        return None, "BadBrowseNameInvalid", True
    attribute = int(given.AttributeId)
    if attribute not in {int(Attr.Value), int(Attr.NodeId)} or (not path and attribute == int(Attr.Value)):
        return None, "BadAttributeIdInvalid", True
    try:
        part = parse_range(given.IndexRange)
    except RangeInvalid:
        return None, "BadIndexRangeInvalid", True
    made = Operand(kind, path, attribute, part)
    if not path:
        known = types.is_a(kind, _CONDITION) or kind == _BASE
        return (made, "Good", False) if known else (None, "BadAttributeIdInvalid", True)
    if kind != _BASE and not types.declares(kind, path):
        return made, "BadNodeIdUnknown", False  # its field is null; the others are told
    return made, "Good", False


def read_select(clauses: Any, types: TypeTree) -> tuple[list[Operand | None], list[Any], bool]:
    """Read all select clauses: operands, a status for each, and whether they can be had."""
    given = list(clauses or ())
    if not given or len(given) > MOST_CLAUSES:
        return [], [], False
    made: list[Operand | None] = []
    codes: list[Any] = []
    sound = True
    for one in given:
        operand, code, fatal = read_operand(one, types)
        made.append(operand)
        codes.append(ua.StatusCode() if code == "Good" else status(code))
        sound = sound and not fatal
    return made, codes, sound
