"""A database of the first version that was ever landed is brought to this one, with everything that was in it."""

from pathlib import Path
from uuid import uuid4

import duckdb
import pytest

from supervisor.server.errors import MigrationError
from supervisor.server.records import audit
from supervisor.server.store.migrate import migrate, migrations
from supervisor.server.store.opening import FILE_NAME, open_database

FIRST = 1
RUN, RECIPE = str(uuid4()), str(uuid4())
NOBODY = "00000000-0000-0000-0000-000000000000"


def first_version(path: Path) -> None:
    """Make what a daemon of schema version 1 leaves: a recipe, a run with its events, an audit trail, telemetry."""
    with duckdb.connect(str(path)) as connection:
        migrate(connection, [one for one in migrations() if one.version <= FIRST])
        connection.execute(
            "INSERT INTO recipes (id, org_id, name, version, film_target, thickness_target_nm, uniformity_target_pct, "
            "temperature_profile, pressure_setpoints, gas_flows, recipe_steps, safety_hazard_level, status, "
            "created_by_id, document, sha256) VALUES (?, ?, 'Old', 1, 'SiO2', 100, 5, '{}', '{}', '{}', '[]', 1, "
            "'approved', 'erika', '{}', '')",
            [RECIPE, NOBODY],
        )
        connection.execute(
            "INSERT INTO runs (id, org_id, run_number, kind, status, instrument_id, operator_id, start_ns, end_ns) "
            "VALUES (?, ?, 'CVD-20260101-000000', 'recipe', 'COMPLETE', ?, 'olga', 1, 2)",
            [RUN, NOBODY, NOBODY],
        )
        for seq in (1, 2, 3):
            connection.execute(
                "INSERT INTO events VALUES (1, ?, make_timestamptz(0), 0, 0, 'notice', 100, 'State', 'old', NULL, "
                "'{}')",
                [seq],
            )
            audit.append(connection, audit.Deed("olga", ("operator",), "s", f"deed {seq}", time_ns=seq))
        connection.execute("UPDATE projection SET seq = 3")


def test_the_first_version_becomes_this_one_and_nothing_is_lost(tmp_path: Path) -> None:
    path = tmp_path / FILE_NAME
    first_version(path)
    connection, repaired = open_database(path)
    with connection:
        newest = migrations()[-1].version
        assert newest > FIRST
        assert connection.execute("SELECT max(version) FROM schema_version").fetchone() == (newest,)
        assert repaired == []
        assert audit.verify(connection) == []
        assert audit.head(connection).seq == 3
        assert connection.execute("SELECT name, status FROM recipes").fetchall() == [("Old", "approved")]
        assert connection.execute("SELECT run_number, status FROM runs").fetchall() == [
            ("CVD-20260101-000000", "COMPLETE")
        ]
        assert connection.execute("SELECT count(*) FROM events").fetchone() == (3,)
        assert connection.execute("SELECT seq FROM projection").fetchone() == (3,)
    # What was there before stands beside it, whole.
    with duckdb.connect(str(tmp_path / f"{FILE_NAME}.before-0002"), read_only=True) as before:
        assert before.execute("SELECT max(version) FROM schema_version").fetchone() == (FIRST,)
        assert before.execute("SELECT count(*) FROM audit").fetchone() == (3,)


def test_every_version_in_between_is_a_place_to_start_from(tmp_path: Path) -> None:
    known = migrations()
    for version in range(FIRST, known[-1].version):
        path = tmp_path / f"v{version}.duckdb"
        with duckdb.connect(str(path)) as connection:
            migrate(connection, known[:version])
        connection, _ = open_database(path)
        with connection:
            assert connection.execute("SELECT count(*) FROM schema_version").fetchone() == (len(known),)


def test_a_database_of_a_later_version_is_refused_and_untouched(tmp_path: Path) -> None:
    path = tmp_path / FILE_NAME
    first_version(path)
    with duckdb.connect(str(path)) as connection:
        connection.execute("INSERT INTO schema_version (version, name, sha256) VALUES (9999, 'later', 'x')")
    before = path.read_bytes()
    with pytest.raises(MigrationError, match="9999"):
        open_database(path)
    assert path.read_bytes() == before
