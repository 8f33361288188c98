"""The database: opened whatever has happened to it, migrated once, never half a transaction."""

import os
import resource
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import duckdb
import pytest

from supervisor.server.errors import MigrationError, StoreError, StoreFullError, StoreLockedError
from supervisor.server.store.connection import Store
from supervisor.server.store.migrate import Migration, migrate, migrations
from supervisor.server.store.opening import open_database
from supervisor.server.store.rows import aggregate, one
from supervisor.server.store.space import Ballast

ROOT = Path(__file__).resolve().parents[3]


def child(code: str, *arguments: str) -> subprocess.Popen[str]:
    """Start a program that says a line when it is where the test wants it."""
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code), *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )


def end(process: subprocess.Popen[str]) -> None:
    """Kill it without a word and read what it said."""
    process.send_signal(signal.SIGKILL)
    process.communicate()


def test_a_new_database_has_the_tables_of_the_contract(tmp_path: Path) -> None:
    connection, repaired = open_database(tmp_path / "cvd.duckdb")
    tables = {name for (name,) in connection.execute("SELECT table_name FROM duckdb_tables()").fetchall()}
    connection.close()
    assert not repaired
    named = {"process_modes", "recipes", "runs", "events", "results", "spc_series", "spc_points", "audit"}
    assert named <= tables


def test_migrations_run_once_and_are_known_by_their_digest(tmp_path: Path) -> None:
    for _ in range(2):
        connection, _ = open_database(tmp_path / "cvd.duckdb")
        done = connection.execute("SELECT version, sha256 FROM schema_version").fetchall()
        connection.close()
        assert done == [(migration.version, migration.sha256) for migration in migrations()]


def test_migrations_are_numbered_without_gaps_or_doubles() -> None:
    """Two of one number would be taken for a changed one at the next start."""
    assert [migration.version for migration in migrations()] == list(range(1, len(migrations()) + 1))


def test_a_migration_that_was_changed_afterwards_is_refused() -> None:
    connection = duckdb.connect()
    migrate(connection, [Migration(1, "first", "CREATE TABLE a (x INTEGER)")])
    with pytest.raises(MigrationError, match="never be changed"):
        migrate(connection, [Migration(1, "first", "CREATE TABLE a (x DOUBLE)")])
    connection.close()


def test_a_database_of_a_newer_version_is_refused_and_untouched() -> None:
    connection = duckdb.connect()
    migrate(connection, [Migration(1, "first", "SELECT 1"), Migration(2, "second", "CREATE TABLE b (x INTEGER)")])
    with pytest.raises(MigrationError, match="schema version 2"):
        migrate(connection, [Migration(1, "first", "SELECT 1")])
    connection.close()


def test_a_failing_migration_leaves_the_version_before() -> None:
    connection = duckdb.connect()
    first = Migration(1, "first", "CREATE TABLE a (x INTEGER)")
    bad = Migration(2, "bad", "CREATE TABLE b (x INTEGER); SELECT nonsense")
    with pytest.raises(duckdb.Error):
        migrate(connection, [first, bad])
    assert aggregate(connection, "SELECT max(version) FROM schema_version") == (1,)
    assert one(connection, "SELECT 1 FROM duckdb_tables() WHERE table_name = 'b'") is None
    connection.close()


def test_a_copy_is_kept_before_an_older_database_is_migrated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "cvd.duckdb"
    open_database(path)[0].close()
    known = [*migrations(), Migration(migrations()[-1].version + 1, "later", "CREATE TABLE later (x INTEGER)")]
    monkeypatch.setattr("supervisor.server.store.opening.migrations", lambda: known)
    connection, _ = open_database(path)
    assert one(connection, "SELECT 1 FROM duckdb_tables() WHERE table_name = 'later'") == (1,)
    connection.close()
    backup = tmp_path / f"cvd.duckdb.before-{known[-1].version:04d}"
    old = duckdb.connect(str(backup), read_only=True)
    assert one(old, "SELECT 1 FROM duckdb_tables() WHERE table_name = 'later'") is None
    old.close()


def test_a_database_that_another_process_holds_names_its_pid(tmp_path: Path) -> None:
    path = tmp_path / "cvd.duckdb"
    holder = child(
        """
        import duckdb, sys, time
        connection = duckdb.connect(sys.argv[1])
        print("held", flush=True)
        time.sleep(60)
        """,
        str(path),
    )
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(StoreLockedError, match=f"PID {holder.pid} "):
            open_database(path)
    finally:
        end(holder)


def test_a_data_folder_that_cannot_be_written_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StoreError, match="--data"):
        open_database(tmp_path / "file" / "data" / "cvd.duckdb")


def test_a_full_disk_is_a_clean_error_and_work_goes_on_when_there_is_space(tmp_path: Path) -> None:
    path = tmp_path / "cvd.duckdb"
    open_database(path)[0].close()
    writer = child(
        """
        import resource, signal, sys
        from pathlib import Path
        import anyio
        from supervisor.server.errors import StoreError
        from supervisor.server.store.connection import Store

        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)

        def fill(connection):
            connection.execute("INSERT INTO gaps SELECT range, hash(range) >> 2 FROM range(400000)")

        async def main():
            async with Store(Path(sys.argv[1])) as store:
                resource.setrlimit(resource.RLIMIT_FSIZE, (3_000_000, resource.RLIM_INFINITY))
                try:
                    await store.write(fill)
                except StoreError as error:
                    print(type(error).__name__, error, flush=True)
                resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
                for _ in range(2):
                    try:
                        await store.write(fill)
                        break
                    except StoreError as error:
                        print(error, flush=True)
                print(await store.read(lambda c: c.execute("SELECT count(*) FROM gaps").fetchall()), flush=True)

        anyio.run(main)
        """,
        str(path),
    )
    out, err = writer.communicate(timeout=60)
    lines = out.splitlines()
    assert lines[0].startswith("StoreFullError"), out + err
    assert lines[-1] == "[(400000,)]", out + err
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] == resource.RLIM_INFINITY


