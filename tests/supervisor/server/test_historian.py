"""History: rounded, complete, the same from hot rows and files, whole after every crash."""

import math
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernels.image import Rows
from kernels.tables import Status
from opcua_model.publishing.snapshot import HEAD
from supervisor.server.historian import query, roll
from supervisor.server.historian.changes import TOLERANCE_ROWS, ChangeDetector
from supervisor.server.historian.hot import HotWriter
from supervisor.server.historian.ingest import Historian
from supervisor.server.historian.rolling import Retention
from supervisor.server.historian.rounding import Rounding
from supervisor.server.historian.tagset import TagSet, create_view, register
from supervisor.server.store.connection import Store, transaction
from supervisor.server.store.opening import open_database
from supervisor.server.store.rows import aggregate, one
from tests.supervisor.server.stand import PERIOD_NS, SECOND, START_NS, Furnace

PRESSURE, TEMPERATURE, RAW = "chamber.pressure_torr", "chamber.temperature_c", "chamber.raw"


# ------------------------------------------------------------------------------------------------------- rounding
@given(
    value=st.floats(allow_nan=True, allow_infinity=True),
    resolution=st.floats(min_value=1e-9, max_value=1e6) | st.sampled_from([0.1, 0.001, 0.0122, 0.5, 1.0]),
)
def test_a_value_moves_by_half_a_resolution_at_most(value: float, resolution: float) -> None:
    rounded = float(Rounding(np.array([resolution]))(np.array([[value]]))[0, 0])
    if math.isfinite(value):
        with np.errstate(over="ignore"):
            slack = 4 * np.spacing(max(abs(value), resolution))
        assert abs(rounded - value) <= resolution / 2 + slack
    else:
        assert rounded == value or (math.isnan(rounded) and math.isnan(value))


@given(code=st.integers(-(2**24), 2**24), resolution=st.floats(min_value=1e-6, max_value=1e3))
def test_every_code_of_a_converter_is_told_from_its_neighbours(code: int, resolution: float) -> None:
    codes = np.array([code - 1, code, code + 1], np.float64)
    rounded = Rounding(np.array([resolution]))((codes * resolution).reshape(3, 1)).ravel()
    assert np.array_equal(np.rint(rounded / resolution), codes)


@given(value=st.floats())
def test_no_resolution_keeps_every_bit(value: float) -> None:
    before = np.array([[value]])
    assert Rounding(np.zeros(1))(before).tobytes() == before.tobytes()


def test_rounding_leaves_its_input_alone() -> None:
    values = np.full((2, 2), 0.123)
    Rounding(np.array([0.1, 0.0]))(values)
    assert np.all(values == 0.123)


# -------------------------------------------------------------------------------------------------------- changes
@given(data=st.data())
def test_statuses_come_back_exactly_and_source_times_within_the_tolerance(data: st.DataObject) -> None:
    rows = data.draw(st.integers(1, 40))
    ts = START_NS + PERIOD_NS * np.cumsum(data.draw(st.lists(st.integers(1, 3), min_size=rows, max_size=rows)))
    status = np.array(data.draw(st.lists(st.sampled_from([0, 0, 0, Status.BAD]), min_size=rows, max_size=rows)))
    steps = data.draw(st.lists(st.integers(0, 3), min_size=rows, max_size=rows))
    source = START_NS - SECOND + 7_000_000 * np.cumsum(steps)
    cut = data.draw(st.integers(0, rows))
    detector = ChangeDetector(1, PERIOD_NS)
    found = [
        detector(ts[a:b].astype(np.int64), status[a:b, None].astype(np.uint32), source[a:b, None].astype(np.int64))
        for a, b in ((0, cut), (cut, rows))
    ]
    at = np.concatenate([part.ts_ns for part in found])
    index = np.searchsorted(at, ts, side="right") - 1
    assert index[0] >= 0
    assert np.array_equal(np.concatenate([part.status for part in found])[index], status)
    reference = np.concatenate([part.source_ns for part in found])[index]
    moving = np.concatenate([part.moving for part in found])[index]
    told = np.where(moving, ts - reference, reference)
    assert np.all(told[~moving] == source[~moving])
    assert np.all(np.abs(told - source) <= TOLERANCE_ROWS * PERIOD_NS)


def test_an_instrument_that_posts_with_every_row_costs_a_few_entries_not_one_a_row() -> None:
    detector = ChangeDetector(1, PERIOD_NS)
    ts = START_NS + PERIOD_NS * np.arange(1000, dtype=np.int64)
    jitter = np.random.default_rng(1).integers(0, PERIOD_NS, 1000)
    found = detector(ts, np.zeros((1000, 1), np.uint32), (ts - jitter)[:, None])
    assert found.tag.size <= 3


