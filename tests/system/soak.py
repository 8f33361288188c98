"""A whole daemon under all its load at 1 kHz: `python -m tests.system.soak --minutes 60 --seed 1 --out FILE`.

The shipped furnace, with a module of a thousand signals that change with every scan, runs in real time. Ten clients
follow a thousand values each at 10 Hz, two read history in pages, one writes set points, one logs in and out, and an
operator runs recipes and service operations one after another. Each minute memory, descriptors and threads of the
three processes, wake-ups of the scan and sizes of the files are sampled. At the end journal, events, audit chain and
records are compared, and of every run each row must be there, hot or in Parquet, once. Growth in the second half, a
disagreement, a lost row or a client that was dropped is a fault: exit code 1.
"""

import argparse
import json
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread
import numpy as np

from opcua_model.client import ClientError, ToolClient
from opcua_model.stack import ua
from supervisor.link.latency import percentile_us
from supervisor.server.projection.agreement import disagreements
from tests.bench.opcua_load import AHEAD, Count, Raw, history_page, history_request, subscribe
from tests.evidence import commit
from tests.system.daemon import FURNACE, Daemon, approved, ended, running, until
from tests.system.kill_campaign import GONE, missing_rows
from tests.system.quick import quick_recipe
from tests.system.soak_growth import PROCESSES, judge, of_files, of_process

SIGNALS = 1000
CLIENTS = 10
INTERVAL_MS = 100.0
LOG_EVERY = 100
"""Ten rows a second, as the furnace has them at its own 10 ms."""
SAMPLE_S = 60.0
AT_LEAST = 24
"""Samples of a short trial, which come closer together then."""
SESSIONS = CLIENTS + 5
"""Clients, two readers of history, the writer, the operator and whoever samples."""
OPERATION = "standby"
WRITTEN = "Equipment/control/ror_limit_pct"
"""A limit that only the verification of a flow looks at."""
PAST = timedelta(minutes=5)


def fast_furnace(folder: Path) -> Path:
    """Write the shipped furnace with a scan of 1 ms and a module of many signals; return its file."""
    text = FURNACE.read_text(encoding="utf-8")
    for shipped, wanted in (("period_ms = 10\n", "period_ms = 1\n"), ("log_every = 10\n", f"log_every = {LOG_EVERY}\n"),
                            ("flight_s = 10\n", "flight_s = 2\n")):  # fmt: skip
        if shipped not in text:
            raise ValueError(f"the shipped furnace no longer says {shipped!r}")
        text = text.replace(shipped, wanted, 1)
    tags = "".join(
        f'  {{ name = "signal{number:04d}", kind = "computed", unit = "%", low = 0, high = 200, '
        f'expression = "heater.zone{number % 3 + 1}.power_pct + {number} * 0.01 %", '
        f'description = "Signal {number} of the soak" }},\n'
        for number in range(SIGNALS)
    )
    module = f'\n[[modules]]\nname = "extra"\nkind = "metrology"\ndescription = "Many signals"\ntags = [\n{tags}]\n'
    path = folder / "furnace_1khz.toml"
    path.write_text(text + module, encoding="utf-8")
    return path


