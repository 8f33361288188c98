"""A tape is a file that gives back every bit, or says that it is not whole."""

import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from kernels import tables as t
from supervisor.controller.errors import TapeError
from supervisor.controller.tapes.tape_file import PARTIAL, ROWS, TapeFile, TapeHeader, TapeStart, open_tape, with_reset

HEADER = TapeHeader("r1", "CVD-20260101-120000", "Furnace", "0.1", started_ns=5, first_scan=41, slot=1)


def some_tables() -> t.Tables:
    tags = np.zeros(len(t.SystemTag) + 1, t.TAG)
    tags["kind"][-1] = t.TagKind.INPUT
    end = np.zeros(1, t.INSTRUCTION)
    return t.Tables(
        period_s=0.01,
        tags=tags,
        expressions=np.zeros(0, t.EXPRESSION),
        code=np.zeros(0, t.CODE),
        conditions=np.zeros(0, t.CONDITION),
        effects=np.zeros(0, t.EFFECT),
        loops=np.zeros(0, t.LOOP),
        maps=np.zeros(0, t.MAP),
        safe=t.Program(end),
    )


def start() -> TapeStart:
    program = t.Program(np.zeros(2, t.INSTRUCTION), channels=(0, 1))
    return TapeStart(HEADER, some_tables(), program, b"\x00\xffstate", 'name = "Furnace" # Öl', '{"name": "100 nm"}')


def records(count: int, first: int = 42) -> np.ndarray:
    rows = np.zeros(count, t.TAPE)
    rows["scan"] = np.arange(first, first + count)
    rows["index"] = 11
    rows["value"] = np.random.default_rng(1).normal(size=count)
    rows["source_ns"] = np.arange(count) * 10_000_000
    return rows


def test_a_tape_gives_back_what_was_written(tmp_path: Path) -> None:
    path = tmp_path / "runs" / "CVD-1" / "tape"
    written = [records(ROWS + 7), records(5, first=100_000)]
    file = TapeFile(path, start())
    for part in written:
        file.write(part)
    assert not path.exists()
    file.close(last_scan=100_004, state="COMPLETE")
    tape = open_tape(path)
    assert np.array_equal(np.concatenate(list(tape.batches())), np.concatenate(written))
    assert tape.start.header == HEADER
    assert tape.start.state == b"\x00\xffstate"
    assert tape.start.tool_text == 'name = "Furnace" # Öl'
    assert tape.start.recipe_text == '{"name": "100 nm"}'
    assert (tape.last_scan, tape.state) == (100_004, "COMPLETE")
    assert np.array_equal(tape.start.tables.tags, some_tables().tags)
    assert tape.start.program.channels == (0, 1)
    assert [p.name for p in path.parent.iterdir()] == ["tape"]


def test_every_nan_and_every_zero_keeps_its_bits(tmp_path: Path) -> None:
    rows = records(4)
    bits = [0x7FF8000000000000, 0x7FF8000000000001, 0xFFF8000000000000, 0x8000000000000000]
    rows["value"] = np.array(bits, np.uint64).view("f8")
    file = TapeFile(tmp_path / "tape", start())
    file.write(rows)
    file.close(45, "COMPLETE")
    (read,) = open_tape(tmp_path / "tape").batches()
    assert read["value"].view("u8").tolist() == bits


def test_a_tape_whose_writing_was_cut_off_is_refused(tmp_path: Path) -> None:
    file = TapeFile(tmp_path / "tape", start())
    file.write(records(ROWS))
    file._archive._sink.flush()
    crashed = tmp_path / f"crashed{PARTIAL}"
    crashed.write_bytes((tmp_path / f"tape{PARTIAL}").read_bytes())
    file.abandon()
    with pytest.raises(TapeError, match="was being written when the controller ended"):
        open_tape(crashed)
    with pytest.raises(TapeError, match="its end was never written"):
        open_tape(tmp_path / f"tape{PARTIAL}")


@pytest.mark.parametrize("part", [0.0, 0.3, 0.99])
def test_a_part_of_a_tape_is_refused(tmp_path: Path, part: float) -> None:
    file = TapeFile(tmp_path / "tape", start())
    file.write(records(1000))
    file.close(1041, "COMPLETE")
    whole = (tmp_path / "tape").read_bytes()
    (tmp_path / "part").write_bytes(whole[: int(part * len(whole))])
    with pytest.raises(TapeError, match="no tape, or only a part"):
        open_tape(tmp_path / "part")