# ------------------------------------------------------------------------------------------- rows, hot and rolled
class Bench:
    """A database with a hot table, filled by hand."""

    def __init__(self, folder: Path) -> None:
        self.data = folder
        self.furnace = Furnace()
        self.open()
        self.tag_set: TagSet = register(self.connection, self.furnace.layout)
        self.writer = HotWriter(self.tag_set, ChangeDetector(len(self.tag_set.tags), PERIOD_NS))
        self.next = 0

    def open(self) -> None:
        self.connection, _ = open_database(self.data / "cvd.duckdb")

    def store(self) -> int:
        """Store what the ring holds."""
        rows = self.furnace.image.logged(self.next)
        self.next = rows.next
        return transaction(self.connection, lambda connection: self.writer.insert(connection, rows))

    def hot(self) -> int:
        return aggregate(self.connection, f"SELECT count(*) FROM {self.tag_set.table}")[0]  # noqa: S608

    def roll(self, extent: roll.Extent) -> int:
        total = 0
        while rows := roll.roll_part(self.connection, self.data, self.tag_set, extent):
            total += rows
        return total

    def trend(self, tag: str, start: int = 0, end: int = 2**62, limit: int = 0) -> query.Trend:
        return query.trend(self.connection, self.data, tag, start, end, limit)


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    """An empty bench."""
    return Bench(tmp_path)


def wave(index: int) -> dict[str, float]:
    """Two signals."""
    return {PRESSURE: 0.5 + 0.1 * math.sin(index / 50), TEMPERATURE: 700 + index * 0.01, RAW: index * 0.1}


def run_extent(first: int, last: int) -> roll.Extent:
    """Rows of a run by scans."""
    return roll.of_run("CVD-1", (first, last), (START_NS + first * PERIOD_NS, START_NS + last * PERIOD_NS))


def test_rows_come_back_rounded_in_order_with_status_and_source(bench: Bench) -> None:
    bench.furnace.play(300, wave)
    bench.furnace.post(PRESSURE, 5.0, int(Status.BAD_NO_COMMUNICATION))
    bench.furnace.run(100)
    bench.store()
    found = bench.trend(PRESSURE)
    expected = np.array([0.5 + 0.1 * math.sin(index / 50) for index in range(300)])
    assert found.ts_ns.tolist() == [START_NS + index * PERIOD_NS for index in range(400)]
    assert np.all(np.abs(found.values[:300] - expected) <= 0.0005 + 1e-12)
    assert found.status[:300].tolist() == [0] * 300
    assert set(found.status[300:].tolist()) == {int(Status.BAD_NO_COMMUNICATION)}
    assert found.source_ns[-1] == START_NS + 300 * PERIOD_NS
    assert bench.trend(RAW).values[:300].tolist() == [index * 0.1 for index in range(300)]


def test_newest_first_when_start_is_after_end_and_a_limit_holds(bench: Bench) -> None:
    bench.furnace.play(50, wave)
    bench.store()
    found = bench.trend(RAW, START_NS + 40 * PERIOD_NS, START_NS + 10 * PERIOD_NS, limit=5)
    assert [round(value * 10) for value in found.values] == [40, 39, 38, 37, 36]


def test_a_trend_is_the_same_before_and_after_the_roll(bench: Bench) -> None:
    bench.furnace.play(200, wave)
    bench.furnace.post(PRESSURE, 1.0, int(Status.UNCERTAIN))
    bench.furnace.run(200)
    bench.store()
    tags = (PRESSURE, TEMPERATURE, RAW, "system.run_state")
    before = [bench.trend(tag) for tag in tags]
    assert bench.roll(run_extent(50, 350)) == 301
    assert bench.hot() == 99
    for tag, old in zip(tags, before, strict=True):
        new = bench.trend(tag)
        for name in ("ts_ns", "values", "status", "source_ns"):
            assert np.array_equal(getattr(old, name), getattr(new, name), equal_nan=name == "values"), (tag, name)