class Soak:
    """The load, and what came of it."""

    def __init__(self, daemon: Daemon, rng: random.Random) -> None:
        self.daemon, self.rng = daemon, rng
        self.done: Counter[str] = Counter()
        self.faults: list[str] = []
        self.runs: list[dict[str, Any]] = []
        self.samples: list[dict[str, float]] = []
        self.values = Count()
        self.on = True
        self._door = anyio.Lock()
        self._before: dict[str, Any] = {}

    async def run(self, seconds: float) -> None:
        """Bring the load up, keep it for some time, sample meanwhile."""
        recipe = await approved(self.daemon, quick_recipe("Soak", deposition_s=30))
        every_s = min(SAMPLE_S, seconds / AT_LEAST)
        async with anyio.create_task_group() as group:
            for _ in range(CLIENTS):
                group.start_soon(self._kept, "follow", self._follow)
            for _ in range(2):
                group.start_soon(self._kept, "look back", self._look_back)
            for name, work in (("write", self._write), ("come and go", self._come_and_go)):
                group.start_soon(self._kept, name, work)
            group.start_soon(self._kept, "operate", lambda: self._operate(recipe))
            async with self._client("ada") as looker:
                await until(looker, "Diagnostics/Sessions", lambda open_: open_ >= SESSIONS, within_s=120, every_s=0.5)
                began = time.monotonic()
                while time.monotonic() - began < seconds:
                    await anyio.sleep(every_s)
                    await self._sample(looker, time.monotonic() - began, every_s)
            self.on = False

    @asynccontextmanager
    async def _client(self, user: str) -> AsyncGenerator[ToolClient]:
        """Log in, one after another: all at once would wait longer than the server waits for a login."""
        async with AsyncExitStack() as stack:
            async with self._door:
                tool = await stack.enter_async_context(self.daemon.client(user))
            yield tool

    async def _kept(self, name: str, work: Callable[[], Awaitable[None]]) -> None:
        """Do one kind of work to the end; whoever was dropped says so and begins again. The operator ends his run."""
        while self.on:
            try:
                await work()
            except (AssertionError, *GONE) as error:
                self.faults.append(f"{name}: {type(error).__name__}: {str(error)[:300]}")
                await anyio.sleep(1.0)

    async def _follow(self) -> None:
        async with self._client("otto") as tool:
            raw = Raw(tool._client)
            request = await subscribe(raw, lambda n: tool.node(_signal(n)), SIGNALS, INTERVAL_MS)
            self.values.on = True
            async with anyio.create_task_group() as group:
                for _ in range(AHEAD):
                    group.start_soon(self.values.publish, raw, request)
                while self.on:  # noqa: ASYNC110 - nothing of its own to wait for
                    await anyio.sleep(0.5)
                group.cancel_scope.cancel()

    async def _look_back(self) -> None:
        async with self._client("otto") as tool:
            raw = Raw(tool._client)
            while self.on:
                now = datetime.now(UTC).replace(tzinfo=None)
                details = ua.ReadRawModifiedDetails(False, now - PAST, now, 0, False)
                node = tool.node(_signal(self.rng.randrange(SIGNALS)))
                point, first = b"", True
                while first or point:
                    point, values = history_page(await raw.ask(raw.encode(history_request(details, node, point))))
                    self.done["values of history"] += values
                    first = False
                self.done["questions for history"] += 1
                await anyio.sleep(self.rng.uniform(0.5, 1.5))

    async def _write(self) -> None:
        async with self._client("erika") as engineer:
            while self.on:
                try:
                    await engineer.write(WRITTEN, round(self.rng.uniform(4.0, 6.0), 2))
                    self.done["writes"] += 1
                except ClientError as error:
                    if error.status != "BadInvalidState":
                        raise
                    self.done["writes refused, the run has the say"] += 1
                await anyio.sleep(0.5)

    async def _come_and_go(self) -> None:
        while self.on:
            async with self._client("mia") as mechanic:
                await mechanic.read("Diagnostics/Sessions")
            self.done["logins"] += 1
            await anyio.sleep(5.0)

    async def _operate(self, recipe: tuple[str, int]) -> None:
        async with self._client("olga") as operator:
            while self.on:
                await until(operator, "Services/State", lambda state: state not in {"ABORTING", "RUNNING"}, every_s=0.5)
                await self._to_the_end(operator, await self._service(operator))
                run_id, _ = await operator.call("Runs", "CreateRun", *recipe, "S", "", "{}")
                await operator.call("Runs", "StartRun", run_id)
                await self._to_the_end(operator, str(run_id))

    @staticmethod
    async def _service(operator: ToolClient) -> str:
        await operator.call("Services", "Start", OPERATION)
        return str(json.loads(await operator.call("Runs", "ListRuns", "", 0, 1))[0]["run_id"])

    async def _to_the_end(self, operator: ToolClient, run_id: str) -> None:
        record = await ended(operator, run_id, within_s=1800)
        self.runs.append(record)
        self.done[f"runs {record['status']}"] += 1
        if record["status"] != "COMPLETE":
            self.faults.append(f"{record['run_number']} is {record['status']}: {record['error_message']}")

    # ------------------------------------------------------------------------------------------------------- samples
    async def _sample(self, looker: ToolClient, at_s: float, every_s: float) -> None:
        ready = await anyio.to_thread.run_sync(self.daemon.ready)
        pids = {"launcher": self.daemon.process.pid} | {half: ready[f"{half}_pid"] for half in PROCESSES[1:]}
        if self._before.setdefault("pids", pids) != pids:
            self.faults.append(f"a process was started again: {self._before['pids']} are {pids}")
            self._before["pids"] = pids
        sample: dict[str, float] = {"at_s": round(at_s, 1)}
        for name, pid in pids.items():
            found = await anyio.to_thread.run_sync(of_process, pid)
            sample |= {f"{name}.{what}": round(value, 3) for what, value in found.items()}
        sample |= {
            f"files.{k}": round(v, 3) for k, v in (await anyio.to_thread.run_sync(of_files, self.daemon.data)).items()
        }
        sample |= await self._timing(looker)
        sample["clients.values_per_s"] = round((self.values.values - self._before.get("values", 0)) / every_s)
        self._before["values"] = self.values.values
        self.samples.append(sample)
        print(json.dumps(sample), file=sys.stderr, flush=True)

    async def _timing(self, looker: ToolClient) -> dict[str, float]:
        """Wake-ups and skipped slots since the sample before, not since the start."""
        histogram = np.asarray(await looker.read("Diagnostics/WakeupLatencyHistogram"), np.int64)
        skipped = float(await looker.read("Diagnostics/SkippedSlots"))
        new = histogram - self._before.get("histogram", 0)
        fresh = skipped - self._before.get("skipped", 0.0)
        self._before |= {"histogram": histogram, "skipped": skipped}
        return {
            "scan.wakeup_p99_us": percentile_us(new, 0.99, 0.0),
            "scan.scans": float(new.sum()),
            "scan.skipped": fresh,
            "scan.scan_us": round(float(await looker.read("Diagnostics/ScanDurationUs")), 1),
            "server.historian_lag_s": round(float(await looker.read("Diagnostics/HistorianLagS")), 2),
            "server.sessions": float(await looker.read("Diagnostics/Sessions")),
        }


