"""The scan's timing while hostile messages of every layer come in, beside a daemon that nobody attacks meanwhile."""

import tempfile
from pathlib import Path

from tests.bench.figure import Figure
from tests.system.campaign import run

MESSAGES = 30_000
SEED = 3


def figures() -> list[Figure]:
    """Besiege one of two daemons."""
    with tempfile.TemporaryDirectory(prefix="cvd-hostile-") as folder:
        record = run(MESSAGES, SEED, Path(folder))
    if record["faults"]:
        raise RuntimeError(record["result"])
    besieged, twin = record["scan_after"]["besieged"], record["scan_after"]["twin"]
    return [
        Figure(
            "scan wake-up latency under attack, 99 %",
            float(besieged["WakeupLatencyP99Us"]),
            "µs",
            float(twin["WakeupLatencyP99Us"]),
            "not attacked",
            "unmoved",
        ),
        Figure(
            "scan slots skipped under attack",
            float(besieged["SkippedSlots"]),
            "",
            float(twin["SkippedSlots"]),
            "not attacked",
            "no more",
        ),
        Figure(
            "hostile messages answered",
            round(record["messages"] / record["seconds"]),
            "1/s",
            target="no crash, no hang, memory flat",
            better="higher",
        ),
    ]
