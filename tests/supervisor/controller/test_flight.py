"""What every tag did around a trip is there afterwards, scan by scan, and costs nothing when the disk refuses."""

import shutil
import zipfile
from pathlib import Path

import anyio.to_thread
import numpy as np
import pytest

from kernels.tables import ConditionState
from supervisor.cli.main import main
from supervisor.controller.errors import FlightError
from supervisor.controller.tapes import flight as room
from supervisor.controller.tapes.archive import PARTIAL
from supervisor.controller.tapes.flight_file import (
    CHANGE,
    Flight,
    FlightHeader,
    FlightRows,
    TripMark,
    open_flight,
    write_flight,
)
from supervisor.link.messages import CommandKind, EventKind
from tests.supervisor.controller.stand import Stand, running, tool_text

PRESSURE, VALVE = "chamber.pressure_torr", "panel.sih4.valve"
FLIGHT_S = 0.5
HALF = 50
"""Scans before and after a trip, of the tool in this test."""


def text() -> str:
    """The smallest tool with a short memory, so that a story takes half a second."""
    return tool_text().replace("log_every = 10", f"log_every = 10\nflight_s = {FLIGHT_S}")


async def saved(stand: Stand, count: int = 1) -> list[Path]:
    """Wait until so many records have been announced in the journal."""

    def told() -> list[Path]:
        texts = [event.data["text"] for event in stand.told(EventKind.NOTICE)]
        return [stand.folder / said.split(": ")[1] for said in texts if said.startswith("flight record saved")]

    await stand.until(lambda: len(told()) >= count)
    return told()


async def trip(stand: Stand, pressure: float) -> int:
    """Let the pressure rise above its limit; return the scan of the trip."""
    before = len(stand.told(EventKind.CONDITION, name="over_pressure", active=True))
    stand.post(pressure_torr=pressure)
    seen = await stand.until(lambda: stand.told(EventKind.CONDITION, name="over_pressure", active=True)[before:])
    return int(seen[0].scan)


async def reset(stand: Stand) -> None:
    """The pressure is low again, and somebody resets the interlock."""
    stand.post(pressure_torr=0.1)
    index = stand.controller.scanner.layout.condition_index["over_pressure"]
    await stand.until(lambda: not stand.controller.scanner.view().state(index) & ConditionState.RAW)
    await stand.done("olga", CommandKind.RESET_INTERLOCK, name="over_pressure")


async def past(stand: Stand, scan: int) -> None:
    await stand.until(lambda: stand.controller.scan.index > scan)


@pytest.mark.anyio
async def test_a_trip_in_a_run_is_saved_with_it_scan_by_scan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with running(tmp_path, monkeypatch, text=text()) as stand:
        await past(stand, HALF + 20)
        await stand.started()
        await stand.until(lambda: stand.value(VALVE) == 1.0)
        at = await trip(stand, 203.25)
        (path,) = await saved(stand)
        assert path == tmp_path / "runs" / "CVD-20260101-run-1" / f"trip-{at}"
        tags = stand.controller.scanner.layout.tags
        now = int(stand.controller.scanner.view().snapshot.conditions["state"][0])

        def check() -> None:
            flight = open_flight(path)
            flight.verify()
            assert flight.header.trips[0] == TripMark(at, "trip over_pressure")
            assert flight.header.trips[1].cause == "safe sequence"
            assert flight.header.run_number == "CVD-20260101-run-1"
            assert flight.header.tags == tags
            assert flight.header.remarks == ()
            last = flight.header.trips[1].scan + HALF
            assert flight.scan.tolist() == list(range(at - HALF, last + 1)), "a row at every scan"
            pressure = flight.values(PRESSURE)
            assert set(pressure[flight.scan < at]) == {0.1}
            assert set(pressure[flight.scan >= at]) == {203.25}
            assert flight.values(VALVE)[flight.scan == at - 1] == [1.0]
            assert set(flight.values(VALVE)[flight.scan > at]) == {0.0}
            assert set(flight.source_ns(PRESSURE)) == {1}, "as the instrument said"
            assert set(flight.status(PRESSURE)) == {0}
            state = flight.condition("over_pressure")
            assert not state[flight.scan < at].any()
            assert set(state[flight.scan > at]) == {now}
            assert now & ConditionState.FIRST_OUT

        await anyio.to_thread.run_sync(check)
        stand.post(pressure_torr=0.1)


