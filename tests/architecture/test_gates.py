"""The gates themselves: warnings are errors, a blocked loop fails a test, every exception to a rule has a reason."""

import re
import time
import types
import warnings
from collections.abc import Callable
from itertools import pairwise

import anyio.to_thread
import pytest
from blockbuster import BlockingError

from tests.architecture.layout import ROOT, project

PYPROJECT = (ROOT / "pyproject.toml").read_text()


def test_a_warning_is_an_error() -> None:
    with pytest.raises(UserWarning, match="attention"):
        warnings.warn("attention", stacklevel=1)


def test_pytest_is_configured_strictly() -> None:
    options = project()["tool"]["pytest"]["ini_options"]
    assert options["filterwarnings"][0] == "error"
    assert {"--import-mode=importlib", "--strict-markers", "--strict-config"} <= set(options["addopts"])


def test_every_ignored_warning_has_a_reason() -> None:
    section = re.search(r"^filterwarnings = \[\n(.*?)^\]", PYPROJECT, re.MULTILINE | re.DOTALL)
    assert section
    lines = [line.strip() for line in section[1].splitlines()]
    unexplained = [line for before, line in pairwise(lines) if line.startswith('"ignore') and before[0] != "#"]
    assert unexplained == []


def test_every_ignored_lint_rule_has_a_reason() -> None:
    rules = re.findall(r"^ +\"[A-Z]+\d*\",.*$", PYPROJECT, re.MULTILINE)
    assert len(rules) > 20
    assert [rule for rule in rules if not re.search(r"# \w+", rule)] == []


def in_a_room(source: str) -> types.ModuleType:
    """Make a module whose code claims to lie in a room, as blocking-call detection sees it."""
    module = types.ModuleType("supervisor.probe")
    exec(compile(source, str(ROOT / "supervisor" / "probe.py"), "exec"), module.__dict__)  # noqa: S102 (our text)
    return module


BLOCKING = {
    "time.sleep": "import time\ndef act(path): time.sleep(0.001)",
    "a file": "def act(path): return path.read_bytes()",
    "os.fsync": "import os\ndef act(path):\n  with path.open('ab', buffering=0) as file: os.fsync(file.fileno())",
    "a lock": (
        "import threading\ndef act(path):\n  lock = threading.Lock()\n  lock.acquire()\n  lock.acquire(timeout=0.01)"
    ),
    "a process": (
        "import subprocess\n"
        "def act(path):\n"
        "  child = subprocess.Popen(['true'])\n"
        "  try: child.wait()\n"
        "  finally:\n"
        "    while child.poll() is None: pass"
    ),
}


@pytest.fixture
def blocking_call(request: pytest.FixtureRequest) -> Callable[..., object]:
    return in_a_room(BLOCKING[request.param]).act


@pytest.mark.anyio
@pytest.mark.parametrize("blocking_call", BLOCKING, indirect=True)
async def test_a_room_that_blocks_the_loop_is_caught(blocking_call: Callable[..., object], tmp_path_factory) -> None:
    path = tmp_path_factory.getbasetemp() / "blocking-probe"
    path.touch()
    with pytest.raises(BlockingError):
        blocking_call(path)


@pytest.mark.anyio
@pytest.mark.parametrize("blocking_call", BLOCKING, indirect=True)
async def test_the_same_call_is_fine_in_a_worker_thread(blocking_call, tmp_path_factory) -> None:
    path = tmp_path_factory.getbasetemp() / "blocking-probe"
    path.touch()
    await anyio.to_thread.run_sync(blocking_call, path)


@pytest.mark.anyio
async def test_third_parties_are_judged_by_their_own_tests() -> None:
    time.sleep(0)  # noqa: ASYNC251 (this file is not a room)


@pytest.mark.anyio
@pytest.mark.allow_blocking("time.sleep")  # the mark itself is under test
async def test_one_function_can_be_allowed() -> None:
    in_a_room(BLOCKING["time.sleep"]).act(None)