def _signal(number: int) -> str:
    return f"Equipment/extra/signal{number:04d}"


async def soak(seconds: float, seed: int, data: Path) -> dict[str, Any]:
    """Keep a daemon under load for some time; return the record."""
    tool = await anyio.to_thread.run_sync(fast_furnace, data)
    folder = data / "daemon"
    async with running(folder, tool=tool) as daemon:
        work = Soak(daemon, random.Random(seed))
        await work.run(seconds)
        await anyio.to_thread.run_sync(daemon.terminate)
    faults = work.faults + await anyio.to_thread.run_sync(disagreements, folder)
    for record in work.runs:
        told = await anyio.to_thread.run_sync(missing_rows, folder, record, LOG_EVERY)
        faults += [f"{record['run_number']}: {fault}" for fault in told]
    figures, growth = judge(work.samples)
    return {
        "seconds": round(seconds), "signals": SIGNALS, "clients": CLIENTS, "done": dict(work.done),
        "runs_compared": len(work.runs), "second_half": figures, "faults": faults + growth, "samples": work.samples,
    }  # fmt: skip


def main() -> int:
    """Read the command line, run, write the record."""
    parser = argparse.ArgumentParser(prog="python -m tests.system.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, help="write the record to this file (JSON)")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="cvd-soak-") as folder:
        found = anyio.run(soak, arguments.minutes * 60, arguments.seed, Path(folder))
    faults = found["faults"]
    result = f"{len(faults)} faults" if faults else "nothing grows, everything agrees"
    text = json.dumps({"commit": commit(), "seed": arguments.seed, "result": result, **found}, indent=1)
    print(text)
    if arguments.out:
        arguments.out.parent.mkdir(parents=True, exist_ok=True)
        arguments.out.write_text(text + "\n", encoding="utf-8")
    return int(bool(faults))


if __name__ == "__main__":
    sys.exit(main())
