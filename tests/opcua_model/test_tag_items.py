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
from opcua_model.publishing.encoding import (
    BOOLEAN,
    DOUBLE,
    FLOAT,
    SCALARS,
    UINT32,
    Columns,
    array_variant,
    counted,
    data_values,
    one_data_value,
)
from opcua_model.publishing.items import ARRAY, DISABLED, ITEM, REPORTING, SAMPLING, TagItems
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
        "every": 0,
        "slot": -1,
        "linked": False,
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
    table.set_mode(0, DISABLED)
    table.sample(image(2.0))
    table.set_mode(0, REPORTING)
    table.sample(image(1.0))
    assert taken(table) == [(10, 1.0, 0)]


def test_an_item_that_samples_keeps_its_queue_for_the_time_when_it_reports() -> None:
    table = items(item(1, queue=2))
    table.sample(image(1.0))
    table.set_mode(0, SAMPLING)
    for value in (2.0, 3.0):
        table.sample(image(value))
    assert taken(table) == []
    table.set_mode(0, REPORTING)
    assert taken(table) == [(10, 2.0, OVERFLOW), (10, 3.0, 0)]


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


def test_an_item_that_only_samples_reports_what_it_has_when_another_one_fires() -> None:
    table = items(item(1), item(2, tag=1, mode=SAMPLING, queue=3), item(3, tag=1))
    table.link(0, linked=True)
    assert table.sample(image(1.0, 5.0)) == [1]
    table.fire([2])
    assert sorted(taken(table)) == [(10, 1.0, 0), (20, 5.0, 0), (30, 5.0, 0)]
    for value in (6.0, 7.0):
        assert table.sample(image(1.0, value)) == []
        assert taken(table) == [(30, value, 0)]
    assert table.sample(image(2.0, 7.0)) == [1]
    table.fire([2])
    assert taken(table) == [(20, 6.0, 0), (20, 7.0, 0), (10, 2.0, 0)]


def ring(*values: float, first: int = 1) -> list[Snapshot]:
    """Rows of the scan, 10 ms apart."""
    return [
        replace(image(value), scan=first + number, time_ns=NOW + (first + number) * 10_000_000)
        for number, value in enumerate(values)
    ]


def test_every_scan_between_two_messages_is_reported_in_order() -> None:
    """10 ms sampling at 100 ms publishing: ten values, as they came."""
    table = items(item(1, every=1, queue=10), item(2))
    fast = table.fast(10.0)
    assert fast.tolist() == [True, False]
    table.sample_rows(ring(*map(float, range(10))), fast)
    table.sample(image(9.0), 10.0, fast)
    got = taken(table)
    assert [value for handle, value, _ in got if handle == 10] == [float(number) for number in range(10)]
    assert [value for handle, value, _ in got if handle == 20] == [9.0]


def test_sampling_every_other_scan_takes_the_first_row_of_each_slot_even_when_scans_are_skipped() -> None:
    table = items(item(1, every=2, queue=10))
    fast = table.fast(10.0)
    rows = [row for row in ring(*map(float, range(9)), first=0) if row.scan not in {4, 5}]
    table.sample_rows(rows[:3], fast)
    table.sample_rows(rows[3:], fast)
    assert [value for _, value, _ in taken(table)] == [0.0, 2.0, 6.0, 8.0]


def test_rows_that_were_lost_before_they_were_sampled_are_no_secret() -> None:
    table = items(item(1, every=1, queue=10))
    fast = table.fast(10.0)
    table.lose()
    table.sample_rows(ring(1.0, 2.0), fast)
    assert {status for _, _, status in taken(table)} == {OVERFLOW}
    table.sample_rows(ring(3.0), fast)
    assert taken(table) == [(10, 3.0, 0)]


def test_an_item_with_a_long_interval_is_sampled_when_it_is_time() -> None:
    table = items(item(1, every=30, queue=10), item(2))
    for scan in range(0, 100, 10):
        table.sample(replace(image(float(scan)), scan=scan), 10.0)
    got = taken(table)
    assert [value for handle, value, _ in got if handle == 10] == [0.0, 30.0, 60.0, 90.0]
    assert [value for handle, value, _ in got if handle == 20] == [90.0]


def arrays(table: TagItems, number: int, *indices: int, **changes: Any) -> None:
    row = item(number, kind=DOUBLE | ARRAY, tag=indices[0], **changes)
    table.add(np.array([row], ITEM), {number: np.array(indices)})


