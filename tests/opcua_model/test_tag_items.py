"""Monitored items on tags: what is reported, what waits, what is lost and marked."""

from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from asyncua import ua
from asyncua.common.utils import Buffer
from asyncua.ua.ua_binary import struct_from_binary
from hypothesis import given, settings
from hypothesis import strategies as st

from kernels.image import Snapshot
from kernels.tables import CONDITION_STATE
from opcua_model.publishing.encoding import BOOLEAN, DOUBLE, UINT32, counted, data_values
from opcua_model.publishing.items import DISABLED, ITEM, REPORTING, SAMPLING, TagItems
from opcua_model.publishing.snapshot import EPOCH

NOW = 1_700_000_000_000_000_000
BAD = 0x80310000
OVERFLOW = 0x0480


def image(*values: float, status: int = 0) -> Snapshot:
    size = len(values)
    return Snapshot(
        scan=0,
        time_ns=NOW,
        values=np.array(values, float),
        status=np.full(size, status, np.uint32),
        source_ns=np.full(size, NOW, np.int64),
        conditions=np.zeros(0, CONDITION_STATE),
    )


def item(number: int, tag: int = 0, **changes: Any) -> tuple[Any, ...]:
    columns: dict[str, Any] = {
        "id": number,
        "handle": number * 10,
        "tag": tag,
        "queue": 1,
        "kind": DOUBLE,
        "stamps": 3,
        "mode": REPORTING,
        "trigger": 1,
        "oldest": True,
        "fresh": True,
        "deadband": 0.0,
        "value": 0.0,
        "status": 0,
        "source": 0,
    }
    columns.update(changes)
    return tuple(columns[name] for name in ITEM.names or ())


def items(*rows: tuple[Any, ...]) -> TagItems:
    table = TagItems()
    table.add(np.array(list(rows), ITEM))
    return table


def taken(table: TagItems, limit: int = 0) -> list[tuple[int, Any, int]]:
    """What a client would decode: handle, value, status."""
    _, body = table.take(limit)
    note = struct_from_binary(ua.DataChangeNotification, Buffer(body + b"\xff\xff\xff\xff"))
    return [
        (one.ClientHandle, None if one.Value.Value is None else one.Value.Value.Value, one.Value.StatusCode.value)
        for one in note.MonitoredItems
    ]


def test_the_first_sample_reports_whatever_it_is() -> None:
    table = items(item(1))
    table.sample(image(0.0))
    assert taken(table) == [(10, 0.0, 0)]
    table.sample(image(0.0))
    assert taken(table) == []


def test_a_slow_ramp_is_reported_each_time_it_has_moved_by_the_deadband() -> None:
    """Compared with the last report, not with the last sample, which a slow ramp never leaves far behind."""
    table = items(item(1, deadband=1.0))
    reports: list[float] = []
    for step in range(101):
        table.sample(image(step * 0.1))
        reports += [value for _, value, _ in taken(table)]
    assert reports[0] == 0.0
    assert len(reports) == 10
    assert all(1.0 < after - before < 1.11 for before, after in pairwise(reports))


def test_a_bad_status_is_reported_without_a_value_whatever_the_deadband() -> None:
    table = items(item(1, deadband=50.0))
    table.sample(image(7.0))
    taken(table)
    table.sample(image(7.0, status=BAD))
    assert taken(table) == [(10, None, BAD)]


def test_not_a_number_is_one_value_and_not_a_stream_of_changes() -> None:
    table = items(item(1))
    table.sample(image(float("nan")))
    table.sample(image(float("nan")))
    (first,) = taken(table)
    assert np.isnan(first[1])
    table.sample(image(1.0))
    assert taken(table) == [(10, 1.0, 0)]


def test_only_the_status_counts_where_the_client_says_so() -> None:
    table = items(item(1, trigger=0))
    table.sample(image(1.0))
    taken(table)
    table.sample(image(2.0))
    assert taken(table) == []
    table.sample(image(2.0, status=BAD))
    assert taken(table) == [(10, None, BAD)]


def test_a_new_time_counts_where_the_client_says_so() -> None:
    table = items(item(1, trigger=2), item(2, trigger=1))
    table.sample(image(1.0))
    taken(table)
    table.sample(replace(image(1.0), source_ns=np.array([NOW + 1000])))
    assert [handle for handle, _, _ in taken(table)] == [10]


@pytest.mark.parametrize(
    ("queue", "oldest", "expected"),
    [
        (1, True, [(5.0, 0)]),
        (3, True, [(3.0, OVERFLOW), (4.0, 0), (5.0, 0)]),
        (3, False, [(1.0, 0), (2.0, 0), (5.0, OVERFLOW)]),
        (5, True, [(1.0, 0), (2.0, 0), (3.0, 0), (4.0, 0), (5.0, 0)]),
    ],
)
def test_a_full_queue_loses_by_its_policy_and_says_so(
    queue: int, oldest: bool, expected: list[tuple[float, int]]
) -> None:
    table = items(item(1, queue=queue, oldest=oldest))
    for value in (1.0, 2.0, 3.0, 4.0, 5.0):
        table.sample(image(value))
    assert [(value, status) for _, value, status in taken(table)] == expected


def test_a_disabled_item_is_silent_and_reports_anew_when_it_is_wanted_again() -> None:
    table = items(item(1))
    table.sample(image(1.0))
    taken(table)
    for mode in (DISABLED, SAMPLING):
        table.set_mode(0, mode)
        table.sample(image(2.0))
        assert taken(table) == []
        table.set_mode(0, REPORTING)
        table.sample(image(2.0))
        assert taken(table) == [(10, 2.0, 0)]


