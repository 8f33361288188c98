"""OPC UA under load: a server whose every value changes with every scan, and clients that count instead of decoding.

`python -m tests.bench.opcua_load server --tags N` serves our address space, `stock --tags N` asyncua's own server with
as many variables, written ten times a second; `clients` subscribes, `readers` reads. Each says `ready` or its endpoint
on a line of its own, begins with a line on standard input, tells its figures as JSON, and ends with standard input.
The clients speak through asyncua's channel (signed and encrypted), but look at no more of an answer than its counts:
they never are what is measured.
"""

import argparse
import asyncio
import json
import logging
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from struct import unpack_from
from typing import IO, Any

import numpy as np
import structlog
from asyncua import Client, Server  # pyright: ignore[reportPrivateImportUsage]
from asyncua.crypto.cert_gen import setup_self_signed_certificate
from asyncua.crypto.security_policies import SecurityPolicyBasic256Sha256
from asyncua.ua.ua_binary import struct_from_binary, struct_to_binary
from cryptography.x509.oid import ExtendedKeyUsageOID

from kernels.image import Rows, Snapshot
from opcua_model.client import connect
from opcua_model.interface import Summary
from opcua_model.server import UaServer
from opcua_model.settings import Limits, Settings
from opcua_model.stack import ua
from supervisor.server.historian import query, roll, summary
from supervisor.server.historian.tagset import register
from supervisor.server.store.connection import Store
from tests.opcua_model.fake_daemon import PASSWORDS, FakeDaemon, furnace_with

USER = "otto"
SCAN_NS = 10_000_000
STOCK_HZ = 10.0
ITEMS_AT_ONCE = 500
EPOCH_TICKS = 116_444_736_000_000_000
AHEAD = 5
"""Publish requests that a client has under way."""


class Ticking(FakeDaemon):
    """A daemon whose tags all change with every scan, and say when that was."""

    def values(self) -> Snapshot:
        """Every value is the number of the scan, its source time the time of the scan."""
        now = self._values
        scan = time.time_ns() // SCAN_NS
        size = len(now.values)
        return replace(
            now,
            scan=scan,
            time_ns=scan * SCAN_NS,
            values=np.full(size, float(scan)),
            source_ns=np.full(size, scan * SCAN_NS),
        )

    def rows(self, after: int) -> Rows:
        """Rows of the scan since a row number; they are numbered as scans are."""
        scan = time.time_ns() // SCAN_NS
        scans = np.arange(min(max(after, scan - 999), scan + 1), scan + 1, dtype=np.int64)
        shape = (len(scans), len(self._values.values))
        times = scans * SCAN_NS
        return Rows(
            scans,
            times,
            np.broadcast_to(scans[:, None].astype(float), shape),
            np.zeros(shape, np.uint32),
            np.broadcast_to(times[:, None], shape),
            next=scan + 1,
            lost=0,
        )


class Remembering(Ticking):
    """A daemon with a history in DuckDB: a million rows of a few tags, and thirty days that were counted."""

    store: Any = None
    data: Path = Path()

    async def history(self, tag: str, start_ns: int, end_ns: int, limit: int) -> Any:
        """Ask the database."""
        found = await self.store.read(
            lambda connection: query.trend(connection, self.data, tag, start_ns, end_ns, limit)
        )
        return found.ts_ns, found.values, found.status

    async def summary(self, tag: str, start_ns: int, end_ns: int) -> Summary | None:
        """Ask the database."""
        return await self.store.read(lambda connection: summary.find(connection, tag, start_ns, end_ns))


HISTORY_NS = 1_764_000_000_000_000_000 // summary.BUCKET_NS * summary.BUCKET_NS
HISTORY_ROWS = 1_000_000
HISTORY_ROW_NS = 100_000_000
HISTORY_TAGS = 20
DAYS = 30