def test_killed_in_the_middle_nothing_acknowledged_is_lost_and_nothing_comes_twice(tmp_path: Path) -> None:
    """Each round a writer acknowledges numbered batches and is killed; all it acknowledged is there, whole batches."""
    path = tmp_path / "cvd.duckdb"
    acknowledged = -1
    for _ in range(3):
        writer = child(
            """
            import sys
            from pathlib import Path
            import anyio
            from supervisor.server.store.connection import Store

            async def main():
                async with Store(Path(sys.argv[1])) as store:
                    batch = (await store.read(
                        lambda c: c.execute("SELECT coalesce(max(ts_ns) + 1, 0) FROM gaps").fetchall()))[0][0]
                    while True:
                        await store.write(lambda c: c.execute(
                            "INSERT INTO gaps SELECT ?, range FROM range(500)", [batch]) and None)
                        print(batch, flush=True)
                        batch += 1

            anyio.run(main)
            """,
            str(path),
        )
        assert writer.stdout is not None
        first = int(writer.stdout.readline())
        assert first == acknowledged + 1 or first == acknowledged + 2  # one commit may not have been told
        for _ in range(12):
            acknowledged = int(writer.stdout.readline())
        writer.send_signal(signal.SIGKILL)
        rest = writer.communicate()[0].split()
        acknowledged = int(rest[-1]) if rest else acknowledged
    connection, _ = open_database(path)
    counts = connection.execute("SELECT ts_ns, count(*) FROM gaps GROUP BY ts_ns ORDER BY ts_ns").fetchall()
    connection.close()
    assert [batch for batch, _ in counts] == list(range(len(counts)))
    assert {count for _, count in counts} == {500}
    assert len(counts) >= acknowledged + 1


def test_a_damaged_log_is_cut_where_its_damage_begins_and_kept_aside(tmp_path: Path) -> None:
    path = tmp_path / "cvd.duckdb"
    writer = child(
        """
        import duckdb, os, sys
        from pathlib import Path
        from supervisor.server.store.opening import open_database
        connection, _ = open_database(Path(sys.argv[1]))
        for n in range(20):
            connection.execute("INSERT INTO gaps VALUES (?, 0)", [n])
        print("written", flush=True)
        os._exit(0)
        """,
        str(path),
    )
    out, err = writer.communicate(timeout=60)
    assert out == "written\n", err
    wal = path.with_name("cvd.duckdb.wal")
    content = bytearray(wal.read_bytes())
    content[-5] ^= 0xFF
    wal.write_bytes(content)
    connection, repaired = open_database(path)
    numbers = [n for (n,) in connection.execute("SELECT ts_ns FROM gaps ORDER BY ts_ns").fetchall()]
    connection.close()
    assert len(repaired) == 1
    assert "damaged at byte" in repaired[0]
    assert numbers == list(range(19))
    assert len(list(tmp_path.glob("cvd.duckdb.corrupt-*"))) == 2


@pytest.mark.anyio
async def test_a_transaction_that_fails_leaves_nothing(tmp_path: Path) -> None:
    def half(connection: duckdb.DuckDBPyConnection) -> None:
        connection.execute("INSERT INTO gaps VALUES (1, 1)")
        raise ValueError("in the middle")

    async with Store(tmp_path / "cvd.duckdb") as store:
        with pytest.raises(ValueError, match="in the middle"):
            await store.write(half)
        assert await store.read(lambda connection: aggregate(connection, "SELECT count(*) FROM gaps")) == (0,)


@pytest.mark.anyio
async def test_an_error_of_the_database_is_told_in_words(tmp_path: Path) -> None:
    async with Store(tmp_path / "cvd.duckdb") as store:
        with pytest.raises(StoreError, match="nonsense"):
            await store.read(lambda connection: connection.execute("SELECT nonsense").fetchall())
        assert await store.read(lambda connection: aggregate(connection, "SELECT 1")) == (1,)


@pytest.mark.anyio
async def test_threads_of_the_store_are_the_least_important_ones(tmp_path: Path) -> None:
    async with Store(tmp_path / "cvd.duckdb") as store:
        ours = os.getpriority(os.PRIO_PROCESS, 0)
        theirs = await store.write(lambda _: os.getpriority(os.PRIO_PROCESS, 0))
        assert theirs >= ours + 10 or theirs == 19


def test_the_ballast_is_given_back_when_the_disk_fills(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ballast = Ballast(tmp_path, size=1_000_000)
    assert ballast.check().ballast
    assert ballast.path.stat().st_blocks * 512 >= 1_000_000
    free = iter([100_000, 1_100_000])
    monkeypatch.setattr("shutil.disk_usage", lambda _: type("Usage", (), {"free": next(free)}))
    found = ballast.check()
    assert found.low
    assert not found.ballast
    assert not ballast.path.exists()


def test_a_full_disk_is_told_as_an_os_error_too() -> None:
    assert issubclass(StoreFullError, OSError)
