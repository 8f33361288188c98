"""What stands in the daemon's way is said in one line, with who is in the way."""

import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from supervisor.launcher import folder as folder_module
from supervisor.launcher.endpoint import require_free
from supervisor.launcher.errors import DataFolderError, EndpointError
from supervisor.launcher.folder import DataFolder

HOLDER = """
import sys
from pathlib import Path
from supervisor.launcher.folder import DataFolder
with DataFolder(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_second_daemon_on_the_same_data_is_refused_by_name(tmp_path: Path) -> None:
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": "."},
    )  # fmt: skip
    assert holder.stdout
    assert holder.stdin
    assert holder.stdout.readline() == b"held\n"
    with pytest.raises(DataFolderError, match=rf"in use by another cvd daemon \(process {holder.pid}\)"):
        DataFolder(tmp_path)
    holder.kill()
    holder.wait()
    holder.stdout.close()
    holder.stdin.close()
    with DataFolder(tmp_path):
        assert (tmp_path / "lock").read_text() == f"{os.getpid()}\n"


def test_a_data_folder_below_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(DataFolderError, match="cannot be used: Not a directory; give another with --data"):
        DataFolder(tmp_path / "file" / "data")


def test_a_read_only_data_folder_is_refused() -> None:
    """/proc is read-only for everybody, root included."""
    with pytest.raises(DataFolderError, match="cannot be used"):
        DataFolder(Path("/proc/cvd-data"))


def test_a_nearly_full_disk_is_refused_and_let_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(folder_module.shutil, "disk_usage", lambda _: usage._replace(free=5 << 20))
    with pytest.raises(DataFolderError, match="has 5 MB left and needs 64"):
        DataFolder(tmp_path)
    monkeypatch.undo()
    with DataFolder(tmp_path):
        pass


def test_a_port_in_use_says_by_which_process() -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = holder.getsockname()[1]
        with pytest.raises(EndpointError, match=rf"Address already in use \(process {os.getpid()}\)"):
            require_free(f"opc.tcp://127.0.0.1:{port}/cvd")
    require_free(f"opc.tcp://127.0.0.1:{port}/cvd")


@pytest.mark.parametrize(
    "endpoint", ["", "127.0.0.1:4840", "http://127.0.0.1:4840", "opc.tcp://:4840", "opc.tcp://h", "opc.tcp://h:99999"]
)
def test_what_is_no_endpoint_is_refused_with_an_example(endpoint: str) -> None:
    with pytest.raises(EndpointError, match=r"looks like opc\.tcp://127\.0\.0\.1:4840/cvd"):
        require_free(endpoint)
