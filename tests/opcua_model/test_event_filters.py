"""Event filters: every operator with null as a third outcome, conversions, and clauses that are meant to hurt."""

import time
import uuid
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opcua_model.eventing.convert import Held, cast_to
from opcua_model.eventing.items import EventItem
from opcua_model.eventing.like import compile_pattern, matches
from opcua_model.eventing.notice import Notice, standard
from opcua_model.eventing.select import read_select
from opcua_model.eventing.where import DEEPEST, MOST_ELEMENTS, read_where
from opcua_model.stack import Attr, Ids, ua

KINDS = ua.VariantType
BASE, CONDITION = ua.NodeId(Ids.BaseEventType), ua.NodeId(Ids.ConditionType)
ALARM, LEVEL = ua.NodeId(Ids.AlarmConditionType), ua.NodeId(Ids.ExclusiveLevelAlarmType)
LINE = (LEVEL, ua.NodeId(Ids.LimitAlarmType), ALARM, CONDITION, BASE)


class Types:
    """The types that these tests speak of."""

    def line(self, kind: Any) -> tuple[Any, ...]:
        return LINE[LINE.index(kind) :] if kind in LINE else ()

    def is_a(self, kind: Any, wanted: Any) -> bool:
        return wanted in self.line(kind)

    def is_event(self, kind: Any) -> bool:
        return kind in LINE

    def is_object_type(self, kind: Any) -> bool:
        return kind in LINE or kind == ua.NodeId(Ids.FolderType)

    def declares(self, kind: Any, path: Any) -> bool:
        return path != standard("Nonsense")


TYPES: Any = Types()
EVENT = Notice(
    LEVEL,
    {
        standard("Severity"): ua.Variant(700, KINDS.UInt16),
        standard("Message"): ua.Variant(ua.LocalizedText("water is low"), KINDS.LocalizedText),
        standard("SourceName"): ua.Variant("facilities", KINDS.String),
        standard("ActiveState", "Id"): ua.Variant(True, KINDS.Boolean),
        standard("Time"): ua.Variant(datetime(2026, 1, 1, tzinfo=UTC), KINDS.DateTime),
        standard("HighLimit"): ua.Variant(2.5, KINDS.Double),
    },
    condition=ua.NodeId("Alarms/water", 2),
)


def field(*names: str, kind: Any = BASE) -> Any:
    made = ua.SimpleAttributeOperand()
    made.TypeDefinitionId, made.AttributeId = kind, ua.AttributeIds.Value
    made.BrowsePath = [ua.QualifiedName(name, 0) for name in names]
    return made


def literal(value: Any, kind: Any = None) -> Any:
    made = ua.LiteralOperand()
    made.Value = ua.Variant(value, kind) if kind is not None else ua.Variant(value)
    return made


def element(index: int) -> Any:
    made = ua.ElementOperand()
    made.Index = index
    return made


def clause(operator: str, *operands: Any) -> Any:
    made = ua.ContentFilterElement()
    made.FilterOperator = getattr(ua.FilterOperator, operator)
    made.FilterOperands = list(operands)
    return made


def where(*elements: Any) -> Any:
    made = ua.ContentFilter()
    made.Elements = list(elements)
    return made


def passes(*elements: Any, event: Notice = EVENT) -> bool:
    found, results = read_where(where(*elements), TYPES)
    assert found is not None, [one.StatusCode.name for one in results]
    return found.passes(event)


NOTHING = field("Nothing")
TRUE = clause("Equals", field("Severity"), literal(700, KINDS.Int64))
FALSE = clause("Equals", field("Severity"), literal(1, KINDS.Int64))
NULL = clause("GreaterThan", NOTHING, literal(1, KINDS.Int64))


