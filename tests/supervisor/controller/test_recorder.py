"""What the controller remembers is on the disk before anybody is told, and a disk that refuses stops nothing."""

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import anyio
import pytest

from supervisor.controller.errors import JournalUnavailableError
from supervisor.controller.records import recorder as room
from supervisor.controller.records.recorder import Draft, Recorder
from supervisor.link.journal import Journal, read_journal
from supervisor.link.messages import EventKind

pytestmark = pytest.mark.anyio


def step(number: int) -> Draft:
    return Draft(EventKind.STEP, {"index": number, "text": "x" * 200}, scan=number, time_ns=number * 10_000_000)


@contextmanager
def full_disk(recorder: Recorder) -> Iterator[None]:
    """No file may become larger than the journal is now: a write fails as it does on a full disk."""
    size = max(path.stat().st_size for path in recorder.folder.glob("*.journal"))
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.fixture
def recorder(tmp_path: Path) -> Recorder:
    made = Recorder(tmp_path / "journal")
    assert made.open()
    return made


async def test_a_record_is_on_the_disk_when_its_wait_ends(recorder: Recorder) -> None:
    async with anyio.create_task_group() as group:
        group.start_soon(recorder.run)
        ticket = recorder.append(step(1))
        await recorder.durable(ticket, 5.0)
        found = await anyio.to_thread.run_sync(lambda: list(read_journal(recorder.folder)))
        assert [event.data["index"] for event in found] == [1]
        group.cancel_scope.cancel()


async def test_records_keep_their_order_and_are_told_in_it(recorder: Recorder) -> None:
    async with anyio.create_task_group() as group:
        group.start_soon(recorder.run)
        tickets = [recorder.append(step(number)) for number in range(1, 1201)]
        await recorder.durable(tickets[-1], 5.0)
        told, after = [], 0
        while after < 1200:
            events = await recorder.after(after)
            told += [event.data["index"] for event in events]
            after = events[-1].seq
        assert told == list(range(1, 1201))
        group.cancel_scope.cancel()


async def test_a_server_that_comes_late_reads_old_records_from_the_disk(
    recorder: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "CHUNK", 100)
    recorder._recent = type(recorder._recent)(maxlen=10)
    for number in range(1, 301):
        recorder.append(step(number))
    await recorder.flush()
    told, after = 0, 0
    while after < 300:
        events = await recorder.after(after)
        assert [event.seq for event in events] == list(range(after + 1, after + 1 + len(events)))
        told, after = told + len(events), events[-1].seq
    assert told == 300


async def test_a_full_disk_is_told_and_nothing_is_lost(recorder: Recorder) -> None:
    recorder.append(step(1))
    await recorder.flush()
    with full_disk(recorder):
        ticket = recorder.append(step(2))
        await recorder.flush()
        assert recorder.trouble is not None
        assert "free space" in recorder.trouble
        with pytest.raises(JournalUnavailableError, match="free space"):
            await recorder.durable(ticket, 5.0)
        assert recorder.synced_seq == 1
        assert recorder.pending == 1
    recorder.append(step(3))
    await recorder.flush()
    assert recorder.trouble is None
    assert [event.data["index"] for event in await recorder.after(0)] == [1, 2, 3]


async def test_what_is_not_on_the_disk_is_told_to_nobody(recorder: Recorder) -> None:
    """Its number could mean something else after a power cut."""
    recorder.append(step(1))
    await recorder.flush()
    with full_disk(recorder):
        recorder.append(step(2))
        await recorder.flush()
        with anyio.move_on_after(0.05) as waited:
            await recorder.after(1)
        assert waited.cancelled_caught


async def test_the_loop_tries_again_until_the_disk_has_room(
    recorder: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "RETRY_S", 0.02)
    recorder.append(step(1))
    await recorder.flush()
    async with anyio.create_task_group() as group:
        group.start_soon(recorder.run)
        with full_disk(recorder):
            ticket = recorder.append(step(2))
            with pytest.raises(JournalUnavailableError):
                await recorder.durable(ticket, 5.0)
        with anyio.fail_after(5.0):
            assert [event.data["index"] for event in await recorder.after(1)] == [2]
        group.cancel_scope.cancel()


async def test_a_journal_that_cannot_be_opened_at_start_is_opened_later(tmp_path: Path) -> None:
    """A controller comes up and protects the tool even where the data folder is unusable."""
    folder = tmp_path / "journal"
    folder.write_text("somebody put a file here")
    opened: list[Journal] = []
    recorder = Recorder(folder, opened.append)
    assert not await anyio.to_thread.run_sync(recorder.open)
    recorder.append(step(1))
    await recorder.flush()
    assert recorder.trouble is not None
    assert not opened
    await anyio.Path(folder).unlink()
    await recorder.flush()
    assert recorder.trouble is None
    assert len(opened) == 1
    assert [event.seq for event in await recorder.after(0)] == [1]


async def test_beyond_its_memory_records_are_counted_as_lost(
    recorder: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "HELD", 3)
    recorder.append(step(1))
    await recorder.flush()
    with full_disk(recorder):
        for number in range(2, 8):
            recorder.append(step(number))
        await recorder.flush()
    await recorder.flush()
    recorder.append(step(8))
    await recorder.flush()
    events = await recorder.after(1)
    assert [event.data.get("index") for event in events] == [2, 3, 4, None, 8]
    assert events[3].kind is EventKind.LOST
    assert events[3].data == {"lost": 3}


async def test_a_journal_can_be_continued_by_a_successor(recorder: Recorder, tmp_path: Path) -> None:
    recorder.append(step(1))
    await recorder.close()
    successor = Recorder(tmp_path / "journal")
    assert await anyio.to_thread.run_sync(successor.open)
    successor.append(step(2))
    await successor.close()
    found = await anyio.to_thread.run_sync(lambda: list(read_journal(tmp_path / "journal")))
    assert [event.seq for event in found] == [1, 2]


async def test_one_record_that_cannot_be_written_keeps_no_other_from_the_disk(recorder: Recorder) -> None:
    async with anyio.create_task_group() as group:
        group.start_soon(recorder.run)
        recorder.append(Draft(EventKind.NOTICE, {"text": object()}, scan=1, time_ns=1))
        await recorder.durable(recorder.append(step(2)), 5.0)
        found = await anyio.to_thread.run_sync(lambda: list(read_journal(recorder.folder)))
        assert [event.kind for event in found] == [EventKind.NOTICE, EventKind.STEP]
        assert "unwritable" in found[0].data
        group.cancel_scope.cancel()


async def test_whoever_waits_for_a_disk_that_says_nothing_is_told_so(recorder: Recorder) -> None:
    with pytest.raises(JournalUnavailableError, match="has not answered for"):  # nobody writes
        await recorder.durable(recorder.append(step(1)), 0.0)