def test_a_long_run_is_rolled_in_parts(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(roll, "PART_SCANS", 2048)
    bench.furnace.play(5000, lambda index: {RAW: float(index)})
    bench.store()
    assert bench.roll(run_extent(0, 4999)) == 5000
    assert [rows for (rows,) in bench.connection.execute("SELECT rows FROM parts ORDER BY part").fetchall()] == [
        2048,
        2048,
        904,
    ]
    assert bench.trend(RAW).values.tolist() == [float(index) for index in range(5000)]


def test_a_roll_is_repeated_without_harm(bench: Bench) -> None:
    bench.furnace.play(100, wave)
    bench.store()
    assert bench.roll(run_extent(0, 99)) == 100
    assert bench.roll(run_extent(0, 99)) == 0
    assert len(bench.trend(RAW).values) == 100


@pytest.mark.parametrize("point", ["copy", "rename", "verify", "commit"])
def test_a_roll_that_dies_at_any_point_is_repaired_at_the_next_start(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, point: str
) -> None:
    """After each point of death: nothing lost, nothing twice, no file that is not in the manifest."""
    bench.furnace.play(100, wave)
    bench.store()
    expected = bench.trend(RAW).values.tolist()

    class DiedError(Exception):
        pass

    def die(*_: object, **__: object) -> None:
        raise DiedError

    with monkeypatch.context() as patch:
        if point == "copy":
            patch.setattr(roll, "sync", die)
        elif point == "rename":
            patch.setattr(Path, "replace", die)
        elif point == "verify":
            patch.setattr(roll, "one", lambda c, sql, *more: die() if "read_parquet" in sql else one(c, sql, *more))
        else:
            patch.setattr(roll, "transaction", die)
        with pytest.raises(DiedError):
            bench.roll(run_extent(0, 99))
    bench.connection.close()
    bench.open()
    assert roll.repair(bench.connection, bench.data)
    assert not list((bench.data / "runs").rglob("*.*"))
    assert bench.trend(RAW).values.tolist() == expected
    assert bench.roll(run_extent(0, 99)) == 100
    assert bench.trend(RAW).values.tolist() == expected
    assert roll.repair(bench.connection, bench.data) == []


def test_the_tape_of_a_run_survives_the_repair(bench: Bench) -> None:
    tape = bench.data / "runs" / "CVD-1" / "tape"
    tape.parent.mkdir(parents=True)
    tape.write_bytes(b"tape")
    (tape.parent / "telemetry-0000.parquet.tmp").write_bytes(b"half")
    assert len(roll.repair(bench.connection, bench.data)) == 1
    assert tape.read_bytes() == b"tape"


def test_a_part_that_somebody_removed_is_told_and_the_rest_is_read(bench: Bench) -> None:
    bench.furnace.play(100, wave)
    bench.store()
    bench.roll(run_extent(0, 49))
    next((bench.data / "runs").rglob("telemetry-*")).unlink()
    assert "missing" in roll.repair(bench.connection, bench.data)[0]
    assert len(bench.trend(RAW).values) == 50


def test_the_view_has_the_columns_of_the_guide_and_bad_values_are_null(bench: Bench) -> None:
    bench.furnace.play(10, wave)
    bench.furnace.post(PRESSURE, 5.0, int(Status.BAD))
    bench.furnace.run(10)
    bench.store()
    bench.roll(run_extent(0, 4))
    create_view(bench.connection, bench.tag_set, bench.furnace.layout.tool.telemetry, bench.data)
    columns = [name for name, *_ in bench.connection.execute("DESCRIBE telemetry").fetchall()]
    guide = {
        "id", "org_id", "cvd_run_id", "ts", "chamber_pressure_torr", "temperature_zones_c", "gas_flows_sccm",
        "rf_power_w", "rf_reflected_w", "dc_bias_v", "plasma_impedance_ohm", "microwave_power_w", "filament_temp_c",
        "filament_current_a", "laser_power_w", "laser_energy_mj", "qcm_rate_nm_per_s", "qcm_thickness_nm",
        "ellipsometer_thickness_nm", "reflectometer_thickness_nm", "deposition_rate_nm_per_min",
        "plasma_density_proxy", "rga_spectrum_uri", "oes_spectrum_uri", "other_signals", "isa95_path",
    }  # fmt: skip
    assert guide == set(columns)
    found = bench.connection.execute("SELECT chamber_pressure_torr FROM telemetry ORDER BY ts").fetchall()
    assert [value is None for (value,) in found] == [False] * 10 + [True] * 10


def test_rows_that_the_ring_lost_are_noted(bench: Bench) -> None:
    bench.furnace.run(10)
    bench.store()
    bench.furnace.run(7000)
    assert bench.store() == 6000
    assert aggregate(bench.connection, "SELECT sum(rows) FROM gaps") == (1000,)


def test_another_tag_list_gets_a_table_of_its_own_and_old_trends_stay(bench: Bench) -> None:
    bench.furnace.play(10, wave)
    bench.store()
    tool = bench.furnace.layout.tool
    module = tool.modules[0]
    fewer = tool.model_copy(update={"modules": (module.model_copy(update={"tags": module.tags[1:]}),)})
    later = Furnace(fewer)
    later.start_ns = START_NS + 10 * SECOND
    other = register(bench.connection, later.layout)
    assert other.table != bench.tag_set.table
    assert register(bench.connection, later.layout).id == other.id
    later.play(5, lambda index: {RAW: 100.0 + index})
    HotWriter(other, ChangeDetector(len(other.tags), PERIOD_NS)).insert(bench.connection, later.image.logged(0))
    assert len(bench.trend(RAW).values) == 15
    assert len(bench.trend(PRESSURE).values) == 10


# -------------------------------------------------------------------------------------------------- the historian
@pytest.mark.anyio
async def test_a_server_that_starts_again_goes_on_behind_the_last_row_it_stored(tmp_path: Path) -> None:
    furnace = Furnace()
    furnace.play(100, wave)
    for rows in (100, 150):
        async with Store(tmp_path / "cvd.duckdb") as store:
            historian = Historian(store, furnace.image, furnace.layout, tmp_path)
            await historian.start()
            await historian.flush()
            table = historian.tag_set.table if historian.tag_set else ""
            found = await store.read(
                lambda c, t=table: aggregate(c, f"SELECT count(*), count(DISTINCT scan) FROM {t}")  # noqa: S608
            )
            assert found == (rows, rows)
            assert historian.figures.lag_s == 0
        furnace.play(50, wave)


@pytest.mark.anyio
async def test_a_batch_that_could_not_be_stored_is_stored_by_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    furnace = Furnace()
    furnace.play(20, wave)
    async with Store(tmp_path / "cvd.duckdb") as store:
        historian = Historian(store, furnace.image, furnace.layout, tmp_path)
        await historian.start()
        insert, left = HotWriter.insert, [1]

        def fail(self: HotWriter, connection: duckdb.DuckDBPyConnection, rows: Rows) -> int:
            count = insert(self, connection, rows)
            if left.pop() if left else False:
                raise duckdb.IOException("IO Error: No space left on device")
            return count

        monkeypatch.setattr(HotWriter, "insert", fail)
        await historian.flush()
        assert "no space left" in historian.figures.failure
        assert historian.figures.lag_s == pytest.approx(0.2)
        furnace.play(5, wave)
        await historian.flush()
        assert historian.figures.failure == ""
        assert historian.figures.rows == 25
        trend = await store.read(lambda c: query.trend(c, tmp_path, RAW, 0, 2**62))
        assert len(trend.ts_ns) == 25
        assert set(trend.status.tolist()) == {0}


@pytest.mark.anyio
async def test_old_days_outside_of_runs_are_rolled_and_the_oldest_removed(tmp_path: Path) -> None:
    furnace = Furnace()
    today = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0)
    async with Store(tmp_path / "cvd.duckdb") as store:
        historian = Historian(store, furnace.image, furnace.layout, tmp_path, Retention(hot_days=1, file_days=5))
        await historian.start()
        for days in (7, 3, 0):
            moment = today - timedelta(days=days)
            furnace.start_ns = int(moment.timestamp()) * SECOND - (furnace.scan.index + 1) * PERIOD_NS
            furnace.play(10, wave)
        await historian.flush()
        await historian.roller.roll_days()
        kept = [path.parent.name for path in (tmp_path / "telemetry").rglob("telemetry-*.parquet")]
        assert kept == [f"{today - timedelta(days=3):%Y-%m-%d}"]
        trend = await store.read(lambda c: query.trend(c, tmp_path, RAW, 0, 2**62))
        assert len(trend.ts_ns) == 20


def test_whoever_follows_the_scan_gets_every_row_from_the_present_on() -> None:
    """What monitored items with fast sampling are fed from: a row number beyond all tells where the next one stands."""
    furnace = Furnace()
    furnace.run(3)
    begun = furnace.image.flight(HEAD)
    assert (len(begun.scan), begun.lost) == (0, 0)
    furnace.run(5)
    rows = furnace.image.flight(begun.next)
    assert (len(rows.scan), rows.lost) == (5, 0)
    assert np.diff(rows.time_ns).tolist() == [PERIOD_NS] * 4
    assert len(furnace.image.flight(rows.next).scan) == 0