def remember(connection: Any, data: Path, layout: Any) -> None:
    """Fill the database: hot rows for the newest fifth, files for what is older, counts for thirty days before."""
    tag_set = register(connection, layout)
    size = len(layout.tags)
    width = ", ".join("(range % 977) * 0.1" for _ in range(size))
    connection.execute(
        f"INSERT INTO {tag_set.table} SELECT range, {HISTORY_NS} + range * {HISTORY_ROW_NS}, "  # noqa: S608
        f"[{width}]::DOUBLE[{size}], []::INTEGER[] FROM range({HISTORY_ROWS})"
    )
    connection.execute(
        f"INSERT INTO changes SELECT {tag_set.id}, range, {HISTORY_NS}, 0, true, 0 FROM range({size})"  # noqa: S608
    )
    extent = roll.of_time("2025-11-24", HISTORY_NS, HISTORY_NS + HISTORY_ROWS * 4 // 5 * HISTORY_ROW_NS)
    while roll.roll_part(connection, data, tag_set, extent):
        pass
    first = HISTORY_NS // summary.BUCKET_NS - DAYS * 144
    connection.execute(
        f"INSERT INTO summaries SELECT {tag_set.id}, t.range, {first} + b.range, 6000, 0, 6000.0 * 20, 10.0, 0.0, 40.0 "  # noqa: S608
        f"FROM range({DAYS * 144}) AS b, range({size}) AS t ORDER BY 3, 2"
    )
    connection.execute("INSERT INTO summarised VALUES (?, ?)", [first, first + DAYS * 144])


async def serve_history() -> None:
    """Serve a history until standard input closes."""
    with tempfile.TemporaryDirectory() as folder:
        async with Store(Path(folder) / "cvd.duckdb") as store:
            daemon = Remembering(furnace_with(HISTORY_TAGS))
            daemon.store, daemon.data = store, Path(folder)
            await store.maintain(lambda connection: remember(connection, Path(folder), daemon.layout))
            # A daemon has loaded Arrow long before anybody asks; here the first question would.
            await daemon.history(daemon.layout.tags[0], HISTORY_NS, HISTORY_NS + HISTORY_ROW_NS, 1)
            async with UaServer(daemon, Settings(Path(folder), endpoint="opc.tcp://127.0.0.1:0/cvd")) as server:
                print(server.endpoint, flush=True)
                await until_closed()


async def until_closed() -> None:
    """Wait until standard input ends."""
    await asyncio.to_thread(sys.stdin.read)


async def serve(tags: int) -> None:
    """Serve our address space until standard input closes."""
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(Path(folder), endpoint="opc.tcp://127.0.0.1:0/cvd", limits=Limits(sessions=100))
        async with UaServer(Ticking(furnace_with(tags)), settings) as server:
            print(server.endpoint, flush=True)
            await until_closed()


async def serve_stock(tags: int) -> None:
    """Serve asyncua's own server with as many variables until standard input closes."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        key, certificate = folder / "key.pem", folder / "cert.der"
        host = socket.gethostname()
        await setup_self_signed_certificate(
            key, certificate, f"urn:{host}:stock", host, [ExtendedKeyUsageOID.SERVER_AUTH], {"commonName": "stock"}
        )
        server = Server()
        await server.init()
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        server.set_endpoint(f"opc.tcp://127.0.0.1:{port}/stock")
        server.set_security_policy([ua.SecurityPolicyType.Basic256Sha256_SignAndEncrypt])
        await server.load_certificate(str(certificate))
        await server.load_private_key(str(key))
        namespace = await server.register_namespace("urn:stock")
        nodes: list[Any] = []
        folder_node: Any = None
        for number in range(tags):
            if number % 100 == 0:
                folder_node = await server.nodes.objects.add_folder(namespace, f"folder{number}")
            identifier = ua.NodeId(f"Equipment/extra/signal{number:04d}", namespace)
            nodes.append(await folder_node.add_variable(identifier, f"signal{number:04d}", 0.0))
        if tags == 1 + 3:  # for the comparison of histories
            await _give_history(server, nodes[3])
        async with server:
            print(f"opc.tcp://127.0.0.1:{port}/stock", flush=True)
            closed = asyncio.create_task(until_closed())
            due = time.monotonic()
            while not closed.done():
                now = time.time_ns()
                for place, node in enumerate(nodes):
                    value = ua.DataValue(ua.Variant(now / 1e9, ua.VariantType.Double), SourceTimestamp=_moment(now))
                    await server.write_attribute_value(node.nodeid, value)
                    if place % 50 == 49:
                        await asyncio.sleep(0)  # without it nobody is served at all
                due = max(due + 1 / STOCK_HZ, time.monotonic())
                await asyncio.sleep(max(due - time.monotonic(), 0))


async def _give_history(server: Any, node: Any) -> None:
    """Give a node of asyncua's server ten thousand values in its own store in memory."""
    storage = server.iserver.history_manager.storage
    await server.historize_node_data_change(node, period=None, count=20_000)
    for number in range(10_000):
        time_ = _moment(HISTORY_NS + number * HISTORY_ROW_NS)
        value = ua.DataValue(ua.Variant(float(number), ua.VariantType.Double), SourceTimestamp=time_)
        await storage.save_node_value(node.nodeid, value)


def _moment(time_ns: int) -> Any:
    return ua.win_epoch_to_datetime(time_ns // 100 + EPOCH_TICKS)


# ---------------------------------------------------------------------------------------------------------- clients


class Raw:
    """Requests and answers as bytes over a connection of asyncua's client."""

    def __init__(self, client: Any) -> None:
        self._protocol = client.uaclient.protocol

    def encode(self, request: Any) -> bytes:
        """Encode a request once."""
        self._protocol._setup_request_header(request.RequestHeader, 60)
        return bytes(struct_to_binary(request))

    async def ask(self, request: bytes) -> bytes:
        """Send an encoded request and return the answer's bytes."""
        protocol = self._protocol
        protocol._request_id += 1
        protocol.revolve_security_token()
        message = protocol._connection.message_to_binary(request, request_id=protocol._request_id)
        future = protocol._callbackmap[protocol._request_id] = asyncio.get_running_loop().create_future()
        protocol.transport.write(message)
        answer = await future
        return bytes(answer.read(len(answer)))

    async def call(self, request: Any, answer: Any) -> Any:
        """Send a request and decode its answer."""
        return struct_from_binary(answer, ua.utils.Buffer(await self.ask(self.encode(request)))).Parameters


HEAD = 4 + 24  # type id, response header without strings


def counted_values(answer: bytes) -> tuple[int, int]:
    """Count the values of a PublishResponse; with them the source time of the first, in ticks (0: none)."""
    at = HEAD + 4
    at += 4 + 4 * max(int.from_bytes(answer[at : at + 4], "little", signed=True), 0)  # AvailableSequenceNumbers
    at += 1 + 4 + 8  # MoreNotifications, SequenceNumber, PublishTime
    data = int.from_bytes(answer[at : at + 4], "little", signed=True)
    at += 4
    total, first = 0, 0
    for _ in range(max(data, 0)):
        at += 4 + 1  # a numeric NodeId of four bytes, the encoding
        size = int.from_bytes(answer[at : at + 4], "little")
        count = int.from_bytes(answer[at + 4 : at + 8], "little")
        if count and not first:
            mask = answer[at + 12]
            first = unpack_from("<q", answer, at + 13 + 9 + (4 if mask & 2 else 0))[0]
        total += count
        at += 4 + size
    return total, first


async def enter(stack: AsyncExitStack, endpoint: str, stock: bool) -> tuple[Raw, Callable[[int], Any]]:
    """Connect; return the connection and what names a signal's node."""
    if not stock:
        tool = await stack.enter_async_context(connect(endpoint, USER, PASSWORDS[USER]))
        return Raw(tool._client), lambda number: tool.node(f"Equipment/extra/signal{number:04d}")
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
    key, certificate = folder / "key.pem", folder / "cert.der"
    uri = "urn:load:client"
    await setup_self_signed_certificate(
        key, certificate, uri, socket.gethostname(), [ExtendedKeyUsageOID.CLIENT_AUTH], {"commonName": "load"}
    )
    client = Client(endpoint, timeout=60)
    client.application_uri = uri
    await client.set_security(
        SecurityPolicyBasic256Sha256, str(certificate), str(key), mode=ua.MessageSecurityMode.SignAndEncrypt
    )
    await stack.enter_async_context(client)
    namespace = await client.get_namespace_index("urn:stock")
    return Raw(client), lambda number: ua.NodeId(f"Equipment/extra/signal{number:04d}", namespace)


async def subscribe(raw: Raw, node: Callable[[int], Any], tags: int, interval_ms: float) -> bytes:
    """Subscribe to tags; return the encoded publish request."""
    params = ua.CreateSubscriptionParameters(interval_ms, 3000, 100, 0, True)
    request = ua.CreateSubscriptionRequest(Parameters=params)
    number = (await raw.call(request, ua.CreateSubscriptionResponse)).SubscriptionId
    for start in range(0, tags, ITEMS_AT_ONCE):
        wanted = ua.CreateMonitoredItemsParameters(number, ua.TimestampsToReturn.Both, [])
        for handle in range(start, min(start + ITEMS_AT_ONCE, tags)):
            item = ua.MonitoredItemCreateRequest(MonitoringMode=ua.MonitoringMode.Reporting)
            item.ItemToMonitor = ua.ReadValueId(node(handle), ua.AttributeIds.Value)
            item.RequestedParameters = ua.MonitoringParameters(handle, interval_ms, None, 1, True)
            wanted.ItemsToCreate.append(item)
        await raw.ask(raw.encode(ua.CreateMonitoredItemsRequest(Parameters=wanted)))
    return raw.encode(ua.PublishRequest())


class Count:
    """What came in."""

    def __init__(self) -> None:
        self.values = 0
        self.late_ms: list[float] = []
        self.on = False

    async def publish(self, raw: Raw, request: bytes) -> None:
        """Publish for ever; nothing is acknowledged, the server keeps what it wants to."""
        while True:
            values, ticks = counted_values(await raw.ask(request))
            if self.on:
                self.values += values
                if ticks:
                    self.late_ms.append((time.time_ns() - (ticks - EPOCH_TICKS) * 100) / 1e6)


async def attend(endpoint: str, clients: int, tags: int, interval_ms: float, seconds: float, *, stock: bool) -> None:
    """Subscribe with all clients, and tell how many values came and how old they were."""
    count = Count()
    async with AsyncExitStack() as stack:
        tasks: list[asyncio.Task[None]] = []
        for _ in range(clients):
            raw, node = await enter(stack, endpoint, stock)
            request = await subscribe(raw, node, tags, interval_ms)
            tasks += [asyncio.create_task(count.publish(raw, request)) for _ in range(AHEAD)]
        print("ready", flush=True)
        await asyncio.to_thread(sys.stdin.readline)
        count.on = True
        cpu, began = time.process_time(), time.monotonic()
        await asyncio.sleep(seconds)
        count.on = False
        passed = time.monotonic() - began
        told = {
            "per_second": count.values / passed,
            "late_ms": [float(np.percentile(count.late_ms or [0.0], point)) for point in (50, 99, 100)],
            "client_cpu": (time.process_time() - cpu) / passed,
        }
        print(json.dumps(told), flush=True)
        await until_closed()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def read(endpoint: str, tags: int, nodes: int, seconds: float, *, stock: bool) -> None:
    """Read a list of values again and again, two requests under way, and tell how many came."""
    async with AsyncExitStack() as stack:
        raw, node = await enter(stack, endpoint, stock)
        wanted = [ua.ReadValueId(node(number % tags), ua.AttributeIds.Value) for number in range(nodes)]
        params = ua.ReadParameters(0.0, ua.TimestampsToReturn.Both, wanted)
        request = raw.encode(ua.ReadRequest(Parameters=params))
        answer = await raw.ask(request)
        if int.from_bytes(answer[HEAD : HEAD + 4], "little") != nodes:
            raise RuntimeError("the server does not answer the read")
        print("ready", flush=True)
        await asyncio.to_thread(sys.stdin.readline)
        calls, began = 0, time.monotonic()

        async def loop() -> None:
            nonlocal calls
            while time.monotonic() - began < seconds:
                await raw.ask(request)
                calls += 1

        await asyncio.gather(loop(), loop())
        values = calls * nodes
        print(json.dumps({"values": values, "per_second": values / (time.monotonic() - began)}), flush=True)
        await until_closed()


async def look_back(endpoint: str, *, stock: bool) -> None:
    """Read a million raw values in pages, then hourly averages of thirty days; tell how long each took."""
    async with AsyncExitStack() as stack:
        raw, node = await enter(stack, endpoint, stock)
        print("ready", flush=True)
        await asyncio.to_thread(sys.stdin.readline)
        start, end = _moment(HISTORY_NS), _moment(HISTORY_NS + HISTORY_ROWS * HISTORY_ROW_NS)
        details = ua.ReadRawModifiedDetails(False, start, end, 0, False)
        began, count, point = time.monotonic(), 0, b""
        while count == 0 or point:
            answer = await raw.ask(raw.encode(history_request(details, node(3), point)))
            point, values = history_page(answer)
            count += values
        told = {"values": count, "per_second": count / (time.monotonic() - began)}
        print(json.dumps(told), flush=True)
        hours, times = 0, [0.0]
        await asyncio.to_thread(sys.stdin.readline)
        if not stock:
            average = ua.ReadProcessedDetails(_moment(HISTORY_NS - DAYS * 86_400 * 10**9), start, 3_600_000.0)
            average.AggregateType = [ua.NodeId(ua.ObjectIds.AggregateFunction_Average)]
            average.AggregateConfiguration = ua.AggregateConfiguration(UseServerCapabilitiesDefaults=True)
            times = []
            for _ in range(9):
                began = time.monotonic()
                _, hours = history_page(await raw.ask(raw.encode(history_request(average, node(3), b""))))
                times.append((time.monotonic() - began) * 1000)
        told = {"hours": hours, "average_ms": float(np.median(times))}
        print(json.dumps(told), flush=True)
        await until_closed()


def history_request(details: Any, node: Any, point: bytes) -> Any:
    """Ask for the history of a node, or go on where a point says."""
    wanted = ua.HistoryReadValueId(NodeId=node, ContinuationPoint=point or None)
    params = ua.HistoryReadParameters(details, ua.TimestampsToReturn.Source, False, [wanted])
    return ua.HistoryReadRequest(Parameters=params)


def history_page(answer: bytes) -> tuple[bytes, int]:
    """Return the continuation point and the number of values of a HistoryReadResponse for one node."""
    at = HEAD + 4
    code = int.from_bytes(answer[at : at + 4], "little")
    if code >> 30:
        raise RuntimeError(f"the server does not answer: 0x{code:08X}")
    at += 4
    size = max(int.from_bytes(answer[at : at + 4], "little", signed=True), 0)
    point, at = answer[at + 4 : at + 4 + size], at + 4 + size
    return point, int.from_bytes(answer[at + 4 + 1 + 4 : at + 4 + 1 + 8], "little")


async def ignore(endpoint: str, tags: int, interval_ms: float) -> None:
    """Subscribe, ask for many messages, and never read the socket again."""
    async with AsyncExitStack() as stack:
        raw, node = await enter(stack, endpoint, stock=False)
        request = await subscribe(raw, node, tags, interval_ms)
        tasks = [asyncio.create_task(raw.ask(request)) for _ in range(100)]
        await asyncio.sleep(0.1)
        raw._protocol.transport.pause_reading()
        print("ready", flush=True)
        await until_closed()
        for task in tasks:
            task.cancel()
        raw._protocol.transport.abort()
        stack.pop_all()


# ----------------------------------------------------------------------------------------------------- their parent


class Child:
    """A process of this module."""

    def __init__(self, *arguments: str) -> None:
        command = [sys.executable, "-W", "ignore", "-m", "tests.bench.opcua_load", *arguments]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.first = self.line()

    def line(self) -> str:
        """Read the next line."""
        line = _pipe(self._process.stdout).readline().strip()
        if not line:
            raise RuntimeError("a process of the benchmark ended by itself")
        return line

    def go(self) -> None:
        """Let it begin."""
        _pipe(self._process.stdin).write("go\n")
        _pipe(self._process.stdin).flush()

    def cpu_s(self) -> float:
        """Processor time that it has used, all threads (proc(5), utime and stime)."""
        fields = Path(f"/proc/{self._process.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / 100.0

    def memory_kb(self) -> int:
        """Resident memory."""
        text = Path(f"/proc/{self._process.pid}/status").read_text(encoding="ascii")
        return int(text.partition("VmRSS:")[2].split()[0])

    def end(self) -> None:
        """Close its standard input and wait."""
        killer = threading.Timer(20.0, self._process.kill)
        killer.start()
        _pipe(self._process.stdin).close()
        _pipe(self._process.stdout).read()
        self._process.wait()
        killer.cancel()
        _pipe(self._process.stdout).close()


def _pipe(pipe: IO[str] | None) -> IO[str]:
    if pipe is None:
        raise RuntimeError("the child has no pipe")
    return pipe


@contextmanager
def child(*arguments: str) -> Iterator[Child]:
    """Run a process of this module meanwhile."""
    one = Child(*arguments)
    try:
        yield one
    finally:
        one.end()


def main() -> None:
    """Run one side."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("side", choices=["server", "stock", "history", "clients", "readers", "lookback", "deaf"])
    parser.add_argument("endpoint", nargs="?", default="")
    parser.add_argument("--tags", type=int, default=1000)
    parser.add_argument("--clients", type=int, default=10)
    parser.add_argument("--nodes", type=int, default=1000)
    parser.add_argument("--interval", type=float, default=100.0)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--stock", action="store_true")
    told = parser.parse_args()
    logging.disable(logging.CRITICAL)
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING),
        logger_factory=structlog.WriteLoggerFactory(file=sys.stderr),
    )
    run = {
        "server": lambda: serve(told.tags),
        "stock": lambda: serve_stock(told.tags),
        "history": serve_history,
        "lookback": lambda: look_back(told.endpoint, stock=told.stock),
        "clients": lambda: attend(
            told.endpoint, told.clients, told.tags, told.interval, told.seconds, stock=told.stock
        ),
        "readers": lambda: read(told.endpoint, told.tags, told.nodes, told.seconds, stock=told.stock),
        "deaf": lambda: ignore(told.endpoint, told.tags, told.interval),
    }[told.side]
    asyncio.run(run())


if __name__ == "__main__":
    main()
