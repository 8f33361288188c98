"""Every chamber's recipes, whole and on several seeds: ``python -m tests.hil.variants --seeds 3 --json FILE``.

Speeds are of processor time, so that they hold on a machine that others use too. Each run is judged by the recipe's own thickness and uniformity; what trips, holds or misses is told. Two processes, so
that the time is that of a machine with two cores.
"""

import argparse
import json
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

from config.loading import load_tool, shipped_recipe, shipped_tool
from config.recipe import load_recipe
from supervisor.controller.simulate import simulate
from tests.hil.chambers import CHAMBERS
from tests.kernels.campaign import commit

THICKNESS = 0.06
"""Of the target: a run may be off by so much."""
SCAN_S = 0.01
"""Of every shipped tool."""
OTHERS = {
    "lpcvd_sio2_100nm": "lpcvd_furnace",
    "lpcvd_polysi": "lpcvd_furnace",
    "pecvd_si3n4_50nm": "pecvd_showerhead",
    "pecvd_sio2_100nm": "pecvd_showerhead",
}
"""Recipes of the two tools with plants of their own."""


def judged(recipe: str, tool: str, seed: int) -> dict[str, Any]:
    """Run a recipe and hold its film against its targets."""
    asked = load_recipe(shipped_recipe(recipe))
    declared, began = load_tool(shipped_tool(tool)), time.process_time()
    result = simulate(declared, asked, seed=seed)
    work_s = time.process_time() - began
    thickness = result.metrology["thickness_mean_nm"]
    uniformity = result.metrology["thickness_uniformity_pct"] or 100.0
    trips = [one.name for one in result.alarms if one.cls in {"trip", "hold"}]
    good = (
        result.state == "COMPLETE"
        and not trips
        and abs(thickness / asked.thickness_target_nm - 1.0) < THICKNESS
        and uniformity < asked.uniformity_target_pct
    )
    return {
        "recipe": recipe,
        "tool": tool,
        "seed": seed,
        "state": result.state,
        "good": good,
        "thickness_nm": round(thickness, 3),
        "target_nm": asked.thickness_target_nm,
        "uniformity_pct": round(uniformity, 3),
        "trips": trips,
        "duration_s": round(result.duration_s, 1),
        "work_s": round(work_s, 2),
        "times_real_time": round(result.scans * SCAN_S / work_s),
    }


def main() -> int:
    """Run them all; exit code 1 when one misses its targets."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    jobs = [(recipe, tool, 1 + seed) for seed in range(asked.seeds) for recipe, tool in (CHAMBERS | OTHERS).items()]
    jobs.sort(key=lambda job: job[0] != "mocvd_gan_2um")  # the longest first
    began, cpu = time.perf_counter(), 0.0
    with ProcessPoolExecutor(2) as pool:
        runs = list(pool.map(judged, *zip(*jobs, strict=True)))
    elapsed = time.perf_counter() - began
    for run in sorted(runs, key=lambda one: (one["recipe"], one["seed"])):
        cpu += run["work_s"]
    bad = [run for run in runs if not run["good"]]
    report = {
        "commit": commit(),
        "runs": runs,
        "seconds_in_all": round(elapsed, 1),
        "seconds_of_work_a_seed": round(cpu / asked.seeds, 1),
        "slowest_times_real_time": min(run["times_real_time"] for run in runs),
        "result": f"{len(runs) - len(bad)} of {len(runs)} runs within their targets",
    }
    print(report["result"], f"{elapsed:.1f} s, {cpu:.1f} s of work")
    if asked.json:
        asked.json.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
