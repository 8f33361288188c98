"""The guide's recipe on the shipped furnace, plant included, at its 10 ms scan."""

import time
from collections.abc import Callable

from config.loading import load_tool, shipped_recipe, shipped_tool
from config.recipe import load_recipe
from kernels.scan import Scan
from supervisor.controller.compile import compile_tool
from supervisor.controller.simulate import simulate
from supervisor.controller.simulation_result import SimulationResult
from tests.bench.figure import Figure

RUNS = 5
SCANS = 100_000


def figures() -> list[Figure]:
    """Measure whole runs, preflight to metrology, beside the scan without a plant.

    Time is that of the one core that computes (CPU time), the best of some runs: what else the machine does is not
    in it. The clock's time stands in a line of its own.
    """
    tool = load_tool(shipped_tool("lpcvd_furnace"))
    recipe = load_recipe(shipped_recipe("lpcvd_sio2_100nm"))
    results = list[SimulationResult]()
    core_s = min(_core_s(lambda: results.append(simulate(tool, recipe))) for _ in range(RUNS))
    if not all(result.completed for result in results):
        raise RuntimeError(f"the run did not complete: {results[0].state}, {results[0].cause}")
    bare = Scan(compile_tool(tool).tables)
    bare_s = min(_core_s(lambda: bare.advance(SCANS)) for _ in range(RUNS)) / SCANS
    lasted_s, scans = results[0].duration_s, results[0].scans
    return [
        Figure(
            "guide's recipe in cvd simulate, plant included", lasted_s / core_s, "× real time", bare.period_s / bare_s,
            "the same scan without a plant", "≥ 3000 × real time on one core", "higher",
        ),
        Figure(
            "the whole run by the clock", min(result.wall_s for result in results), "s",
            target=f"{lasted_s:.0f} s of process; depends on what else runs",
        ),
        Figure("a scan with its plant", core_s / scans * 1e6, "µs", bare_s * 1e6, "the same scan without a plant"),
    ]  # fmt: skip


def _core_s(work: Callable[[], object]) -> float:
    started = time.process_time()
    work()
    return time.process_time() - started