@pytest.mark.parametrize(
    ("elements", "wanted"),
    [
        ((), True),
        ((TRUE,), True),
        ((FALSE,), False),
        ((clause("Equals", field("Severity"), literal("700")),), True),
        ((clause("GreaterThan", field("Severity"), literal(699.5, KINDS.Double)),), True),
        ((clause("LessThan", field("Severity"), literal(700, KINDS.UInt16)),), False),
        ((clause("LessThanOrEqual", field("Severity"), literal(255, KINDS.Byte)),), False),
        ((clause("GreaterThanOrEqual", field("Time"), literal(datetime(2025, 1, 1, tzinfo=UTC))),), True),
        ((clause("IsNull", NOTHING),), True),
        ((clause("IsNull", field("Severity")),), False),
        ((clause("Like", field("Message"), literal("%low")),), True),
        ((clause("Like", field("Message"), literal("%high")),), False),
        ((clause("Like", field("SourceName"), literal("fac_l[a-j]ties")),), True),
        ((clause("Not", element(1)), FALSE), True),
        ((clause("Not", element(1)), NULL), False),
        ((clause("And", element(1), element(2)), FALSE, NULL), False),
        ((clause("Or", element(1), element(2)), TRUE, NULL), True),
        ((clause("Or", element(1), element(2)), FALSE, NULL), False),
        ((clause("Between", field("Severity"), literal(600, KINDS.Int32), literal(800, KINDS.Int32)),), True),
        ((clause("Between", field("Severity"), literal(701, KINDS.Int32), literal(800, KINDS.Int32)),), False),
        ((clause("InList", field("SourceName"), literal("heater"), literal("facilities")),), True),
        ((clause("InList", field("SourceName"), literal("heater")),), False),
        ((clause("OfType", literal(CONDITION)),), True),
        ((clause("OfType", literal(LEVEL)),), True),
        ((field("ActiveState", "Id"),), True),
        (
            (
                clause("Equals", element(1), literal(700.0, KINDS.Double)),
                clause("Cast", field("Severity"), literal(ua.NodeId(Ids.Double))),
            ),
            True,
        ),
        (
            (
                clause("Equals", element(1), literal(0x0C, KINDS.UInt16)),
                clause("BitwiseAnd", field("Severity"), literal(0x0F, KINDS.UInt16)),
            ),
            True,
        ),
        (
            (
                clause("Equals", element(1), literal(0x2FF, KINDS.UInt16)),
                clause("BitwiseOr", field("Severity"), literal(0xFF, KINDS.UInt16)),
            ),
            True,
        ),
        ((clause("BitwiseAnd", field("HighLimit"), literal(1, KINDS.UInt16)),), False),
    ],
)
def test_an_event_passes_where_its_clause_is_true(elements: tuple[Any, ...], wanted: bool) -> None:
    if elements and not hasattr(elements[0], "FilterOperator"):
        elements = (clause("Equals", elements[0], literal(True)),)
    assert passes(*elements) is wanted


def test_a_field_of_another_type_is_null() -> None:
    plain = Notice(BASE, EVENT.fields)
    assert not passes(clause("IsNull", field("Severity", kind=CONDITION)))
    assert passes(clause("IsNull", field("Severity", kind=CONDITION)), event=plain)


@pytest.mark.parametrize(
    ("element_", "code", "operand"),
    [
        (clause("InView", literal(BASE)), "BadFilterOperatorUnsupported", None),
        (clause("RelatedTo", literal(BASE)), "BadFilterOperatorUnsupported", None),
        (clause("And", literal(True)), "BadFilterOperandCountMismatch", None),
        (clause("Not", element(0)), "BadFilterOperandInvalid", "BadFilterOperandInvalid"),
        (clause("Not", element(9)), "BadFilterOperandInvalid", "BadFilterOperandInvalid"),
        (clause("IsNull", ua.AttributeOperand()), "BadFilterOperandInvalid", "BadFilterOperandInvalid"),
        (clause("OfType", literal("a word")), "BadFilterOperandInvalid", "BadFilterOperandInvalid"),
        (clause("OfType", literal(ua.NodeId(Ids.HasSubtype))), "BadFilterOperandInvalid", "BadFilterOperandInvalid"),
        (clause("Cast", literal(1), literal(ua.NodeId(Ids.Argument))), "BadFilterOperandInvalid", None),
        (clause("Like", literal("a"), literal("[a")), "BadFilterOperandInvalid", "BadFilterOperandInvalid"),
        (clause("IsNull", field("Nonsense", kind=CONDITION)), "BadFilterOperandInvalid", "BadNodeIdUnknown"),
        (clause("IsNull", field("Time", kind=ua.NodeId(99999))), "BadFilterOperandInvalid", "BadNodeIdUnknown"),
    ],
)
def test_a_clause_that_cannot_be_had_says_which_operand(element_: Any, code: str, operand: str | None) -> None:
    found, (result,) = read_where(where(element_), TYPES)
    assert found is None
    assert result.StatusCode.name == code
    if operand is not None:
        assert operand in [one.name for one in result.OperandStatusCodes]