def test_another_archive_is_no_tape(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "photos.zip", "w") as archive:
        archive.writestr("a.txt", "a")
    with pytest.raises(TapeError, match="but no tape"):
        open_tape(tmp_path / "photos.zip")


def altered(path: Path, change: Callable[[str, bytes], bytes | None]) -> Path:
    """Write a copy in which somebody changed members, with right checksums, or took them out."""
    other = path.with_name("altered")
    with zipfile.ZipFile(path) as source, zipfile.ZipFile(other, "w") as target:
        for name in source.namelist():
            content = change(name, source.read(name))
            if content is not None:
                target.writestr(name, content)
    return other


@pytest.mark.parametrize(
    ("member", "content", "said"),
    [
        ("header.json", b"{}", "format None"),
        ("header.json", b'{"format": 2}', "head of the tape is damaged"),
        ("header.json", b"[", "head of the tape is damaged"),
        ("tables/tags.npy", b"no array", "head of the tape is damaged"),
        ("tables/tags.npy", None, "head of the tape is damaged"),
        ("tool.toml", b"\xff", "head of the tape is damaged"),
        ("state", None, "head of the tape is damaged"),
        ("end.json", b"{}", "head of the tape is damaged"),
        ("end.json", None, "its end was never written"),
        ("records/000000.value.npy", None, "is damaged"),
        ("records/000000.value.npy", b"no array", "is damaged"),
        ("end.json", b'{"records": 999, "last_scan": 1041, "state": "COMPLETE"}', "not as many records"),
        ("end.json", b'{"records": 1001, "last_scan": 1041, "state": "COMPLETE"}', "is damaged"),
    ],
)
def test_a_tape_that_somebody_changed_is_refused_in_one_line(
    tmp_path: Path, member: str, content: bytes | None, said: str
) -> None:
    file = TapeFile(tmp_path / "tape", start())
    file.write(records(1000))
    file.close(1041, "COMPLETE")
    path = altered(tmp_path / "tape", lambda name, whole: content if name == member else whole)
    with pytest.raises(TapeError, match=said) as refusal:
        list(open_tape(path).batches())
    assert "\n" not in str(refusal.value)


def test_the_same_run_makes_the_same_tape(tmp_path: Path) -> None:
    for name in ("one", "two"):
        file = TapeFile(tmp_path / name, start())
        file.write(records(1000))
        file.close(1041, "COMPLETE")
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def test_a_tape_of_another_format_is_refused(tmp_path: Path) -> None:
    header = replace(HEADER, format=99)
    begin = start()
    file = TapeFile(tmp_path / "tape", TapeStart(header, begin.tables, begin.program, begin.state, "", ""))
    file.close(41, "COMPLETE")
    with pytest.raises(TapeError, match="format 99"):
        open_tape(tmp_path / "tape")


def test_a_discarded_tape_leaves_nothing(tmp_path: Path) -> None:
    file = TapeFile(tmp_path / "tape", start())
    file.discard()
    assert list(tmp_path.iterdir()) == []


def test_a_bit_that_turned_on_the_disk_is_noticed(tmp_path: Path) -> None:
    """In the middle of the records: the end of the file still says that the tape is whole."""
    path = tmp_path / "tape"
    writer = TapeFile(path, start())
    writer.write(records(50_000))
    writer.close(50_042, "COMPLETE")
    content = bytearray(path.read_bytes())
    content[len(content) // 3] ^= 1
    path.write_bytes(content)
    with pytest.raises(TapeError, match="is damaged"):
        list(open_tape(path).batches())


def test_a_tape_from_before_conditions_of_a_reset_reads_as_one_without_them() -> None:
    names = [name for name in t.CONDITION.names or () if name not in {"reset", "pad"}]
    old = np.zeros(2, [(name, t.CONDITION[name]) for name in names])
    old["on_delay"] = 7
    new = with_reset(old)
    assert (new.dtype, new["reset"].tolist(), new["on_delay"].tolist()) == (t.CONDITION, [-1, -1], [7, 7])
    assert with_reset(new) is new
