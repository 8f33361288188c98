"""The guide's recipe on the shipped furnace, plant included, at its 10 ms scan."""

import time

from config.loading import load_tool, shipped_recipe, shipped_tool
from config.recipe import load_recipe
from kernels.scan import Scan
from supervisor.controller.compile import compile_tool
from supervisor.controller.simulate import simulate
from tests.bench.figure import Figure

RUNS = 5
SCANS = 100_000


def figures() -> list[Figure]:
    """Measure whole runs, preparation and reading of events included, beside the scan without a plant."""
    tool = load_tool(shipped_tool("lpcvd_furnace"))
    recipe = load_recipe(shipped_recipe("lpcvd_sio2_100nm"))
    results = [simulate(tool, recipe) for _ in range(RUNS)]
    if not all(result.completed for result in results):
        raise RuntimeError(f"the run did not complete: {results[0].state}, {results[0].cause}")
    # The best of them: whatever else runs on the machine only adds to a run.
    speed = max(result.times_real_time for result in results)
    wall_s = min(result.wall_s for result in results)
    bare = Scan(compile_tool(tool).tables)
    bare_s = min(_scans_s(bare) for _ in range(RUNS)) / SCANS
    return [
        Figure(
            "guide's recipe in cvd simulate, plant included", speed, "× real time", bare.period_s / bare_s,
            "the same scan without a plant", "≥ 3000 × real time on one core", "higher",
        ),
        Figure("the whole run", wall_s, "s", target=f"{results[0].duration_s:.0f} s of process"),
        Figure(
            "a scan with its plant", wall_s / results[0].scans * 1e6, "µs", bare_s * 1e6,
            "the same scan without a plant",
        ),
    ]  # fmt: skip


def _scans_s(scan: Scan) -> float:
    started = time.perf_counter()
    scan.advance(SCANS)
    return time.perf_counter() - started
