"""A tape of the guide's recipe, executed again: `cvd replay` of a whole run, without a plant."""

import tempfile
import time
from pathlib import Path

from supervisor.controller.tapes.replay import replay
from tests.bench.figure import Figure
from tests.supervisor.controller.taping import taped

RUNS = 5
RECIPE = "lpcvd_sio2_100nm"


def figures() -> list[Figure]:
    """Measure the replay, opening and checking the file included, in time of the one core that computes."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "tape"
        lasted_s = taped(RECIPE, path)
        times = list[float]()
        for _ in range(RUNS):
            began = time.process_time()
            report = replay(path)
            times.append(time.process_time() - began)
            if not report.identical:
                raise RuntimeError(f"the replay differs in scans {report.differs}")
        size_mb = path.stat().st_size / 1e6
    return [
        Figure(
            "replay of the guide's recipe, every digest met", lasted_s / min(times), "× real time",
            target="≥ 1000 × real time on one core", better="higher",
        ),
        Figure("tape of an hour", size_mb * 3600 / lasted_s, "MB"),
    ]  # fmt: skip
