"""OPC UA: subscriptions, reads, latency and history, beside asyncua's own server with the same clients in the same run.

Processor time is the server process's own, all threads (`/proc/<pid>/stat`). The clients sign and encrypt, and count.
What a server answers as fast as it is asked is told for a second of its processor time: neither the client nor whatever
else the machine does is in it.
`CVD_OPCUA_SECONDS` changes the length of a measurement.
"""

import json
import os
import tempfile
import time
from pathlib import Path
from typing import Any

import duckdb

from tests.bench.figure import Figure
from tests.bench.opcua_load import DAYS, child

SECONDS = float(os.environ.get("CVD_OPCUA_SECONDS", "5"))
SETTLE_S = 1.0


def subscribed(side: str, tags: int, clients: int) -> tuple[float, float]:
    """Return notifications a second and the part of a core that the server took for them."""
    stock = ["--stock"] if side == "stock" else []
    counts = ["--tags", str(tags), "--clients", str(clients), "--seconds", str(SECONDS)]
    with child(side, "--tags", str(tags)) as server, child("clients", server.first, *counts, *stock) as load:
        time.sleep(SETTLE_S)
        before, began = server.cpu_s(), time.monotonic()
        load.go()
        told: dict[str, Any] = json.loads(load.line())
        return told["per_second"], (server.cpu_s() - before) / (time.monotonic() - began)


def read(side: str) -> float:
    """Return values of reads of a thousand tags for a second of the server's processor time."""
    stock = ["--stock"] if side == "stock" else []
    with (
        child(side, "--tags", "1000") as server,
        child("readers", server.first, "--seconds", str(SECONDS), *stock) as load,
    ):
        before = server.cpu_s()
        load.go()
        return float(json.loads(load.line())["values"]) / (server.cpu_s() - before)


def late(*, disturbed: bool) -> float:
    """Return the 99 % latency from scan to client, ms: ten clients at 50 ms, and two that mean no good."""
    with child("server", "--tags", "1000") as server:
        counts = ["--tags", "1000", "--clients", "10", "--interval", "50", "--seconds", str(SECONDS)]
        with child("clients", server.first, *counts) as load:
            if not disturbed:
                load.go()
                return float(json.loads(load.line())["late_ms"][1])
            greedy = child("readers", server.first, "--nodes", "9000", "--seconds", str(SECONDS + 10))
            deaf = child("deaf", server.first, "--tags", "1000", "--interval", "50")
            with greedy as first, deaf:
                first.go()
                load.go()
                return float(json.loads(load.line())["late_ms"][1])


def looked_back(side: str, tags: int) -> dict[str, float]:
    """Return what reading the past took."""
    stock = ["--stock"] if side == "stock" else []
    with child(side, "--tags", str(tags)) as server, child("lookback", server.first, *stock) as load:
        before = server.cpu_s()
        load.go()
        told = json.loads(load.line())
        told["per_cpu_s"] = told["values"] / max(server.cpu_s() - before, 0.01)
        load.go()
        return told | json.loads(load.line())


def every_row_ms() -> float:
    """Return how long DuckDB takes for the same hours out of every row, one column in one file, ms."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "month.parquet"
        connection = duckdb.connect(config={"threads": 1})
        rows = DAYS * 86_400 * 10
        connection.execute(
            f"COPY (SELECT range * 100000000 AS ts_ns, round(700 + sin(range / 9000), 1) AS v FROM range({rows})) "  # noqa: S608
            f"TO '{path}' (FORMAT parquet, COMPRESSION zstd)"
        )
        began = time.monotonic()
        sql = f"SELECT ts_ns // 3600000000000, avg(v) FROM '{path}' GROUP BY ALL ORDER BY ALL"  # noqa: S608
        connection.execute(sql).fetchall()
        return (time.monotonic() - began) * 1000


def figures() -> list[Figure]:
    """Measure."""
    stock_rate, stock_cpu = subscribed("stock", 1000, 10)
    rate, cpu = subscribed("server", 1000, 10)
    many, many_cpu = subscribed("server", 5000, 20)
    calm, disturbed = late(disturbed=False), late(disturbed=True)
    past, stock_past = looked_back("history", 20), looked_back("stock", 4)
    stock = "asyncua's server"
    return [
        Figure("1000 tags × 10 Hz × 10 clients, encrypted", rate, "values/s", stock_rate, stock,
               "100 k/s, all delivered", better="higher"),
        Figure("… its server", cpu * 100, "% of a core", stock_cpu * 100, stock, "≤ 15 %"),
        Figure("5000 tags × 10 Hz × 20 clients, encrypted", many, "values/s", stock_rate, f"{stock}, 1000 × 10",
               "1.0 M/s, all delivered", better="higher"),
        Figure("… its server", many_cpu * 100, "% of a core", stock_cpu * 100, f"{stock}, 1000 × 10", "≤ 35 %"),
        Figure("batch read of 1000 tags", read("server"), "values/s of a core", read("stock"), stock,
               "≥ 1 M values/s", better="higher"),
        Figure("scan → client, 99 %, at 50 ms with two that disturb", disturbed, "ms", calm, "without them", "≤ 70 ms"),
        Figure("HistoryRead raw, 1 M values", past["per_cpu_s"], "values/s of a core", stock_past["per_cpu_s"],
               f"{stock}, in memory, 10 k values", "≥ 1 M values/s", better="higher"),
        Figure(f"hourly averages over {DAYS} days of one tag", past["average_ms"], "ms", every_row_ms(),
               "DuckDB over every row", "≤ 100 ms"),
    ]  # fmt: skip
