"""`cvd audit verify`: a chain that was touched is not called whole."""

from pathlib import Path

import duckdb
import pytest

from supervisor.cli.main import main
from supervisor.server.records import audit
from supervisor.server.store.opening import FILE_NAME, open_database


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Make a data folder with five deeds."""
    connection, _ = open_database(tmp_path / FILE_NAME)
    for number in range(5):
        audit.append(connection, audit.Deed("erika", ("engineer",), "s", "approve", f"recipe {number}"))
    audit.HeadFile(tmp_path / "audit.head").write(audit.head(connection))
    connection.close()
    return tmp_path


def verify(data: Path) -> int:
    return main(["audit", "verify", "--data", str(data)])


def test_a_trail_that_nobody_touched_is_whole(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert verify(data) == 0
    assert "whole, 5 rows" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("deed", "said"),
    [
        ("UPDATE audit SET user_name = 'amir' WHERE seq = 3", "audit row 3 was changed"),
        ("DELETE FROM audit WHERE seq = 3", "audit row 3 is missing"),
        ("DELETE FROM audit WHERE seq = 5", "the audit trail once reached row 5 and ends at 4"),
    ],
)
def test_whoever_changed_a_row_is_found_out(
    data: Path, capsys: pytest.CaptureFixture[str], deed: str, said: str
) -> None:
    with duckdb.connect(str(data / FILE_NAME)) as connection:
        columns = {row[0] for row in connection.execute("DESCRIBE audit").fetchall()}
        connection.execute(deed.replace("user_name", next(iter(columns & {"user_name", "username", "user"}))))
    assert verify(data) == 1
    assert said in capsys.readouterr().out


def test_a_chain_whose_end_was_kept_nowhere_says_what_it_cannot_tell(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (data / "audit.head").unlink()
    assert verify(data) == 0
    assert "rows that were cut off the end cannot be told" in capsys.readouterr().out


def test_a_folder_without_a_database_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert verify(tmp_path) == 1
    assert "name the daemon's data folder with --data" in capsys.readouterr().err
