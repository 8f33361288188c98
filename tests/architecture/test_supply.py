"""What the software is made of: a bill of materials from the lock file, an audit that never calls the unknown sound."""

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from tests.architecture.layout import ROOT

LOCK = """\
# a comment
alpha==1.0 \\
    --hash=sha256:aa \\
    --hash=sha256:bb
beta==2.0 ; sys_platform == 'linux' \\
    --hash=sha256:cc
"""
KNOWN = {"/pypi/beta/2.0/json": [{"id": "PYSEC-1", "aliases": ["CVE-1"], "summary": "bad", "fixed_in": ["2.1"]}]}


def script(name: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / ".ci" / name), *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)


def test_the_bill_of_materials_has_every_locked_package_and_is_the_same_each_time(tmp_path: Path) -> None:
    once, again = tmp_path / "a.json", tmp_path / "b.json"
    assert script("sbom.py", "--output", once).returncode == 0
    assert script("sbom.py", "--output", again).returncode == 0
    assert once.read_bytes() == again.read_bytes()
    bill = json.loads(once.read_text())
    assert (bill["bomFormat"], bill["specVersion"]) == ("CycloneDX", "1.5")
    pinned = [line.split("==")[0] for line in (ROOT / "requirements/lock.txt").read_text().splitlines() if "==" in line]
    locked = {name for name in pinned if name and not name.startswith((" ", "#"))}
    assert {component["name"] for component in bill["components"]} == locked
    assert all(component["properties"][0]["name"] == "pip:sha256" for component in bill["components"])
    assert len({component["bom-ref"] for component in bill["components"]}) == len(bill["components"])


@pytest.fixture
def index() -> Iterator[str]:
    """An index on this machine that knows something against beta 2.0."""

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = json.dumps({"vulnerabilities": KNOWN.get(self.path, [])}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class calls it so
            return

    with HTTPServer(("127.0.0.1", 0), Answer) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_a_known_vulnerability_is_told_and_fails(index: str, tmp_path: Path) -> None:
    (tmp_path / "lock.txt").write_text(LOCK)
    found = script("audit.py", "--index", index, "--lock", tmp_path / "lock.txt")
    assert found.returncode == 1
    assert "beta 2.0: PYSEC-1: bad (mended in 2.1)" in found.stdout
    assert "2 of 2 packages asked, 1 open" in found.stdout


def test_an_index_that_cannot_be_asked_fails_nothing_and_proves_nothing(tmp_path: Path) -> None:
    (tmp_path / "lock.txt").write_text(LOCK)
    found = script("audit.py", "--index", "http://127.0.0.1:9", "--lock", tmp_path / "lock.txt")
    assert found.returncode == 0
    assert "0 of 2 packages were, the rest is unknown" in found.stdout


def test_a_lock_file_with_anything_else_in_it_is_refused(tmp_path: Path) -> None:
    (tmp_path / "lock.txt").write_text("alpha>=1\n")
    assert "neither a pinned package" in script("audit.py", "--lock", tmp_path / "lock.txt").stderr


CONTAINER = (ROOT / "Containerfile").read_text()


def instructions() -> list[tuple[str, str]]:
    """The container file's instructions, continued lines joined."""
    lines = CONTAINER.replace("\\\n", " ").splitlines()
    return [(w[0], w[1]) for line in lines if line and line[0] not in "# " for w in [line.split(maxsplit=1)]]


def test_the_container_files_instructions_are_known_and_its_base_is_pinned() -> None:
    known = {"FROM", "RUN", "COPY", "WORKDIR", "USER", "ENV", "EXPOSE", "VOLUME", "ENTRYPOINT", "CMD", "STOPSIGNAL",
             "LABEL"}  # fmt: skip
    assert {word for word, _ in instructions()} <= known
    froms = [rest.split() for word, rest in instructions() if word == "FROM"]
    bases = [words[0] for words in froms if words[0] not in {others[-1] for others in froms}]
    assert bases
    assert all(":" in base and not base.endswith(":latest") for base in bases)


def test_the_container_runs_as_nobody_in_particular_and_stops_in_order() -> None:
    words = dict(instructions())
    assert words["USER"] not in {"root", "0"}
    assert words["STOPSIGNAL"] == "SIGTERM"
    stages = [rest.split()[-1] for word, rest in instructions() if word == "FROM"]
    assert {"daemon", "rig"} <= set(stages)


def test_what_the_container_copies_is_there_and_its_commands_are_ours() -> None:
    for word, rest in instructions():
        if word == "COPY" and "--from=" not in rest:
            for source in rest.split()[:-1]:
                assert (ROOT / source).exists(), source
    commands = [json.loads(rest) for word, rest in instructions() if word in {"ENTRYPOINT", "CMD"}]
    assert [command[0] for command in commands if command[0].startswith("/opt")] == ["/opt/cvd/bin/cvd"] * 2
    for command in (["run", "--help"], ["hil", "--help"], ["version"]):
        done = subprocess.run(
            [sys.executable, "-m", "supervisor.cli", *command], cwd=ROOT, capture_output=True, timeout=60, check=False
        )
        assert done.returncode == 0