def test_removing_an_item_removes_what_waits_of_it() -> None:
    table = items(item(1), item(2), item(3))
    table.sample(image(1.0))
    table.remove(table.rows([2]))
    assert [handle for handle, _, _ in taken(table)] == [10, 30]
    assert table.rows([1, 2, 3, 9]).tolist() == [0, -1, 1, -1]


def test_a_client_that_limits_a_message_gets_the_rest_with_the_next() -> None:
    table = items(*(item(number) for number in range(1, 8)))
    table.sample(image(1.0))
    assert [handle for handle, _, _ in taken(table, 5)] == [10, 20, 30, 40, 50]
    assert table.waiting == 2
    assert [handle for handle, _, _ in taken(table, 5)] == [60, 70]


def test_a_modified_item_keeps_the_base_of_its_deadband() -> None:
    table = items(item(1))
    table.sample(image(1.0))
    taken(table)
    table.modify(0, handle=77, queue=2, oldest=True, trigger=1, deadband=5.0, stamps=3)
    table.sample(image(4.0))
    assert taken(table) == []
    table.sample(image(7.0))
    assert taken(table) == [(77, 7.0, 0)]


def test_states_go_out_in_their_own_types() -> None:
    table = items(item(1, kind=BOOLEAN), item(2, kind=UINT32), item(3))
    table.sample(image(1.0))
    assert sorted(taken(table), key=lambda one: one[0]) == [(10, True, 0), (20, 1, 0), (30, 1.0, 0)]


statuses = st.sampled_from([0, 0x40900000, BAD, 0x00960000])
rows = st.lists(st.tuples(st.floats(width=64), statuses, st.integers(0, 2**62)), max_size=20)


@given(rows, st.sampled_from([DOUBLE, UINT32, BOOLEAN]), st.integers(0, 3))
def test_an_independent_decoder_reads_what_was_encoded(
    values: list[tuple[float, int, int]], kind: int, stamps: int
) -> None:
    """Asyncua's decoder, written from the same standard by others, sees the same values, statuses and times."""
    number = np.array([value for value, _, _ in values], float)
    status = np.array([code for _, code, _ in values], np.uint32)
    times = np.array([time for _, _, time in values], np.int64)
    body = counted(len(values), data_values(kind, stamps, number, status, times, times))
    decoded = struct_from_binary(ua.HistoryData, Buffer(body)).DataValues
    assert len(values) == len(decoded)
    for (value, code, time), data in zip(values, decoded, strict=True):
        assert code == data.StatusCode.value
        if code & 0x80000000:
            assert data.Value is None or data.Value.Value is None
        elif kind == DOUBLE:
            np.testing.assert_equal(data.Value.Value, value)
        else:
            top = 1 if kind == BOOLEAN else 2**32 - 1
            assert int(data.Value.Value) == int(min(max(0.0 if np.isnan(value) else value, 0.0), top))
        assert (data.SourceTimestamp is not None) == bool(stamps & 1)
        assert (data.ServerTimestamp is not None) == bool(stamps & 2)
        if stamps & 1 and time and time < 10**18 * 4:
            assert (data.SourceTimestamp - EPOCH).total_seconds() == pytest.approx(time / 1e9, abs=1e-5)


class Plain:
    """One item in plain Python: the rules of Part 4 read once more, without arrays."""

    def __init__(self, queue: int, oldest: bool, deadband: float) -> None:
        self.queue, self.oldest, self.deadband = queue, oldest, deadband
        self.last: tuple[float, int] | None = None
        self.waiting: list[tuple[float, int]] = []

    def sample(self, value: float, status: int) -> None:
        if self.last is None or status != self.last[1] or abs(value - self.last[0]) > self.deadband:
            self.last = (value, status)
            self.waiting.append((value, status))
            if len(self.waiting) > self.queue:
                if self.oldest:
                    del self.waiting[0]
                    marked = 0
                else:
                    del self.waiting[-2]
                    marked = len(self.waiting) - 1
                if self.queue > 1:
                    self.waiting[marked] = (self.waiting[marked][0], self.waiting[marked][1] | OVERFLOW)

    def take(self) -> list[tuple[float, int]]:
        taken, self.waiting = self.waiting, []
        return taken


steps = st.lists(
    st.one_of(st.none(), st.tuples(st.lists(st.tuples(st.integers(-3, 3), statuses), min_size=3, max_size=3))),
    max_size=25,
)
declared = st.tuples(st.integers(1, 4), st.booleans(), st.sampled_from([0.0, 1.0, 2.5]), st.integers(0, 2))


@settings(max_examples=60)
@given(st.lists(declared, min_size=1, max_size=5), steps)
def test_the_arrays_do_what_plain_python_does(wanted: list[tuple[int, bool, float, int]], actions: list[Any]) -> None:
    table = items(
        *(
            item(number, tag, queue=queue, oldest=oldest, deadband=deadband)
            for number, (queue, oldest, deadband, tag) in enumerate(wanted, start=1)
        )
    )
    plain = [Plain(queue, oldest, deadband) for queue, oldest, deadband, _ in wanted]
    for action in [*actions, None]:
        if action is None:
            got: dict[int, list[tuple[Any, int]]] = {}
            for handle, value, status in taken(table):
                got.setdefault(handle, []).append((value, status))
            for number, one in enumerate(plain, start=1):
                expected = [(None if status & 0x80000000 else value, status) for value, status in one.take()]
                assert got.get(number * 10, []) == expected
            continue
        (tags,) = action
        now = image(*(float(value) for value, _ in tags))
        table.sample(replace(now, status=np.array([status for _, status in tags], np.uint32)))
        for (_, _, _, tag), one in zip(wanted, plain, strict=True):
            one.sample(float(tags[tag][0]), tags[tag][1])
