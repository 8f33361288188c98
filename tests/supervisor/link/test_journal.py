"""The journal keeps what it acknowledged, whatever happens to the process, the power or the disk."""

import os
import resource
import signal
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import supervisor.link.journal as journal_module
from supervisor.link.errors import JournalError
from supervisor.link.journal import Journal, read_journal
from supervisor.link.messages import Event, EventKind


def event(seq: int, text: str = "pump started") -> Event:
    return Event(seq=seq, time_ns=1_700_000_000_000_000_000 + seq, scan=seq, kind=EventKind.NOTICE, data={"text": text})


def written(folder: Path, *batches: int) -> Path:
    """Write batches of so many records and return the segment."""
    journal = Journal(folder)
    for count in batches:
        for _ in range(count):
            journal.append(event(journal.last_seq + 1))
        journal.sync()
    journal.close()
    return next(folder.glob("*.journal"))


def test_what_was_synced_is_read_back_in_order(tmp_path: Path) -> None:
    written(tmp_path, 3, 2)
    assert list(read_journal(tmp_path)) == [event(n) for n in range(1, 6)]
    assert [e.seq for e in read_journal(tmp_path, after=3)] == [4, 5]


def test_a_record_counts_only_once_it_is_synced(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.append(event(1))
    assert journal.pending == 1
    assert list(journal.read()) == []
    journal.sync()
    assert [e.seq for e in journal.read()] == [1]
    journal.close()


def test_a_gap_in_the_numbers_is_refused(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    with pytest.raises(ValueError, match="record 2 does not follow 0"):
        journal.append(event(2))
    journal.close()


@given(data=st.data())
def test_a_power_cut_anywhere_in_the_last_batch_loses_at_most_that_batch(tmp_path_factory, data) -> None:
    """Sectors reach the disk in any order: the tail is cut, and any of its bytes may be zero."""
    folder = tmp_path_factory.mktemp("journal")
    segment = written(folder, 2)
    sound = segment.stat().st_size
    journal = Journal(folder)
    for seq in (3, 4, 5):
        journal.append(event(seq))
    journal.sync()
    journal.close()
    whole = segment.read_bytes()
    cut = data.draw(st.integers(sound, len(whole)))
    tail = bytearray(whole[sound:cut])
    if tail:
        start = data.draw(st.integers(0, len(tail) - 1))
        length = data.draw(st.integers(0, len(tail) - start))
        tail[start : start + length] = bytes(length)
    segment.write_bytes(whole[:sound] + tail)
    reopened = Journal(folder)
    kept = [e.seq for e in reopened.read()]
    assert kept == list(range(1, reopened.last_seq + 1))
    assert reopened.last_seq >= 2
    reopened.append(event(reopened.last_seq + 1, "after the cut"))
    reopened.sync()
    reopened.close()
    assert [e.seq for e in read_journal(folder)] == [*kept, len(kept) + 1]


def test_a_torn_record_is_kept_aside_and_told(tmp_path: Path) -> None:
    segment = written(tmp_path, 2)
    with segment.open("ab") as file:
        file.write(b"\x40\x00\x00\x00half")
    journal = Journal(tmp_path)
    assert journal.last_seq == 2
    assert "8 bytes of an unfinished record after number 2" in journal.recovered[0]
    assert (tmp_path / "000000000001.torn-after-2").read_bytes() == b"\x40\x00\x00\x00half"
    journal.close()


def test_damage_that_a_later_batch_follows_is_refused_not_skipped(tmp_path: Path) -> None:
    """A disk that loses acknowledged records must not look like a power cut."""
    segment = written(tmp_path, 1, 1, 1)
    content = bytearray(segment.read_bytes())
    position = content.index(b'"seq":2')
    content[position + 6] ^= 1
    segment.write_bytes(content)
    with pytest.raises(JournalError, match=r"record 2 at byte \d+ is damaged and later ones follow"):
        Journal(tmp_path)
    assert [e.seq for e in read_journal(tmp_path)] == [1]


def test_segments_follow_one_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal_module, "SEGMENT_BYTES", 400)
    written(tmp_path, *[1] * 20)
    assert len(list(tmp_path.glob("*.journal"))) > 3
    assert [e.seq for e in read_journal(tmp_path)] == list(range(1, 21))
    assert [e.seq for e in read_journal(tmp_path, after=17)] == [18, 19, 20]
    written(tmp_path, 2)
    assert [e.seq for e in read_journal(tmp_path)] == list(range(1, 23))


def test_a_segment_that_was_never_begun_is_removed(tmp_path: Path) -> None:
    written(tmp_path, 2)
    (tmp_path / "000000000003.journal").write_bytes(b"")
    journal = Journal(tmp_path)
    assert journal.last_seq == 2
    assert "never written" in journal.recovered[0]
    journal.close()


def test_a_segment_for_which_the_disk_has_no_room_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal_module, "SEGMENT_BYTES", 1)
    journal = Journal(tmp_path)
    for number in (1, 2):
        journal.append(event(number))
        if number == 1:
            journal.sync()
    write = journal_module._write

    def full(fd: int, content: bytes, at: int) -> None:
        if content == journal_module.MAGIC:
            raise OSError(28, "No space left on device")
        write(fd, content, at)

    with monkeypatch.context() as patched:
        patched.setattr(journal_module, "_write", full)
        with pytest.raises(OSError, match="No space left"):
            journal.sync()
        assert len(list(tmp_path.glob("*.journal"))) == 1
        assert journal.pending == 1, "what was not written still waits"
    journal.sync()
    journal.close()
    assert [e.seq for e in read_journal(tmp_path)] == [1, 2]


