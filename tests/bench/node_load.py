"""A server with thousands of nodes: `python -m tests.bench.node_load ours|stock ITEMS`.

Both offer analog items with their range and unit, three nodes each. As soon as clients can connect a line of JSON says
how many nodes there are beside the standard's, and how much memory the process has.
"""

import asyncio
import json
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from resource import RUSAGE_CHILDREN, getrusage

from asyncua import Server  # pyright: ignore[reportPrivateImportUsage]

from opcua_model.server import UaServer
from opcua_model.settings import Settings
from opcua_model.stack import Ids, ua
from tests.opcua_model.fake_daemon import FakeDaemon, furnace_with

FOLDER = 100
"""Items of a folder of asyncua's server: the time that it takes for a child grows with the number of its siblings."""


def tell(nodes: int) -> None:
    """Say how many nodes there are, and the memory of this process."""
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    resident = int(next(line for line in lines if line.startswith("VmRSS")).split()[1])
    print(json.dumps({"nodes": nodes, "kb": resident}), flush=True)


async def ours(items: int) -> None:
    """Start our server on the shipped furnace with so many tags more."""
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(Path(folder), endpoint="opc.tcp://127.0.0.1:0/cvd")
        async with UaServer(FakeDaemon(furnace_with(items)), settings) as server:
            assert server._tree is not None
            tell(len(server._tree.space.nodes()))


async def stock(items: int) -> None:
    """Start asyncua's own server with so many items, and nothing else."""
    server = Server()
    await server.init()
    server.set_endpoint("opc.tcp://127.0.0.1:0")
    server.set_security_policy([ua.SecurityPolicyType.NoSecurity])
    space = await server.register_namespace("urn:stock")
    unit = ua.EUInformation("http://www.opcfoundation.org/UA/units/un/cefact", 4408652, ua.LocalizedText("°C"))
    folder, nodes = server.nodes.objects, 0
    for number in range(items):
        if number % FOLDER == 0:
            folder = await server.nodes.objects.add_object(space, f"folder{number}")
            nodes += 1
        item = await folder.add_variable(
            ua.NodeId(f"signal{number:04d}", space), f"{space}:signal{number:04d}", 0.0, datatype=ua.NodeId(Ids.Double)
        )
        await item.add_property(ua.NodeId(f"signal{number:04d}/EURange", space), "0:EURange", ua.Range(0.0, 1000.0))
        await item.add_property(ua.NodeId(f"signal{number:04d}/EngineeringUnits", space), "0:EngineeringUnits", unit)
        nodes += 3
    async with server:
        tell(nodes)


@dataclass(frozen=True)
class Start:
    """What the start of a server took."""

    seconds: float
    """From the start of its process until clients can connect."""
    processor_s: float
    """Of it, what a processor worked."""
    nodes: int
    kilobytes: int


def started(side: str, items: int) -> Start:
    """Start one in a process of its own, and end it."""
    began, worked = time.monotonic(), getrusage(RUSAGE_CHILDREN)
    command = [sys.executable, "-W", "ignore", "-m", "tests.bench.node_load", side, str(items)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as child:
        assert child.stdout is not None
        line = next(line for line in child.stdout if line.startswith("{"))
        took = time.monotonic() - began
        child.stdout.read()
    told, done = json.loads(line), getrusage(RUSAGE_CHILDREN)
    spent = done.ru_utime + done.ru_stime - worked.ru_utime - worked.ru_stime
    return Start(took, spent, told["nodes"], told["kb"])


def grown(side: str, nodes: int) -> tuple[Start, float]:
    """Start one with so many nodes; return what that took, and kB of each node beyond those of the smallest server.

    The interpreter, the standard's own nodes and all else that does not grow is in the smallest server too.
    """
    least = started(side, 0)
    most = started(side, -(-(nodes - least.nodes) // 3))
    return most, (most.kilobytes - least.kilobytes) / (most.nodes - least.nodes)


if __name__ == "__main__":
    asyncio.run({"ours": ours, "stock": stock}[sys.argv[1]](int(sys.argv[2])))
