"""The audit trail shows every later change of it."""

from pathlib import Path

import duckdb
import pytest

from supervisor.server.records import audit
from supervisor.server.records.audit import Deed, Head, HeadFile
from supervisor.server.store.migrate import migrate, migrations


@pytest.fixture
def trail() -> duckdb.DuckDBPyConnection:
    """A trail of five deeds."""
    connection = duckdb.connect()
    migrate(connection, migrations())
    for number in range(5):
        audit.append(
            connection, Deed("erika", ("engineer",), "s1", "approve_recipe", f"recipe {number}", time_ns=number + 1)
        )
    return connection


def test_an_untouched_trail_is_whole(trail: duckdb.DuckDBPyConnection) -> None:
    assert audit.verify(trail, audit.head(trail)) == []


@pytest.mark.parametrize(
    "column", ["time_ns", "user_name", "roles", "session", "action", "target", "detail", "status", "reason"]
)
def test_a_change_of_any_field_shows(trail: duckdb.DuckDBPyConnection, column: str) -> None:
    value = 77 if column == "time_ns" else "'somebody else'"
    trail.execute(f"UPDATE audit SET {column} = {value} WHERE seq = 3")  # noqa: S608 (a column's name)
    assert audit.verify(trail) == ["audit row 3 was changed"]


def test_a_removed_row_shows(trail: duckdb.DuckDBPyConnection) -> None:
    trail.execute("DELETE FROM audit WHERE seq = 3")
    assert any("row 3 is missing" in fault for fault in audit.verify(trail))


def test_a_forged_row_with_a_digest_of_its_own_breaks_the_chain(trail: duckdb.DuckDBPyConnection) -> None:
    rows = trail.execute("SELECT * EXCLUDE (isa95_path) FROM audit WHERE seq = 3").fetchall()
    *fields, prev, _ = rows[0]
    fields[2] = "amir"
    trail.execute("UPDATE audit SET user_name = 'amir', sha = ? WHERE seq = 3", [audit.digest(prev, fields)])
    assert audit.verify(trail) == ["audit row 4 does not follow the row before it"]


def test_rows_cut_from_the_end_show_by_the_head_that_was_kept(trail: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    file = HeadFile(tmp_path / "audit.head")
    file.write(audit.head(trail))
    trail.execute("DELETE FROM audit WHERE seq > 3")
    assert audit.verify(trail) == []
    assert audit.verify(trail, file.read()) == ["the audit trail once reached row 5 and ends at 3"]


def test_a_trail_that_was_written_anew_shows_by_the_head(trail: duckdb.DuckDBPyConnection) -> None:
    kept = audit.head(trail)
    trail.execute("DELETE FROM audit")
    for _ in range(6):
        audit.append(trail, Deed("nobody", (), "", "nothing"))
    assert audit.verify(trail) == []
    assert audit.verify(trail, kept)


def test_a_trail_walked_in_parts_shows_the_same(trail: duckdb.DuckDBPyConnection) -> None:
    trail.execute("UPDATE audit SET reason = 'another' WHERE seq IN (2, 5)")
    walked, kept = audit.Walk(), Head(9, "0")
    while not walked.ended:
        walked = audit.walk(trail, walked, kept, rows=2)
    assert audit.verdict(walked, kept) == audit.verify(trail, kept)
    assert len(audit.verify(trail, kept)) == 3


def test_a_damaged_head_file_is_none(tmp_path: Path) -> None:
    (tmp_path / "audit.head").write_text("{")
    assert HeadFile(tmp_path / "audit.head").read() is None
    assert audit.verify(_empty(), Head(0, audit.FIRST)) == []


def _empty() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    migrate(connection, migrations())
    return connection
