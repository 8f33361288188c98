"""A long campaign of hostile messages: `python -m tests.system.campaign --messages 1000000 --seed 1 --out FILE`.

A whole daemon runs on the simulated furnace, with an endpoint without security beside the encrypted ones so that every
layer can be reached; `tests/opcua_model/fuzz.py` sends mutated messages to it. A twin that nobody attacks runs beside
it for as long: what the machine and the daemon do by themselves is seen there. Wanted: no crash, no hang, no request
that fails by a fault of ours, memory that grows no more than the twin's, and a scan that does not notice. The record
has commit, seed, counts and result; exit code 1 when something is not as wanted.
"""

import argparse
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

import anyio
import anyio.to_thread

from opcua_model.client import _throwaway, connect
from opcua_model.stack import ua
from tests.evidence import commit, keep
from tests.opcua_model.fuzz import Fuzzer, Tally
from tests.opcua_model.wire import server_certificate
from tests.system.daemon import PASSWORD, Daemon

SETTINGS = """
[server]
plain_loopback = true

[server.limits]
handshakes_per_s = 1_000_000
handshake_burst = 1_000_000
"""
GROWTH_MB = 40.0
"""Of the median of the last tenth over that of the second tenth, beyond the twin's."""
TIMING = ("SkippedSlots", "Overruns", "WakeupLatencyP50Us", "WakeupLatencyP99Us", "WakeupLatencyMaxUs")


@dataclass
class Watch:
    """The server's memory while messages are sent."""

    pid: int
    twin: int
    wanted: int
    samples: list[tuple[int, float, float]] = field(default_factory=list[tuple[int, float, float]])
    """Messages so far; MB of the server, and of the twin's."""
    _next: int = 0

    def look(self, tally: Tally) -> None:
        """Take a sample every two hundredth of the way."""
        if tally.total >= self._next:
            self._next = tally.total + max(self.wanted // 200, 1)
            self.samples.append((tally.total, resident_mb(self.pid), resident_mb(self.twin)))
            if len(self.samples) % 20 == 0:
                print(f"{tally.total:,} messages, {self.samples[-1][1]:.0f} MB", file=sys.stderr, flush=True)

    def growth_mb(self, column: int) -> float:
        """Compare the last tenth with the second."""
        tenth = max(len(self.samples) // 10, 1)
        sizes = [float(sample[column]) for sample in self.samples]
        return median(sizes[-tenth:]) - median(sizes[tenth : 2 * tenth] or sizes[:1])


def resident_mb(pid: int) -> float:
    """Return the resident memory of a process."""
    lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) / 1024


async def timing(endpoint: str) -> dict[str, Any]:
    """Return what the scan says of its own timing."""
    async with connect(endpoint, "otto", PASSWORD) as tool:
        return {name: await tool.read(f"Diagnostics/{name}") for name in TIMING}


def run(messages: int, seed: int, data: Path, *, minutes: float = float("inf")) -> dict[str, Any]:
    """Run a campaign and return its record; it ends early when its time is over."""
    daemons: list[Daemon] = []
    try:
        for name in ("besieged", "twin"):
            (data / name).mkdir()
            (data / name / "daemon.toml").write_text(SETTINGS, encoding="utf-8")
            daemons.append(Daemon(data / name))
        daemon, twin = daemons
        before, beside = daemon.ready(), twin.ready()
        port = int(daemon.endpoint.rpartition(":")[2].partition("/")[0])
        time.sleep(5)
        calm = [anyio.run(timing, one.endpoint) for one in daemons]
        watch = Watch(before["server_pid"], beside["server_pid"], messages)
        fuzzer = Fuzzer(port, seed, _throwaway(), server_certificate(port), "erika", PASSWORD)
        began, trouble = time.monotonic(), ""
        try:
            fuzzer.run(messages, watch.look, within_s=60 * minutes)
        except (AssertionError, OSError, ua.UaError) as error:
            trouble = f"{type(error).__name__}: {error}"
        seconds = time.monotonic() - began
        after = daemon.ready()
        stormy = [anyio.run(timing, one.endpoint) for one in daemons]
        lines = daemon.lines()
    finally:
        for one in daemons:
            one.close()
    failed = [line for line in lines if line.get("event") == "request_failed"]
    crashes = sum(line.get("event") == "half ended; starting it again" for line in lines)
    growth, own = watch.growth_mb(1), watch.growth_mb(2)
    faults = [
        *([trouble] if trouble else []),
        *([f"{crashes} restarts"] if crashes or after["server_pid"] != before["server_pid"] else []),
        *([f"{len(failed)} requests failed by a fault of ours"] if failed else []),
        *([f"memory grew by {growth:.0f} MB, the twin's by {own:.0f} MB"] if growth - own > GROWTH_MB else []),
    ]
    return {
        "commit": commit(),
        "seed": seed,
        "messages": fuzzer.tally.total,
        "by_layer": dict(fuzzer.tally.sent.most_common()),
        "answers": dict(fuzzer.tally.answers.most_common()),
        "seconds": round(seconds, 1),
        "slowest_batch_s": round(fuzzer.tally.slowest_s, 3),
        "memory_mb": {
            str(at): [round(size, 1), round(twins, 1)]
            for at, size, twins in watch.samples[:: max(len(watch.samples) // 20, 1)]
        },
        "memory_growth_mb": {"besieged": round(growth, 1), "twin": round(own, 1)},
        "scan_before": dict(zip(("besieged", "twin"), calm, strict=True)),
        "scan_after": dict(zip(("besieged", "twin"), stormy, strict=True)),
        "failed_requests": [f"{line.get('error')} at {line.get('at')}" for line in failed[:20]],
        "faults": faults,
        "result": "; ".join(faults) or "no crash, no hang, no failed request, memory flat",
    }


def main() -> int:
    """Read the command line, run, write the record."""
    parser = argparse.ArgumentParser(prog="python -m tests.system.campaign", description=__doc__)
    parser.add_argument("--messages", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--minutes", type=float, default=float("inf"), help="end after this time at the latest")
    parser.add_argument("--out", type=Path, help="write the record to this file (JSON)")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="cvd-campaign-") as folder:
        record = run(arguments.messages, arguments.seed, Path(folder), minutes=arguments.minutes)
    keep(record, arguments.out)
    return int(bool(record["faults"]))


if __name__ == "__main__":
    sys.exit(main())