def test_an_array_is_one_value_and_any_of_its_elements_can_change_it() -> None:
    table = TagItems()
    arrays(table, 1, 0, 2, deadband=1.0, queue=5)
    table.sample(image(1.0, 99.0, 3.0))
    table.sample(image(1.5, 0.0, 3.5))
    table.sample(image(1.0, 0.0, 4.5))
    assert taken(table) == [(10, [1.0, 3.0], 0), (10, [1.0, 4.5], 0)]
    assert not table._payloads


def test_an_array_with_a_bad_element_is_uncertain_and_with_bad_ones_only_has_no_value() -> None:
    table = TagItems()
    arrays(table, 1, 0, 1)
    table.sample(replace(image(1.0, 2.0), status=np.array([BAD, 0], np.uint32)))
    ((_, values, status),) = taken(table)
    assert np.isnan(values[0])
    assert (values[1], status) == (2.0, 0x40950000)
    table.sample(image(1.0, 2.0, status=BAD))
    assert taken(table) == [(10, None, BAD)]


def test_arrays_keep_the_discard_policy() -> None:
    table = TagItems()
    arrays(table, 1, 0, 1, queue=2)
    for value in (1.0, 2.0, 3.0):
        table.sample(image(value, value))
    assert taken(table) == [(10, [2.0, 2.0], OVERFLOW), (10, [3.0, 3.0], 0)]


statuses = st.sampled_from([0, 0x40900000, BAD, 0x00960000])
rows = st.lists(
    st.tuples(st.floats(width=64), statuses, st.integers(0, 2**62), st.sampled_from(SCALARS), st.integers(0, 3)),
    max_size=20,
)


@given(rows, st.booleans())
def test_an_independent_decoder_reads_what_was_encoded(
    values: list[tuple[float, int, int, int, int]], uniform: bool
) -> None:
    """Asyncua's decoder, written from the same standard by others, sees the same values, statuses and times.

    Whatever their types: one for all, or another one for each row.
    """
    if uniform and values:
        values = [(*one[:3], *values[0][3:]) for one in values]
    columns = list(zip(*values, strict=True)) or [()] * 5
    number, status = np.array(columns[0], float), np.array(columns[1], np.uint32)
    times = np.array(columns[2], np.int64)
    kinds, stamps = np.array(columns[3], np.uint8), np.array(columns[4], np.uint8)
    body = counted(len(values), data_values(Columns(number, status, times, times, kinds, stamps)))
    decoded = struct_from_binary(ua.HistoryData, Buffer(body)).DataValues
    assert len(values) == len(decoded)
    for (value, code, time, kind, wanted), data in zip(values, decoded, strict=True):
        assert code == data.StatusCode.value
        if code & 0x80000000:
            assert data.Value is None or data.Value.Value is None
        else:
            assert int(data.Value.VariantType) == kind
            np.testing.assert_equal(data.Value.Value, fitted(value, kind))
        assert (data.SourceTimestamp is not None) == bool(wanted & 1)
        assert (data.ServerTimestamp is not None) == bool(wanted & 2)
        if wanted & 1 and time and time < 10**18 * 4:
            assert (data.SourceTimestamp - EPOCH).total_seconds() == pytest.approx(time / 1e9, abs=1e-5)


def fitted(value: float, kind: int) -> Any:
    """What a type makes of a double, in plain Python."""
    if kind == DOUBLE:
        return value
    if kind == FLOAT:
        with np.errstate(over="ignore"):
            return float(np.float32(value))
    low, high = RANGES[kind]
    if np.isnan(value):
        return 0
    return int(min(max(value, low), high))


RANGES = (
    {1: (0, 1)}
    | {
        kind: (0, 2**bits - 1) if kind % 2 else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
        for kind, bits in ((2, 8), (3, 8), (4, 16), (5, 16), (6, 32), (7, 32))
    }
    | {8: (-(2**53), 2**53), 9: (0, 2**53)}
)


@given(st.lists(st.floats(width=64), max_size=8), st.sampled_from(SCALARS), st.sampled_from([0, BAD, 0x40950000]))
def test_an_independent_decoder_reads_arrays(values: list[float], kind: int, code: int) -> None:
    body = one_data_value(array_variant(np.array(values, float), kind), code, NOW, NOW, 3, 7)
    note = struct_from_binary(ua.MonitoredItemNotification, Buffer(body))
    assert note.ClientHandle == 7
    assert note.Value.StatusCode.value == code
    if code & 0x80000000:
        assert note.Value.Value is None or note.Value.Value.Value is None
    else:
        assert int(note.Value.Value.VariantType) == kind
        np.testing.assert_equal(note.Value.Value.Value, [fitted(value, kind) for value in values])


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
