"""How long a start takes and how much memory both halves use, beside a bare asyncua server of as many variables."""

import json
import re
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import config
from config.layout import Layout
from tests.bench.figure import Figure
from tests.bench.node_load import grown
from tests.system.daemon import FURNACE, Daemon

ROUNDS = 3
NODES = 10_000

BARE = """
import asyncio, json, sys, time
from pathlib import Path
from asyncua import Server, ua
async def main():
    began = time.monotonic()
    server = Server()
    await server.init()
    server.set_endpoint("opc.tcp://127.0.0.1:0")
    server.set_security_policy([ua.SecurityPolicyType.NoSecurity])
    folder = await server.nodes.objects.add_object(2, "Tool")
    for group in range(0, int(sys.argv[1]), 50):
        parent = await folder.add_object(2, f"m{group}")
        for index in range(group, min(group + 50, int(sys.argv[1]))):
            await parent.add_variable(ua.NodeId(f"t{index}", 2), f"2:t{index}", 0.0)
    async with server:
        took = time.monotonic() - began
        rss = [line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmRSS")]
        print(json.dumps({"s": took, "mb": int(rss[0].split()[1]) / 1024}))
asyncio.run(main())
"""


def resident_mb(*pids: int) -> float:
    """Resident memory of processes in MB; of a file that several map, the greatest part that one of them has."""
    files, own = dict[str, int](), 0
    for pid in pids:
        mapped = dict[str, int]()
        name = ""
        for line in Path(f"/proc/{pid}/smaps").read_text(encoding="utf-8").splitlines():
            fields = line.split(None, 5)
            if re.fullmatch(r"[0-9a-f]+-[0-9a-f]+", fields[0]):
                name = fields[5] if len(fields) > 5 and not fields[5].startswith("[") else ""
            elif fields[0] == "Rss:":
                if name:
                    mapped[name] = mapped.get(name, 0) + int(fields[1])
                else:
                    own += int(fields[1])
        for file, kilobytes in mapped.items():
            files[file] = max(files.get(file, 0), kilobytes)
    return (own + sum(files.values())) / 1024


def start_once() -> tuple[float, float, float, float]:
    """Start a daemon on the shipped furnace; return seconds to ready, and MB of both, controller and server."""
    with tempfile.TemporaryDirectory() as folder:
        Daemon.people_of(Path(folder))
        began = time.monotonic()
        daemon = Daemon(Path(folder))
        try:
            ready = daemon.ready()
            took = time.monotonic() - began
            time.sleep(2.0)  # Until the first batches of history have been written.
            pids = ready["controller_pid"], ready["server_pid"]
            return took, resident_mb(*pids), resident_mb(pids[0]), resident_mb(pids[1])
        finally:
            daemon.close()


def bare(tags: int) -> dict[str, float]:
    """Start a server with as many variables and nothing else."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", BARE, str(tags)], capture_output=True, text=True, check=True
    )
    return json.loads(done.stdout.splitlines()[-1])


def figures() -> list[Figure]:
    """Measure starts of the daemon and of the bare server in turn."""
    tags = len(Layout(config.load_tool(FURNACE)).tags)
    starts = list[tuple[float, float, float, float]]()
    bares = list[dict[str, float]]()
    for _ in range(ROUNDS):
        starts.append(start_once())
        bares.append(bare(tags))
    seconds, both, controller, server = (statistics.median(column) for column in zip(*starts, strict=True))
    named = f"bare asyncua server, {tags} variables"
    many, each = grown("ours", NODES)
    stock, stock_each = grown("stock", NODES)
    same = "asyncua's server, as many"
    return [
        Figure("start to endpoint ready", seconds, "s", statistics.median(b["s"] for b in bares), named, "≤ 4 s"),
        Figure("memory of both processes", both, "MB", statistics.median(b["mb"] for b in bares), named,
               "≤ 300 MB"),
        Figure("  of it the controller", controller, "MB"),
        Figure("  of it the server", server, "MB"),
        Figure(f"start of a server with {many.nodes:,} nodes", many.seconds, "s", stock.seconds, same, "≤ 6 s"),
        Figure("  of it work of a processor", many.processor_s, "s", stock.processor_s, same),
        Figure("  memory of a node, properties are nodes", each, "kB", stock_each, same, "≤ 8 kB"),
    ]  # fmt: skip
