"""What is counted in advance: the same as from every row, wherever the rows are; and events of the past."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from kernels.image import Rows
from kernels.tables import Status
from opcua_model.historical.aggregates import AGGREGATES
from opcua_model.historical.series import Rules, Series, intervals
from opcua_model.historical.summaries import SUMMED, combine
from supervisor.server.historian import query, roll, summary
from supervisor.server.historian.changes import ChangeDetector
from supervisor.server.historian.hot import HotWriter
from supervisor.server.historian.tagset import register
from supervisor.server.records.past_events import past_events
from supervisor.server.store.connection import transaction
from supervisor.server.store.opening import open_database
from supervisor.server.store.rows import Connection, one
from tests.supervisor.server.stand import SECOND, Furnace

ROW_NS = 10 * SECOND
BUCKET = summary.BUCKET_NS
START = (1_764_000_000 * SECOND // BUCKET) * BUCKET
TAG = "chamber.temperature_c"
ROWS = 600
"""A hundred minutes, ten buckets."""


@pytest.fixture
def history(tmp_path: Path) -> Iterator[tuple[Connection, Path]]:
    """A hundred minutes of a temperature with gaps, bad and doubtful values; the middle of it rolled to a file."""
    furnace = Furnace()
    connection, _ = open_database(tmp_path / "cvd.duckdb")
    tag_set = register(connection, furnace.layout)
    random = np.random.default_rng(5)
    size = len(tag_set.tags)
    kept = np.flatnonzero(random.random(ROWS) > 0.02)
    times = START + kept * ROW_NS
    status = np.zeros((len(kept), size), np.uint32)
    status[random.random(status.shape) < 0.05] = Status.BAD
    status[random.random(status.shape) < 0.05] = Status.UNCERTAIN
    rows = Rows(
        kept.astype(np.int64), times, random.normal(700, 3, (len(kept), size)), status,
        np.repeat(times[:, None], size, axis=1), next=len(kept), lost=0,
    )  # fmt: skip
    writer = HotWriter(tag_set, ChangeDetector(size, ROW_NS))
    transaction(connection, lambda held: writer.insert(held, rows))
    connection.execute("INSERT INTO ingest VALUES (?, ?)", [int(kept[-1]), START + 2 * ROWS * ROW_NS])
    extent = roll.of_time("2025-11-24", START + 1_500 * SECOND, START + 3_333 * SECOND)
    while roll.roll_part(connection, tmp_path, tag_set, extent):
        pass
    assert one(connection, "SELECT count(*) FROM parts") == (1,)
    yield connection, tmp_path
    connection.close()


def count_all(connection: Connection, data: Path) -> int:
    buckets = 0
    while (bucket := summary.pending(connection)) is not None:
        counted = summary.count(connection, data, bucket)
        transaction(connection, lambda held, counted=counted: summary.keep(held, counted))
        buckets += 1
    return buckets


@pytest.mark.parametrize("name", sorted(SUMMED))
def test_hours_from_the_counts_are_hours_from_the_rows(name: str, history: tuple[Connection, Path]) -> None:
    connection, data = history
    count_all(connection, data)
    end = START + 10 * BUCKET
    of = intervals(START, end, 3 * BUCKET)
    found = summary.find(connection, TAG, START, end)
    assert found is not None
    counted = combine(found, name, Rules(), of)
    trend = query.trend(connection, data, TAG, START, end)
    rows = AGGREGATES[name][0](Series(trend.ts_ns, trend.values, trend.status, Rules()), of)
    np.testing.assert_allclose(counted.values, rows.values, rtol=1e-9)
    # An extreme that happens to stand at the very begin of an interval, or twice, is not told from others by counts.
    assert (counted.codes & np.uint32(0xFFFF0000)).tolist() == (rows.codes & np.uint32(0xFFFF0000)).tolist()


def test_only_complete_buckets_are_counted_and_each_once(history: tuple[Connection, Path]) -> None:
    connection, data = history
    connection.execute("UPDATE ingest SET ts_ns = ?", [START + 4 * BUCKET + summary.LAG_NS - 1])
    assert count_all(connection, data) == 3
    assert summary.find(connection, TAG, START, START + 4 * BUCKET) is None
    assert summary.find(connection, TAG, START, START + 3 * BUCKET) is not None
    connection.execute("UPDATE ingest SET ts_ns = ?", [START + 4 * BUCKET + summary.LAG_NS])
    assert count_all(connection, data) == 1
    assert one(connection, "SELECT count(DISTINCT bucket) FROM summaries") == (4,)


def test_a_clock_that_was_set_back_makes_what_comes_again_be_counted_again(history: tuple[Connection, Path]) -> None:
    connection, data = history
    count_all(connection, data)
    summary.rewind(connection, START + 5 * BUCKET + 17)
    assert summary.find(connection, TAG, START, START + 6 * BUCKET) is None
    assert one(connection, "SELECT max(bucket) FROM summaries") == (START // BUCKET + 4,)
    assert count_all(connection, data) > 0
    assert summary.find(connection, TAG, START, START + 10 * BUCKET) is not None


@pytest.mark.parametrize("limit", [1, 7, 150, 175, 400, 10_000])
@pytest.mark.parametrize("first", [0, 100, 1_500, 2_000, 3_332, 5_000])
def test_some_rows_are_the_first_of_all_rows_either_way(
    limit: int, first: int, history: tuple[Connection, Path]
) -> None:
    """Files whose number of rows is known narrow what is looked at; never what is found."""
    connection, data = history
    at, end = START + first * SECOND, START + ROWS * ROW_NS
    for one_end, other in ((at, end), (at, START), (end, at)):
        whole = query.trend(connection, data, TAG, one_end, other)
        some = query.trend(connection, data, TAG, one_end, other, limit)
        assert some.ts_ns.tolist() == whole.ts_ns[:limit].tolist()
        assert some.values.tolist() == whole.values[:limit].tolist()
        assert some.status.tolist() == whole.status[:limit].tolist()


# --------------------------------------------------------------------------------------------- events of the past
@pytest.fixture
def told(tmp_path: Path) -> Iterator[Connection]:
    """Events of three sources, two of them at one moment."""
    connection, _ = open_database(tmp_path / "cvd.duckdb")
    rows = [
        (1, 1, 10, "Runs/ActiveRun"), (1, 2, 20, "Interlocks/door"), (1, 3, 20, "Interlocks/doors"), (2, 1, 30, "Runs"),
    ]  # fmt: skip
    for journal, seq, at, source in rows:
        connection.execute(
            "INSERT INTO events VALUES (?, ?, make_timestamptz(?), ?, 0, 'mode', 200, ?, 'words', NULL, '{}', NULL)",
            [journal, seq, at, at, source],
        )
    yield connection
    connection.close()


def sources(connection: Connection, start: int, end: int, limit: int = 10, source: str = "") -> list[str]:
    return [one.occurrence.source for one in past_events(connection, start, end, limit, source, None)]


def test_events_come_in_the_order_of_time_either_way(told: Connection) -> None:
    assert sources(told, 0, 100) == ["Runs/ActiveRun", "Interlocks/door", "Interlocks/doors", "Runs"]
    assert sources(told, 100, 0) == ["Runs", "Interlocks/doors", "Interlocks/door", "Runs/ActiveRun"]
    assert sources(told, 20, 20) == ["Interlocks/door", "Interlocks/doors"]


def test_a_source_has_what_is_below_it_and_nothing_that_only_begins_alike(told: Connection) -> None:
    assert sources(told, 0, 100, source="Interlocks/door") == ["Interlocks/door"]
    assert sources(told, 0, 100, source="Runs") == ["Runs/ActiveRun", "Runs"]


@pytest.mark.parametrize(("start", "end"), [(0, 100), (100, 0)])
def test_pages_join_without_a_gap_even_within_one_moment(told: Connection, start: int, end: int) -> None:
    whole = past_events(told, start, end, 10, "", None)
    paged, behind = [], None
    while page := past_events(told, start, end, 1, "", behind):
        paged += page
        behind = page[-1].occurrence.time_ns, page[-1].number
    assert list(whole) == paged
    assert len({one.id for one in paged}) == 4
