"""History as clients read it: whole, in pages, from the end, and not where there is none."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest

from opcua_model.client import ToolClient, connect
from opcua_model.interface import Occurrence, PastEvent, Refused
from opcua_model.publishing.snapshot import EPOCH
from opcua_model.server import UaServer
from opcua_model.stack import Attr, errors, ua
from tests.opcua_model.fake_daemon import PASSWORDS, START_NS, FakeDaemon

pytestmark = pytest.mark.anyio

TAG = "chamber.pressure_torr"
PATH = "Telemetry/chamber_pressure_torr"
ROWS = 5_000
LEAST = datetime(1601, 1, 1, tzinfo=UTC)


def at(second: float) -> datetime:
    return EPOCH + timedelta(microseconds=START_NS // 1000) + timedelta(seconds=second)


@pytest.fixture
def recorded(daemon: FakeDaemon) -> FakeDaemon:
    """One value a second; every hundredth is Bad."""
    times = START_NS + np.arange(ROWS, dtype=np.int64) * 1_000_000_000
    codes = np.where(np.arange(ROWS) % 100 == 99, 0x80310000, 0).astype(np.uint32)
    daemon.recorded[TAG] = (times, np.arange(ROWS, dtype=float), codes)
    return daemon


async def ask(tool: ToolClient, start: Any, end: Any, number: int, **changes: Any) -> Any:
    details = ua.ReadRawModifiedDetails()
    details.IsReadModified, details.StartTime, details.EndTime = False, start, end
    details.NumValuesPerNode, details.ReturnBounds = number, changes.pop("bounds", False)
    wanted = ua.HistoryReadValueId(NodeId=tool.node(changes.pop("path", PATH)))
    wanted.ContinuationPoint, wanted.IndexRange = changes.pop("point", None), changes.pop("part", None)
    params = ua.HistoryReadParameters(HistoryReadDetails=changes.pop("details", details), NodesToRead=[wanted])
    params.TimestampsToReturn = changes.pop("stamps", ua.TimestampsToReturn.Source)
    params.ReleaseContinuationPoints = changes.pop("release", False)
    (result,) = await tool._client.uaclient.history_read(params)
    return result


def values(result: Any) -> list[Any]:
    return [None if one.Value is None else one.Value.Value for one in result.HistoryData.DataValues]


async def test_a_range_comes_with_values_times_and_statuses(server: UaServer, recorded: FakeDaemon) -> None:
    async with connect(server.endpoint, "otto", PASSWORDS["otto"]) as tool:
        result = await ask(tool, at(98), at(102), 0)
    rows = result.HistoryData.DataValues
    assert values(result) == [98.0, None, 100.0, 101.0]  # the end itself belongs to the next range
    assert [at(98 + second) for second in range(4)] == [row.SourceTimestamp for row in rows]
    assert rows[1].StatusCode.value == 0x80310000
    assert not result.ContinuationPoint


async def test_a_long_range_comes_in_pages_without_gap_or_overlap(server: UaServer, recorded: FakeDaemon) -> None:
    async with connect(server.endpoint, "otto", PASSWORDS["otto"]) as tool:
        for number, pages in ((0, 3), (1500, 4)):
            point, got, count = None, [], 0
            while count == 0 or point:
                result = await ask(tool, at(0), at(ROWS), number, point=point)
                point, count = result.ContinuationPoint, count + 1
                got += [one.SourceTimestamp for one in result.HistoryData.DataValues]
            assert pages == count
            assert [at(second) for second in range(ROWS)] == got


async def whole(tool: ToolClient, start: Any, end: Any, number: int) -> list[Any]:
    """Read page after page until there is no more."""
    result = await ask(tool, start, end, number)
    got = values(result)
    while result.ContinuationPoint:
        result = await ask(tool, start, end, number, point=result.ContinuationPoint)
        got += values(result)
    return got


async def test_small_pages_of_a_long_range_ask_the_store_twice(
    server: UaServer, recorded: FakeDaemon, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, history = list[int](), recorded.history

    async def counted(tag: str, start_ns: int, end_ns: int, limit: int) -> Any:
        asked.append(limit)
        return await history(tag, start_ns, end_ns, limit)

    monkeypatch.setattr(recorded, "history", counted)
    async with connect(server.endpoint, "otto", PASSWORDS["otto"]) as tool:
        forward = await whole(tool, at(0), at(1_000), 100)
        first = len(asked)
        backward = await whole(tool, at(1_000), at(0), 100)
    bad = [None if second % 100 == 99 else float(second) for second in range(1_001)]
    assert bad[:1_000] == forward
    assert bad[:0:-1] == backward
    # The first page by itself, the others together.
    assert (first, len(asked)) == (2, 4)
    assert asked[0] == 101


async def test_rows_that_came_while_a_client_read_on_are_in_its_answer(server: UaServer, recorded: FakeDaemon) -> None:
    times, counts, codes = recorded.recorded[TAG]
    recorded.recorded[TAG] = times[:300], counts[:300], codes[:300]
    async with connect(server.endpoint, "otto", PASSWORDS["otto"]) as tool:
        first = await ask(tool, at(0), at(ROWS), 100)
        second = await ask(tool, at(0), at(ROWS), 100, point=first.ContinuationPoint)
        recorded.recorded[TAG] = times[:350], counts[:350], codes[:350]
        third = await ask(tool, at(0), at(ROWS), 100, point=second.ContinuationPoint)
        fourth = await ask(tool, at(0), at(ROWS), 100, point=third.ContinuationPoint)
    assert values(fourth)[-2] + 2 == 350.0  # the last one, 349, is Bad
    assert not fourth.ContinuationPoint


async def test_more_readings_at_once_than_rows_are_kept_for_stay_apart(server: UaServer, recorded: FakeDaemon) -> None:
    async with connect(server.endpoint, "otto", PASSWORDS["otto"]) as tool:
        starts = range(1, 9)
        pages = {start: await ask(tool, at(start), at(1_000), 90) for start in starts}
        for page in (1, 2, 3):
            for start in starts:
                pages[start] = await ask(tool, at(start), at(1_000), 90, point=pages[start].ContinuationPoint)
                assert values(pages[start])[0] in {start + page * 90.0, None}
                assert at(start + page * 90) == pages[start].HistoryData.DataValues[0].SourceTimestamp


async def test_backwards_is_newest_first(server: UaServer, recorded: FakeDaemon) -> None:
    async with connect(server.endpoint, "otto", PASSWORDS["otto"]) as tool:
        first = await ask(tool, at(50), at(40), 4)
        rest = await ask(tool, at(50), at(40), 4, point=first.ContinuationPoint)
        last = await ask(tool, at(50), at(40), 4, point=rest.ContinuationPoint)
    assert values(first) == [50.0, 49.0, 48.0, 47.0]
    assert values(rest) + values(last) == [46.0, 45.0, 44.0, 43.0, 42.0, 41.0]
    assert not last.ContinuationPoint


async def test_a_number_of_values_after_or_before_a_moment(server: UaServer, recorded: FakeDaemon) -> None:
    async with connect(server.endpoint, "otto", PASSWORDS["otto"]) as tool:
        after = await ask(tool, at(10), LEAST, 3)
        before = await ask(tool, LEAST, at(10), 3)
    assert values(after) == [10.0, 11.0, 12.0]
    assert values(before) == [10.0, 9.0, 8.0]
    assert not after.ContinuationPoint
    assert not before.ContinuationPoint


async def test_a_number_beyond_the_server_s_limit_still_arrives(server: UaServer, recorded: FakeDaemon) -> None:
    async with connect(server.endpoint, "otto", PASSWORDS["otto"]) as tool:
        first = await ask(tool, at(0), LEAST, 2_400)
        second = await ask(tool, at(0), LEAST, 2_400, point=first.ContinuationPoint)
    assert (len(values(first)), len(values(second))) == (2_000, 400)
    assert not second.ContinuationPoint


async def test_a_continuation_point_belongs_to_its_session_and_is_used_once(
    server: UaServer, recorded: FakeDaemon
) -> None:
    async with (
        connect(server.endpoint, "otto", PASSWORDS["otto"]) as tool,
        connect(server.endpoint, "olga", PASSWORDS["olga"]) as other,
    ):
        point = (await ask(tool, at(0), at(ROWS), 10)).ContinuationPoint
        assert (await ask(other, at(0), at(ROWS), 10, point=point)).StatusCode.name == "BadContinuationPointInvalid"
        assert values(await ask(tool, at(0), at(ROWS), 10, point=point))[0] == 10.0
        assert (await ask(tool, at(0), at(ROWS), 10, point=point)).StatusCode.name == "BadContinuationPointInvalid"
        point = (await ask(tool, at(0), at(ROWS), 10)).ContinuationPoint
        assert (await ask(tool, at(0), at(ROWS), 10, point=point, release=True)).StatusCode.is_good()
        assert (await ask(tool, at(0), at(ROWS), 10, point=point)).StatusCode.name == "BadContinuationPointInvalid"


async def test_an_empty_range_says_so(server: UaServer, recorded: FakeDaemon) -> None:
    async with connect(server.endpoint, "otto", PASSWORDS["otto"]) as tool:
        result = await ask(tool, at(-100), at(-50), 0)
    assert result.StatusCode.name == "GoodNoData"
    assert values(result) == []


async def test_what_has_no_history_says_so(server: UaServer, recorded: FakeDaemon) -> None:
    async with connect(server.endpoint, "otto", PASSWORDS["otto"]) as tool:
        for path, status in (("State/Mode", "BadHistoryOperationUnsupported"), ("Nowhere", "BadNodeIdUnknown")):
            assert (await ask(tool, at(0), at(9), 0, path=path)).StatusCode.name == status


async def test_questions_that_cannot_be_answered_are_refused(server: UaServer, recorded: FakeDaemon) -> None:
    async with connect(server.endpoint, "otto", PASSWORDS["otto"]) as tool:
        with pytest.raises(errors.BadInvalidArgument):
            await ask(tool, at(0), LEAST, 0)
        with pytest.raises(errors.BadTimestampsToReturnInvalid):
            await ask(tool, at(0), at(9), 0, stamps=ua.TimestampsToReturn.Neither)
        with pytest.raises(errors.BadHistoryOperationUnsupported):
            await ask(tool, at(0), at(9), 0, details=ua.ReadAnnotationDataDetails())


async def test_tags_say_that_they_have_a_history(server: UaServer) -> None:
    async with connect(server.endpoint, "otto", PASSWORDS["otto"]) as tool:
        for path, expected in ((PATH, True), ("Equipment/heater/zone1.mode", True), ("State/Mode", False)):
            node = tool._client.get_node(tool.node(path))
            assert (await node.read_attribute(Attr.Historizing)).Value.Value is expected
            access = (await node.read_attribute(Attr.UserAccessLevel)).Value.Value
            assert bool(access & 0x04) is expected


def processed(name: str, start: float, end: float, width_s: float, **configuration: Any) -> Any:
    details = ua.ReadProcessedDetails(StartTime=at(start), EndTime=at(end), ProcessingInterval=width_s * 1000.0)
    details.AggregateType = [ua.NodeId(getattr(ua.ObjectIds, f"AggregateFunction_{name}"))]
    rules = ua.AggregateConfiguration(UseServerCapabilitiesDefaults=not configuration)
    for key, value in configuration.items():
        setattr(rules, key, value)
    details.AggregateConfiguration = rules
    return details


async def test_averages_extremes_and_durations_come_by_interval(server: UaServer, recorded: FakeDaemon) -> None:
    async with connect(server.endpoint, "otto", PASSWORDS["otto"]) as tool:
        found = {
            name: await ask(tool, None, None, 0, details=processed(name, 90, 110, 10.0))
            for name in (
                "Average",
                "Minimum",
                "Count",
                "DurationBad",
                "TimeAverage",
                "Start",
                "Interpolative",
                "TimeAverage2",
                "NumberOfTransitions",
                "DeltaBounds",
            )
        }
        rows = {name: result.HistoryData.DataValues for name, result in found.items()}
    assert values(found["Average"]) == [94.0, 104.5]
    assert [row.StatusCode.value for row in rows["Average"]] == [0x40A40401, 0x0401]
    assert [row.SourceTimestamp for row in rows["Average"]] == [at(90), at(100)]
    assert values(found["Minimum"]) == [90.0, 100.0]
    assert values(found["Count"]) == [9, 10]
    assert rows["Count"][0].Value.VariantType == ua.VariantType.Int32
    assert values(found["DurationBad"]) == [1000.0, 0.0]
    assert values(found["TimeAverage"]) == [95.0, 105.0]
    assert values(found["Interpolative"]) == [90.0, 100.0]
    assert values(found["TimeAverage2"]) == [pytest.approx((94 * 8 + 98) / 9), 105.0]  # nothing from the Bad one on
    assert values(found["NumberOfTransitions"]) == [9, 10]
    assert values(found["DeltaBounds"]) == [10.0, 10.0]
    assert rows["Start"][0].SourceTimestamp == at(90)


async def test_a_client_s_own_rules_hold_for_its_request(server: UaServer, recorded: FakeDaemon) -> None:
    async with connect(server.endpoint, "otto", PASSWORDS["otto"]) as tool:
        lenient = await ask(
            tool, None, None, 0, details=processed("Average", 90, 100, 0.0, PercentDataGood=90, PercentDataBad=60)
        )
        strict = await ask(
            tool, None, None, 0, details=processed("Average", 90, 100, 0.0, PercentDataGood=95, PercentDataBad=10)
        )
        with pytest.raises(errors.BadAggregateInvalidInputs):
            await ask(
                tool, None, None, 0, details=processed("Average", 0, 9, 0.0, PercentDataGood=10, PercentDataBad=10)
            )
    assert [row.StatusCode.value for row in lenient.HistoryData.DataValues] == [0x0401]
    assert [row.StatusCode.value for row in strict.HistoryData.DataValues] == [0x80000000]
    assert values(strict) == [None]


async def test_many_intervals_come_in_pages(server: UaServer, recorded: FakeDaemon) -> None:
    async with connect(server.endpoint, "otto", PASSWORDS["otto"]) as tool:
        details = processed("Maximum", 0, 5000, 2.0)
        first = await ask(tool, None, None, 0, details=details)
        rest = await ask(tool, None, None, 0, details=details, point=first.ContinuationPoint)
    assert (len(values(first)), len(values(rest))) == (2000, 500)
    assert not rest.ContinuationPoint
    assert values(rest)[-2:] == [4997.0, 4998.0]


async def test_aggregates_that_are_not_there_or_make_no_sense_are_refused(
    server: UaServer, recorded: FakeDaemon
) -> None:
    async with connect(server.endpoint, "otto", PASSWORDS["otto"]) as tool:
        unknown = processed("Average", 0, 9, 1.0)
        unknown.AggregateType = [ua.NodeId(ua.ObjectIds.AggregateFunction_AnnotationCount)]
        assert (await ask(tool, None, None, 0, details=unknown)).StatusCode.name == "BadAggregateNotSupported"
        for details, error in (
            (processed("Average", 0, 0, 1.0), errors.BadInvalidArgument),
            (processed("Average", 0, 9, float("nan")), errors.BadAggregateInvalidInputs),
            (processed("Average", 0, 9, -1.0), errors.BadAggregateInvalidInputs),
        ):
            with pytest.raises(error):
                await ask(tool, None, None, 0, details=details)
        none = processed("Average", 0, 9, 1.0)
        none.AggregateType = []
        with pytest.raises(errors.BadAggregateListMismatch):
            await ask(tool, None, None, 0, details=none)


async def test_values_at_moments_come_in_the_order_that_they_were_asked_for(
    server: UaServer, recorded: FakeDaemon
) -> None:
    moments = [200.5, 98.0, 99.0, -5.0, 99.5, 1e6]
    async with connect(server.endpoint, "otto", PASSWORDS["otto"]) as tool:
        for simple, expected in (
            (False, [200.5, 98.0, 99.0, None, 99.5, 4998.0]),
            (True, [200.5, 98.0, None, None, None, None]),
        ):
            details = ua.ReadAtTimeDetails(ReqTimes=[at(one) for one in moments], UseSimpleBounds=simple)
            result = await ask(tool, None, None, 0, details=details)
            assert values(result) == expected
            assert [row.SourceTimestamp for row in result.HistoryData.DataValues] == [at(one) for one in moments]
            codes = [row.StatusCode.value for row in result.HistoryData.DataValues]
            assert codes[:2] == [0x0402, 0]
            assert codes[3] == 0x809B0000
        with pytest.raises(errors.BadNothingToDo):
            await ask(tool, None, None, 0, details=ua.ReadAtTimeDetails(ReqTimes=[]))


async def test_states_hold_between_their_changes(server: UaServer, recorded: FakeDaemon) -> None:
    recorded.recorded["heater.zone1.mode"] = (
        START_NS + np.array([0, 10], np.int64) * 1_000_000_000, np.array([1.0, 2.0]), np.zeros(2, np.uint32)
    )  # fmt: skip
    async with connect(server.endpoint, "otto", PASSWORDS["otto"]) as tool:
        details = ua.ReadAtTimeDetails(ReqTimes=[at(9.0)], UseSimpleBounds=False)
        result = await ask(tool, None, None, 0, details=details, path="Equipment/heater/zone1.mode")
    assert values(result) == [1]
    assert result.HistoryData.DataValues[0].Value.VariantType == ua.VariantType.UInt32


FLOWS = "Telemetry/gas_flows_sccm"


@pytest.fixture
def flows(daemon: FakeDaemon) -> FakeDaemon:
    """Three gases, a value a second; the second is Bad in second 2, the third was not there before second 1."""
    for number, gas in enumerate(("sih4", "n2o", "n2")):
        first = 1 if gas == "n2" else 0
        times = START_NS + np.arange(first, 5, dtype=np.int64) * 1_000_000_000
        codes = np.where((np.arange(first, 5) == 2) & (gas == "n2o"), 0x80310000, 0).astype(np.uint32)
        rows = np.arange(first, 5, dtype=np.float64) + 100 * number
        daemon.recorded[f"gas_panel.{gas}.flow_sccm"] = (times, rows, codes)
    return daemon


def without_nan(rows: list[Any]) -> list[Any]:
    return [[None if one != one else one for one in row] for row in rows]


async def test_an_array_has_a_past_as_it_has_a_present(server: UaServer, flows: FakeDaemon) -> None:
    async with connect(server.endpoint, "otto", PASSWORDS["otto"]) as tool:
        all_rows = await ask(tool, at(0), at(5), 0, path=FLOWS)
        page = await ask(tool, at(0), at(5), 2, path=FLOWS)
        rest = await ask(tool, at(0), at(5), 2, path=FLOWS, point=page.ContinuationPoint)
        newest = await ask(tool, LEAST, at(4), 1, path=FLOWS)
        bounds = await ask(tool, at(3), at(9), 0, path=FLOWS, bounds=True)
        moment = await ask(tool, None, None, 0, path=FLOWS, details=ua.ReadAtTimeDetails(ReqTimes=[at(3.5)]))
        average = await ask(tool, None, None, 0, path=FLOWS, details=processed("Average", 0, 5, 5.0))
        node = tool._client.get_node(tool.node(FLOWS))
        historizing = (await node.read_attribute(Attr.Historizing)).Value.Value
        (configuration,) = await node.get_referenced_nodes(ua.ObjectIds.HasHistoricalConfiguration)
    expected = [[0, 100, None], [1, 101, 201], [2, None, 202], [3, 103, 203], [4, 104, 204]]
    assert without_nan(values(all_rows)) == expected
    rows = all_rows.HistoryData.DataValues
    assert [row.StatusCode.value for row in rows] == [0x40950000, 0, 0x40950000, 0, 0]
    assert [row.SourceTimestamp for row in rows] == [at(second) for second in range(5)]
    assert without_nan(values(page) + values(rest)) == expected[:4]
    assert values(newest) == [expected[4]]
    assert values(bounds) == [expected[3], expected[4], None]
    assert bounds.HistoryData.DataValues[2].StatusCode.name == "BadBoundNotFound"
    assert values(moment) == [[3.5, 103.5, 203.5]]
    assert average.StatusCode.name == "BadAggregateNotSupported"
    assert historizing is True
    assert str(configuration.nodeid.Identifier).endswith("/Sloped")


async def test_part_of_an_array_has_its_own_past(server: UaServer, flows: FakeDaemon) -> None:
    async with connect(server.endpoint, "otto", PASSWORDS["otto"]) as tool:

        async def part(wanted: str, path: str = FLOWS) -> Any:
            return await ask(tool, at(1), at(3), 0, path=path, part=wanted)

        assert values(await part("1")) == [[101], None]  # a Bad value is none
        assert values(await part("0:1"))[0] == [1, 101]
        assert values(await part("1:9"))[0] == [101, 201]
        assert (await part("1")).HistoryData.DataValues[1].StatusCode.value == 0x80310000
        for wanted, path, status in (
            ("3", FLOWS, "BadIndexRangeNoData"),
            ("2:1", FLOWS, "BadIndexRangeInvalid"),
            ("0", PATH, "BadIndexRangeNoData"),
        ):
            assert (await part(wanted, path)).StatusCode.name == status


async def test_nothing_of_the_past_was_ever_modified(server: UaServer, recorded: FakeDaemon) -> None:
    details = ua.ReadRawModifiedDetails(IsReadModified=True, StartTime=at(0), EndTime=at(9), NumValuesPerNode=0)
    async with connect(server.endpoint, "otto", PASSWORDS["otto"]) as tool:
        assert (await ask(tool, None, None, 0, details=details)).StatusCode.name == "GoodNoData"


def happened(number: int, source: str, second: float, severity: int = 200) -> PastEvent:
    return PastEvent(
        number, bytes([number] * 16), Occurrence(source, severity, f"event {number}", START_NS + int(second * 1e9))
    )


def events(start: Any, end: Any, number: int, least: int = 0) -> Any:
    names = ("EventId", "Message", "Severity")
    select = [
        ua.SimpleAttributeOperand(
            TypeDefinitionId=ua.NodeId(ua.ObjectIds.BaseEventType),
            BrowsePath=[ua.QualifiedName(name)],
            AttributeId=Attr.Value,
        )
        for name in names
    ]
    wanted = ua.EventFilter(SelectClauses=select)
    if least:
        element = ua.ContentFilterElement(FilterOperator=ua.FilterOperator.GreaterThanOrEqual)
        element.FilterOperands = [select[2], ua.LiteralOperand(Value=ua.Variant(least, ua.VariantType.UInt16))]
        wanted.WhereClause.Elements = [element]
    return ua.ReadEventDetails(NumValuesPerNode=number, StartTime=start, EndTime=end, Filter=wanted)


def told(result: Any) -> list[str]:
    return [one.EventFields[1].Value.Text for one in result.HistoryData.Events]


async def test_events_of_the_past_are_heard_where_they_were_and_filtered_as_they_were(
    server: UaServer, daemon: FakeDaemon
) -> None:
    daemon.past = [
        happened(1, "Interlocks/door_lost", 1, 900), happened(2, "State", 2),
        happened(3, "Interlocks/door_lost", 3, 900), happened(4, "State", 4, 500),
    ]  # fmt: skip
    async with connect(server.endpoint, "otto", PASSWORDS["otto"]) as tool:
        whole = await ask(tool, None, None, 0, details=events(at(0), at(9), 0), path=".")
        door = await ask(tool, None, None, 0, details=events(at(0), at(9), 0), path="Interlocks/door_lost")
        severe = await ask(tool, None, None, 0, details=events(at(0), at(9), 0, least=500), path=".")
        last = await ask(tool, None, None, 0, details=events(LEAST, at(9), 1), path=".")
        none = await ask(tool, None, None, 0, details=events(at(5), at(9), 0), path=".")
        first = await ask(tool, None, None, 0, details=events(at(0), at(9), 3), path=".")
        rest = await ask(tool, None, None, 0, details=events(at(0), at(9), 3), path=".", point=first.ContinuationPoint)
        silent = await ask(tool, None, None, 0, details=events(at(0), at(9), 0), path=PATH)
    assert told(whole) == ["event 1", "event 2", "event 3", "event 4"]
    assert whole.HistoryData.Events[0].EventFields[0].Value == b"\x01" * 16
    assert told(door) == ["event 1", "event 3"]
    assert told(severe) == ["event 1", "event 3", "event 4"]
    assert told(last) == ["event 4"]
    assert none.StatusCode.name == "GoodNoData"
    assert told(first) + told(rest) == told(whole)
    assert silent.StatusCode.name == "BadHistoryOperationUnsupported"


async def test_the_past_of_a_condition_has_every_field_of_its_type(server: UaServer, daemon: FakeDaemon) -> None:
    before = daemon.alarms()["n2_supply_low"]
    was = replace(before, bits=(0, 2), active=True, acked=False, severity=500, message="nitrogen is low",
                  event_id=b"n2" * 8, time_ns=START_NS + 10**9, comment="calling", user="olga")  # fmt: skip
    daemon.past = [
        happened(1, "State", 0),
        PastEvent(2, was.event_id, Occurrence("Alarms/n2_supply_low", 500, was.message, was.time_ns), was),
    ]
    details = events(at(-1), at(9), 0)
    for *path, name in (
        ("ActiveState", "Id"), ("AckedState", "Id"), ("LowState", "Id"), ("LowLimit",), ("Comment",),
        ("ConditionName",), ("ShelvingState", "CurrentState"), ("SourceName",),
    ):  # fmt: skip
        operand = ua.SimpleAttributeOperand(TypeDefinitionId=ua.NodeId(ua.ObjectIds.NonExclusiveLimitAlarmType))
        operand.BrowsePath = [ua.QualifiedName(one) for one in (*path, name)]
        operand.AttributeId = Attr.Value
        details.Filter.SelectClauses.append(operand)
    async with connect(server.endpoint, "otto", PASSWORDS["otto"]) as tool:
        result = await ask(tool, None, None, 0, details=details, path="Alarms/n2_supply_low")
        above = await ask(tool, None, None, 0, details=details, path=".")
        now = await tool.read("Alarms/n2_supply_low/ActiveState/Id")
    (row,) = result.HistoryData.Events
    got = [field.Value for field in row.EventFields]
    assert got[0] == b"n2" * 8
    assert (got[1].Text, got[2]) == ("nitrogen is low", 500)
    assert got[3:6] == [True, False, True]
    assert got[6] == 450.0
    assert (got[7].Text, got[8], got[9].Text, got[10]) == ("calling", "n2_supply_low", "Unshelved", "facilities")
    assert len(above.HistoryData.Events) == 2
    assert now is False  # the past changes nothing of the present


async def test_the_server_says_what_it_can_tell_of_the_past(server: UaServer) -> None:
    async with connect(server.endpoint, "otto", PASSWORDS["otto"]) as tool:
        client = tool._client
        ids = ua.ObjectIds
        assert await client.get_node(ids.HistoryServerCapabilities_AccessHistoryDataCapability).read_value() is True
        assert await client.get_node(ids.HistoryServerCapabilities_InsertDataCapability).read_value() is False
        functions = await client.get_node(ids.HistoryServerCapabilities_AggregateFunctions).get_children()
        names = {(await one.read_browse_name()).Name for one in functions}
        assert {"Average", "TimeAverage", "Total", "StandardDeviationSample", "PercentGood"} <= names
        for path, steps in ((PATH, False), ("Equipment/heater/zone1.mode", True)):
            node = client.get_node(tool.node(path))
            (configuration,) = await node.get_referenced_nodes(ids.HasHistoricalConfiguration)
            assert (await configuration.read_browse_name()).Name == "HA Configuration"
            assert await (await configuration.get_child("0:Stepped")).read_value() is steps
            bad = await configuration.get_child(["0:AggregateConfiguration", "0:PercentDataBad"])
            assert await bad.read_value() == 100
        assert await client.get_node(tool.node("State")).read_attribute(Attr.EventNotifier)


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        (5.0, 8.0, [5.0, 6.0, 7.0, 8.0]),
        (5.5, 7.5, [5.0, 6.0, 7.0, 8.0]),
        (7.5, 5.5, [8.0, 7.0, 6.0, 5.0]),
        (-3.0, 1.0, ["BadBoundNotFound", 0.0, 1.0]),
        (ROWS - 1.5, ROWS + 5.0, [ROWS - 2.0, None, "BadBoundNotFound"]),
        (ROWS + 5.0, ROWS - 1.5, ["BadBoundNotFound", None, ROWS - 2.0]),
    ],
)
@pytest.mark.parametrize("number", [0, 1, 2, 3])
async def test_bounding_values_surround_the_range_where_there_are_any(
    server: UaServer, recorded: FakeDaemon, start: float, end: float, expected: list[Any], number: int
) -> None:
    """However small the pages are that they come in."""
    got: list[Any] = []
    async with connect(server.endpoint, "otto", PASSWORDS["otto"]) as tool:
        point, first = None, True
        while first or point:
            result = await ask(tool, at(start), at(end), number, bounds=True, point=point)
            point, first = result.ContinuationPoint, False
            got += [
                one.StatusCode.name if one.StatusCode.name == "BadBoundNotFound" else one.Value and one.Value.Value
                for one in result.HistoryData.DataValues
            ]
    assert expected == got


async def test_asyncua_s_own_client_reads_history(server: UaServer, recorded: FakeDaemon) -> None:
    async with connect(server.endpoint, "otto", PASSWORDS["otto"]) as tool:
        rows = await tool._client.get_node(tool.node(PATH)).read_raw_history(at(5), at(8))
    assert [row.Value.Value for row in rows] == [5.0, 6.0, 7.0, 8.0]  # it asks for bounds


async def test_a_store_that_cannot_answer_says_so(
    server: UaServer, recorded: FakeDaemon, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def locked(*_: Any) -> Any:
        raise Refused("BadResourceUnavailable", "the database is locked by process 4711")

    monkeypatch.setattr(recorded, "history", locked)
    async with connect(server.endpoint, "otto", PASSWORDS["otto"]) as tool:
        for bounds in (False, True):
            result = await ask(tool, at(0), at(9), 0, bounds=bounds)
            assert result.StatusCode.name == "BadResourceUnavailable"
