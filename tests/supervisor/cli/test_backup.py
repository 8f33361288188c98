"""A backup brings back all of a data folder, or nothing."""

import io
import os
import tarfile
from pathlib import Path

import pytest

from supervisor.cli.main import main
from supervisor.launcher.folder import DataFolder
from supervisor.server.records import audit
from supervisor.server.store.opening import FILE_NAME, open_database


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Make a folder with an audit trail, a journal, a run, users and a private key."""
    folder = tmp_path / "data"
    connection, _ = open_database(folder / FILE_NAME)
    reached = audit.append(connection, audit.Deed("erika", ("engineer",), "s", "approve", "recipe"))
    audit.HeadFile(folder / "audit.head").write(reached)
    connection.close()
    for name, mode in (
        ("users.toml", 0o600),
        ("pki/own/key.pem", 0o400),
        ("journal/000000000001.journal", 0o640),
        ("runs/R/run.json", 0o644),
    ):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(name.encode() * 100)
        (folder / name).chmod(mode)
    (folder / "pki").chmod(0o700)
    (folder / "ready.json").touch()
    return folder


def contents(folder: Path) -> dict[str, tuple[int, bytes]]:
    return {
        path.relative_to(folder).as_posix(): (path.stat().st_mode, path.read_bytes() if path.is_file() else b"")
        for path in folder.rglob("*")
        if path.name not in {"lock", "ready.json"}
    }


@pytest.fixture
def archive(data: Path, tmp_path: Path) -> Path:
    """Back the folder up."""
    assert main(["backup", "--data", str(data), "--output", str(tmp_path / "b.tar")]) == 0
    return tmp_path / "b.tar"


def refused(archive: Path, capsys: pytest.CaptureFixture[str]) -> str:
    """Restore in vain: one line, and nothing is left."""
    target = archive.with_name("new")
    capsys.readouterr()
    assert main(["restore", str(archive), "--data", str(target)]) == 1
    assert not target.exists()
    assert not list(archive.parent.glob(".new*"))
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    return said


def test_everything_comes_back_with_its_modes_and_the_audit_trail_holds(data: Path, archive: Path, capsys) -> None:
    target = archive.with_name("new")
    assert main(["restore", str(archive), "--data", str(target)]) == 0
    assert contents(target) == contents(data)
    assert not (target / "ready.json").exists()
    assert archive.stat().st_mode & 0o077 == 0
    assert main(["audit", "verify", "--data", str(target)]) == 0
    assert "whole, 1 rows" in capsys.readouterr().out


def test_a_folder_that_a_daemon_holds_is_not_backed_up(data: Path, tmp_path: Path, capsys) -> None:
    with DataFolder(data):
        assert main(["backup", "--data", str(data), "--output", str(tmp_path / "b.tar")]) == 1
    assert f"(process {os.getpid()})" in capsys.readouterr().err
    assert not list(tmp_path.glob("b.tar*"))


def test_nothing_is_overwritten(data: Path, archive: Path, tmp_path: Path, capsys) -> None:
    assert main(["backup", "--data", str(data), "--output", str(archive)]) == 1
    assert main(["restore", str(archive), "--data", str(data)]) == 1
    assert main(["backup", "--data", str(data), "--output", str(data / "b.tar")]) == 1
    assert main(["backup", "--data", str(tmp_path / "none"), "--output", str(tmp_path / "c.tar")]) == 1
    said = capsys.readouterr().err
    for words in ("exists", "is not empty", "inside of the data folder", "name the daemon's data folder"):
        assert words in said


def test_a_link_out_of_the_folder_is_refused(data: Path, tmp_path: Path, capsys) -> None:
    (data / "link").symlink_to("/etc/passwd")
    assert main(["backup", "--data", str(data), "--output", str(tmp_path / "b.tar")]) == 1
    assert "neither a file nor a folder" in capsys.readouterr().err
    assert not list(tmp_path.glob("b.tar*"))


def test_an_archive_that_was_cut_or_damaged_anywhere_is_refused(archive: Path, capsys) -> None:
    whole = archive.read_bytes()
    with tarfile.open(archive) as tar:
        places = {entry.name: entry.offset_data for entry in tar}
    for place in places.values():
        archive.write_bytes(whole[: place + 3] + bytes([whole[place + 3] ^ 1]) + whole[place + 4 :])
        assert "cannot be restored" in refused(archive, capsys)
    for length in (0, 700, places["users.toml"] + 5, places["cvd-backup.json"] - 512):
        archive.write_bytes(whole[:length])
        assert "cannot be restored" in refused(archive, capsys)


@pytest.mark.parametrize("name", ["../evil", "/evil-of-a-backup", "pki/../../evil"])
def test_a_file_outside_of_the_folder_is_refused(archive: Path, capsys, name: str) -> None:
    with tarfile.open(archive, "w") as tar:
        entry = tarfile.TarInfo(name)
        entry.size = 1
        tar.addfile(entry, io.BytesIO(b"x"))
    assert "outside of the folder" in refused(archive, capsys)
    assert not (archive.parent / "evil").exists()


def test_a_link_in_an_archive_is_refused(archive: Path, capsys) -> None:
    with tarfile.open(archive, "w") as tar:
        entry = tarfile.TarInfo("pki")
        entry.type, entry.linkname = tarfile.SYMTYPE, "/etc"
        tar.addfile(entry)
    assert "no plain file" in refused(archive, capsys)