@pytest.mark.anyio
async def test_trips_close_together_share_a_window_and_later_ones_do_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running(tmp_path, monkeypatch, text=text()) as stand:
        await past(stand, HALF)
        first = await trip(stand, 150.0)
        await reset(stand)
        second = await trip(stand, 160.0)
        assert second <= first + HALF
        (path,) = await saved(stand)
        assert path.parent == tmp_path / "trips", "no run was active"
        flight = await anyio.to_thread.run_sync(open_flight, path)
        assert flight.header.run_number is None
        trips = [mark.scan for mark in flight.header.trips if mark.cause == "trip over_pressure"]
        assert trips == [first, second]
        assert flight.scan[0] == first - HALF
        assert flight.scan[-1] >= second + HALF
        await reset(stand)
        await past(stand, int(flight.scan[-1]))
        third = await trip(stand, 170.0)
        other = await anyio.to_thread.run_sync(open_flight, (await saved(stand, 2))[1])
        assert [mark.scan for mark in other.header.trips if mark.cause == "trip over_pressure"] == [third]


@pytest.mark.anyio
async def test_the_oldest_outside_of_runs_make_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "KEPT", 3)
    folder = tmp_path / "trips"
    folder.mkdir()
    for year in range(2020, 2024):
        (folder / f"{year}0101T000000Z-1").write_bytes(b"old")
    async with running(tmp_path, monkeypatch, text=text()) as stand:
        await trip(stand, 150.0)
        (path,) = await saved(stand)
        left = await anyio.to_thread.run_sync(lambda: sorted(folder.iterdir()))
        assert [entry.name[:4] for entry in left[:2]] == ["2022", "2023"]
        assert left[2:] == [path]


@pytest.mark.anyio
async def test_a_disk_that_refuses_costs_a_line_in_the_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async with running(tmp_path, monkeypatch, text=text()) as stand:
        await anyio.to_thread.run_sync((tmp_path / "trips").write_text, "in the way of the folder")
        first = await trip(stand, 150.0)
        await stand.until(lambda: "no flight record of this trip" in capsys.readouterr().out)
        await past(stand, first + 3 * HALF)
        assert stand.controller.recorder.trouble is None
        await reset(stand)
        await anyio.to_thread.run_sync((tmp_path / "trips").unlink)
        await trip(stand, 160.0)
        (path,) = await saved(stand)
        assert (await anyio.to_thread.run_sync(open_flight, path)).header.rows > HALF


def test_a_full_disk_leaves_no_part_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_fd: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("supervisor.controller.tapes.archive.os.fsync", full)
    with pytest.raises(OSError, match="No space left"):
        a_record(tmp_path / "trips" / "one")
    assert list((tmp_path / "trips").iterdir()) == []


@pytest.mark.anyio
async def test_a_ring_that_went_round_too_soon_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "LEAST_S", 2.0)
    monkeypatch.setattr(room, "MOST_S", 2.0)
    async with running(tmp_path, monkeypatch, text=text()) as stand:
        await past(stand, HALF)
        await stand.done("olga", CommandKind.SAFE_SHUTDOWN)
        (path,) = await saved(stand)
        flight = await anyio.to_thread.run_sync(open_flight, path)
        (mark,) = flight.header.trips
        assert mark.cause == "safe sequence", "without any trip"
        assert flight.header.rows + flight.header.lost == 2 * HALF + 1
        assert flight.header.remarks == (f"{flight.header.lost} rows were overwritten before they were read",)


@pytest.mark.anyio
async def test_a_trip_just_before_the_end_is_saved_as_far_as_it_goes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    long = text().replace(f"flight_s = {FLIGHT_S}", "flight_s = 60")
    async with running(tmp_path, monkeypatch, text=long) as stand:
        at = await trip(stand, 150.0)
        stand.post(pressure_torr=0.1)
    (path,) = await anyio.to_thread.run_sync(lambda: list((tmp_path / "trips").iterdir()))
    flight = await anyio.to_thread.run_sync(open_flight, path)
    assert flight.scan[0] <= at <= flight.scan[-1]
    assert flight.header.remarks == ("the scan stopped before the end of the window",)


def a_record(path: Path, rows: int = 100) -> Flight:
    """A small record, with a trip at scan 50 and another condition at its side."""
    scan = np.arange(rows, dtype=np.int64)
    values = np.stack((scan * 0.5, np.where(scan < 50, 1.0, 0.0)), axis=1).astype(np.float64)
    shape = values.shape
    header = FlightHeader(
        "Furnace", None, 0.01, (TripMark(50, "trip hot"),), ("a.t_c", "a.valve"), ("hot", "door"), rows, 0
    )
    columns = FlightRows(
        scan,
        10**18 + scan * 10_000_000,
        values,
        np.zeros(shape, np.uint32),
        np.repeat(10**18 + scan[:, None] * 10_000_000, 2, axis=1),
    )
    changes = np.array([(50, 0, 3), (60, 1, 2)], CHANGE)
    write_flight(path, header, columns, np.zeros(2, np.uint32), changes)
    return open_flight(path)


