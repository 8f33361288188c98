"""Random scenarios on shipped tools: `python -m tests.system.scenario_campaign --scenarios 2000 --seed 1 --out FILE`.

Each scenario is judged by what the plant did (`scenario_monitor.py`). One in which something is wrong is shrunk to the
happenings that it takes and written beside the record; `--replay FILE` runs it again. Exit code 1 when any is wrong.
"""

import argparse
import multiprocessing
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.evidence import commit, keep
from tests.system.scenario import Scenario
from tests.system.scenario_run import drawn, judge, shrink

STRIDE = 1_000_000
"""Seeds of two campaigns do not meet."""


def trial(seed: int) -> tuple[int, dict[str, Any]]:
    """Run the scenario of a seed in a process of a pool."""
    scenario = drawn(seed)
    try:
        outcome = judge(scenario)
    except Exception as error:
        return seed, {"violations": [f"{type(error).__name__}: {error}"], "tool": scenario.tool, "kinds": [], "s": 0.0}
    return seed, {
        "violations": outcome.violations,
        "tool": scenario.tool,
        "kinds": [one.args.get("fault") or one.args.get("deed") or one.what for one in scenario.happenings],
        "state": outcome.state,
        "trips": outcome.trips,
        "s": outcome.simulated_s,
    }


def run(
    scenarios: int, seed: int, folder: Path, *, minutes: float = float("inf"), processes: int = 2
) -> dict[str, Any]:
    """Run a campaign and return its record."""
    began, deadline_s = time.monotonic(), time.monotonic() + 60 * minutes
    tools, kinds, ends, trips, wrong = Counter[str](), Counter[str](), Counter[str](), Counter[str](), dict[int, Any]()
    simulated_s, done = 0.0, 0
    for number, found in _trials([seed * STRIDE + index for index in range(scenarios)], processes):
        done += 1
        tools[found["tool"]] += 1
        kinds.update(found["kinds"])
        ends[found.get("state", "broken")] += 1
        trips.update(set(found.get("trips", ())))
        simulated_s += found["s"]
        if found["violations"]:
            wrong[number] = found["violations"]
            print(f"!! {number}: {found['violations'][:3]}", file=sys.stderr, flush=True)
        if done % 100 == 0:
            print(f"{done} scenarios, {len(wrong)} with violations", file=sys.stderr, flush=True)
        if time.monotonic() > deadline_s:
            break
    files: list[str] = []
    for number in list(wrong)[:10]:
        path = folder / f"scenario-{number}.json"
        shrink(drawn(number)).write(path)
        files.append(str(path))
    return {
        "commit": commit(),
        "seed": seed,
        "scenarios": done,
        "tools": dict(tools),
        "happenings": dict(kinds.most_common()),
        "ends": dict(ends),
        "trips": dict(trips.most_common()),
        "simulated_hours": round(simulated_s / 3600, 1),
        "seconds": round(time.monotonic() - began, 1),
        "violations": {str(number): found for number, found in list(wrong.items())[:50]},
        "shrunk": files,
        "result": f"{len(wrong)} scenarios with violations" if wrong else "0 safety violations",
    }


def _trials(seeds: list[int], processes: int) -> Iterator[tuple[int, dict[str, Any]]]:
    if processes == 1:
        yield from map(trial, seeds)
        return
    with multiprocessing.get_context("spawn").Pool(processes) as pool:
        yield from pool.imap_unordered(trial, seeds, chunksize=4)


def main() -> int:
    """Read the command line, run, write the record."""
    parser = argparse.ArgumentParser(prog="python -m tests.system.scenario_campaign", description=__doc__)
    parser.add_argument("--scenarios", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--minutes", type=float, default=float("inf"), help="end after this time at the latest")
    parser.add_argument("--replay", type=Path, help="run the scenario of a file again, and nothing else")
    parser.add_argument("--out", type=Path, help="write the record to this file (JSON)")
    arguments = parser.parse_args()
    if arguments.replay:
        outcome = judge(Scenario.read(arguments.replay))
        print("\n".join(outcome.violations) or f"nothing is wrong; it ended {outcome.state}, trips: {outcome.trips}")
        return int(bool(outcome.violations))
    folder = arguments.out.parent if arguments.out else Path(tempfile.mkdtemp(prefix="cvd-scenarios-"))
    folder.mkdir(parents=True, exist_ok=True)
    record = run(arguments.scenarios, arguments.seed, folder, minutes=arguments.minutes)
    keep(record, arguments.out)
    return int(bool(record["violations"]))


if __name__ == "__main__":
    sys.exit(main())
