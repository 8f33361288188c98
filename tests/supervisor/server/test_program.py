"""The server as a program: what keeps it from running is one clear line and an exit code."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import pytest

import config
from config.layout import Layout
from supervisor.link.channel import socket_pair
from supervisor.link.image import create_image
from supervisor.server.main import UNUSABLE

TOOL = config.shipped_tool("lpcvd_furnace")
ROOT = Path(__file__).resolve().parents[3]


@contextmanager
def program(data: Path, endpoint: str = "opc.tcp://127.0.0.1:0/cvd") -> Iterator[tuple[subprocess.Popen[str], int]]:
    """Start it as the launcher does, without a controller; yields the process and what becomes readable when ready."""
    ours, theirs = socket_pair()
    ready, told = os.pipe()
    with create_image(Layout(config.load_tool(TOOL))) as image, ours, theirs:
        fds = (image.fd, theirs.fileno(), told)
        command = [
            sys.executable, "-m", "supervisor.server", "--tool", str(TOOL), "--data", str(data), "--endpoint", endpoint,
            "--image-fd", str(fds[0]), "--channel-fd", str(fds[1]), "--ready-fd", str(fds[2]), "--log", "json",
        ]  # fmt: skip
        process = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True, pass_fds=fds)
        os.close(told)
        try:
            yield process, ready
        finally:
            os.close(ready)
            if process.poll() is None:
                process.kill()
            process.communicate()


def last_words(process: subprocess.Popen[str]) -> str:
    """Wait for its end; return the reason of the last line of its log."""
    _, errors = process.communicate(timeout=60)
    assert process.returncode == UNUSABLE, errors
    assert "Traceback" not in errors
    return json.loads(errors.strip().splitlines()[-1])["reason"]


def test_it_becomes_ready_without_a_controller_and_stops_in_order(tmp_path: Path) -> None:
    with program(tmp_path) as (process, ready):
        assert os.read(ready, 1) == b"1"
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=20)
        assert process.returncode == 0, errors
        assert "server stopped" in errors


def test_a_held_database_is_told_with_the_pid_of_its_holder(tmp_path: Path) -> None:
    holder = duckdb.connect(str(tmp_path / "cvd.duckdb"))
    try:
        with program(tmp_path) as (process, _):
            assert f"PID {os.getpid()} " in last_words(process)
    finally:
        holder.close()


def test_a_port_in_use_is_told(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with program(tmp_path, f"opc.tcp://127.0.0.1:{port}/cvd") as (process, _):
            assert str(port) in last_words(process)


def test_a_damaged_users_file_does_not_keep_it_from_running(tmp_path: Path) -> None:
    (tmp_path / "users.toml").write_text("[users")
    with program(tmp_path) as (process, ready):
        assert os.read(ready, 1) == b"1"
        assert process.poll() is None


@pytest.mark.parametrize("content", [b"", b"this is no database"])
def test_a_file_that_is_no_database_is_told(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "cvd.duckdb").write_bytes(content + b"\0" * 5000 if content else content)
    with program(tmp_path) as (process, ready):
        if content:
            assert "cvd.duckdb" in last_words(process)
        else:
            assert os.read(ready, 1) in {b"1", b""}
