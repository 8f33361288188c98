"""Long campaigns over random tools: `python -m tests.kernels.campaign --scans 10000000 --seed 7 --out FILE`.

Two modes. `oracle` compares the Cython scan with the plain-Python oracle bit for bit (some thousand scans a second and
processor). `interlock` runs the Cython scan alone at full speed on random interlock tools and checks with numpy, in
every row of the flight ring, that outputs are gated in the scan in which an input crosses its limit.

The record has commit, seed, counts and result; a difference is told with the seed that finds it again
(`--only CASE`). Exit code 1 on any difference.
"""

import argparse
import multiprocessing
import os
import sys
import time
from collections import Counter
from pathlib import Path
from random import Random
from typing import Any

from tests.evidence import commit, keep
from tests.kernels.comparison import Tally, compare
from tests.kernels.interlock_sweep import Sweep, sweep
from tests.kernels.strategies import case, story

ROOT = Path(__file__).resolve().parents[2]
SCANS_PER_CASE = 400
SCANS_PER_SWEEP = 50_000


def one_case(seed: int, number: int, scans: int) -> tuple[Tally, str]:
    """Compare on one random case; return what was met, and the difference or an empty string."""
    from kernels.scan import Scan

    rng = Random(f"{seed}/{number}")
    drawn, tally = case(rng), Tally()
    found = compare(drawn, story(rng, drawn, scans), Scan, tally)
    return tally, f"case {number}: {found}" if found else ""


def one_sweep(seed: int, number: int, scans: int) -> tuple[Sweep, str]:
    """Sweep one random interlock tool."""
    from kernels.scan import Scan

    swept = sweep(Scan, Random(f"{seed}/{number}"), scans)
    return swept, f"sweep {number}: {swept.first_violation}" if swept.violations else ""


def _task(arguments: tuple[str, int, int, int]) -> tuple[Any, str]:
    mode, seed, number, scans = arguments
    try:
        return (one_case if mode == "oracle" else one_sweep)(seed, number, scans)
    except Exception as error:
        raise RuntimeError(f"{mode} {number} of seed {seed} failed: {error!r}") from error


def run(mode: str, scans: int, seed: int, processes: int) -> dict[str, Any]:
    """Run a campaign and return its record."""
    size = SCANS_PER_CASE if mode == "oracle" else SCANS_PER_SWEEP
    whole, rest = divmod(scans, size)
    tasks = [(mode, seed, number, size) for number in range(whole)]
    tasks += [(mode, seed, whole, rest)] if rest else []
    total: Tally | Sweep = Tally() if mode == "oracle" else Sweep()
    differences: list[str] = []
    started = time.monotonic()
    with multiprocessing.get_context("spawn").Pool(processes) as pool:
        for done, (part, difference) in enumerate(pool.imap_unordered(_task, tasks, chunksize=4)):
            total.add(part)
            differences += [difference] if difference else []
            if done % 200 == 199:
                print(f"{total.scans:,} scans, {len(differences)} differences", file=sys.stderr, flush=True)
    return {
        "mode": mode,
        "commit": commit(),
        "seed": seed,
        "asked_scans": scans,
        "seconds": round(time.monotonic() - started, 1),
        "processes": processes,
        **{name: dict(value) if isinstance(value, Counter) else value for name, value in vars(total).items()},
        "differences": len(differences),
        "first_differences": sorted(differences)[:10],
        "result": "differences" if differences else "equal" if mode == "oracle" else "no violation",
    }


def main() -> int:
    """Read the command line, run, write the record."""
    parser = argparse.ArgumentParser(prog="python -m tests.kernels.campaign", description=__doc__)
    parser.add_argument("--mode", choices=("oracle", "interlock"), default="oracle")
    parser.add_argument("--scans", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--processes", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--only", type=int, metavar="CASE", help="run this case alone and tell its difference")
    parser.add_argument("--out", type=Path, help="write the record to this file (JSON)")
    arguments = parser.parse_args()
    if arguments.only is not None:
        size = SCANS_PER_CASE if arguments.mode == "oracle" else SCANS_PER_SWEEP
        _, difference = _task((arguments.mode, arguments.seed, arguments.only, size))
        print(difference or "no difference")
        return int(bool(difference))
    record = run(arguments.mode, arguments.scans, arguments.seed, arguments.processes)
    keep(record, arguments.out)
    return int(record["differences"] > 0)


if __name__ == "__main__":
    sys.exit(main())