def test_a_record_gives_back_what_was_written(tmp_path: Path) -> None:
    flight = a_record(tmp_path / "one")
    assert flight.values("a.t_c").tolist() == [scan * 0.5 for scan in range(100)]
    assert flight.source_ns("a.valve").tolist() == flight.time_ns.tolist()
    assert flight.condition("hot").tolist() == [0] * 50 + [3] * 50
    assert flight.condition("door").tolist() == [0] * 60 + [2] * 40
    with pytest.raises(FlightError, match=r"has no tag a\.b"):
        flight.values("a.b")
    with pytest.raises(FlightError, match="has no condition cold"):
        flight.condition("cold")


@pytest.mark.parametrize("place", [0.01, 0.2, 0.5, 0.8])
def test_a_bit_that_turned_on_the_disk_is_noticed(tmp_path: Path, place: float) -> None:
    path = a_record(tmp_path / "one").path
    with zipfile.ZipFile(path) as archive:
        ends = [entry.header_offset for entry in archive.infolist()][1:]
        inside = int(place * ends[-1])
        target = max(end for end in [0, *ends] if end <= inside) + 45
    content = bytearray(path.read_bytes())
    content[target] ^= 0x10
    path.write_bytes(content)
    with pytest.raises(FlightError, match=r"damaged|no flight record"):
        open_flight(path).verify()


def test_parts_and_strangers_are_refused(tmp_path: Path) -> None:
    path = a_record(tmp_path / "one").path
    part = tmp_path / f"two{PARTIAL}"
    part.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(FlightError, match="only a part of one"):
        open_flight(part)
    with zipfile.ZipFile(tmp_path / "zip", "w") as archive:
        archive.writestr("readme", "hello")
    with pytest.raises(FlightError, match="but no flight record"):
        open_flight(tmp_path / "zip")
    for header, reason in (
        ('{"format": 9}', "format 1"),
        ("[]", "format 1"),
        ('{"format": 1, "trips": []}', "damaged"),
    ):
        with zipfile.ZipFile(tmp_path / "zip", "w") as archive:
            archive.writestr("header.json", header)
        with pytest.raises(FlightError, match=reason):
            open_flight(tmp_path / "zip")


def test_people_list_show_and_export(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = a_record(tmp_path / "trips" / "20260101T000000Z-50").path
    (tmp_path / "runs" / "CVD-1").mkdir(parents=True)
    shutil.copy(path, tmp_path / "runs" / "CVD-1" / "trip-50")
    (tmp_path / "runs" / "CVD-1" / "trip-60").write_bytes(b"damaged")
    assert main(["recorder", "list", "--data", str(tmp_path)]) == 0
    listed = capsys.readouterr().out.splitlines()
    assert len(listed) == 3
    assert "trip hot" in listed[0]
    assert "runs/CVD-1/trip-60" in listed[2]
    assert "only a part of one" in listed[2]

    assert main(["recorder", "show", str(path)]) == 0
    shown = capsys.readouterr().out
    assert "a.valve" in shown
    assert "door" in shown

    csv = tmp_path / "out.csv"
    arguments = ["recorder", "show", str(path), "--tags", "a.t_c", "--around", "0.02", "--csv", str(csv)]
    assert main(arguments) == 0
    lines = csv.read_text(encoding="utf-8").splitlines()
    assert lines[0] == "scan,time_ns,a.t_c,a.t_c.status,a.t_c.source_ns,hot,door"
    assert [line.split(",")[0] for line in lines[1:]] == ["48", "49", "50", "51", "52"]
    assert lines[3] == "50,1000000000500000000,25.0,0,1000000000500000000,3,0"


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["show", "{path}", "--tags", "a.b"], "has no tag a.b"),
        (["show", "{path}", "--around", "-1"], "--around"),
        (["show", "{folder}/none"], "No such file"),
        (["list", "--data", "{folder}/none"], "there is no"),
    ],
)
def test_mistakes_get_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], words: list[str], reason: str
) -> None:
    path = a_record(tmp_path / "one").path
    assert main(["recorder", *(word.format(path=path, folder=tmp_path) for word in words)]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert reason in line
