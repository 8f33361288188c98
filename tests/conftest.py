"""What holds for every test: one async backend, no blocked event loop, Hypothesis without a stopwatch."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from blockbuster import BlockBuster, BlockBusterFunction
from hypothesis import settings

ROOT = Path(__file__).resolve().parent.parent
ROOMS = ("supervisor", "opcua_model", "drivers", "hil", "config", "kernels")

# Examples are timed by nobody: CI machines are shared, and coverage slows Python by an unknown factor.
settings.register_profile("here", deadline=None)
settings.register_profile("ci", deadline=None, print_blob=True, derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "here")

# Calls that blockbuster watches by default and that do not wait for anything.
HARMLESS = (
    "os.getcwd",  # answered by the kernel without a disk
    "os.path.abspath",  # text and os.getcwd
    "os.path.samestat",  # compares two results
)

# Calls that hold the loop for milliseconds or more and that blockbuster does not know. A library is watched only
# when the test's own imports brought it in.
ALSO_BLOCKING = (
    "os.fsync",
    "os.fdatasync",
    "os.waitpid",
    "subprocess.Popen.wait",
    "subprocess.Popen.communicate",
    "argon2.PasswordHasher.hash",
    "argon2.PasswordHasher.verify",
    "duckdb.DuckDBPyConnection.execute",
    "duckdb.DuckDBPyConnection.executemany",
    "duckdb.DuckDBPyConnection.sql",
    "pyarrow.parquet.write_table",
    "pyarrow.parquet.read_table",
)

# Places where a blocking call is right: (end of the file's path, functions in the stack).
ALLOWED = (
    # An import happens once and must be complete before the next line runs.
    ("<frozen importlib._bootstrap>", {"_find_and_load"}),
    # linecache reads source lines for a traceback or a log record that is written anyway.
    ("linecache.py", {"updatecache", "checkcache"}),
    # Worker threads are started from the loop; Thread.start waits until the new thread has signalled.
    ("threading.py", {"start"}),
    # Child processes: fork and exec report back through a pipe before the coroutine can go on.
    ("subprocess.py", {"_execute_child"}),
    # coverage counts a line under a lock of its own, held for as long as a dictionary takes to grow.
    ("coverage/collector.py", {"lock_data"}),
    # The loop's own end: it joins the default executor.
    ("asyncio/base_events.py", {"shutdown_default_executor"}),
    ("asyncio/runners.py", {"close"}),
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let files with slow tests come first, so that none of them keeps one process at work when the others are done."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)


@pytest.fixture
def anyio_backend() -> str:
    """Asyncio only: asyncua knows no other loop."""
    return "asyncio"


def _watched() -> BlockBuster:
    """Assemble the watch: only calls made from our rooms count, whatever library they pass through."""
    watch = BlockBuster(scanned_modules=list(ROOMS))
    for name in HARMLESS:
        watch.functions.pop(name, None)
    for name in ALSO_BLOCKING:
        module = name.rsplit(".", 2)[0] if name.split(".")[-2][0].isupper() else name.rsplit(".", 1)[0]
        if module in sys.modules:
            parent = sys.modules[module]
            attribute = name.removeprefix(f"{module}.")
            if "." in attribute:
                kind, attribute = attribute.split(".")
                parent = getattr(parent, kind)
            watch.functions[name] = BlockBusterFunction(parent, attribute, scanned_modules=list(ROOMS))
    for function in watch.functions.values():
        for filename, functions in ALLOWED:
            function.can_block_in(filename, functions)
    return watch


@pytest.fixture(autouse=True)
def event_loop_stays_free(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fail an async test in which our code blocks the event loop.

    ``@pytest.mark.allow_blocking("os.read", …)`` lets single functions through; the reason belongs beside the mark.
    """
    node = request.node
    if node.get_closest_marker("anyio") is None:
        yield
        return
    watch = _watched()
    for mark in node.iter_markers("allow_blocking"):
        for name in mark.args:
            if name not in watch.functions:
                pytest.fail(f"allow_blocking: {name!r} is not watched; watched are {sorted(watch.functions)}")
            del watch.functions[name]
    watch.activate()
    try:
        yield
    finally:
        watch.deactivate()
