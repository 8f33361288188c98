"""Every chamber's recipes, whole and on several seeds: ``python -m tests.hil.variants --seeds 3 --json FILE``.

Each run is judged by the recipe's own thickness and uniformity; what trips, holds or misses is told. Two
processes share the work; speeds are by the clock, so the machine's load stands beside them.
"""

import argparse
import json
import os
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

from config.loading import load_tool, shipped_recipe, shipped_tool
from config.recipe import load_recipe
from supervisor.controller.simulate import simulate
from tests.evidence import commit
from tests.hil.chambers import CHAMBERS

THICKNESS = 0.06
"""Of the target: a run may be off by so much."""
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
    result = simulate(load_tool(shipped_tool(tool)), asked, seed=seed)
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
        "wall_s": round(result.wall_s, 2),
        "times_real_time": round(result.times_real_time),
    }


def main() -> int:
    """Run them all; exit code 1 when one misses its targets."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    jobs = [(recipe, tool, 1 + seed) for seed in range(asked.seeds) for recipe, tool in (CHAMBERS | OTHERS).items()]
    jobs.sort(key=lambda job: job[0] != "mocvd_gan_2um")  # the longest first
    began, work = time.perf_counter(), 0.0
    with ProcessPoolExecutor(2) as pool:
        runs = list(pool.map(judged, *zip(*jobs, strict=True)))
    elapsed = time.perf_counter() - began
    for run in sorted(runs, key=lambda one: (one["recipe"], one["seed"])):
        work += run["wall_s"]
        verdict = "good" if run["good"] else f"MISSED {run['trips']}"
        film = f"{run['thickness_nm']:10.2f} of {run['target_nm']:g} nm, {run['uniformity_pct']:5.2f} %"
        print(
            f"{run['recipe']:20s} seed {run['seed']} {run['state']:9s} {film}, {run['times_real_time']:5d} x {verdict}"
        )
    bad = [run for run in runs if not run["good"]]
    report = {
        "commit": commit(),
        "runs": runs,
        "seconds_in_all": round(elapsed, 1),
        "seconds_a_seed": round(elapsed / asked.seeds, 1),
        "load_average": os.getloadavg()[0],
        "slowest_times_real_time": min(run["times_real_time"] for run in runs),
        "result": f"{len(runs) - len(bad)} of {len(runs)} runs within their targets",
    }
    print(report["result"], f"{elapsed:.1f} s, {work:.1f} s of simulating, load {report['load_average']:.1f}")
    if asked.json:
        asked.json.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