def test_select_clauses_are_judged_one_by_one() -> None:
    wrong_attribute = field("Time")
    wrong_attribute.AttributeId = ua.AttributeIds.DisplayName
    wrong_range = field("Message")
    wrong_range.IndexRange = "2:1"
    asked = [field("Time"), wrong_attribute, wrong_range, field("Time", kind=ua.NodeId(Ids.FolderType))]
    _, codes, sound = read_select(asked, TYPES)
    names = ["Good", "BadAttributeIdInvalid", "BadIndexRangeInvalid", "BadTypeDefinitionInvalid"]
    assert [code.name for code in codes] == names
    assert not sound
    operands, codes, sound = read_select([field("Time"), field("Nonsense", kind=CONDITION)], TYPES)
    assert sound
    assert codes[1].name == "BadNodeIdUnknown"
    assert operands[1] is not None
    assert operands[1].of(EVENT, TYPES).Value is None
    assert read_select([], TYPES)[2] is False
    assert read_select([field("Time")] * 500, TYPES)[2] is False


def test_the_condition_s_own_node_is_selected_by_an_empty_path() -> None:
    asked = ua.SimpleAttributeOperand()
    asked.TypeDefinitionId, asked.BrowsePath, asked.AttributeId = CONDITION, [], ua.AttributeIds.NodeId
    (operand,), _, sound = read_select([asked], TYPES)
    assert sound
    assert operand is not None
    assert operand.of(EVENT, TYPES).Value == ua.NodeId("Alarms/water", 2)
    assert operand.of(Notice(BASE), TYPES).Value is None


def test_what_is_deep_long_or_shared_is_bounded() -> None:
    chain = [clause("Not", element(index + 1)) for index in range(DEEPEST + 5)]
    assert read_where(where(*chain, TRUE), TYPES)[0] is None
    assert read_where(where(*([TRUE] * (MOST_ELEMENTS + 1))), TYPES)[0] is None
    # Each element twice the next one: worked out naively that is 2^30 evaluations.
    doubled = [clause("And", element(index + 1), element(index + 1)) for index in range(30)]
    began = time.process_time()
    assert passes(*doubled, TRUE)
    assert time.process_time() - began < 1


def test_a_pattern_that_is_meant_to_hurt_takes_no_time() -> None:
    pattern = compile_pattern("%a" * 200 + "b")
    assert pattern is not None
    began = time.process_time()
    assert not matches("a" * 4000, pattern)
    assert time.process_time() - began < 2
    assert compile_pattern("x" * 5000) is None


ODD = st.one_of(
    st.builds(
        literal,
        st.one_of(
            st.none(), st.booleans(), st.integers(-(2**31), 2**31 - 1), st.floats(), st.text(max_size=5),
            st.lists(st.integers(0, 9), min_size=1, max_size=3), st.binary(max_size=3), st.just(LEVEL),
            st.just(ua.LocalizedText("x")),
            st.just(datetime(2026, 1, 1, tzinfo=UTC)), st.just(ua.QualifiedName("x", 1)), st.just(ua.StatusCode(5)),
        ),
    ),
    st.builds(element, st.integers(0, 8)),
    st.builds(field, st.sampled_from(["Severity", "Message", "Time", "Nothing", "Nonsense", ""])),
    st.just(ua.AttributeOperand()),
    st.none(),
)  # fmt: skip


@given(st.lists(st.tuples(st.integers(0, 20), st.lists(ODD, max_size=4)), max_size=8))
def test_whatever_a_client_asks_is_answered(asked: list[tuple[int, list[Any]]]) -> None:
    elements = []
    for operator, operands in asked:
        made = ua.ContentFilterElement()
        made.FilterOperator = ua.FilterOperator(operator) if operator <= 17 else operator
        made.FilterOperands = operands
        elements.append(made)
    found, results = read_where(where(*elements), TYPES)
    assert len(results) == len(elements)
    if found is not None:
        assert found.passes(EVENT) in {True, False}
        assert found.passes(Notice(BASE)) in {True, False}
    else:
        assert any(not one.StatusCode.is_good() for one in results)


@given(st.text(alphabet="ab%_[]^-\\c", max_size=12), st.text(alphabet="abc", max_size=8))
def test_any_pattern_is_matched_or_refused(pattern: str, text: str) -> None:
    made = compile_pattern(pattern)
    if made is not None:
        assert matches(text, made) in {True, False}


