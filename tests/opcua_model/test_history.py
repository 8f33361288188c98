"""History as clients read it: whole, in pages, from the end, and not where there is none."""

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest

from opcua_model.client import ToolClient, connect
from opcua_model.interface import Refused
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
    wanted.ContinuationPoint = changes.pop("point", None)
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