@pytest.mark.parametrize("damage", ["length", "payload"])
def test_a_whole_record_that_cannot_be_one_ends_what_is_read(tmp_path: Path, damage: str) -> None:
    """A length beyond reason, and a payload whose checksum is right but which is no event."""
    segment = written(tmp_path, 1)
    payload = b'{"no":"event"}'
    rest = struct.pack("<II", 2, 0)
    length = len(payload) if damage == "payload" else 2**31
    record = struct.pack("<II", length, zlib.crc32(payload, zlib.crc32(rest))) + rest + payload
    with segment.open("ab") as file:
        file.write(record)
    assert [e.seq for e in read_journal(tmp_path)] == [1]


def test_a_full_disk_loses_nothing_and_the_next_sync_goes_on(tmp_path: Path) -> None:
    """RLIMIT_FSIZE stands for the full disk: the write is cut in the middle of a record."""
    journal = Journal(tmp_path)
    journal.append(event(1))
    journal.sync()
    segment = next(tmp_path.glob("*.journal"))
    before = segment.stat().st_size
    journal.append(event(2, "x" * 5000))
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (before + 1000, hard))
    try:
        with pytest.raises(OSError, match="File too large"):
            journal.sync()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, ignored)
    assert segment.stat().st_size == before
    assert journal.pending == 1
    journal.append(event(3))
    journal.sync()
    journal.close()
    assert [e.seq for e in read_journal(tmp_path)] == [1, 2, 3]


WRITER = """
import sys
from pathlib import Path
from tests.supervisor.link.test_journal import Journal, event
journal = Journal(Path(sys.argv[1]))
while True:
    for _ in range(7):
        journal.append(event(journal.last_seq + 1))
    journal.sync()
    print(journal.last_seq, flush=True)
"""


@pytest.mark.parametrize("acknowledged", [1, 20, 90])
def test_a_killed_writer_loses_nothing_that_it_acknowledged(tmp_path: Path, acknowledged: int) -> None:
    writer = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(tmp_path)], stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": "."}
    )
    assert writer.stdout
    told = [int(writer.stdout.readline()) for _ in range(acknowledged)]
    writer.kill()
    told += [int(line) for line in writer.stdout.read().split() if line]
    writer.wait()
    writer.stdout.close()
    journal = Journal(tmp_path)
    assert journal.last_seq >= told[-1]
    assert [e.seq for e in journal.read()] == list(range(1, journal.last_seq + 1))
    journal.close()