@given(st.text(alphabet="ab", max_size=6), st.text(alphabet="ab", max_size=3), st.text(alphabet="ab", max_size=6))
def test_per_cent_stands_for_any_text(before: str, middle: str, after: str) -> None:
    made = compile_pattern(f"%{middle}%")
    assert made is not None
    assert matches(before + middle + after, made)


@pytest.mark.parametrize(
    ("value", "kind", "target", "wanted"),
    [
        ("12", KINDS.String, KINDS.Int32, 12),
        ("12.5", KINDS.String, KINDS.Double, 12.5),
        ("many", KINDS.String, KINDS.Int32, None),
        (300, KINDS.Int32, KINDS.Byte, None),
        (2.5, KINDS.Double, KINDS.Int32, 3),
        (float("nan"), KINDS.Double, KINDS.Int32, None),
        ("true", KINDS.String, KINDS.Boolean, True),
        ("perhaps", KINDS.String, KINDS.Boolean, None),
        (True, KINDS.Boolean, KINDS.String, "true"),
        (1e300, KINDS.Double, KINDS.Float, None),
        ("i=2041", KINDS.String, KINDS.NodeId, BASE),
        (
            "12345678-1234-5678-1234-567812345678",
            KINDS.String,
            KINDS.Guid,
            uuid.UUID(int=0x12345678123456781234567812345678),
        ),
        (5, KINDS.Int32, KINDS.DateTime, None),
        ([1, 2], KINDS.Int32, KINDS.String, None),
    ],
)
def test_conversions(value: Any, kind: Any, target: Any, wanted: Any) -> None:
    made = cast_to(Held(value, int(kind)), int(target))
    assert (None if made is None else made.value) == wanted


class Service:
    """As much of a subscription as a queue needs."""

    def __init__(self) -> None:
        self.isub: Any = type("Subscription", (), {"_triggered_events": {}, "max_queue_size": 1000})()
        self.fired: list[int] = []

    def fire(self, numbers: list[int]) -> None:
        self.fired += numbers


def item(queue: int, *, oldest: bool) -> tuple[EventItem, list[Any]]:
    service: Any = Service()
    made = EventItem(7, service, ua.NodeId(Ids.Server), TYPES)
    wanted = ua.MonitoringParameters(ClientHandle=3, QueueSize=queue, DiscardOldest=oldest)
    wanted.Filter = ua.EventFilter(SelectClauses=[field("EventType"), field("Severity")])
    result = ua.MonitoredItemCreateResult()
    assert made.ask(wanted, result), result
    assert result.RevisedQueueSize == max(queue, 100)
    return made, service.isub._triggered_events.setdefault(7, [])


def numbered(number: int) -> Notice:
    return Notice(
        BASE,
        {
            standard("EventType"): ua.Variant(BASE, KINDS.NodeId),
            standard("Severity"): ua.Variant(number, KINDS.UInt16),
        },
    )


@pytest.mark.parametrize("oldest", [True, False])
def test_a_queue_that_overflows_says_so_once_and_keeps_its_end(oldest: bool) -> None:
    made, queue = item(100, oldest=oldest)
    for number in range(1, 131):
        assert made.offer(numbered(number))
    kinds = [fields.EventFields[0].Value for fields in queue]
    severities = [fields.EventFields[1].Value for fields in queue]
    overflow = ua.NodeId(Ids.EventQueueOverflowEventType)
    assert len(queue) == 101
    assert kinds.count(overflow) == 1
    if oldest:
        assert kinds[0] == overflow
        assert severities[1:] == list(range(31, 131))
    else:
        assert kinds[-1] == overflow
        assert severities[:-1] == [*range(1, 100), 130]


def test_an_item_that_samples_keeps_its_events_until_it_is_triggered() -> None:
    made, queue = item(0, oldest=True)
    made.mode = 1
    made.offer(numbered(5))
    assert queue == []
    made.release()
    assert [fields.EventFields[1].Value for fields in queue] == [5]
    made.mode = 0
    assert queue == []
    assert not made.offer(numbered(6))


def test_a_filter_of_data_is_none_of_events() -> None:
    service: Any = Service()
    made = EventItem(7, service, ua.NodeId(Ids.Server), TYPES)
    result = ua.MonitoredItemCreateResult()
    assert not made.ask(ua.MonitoringParameters(Filter=ua.DataChangeFilter()), result)
    assert result.StatusCode.name == "BadEventFilterInvalid"
    assert Attr.Value == ua.AttributeIds.Value
