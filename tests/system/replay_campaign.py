"""Every shipped recipe, taped and executed again: `python -m tests.system.replay_campaign --out FILE`.

Each recipe runs to its end on the simulated plant of its tool while a tape is kept, as the controller keeps one. The
replay has no plant: it gets what the tape holds, and every digest of all outputs must be met. Exit code 1 when one is
not. Speeds are by the processor's time, so that what else runs is not in them.
"""

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from supervisor.controller.tapes.replay import replay
from tests.evidence import commit, keep
from tests.supervisor.controller.taping import SHIPPED, taped


def replayed(recipe: str, folder: Path) -> dict[str, Any]:
    """Tape a recipe, replay it; return what was found."""
    path = folder / recipe / "tape"
    lasted_s = taped(recipe, path)
    began = time.process_time()
    report = replay(path)
    core_s = time.process_time() - began
    return {
        "recipe": recipe, "tool": SHIPPED[recipe], "identical": report.identical, "differs": report.differs,
        "scans": report.scans, "records": report.records, "digests": report.digests, "seconds": round(lasted_s, 2),
        "times_real_time": round(lasted_s / core_s), "tape_mb": round(path.stat().st_size / 1e6, 3),
    }  # fmt: skip


def main() -> int:
    """Tape and replay, write the record."""
    parser = argparse.ArgumentParser(prog="python -m tests.system.replay_campaign", description=__doc__)
    parser.add_argument("recipes", nargs="*", choices=[[], *sorted(SHIPPED)], help="only these (default: all)")
    parser.add_argument("--out", type=Path, help="write the record to this file (JSON)")
    arguments = parser.parse_args()
    runs: list[dict[str, Any]] = []
    for recipe in arguments.recipes or sorted(SHIPPED):
        with tempfile.TemporaryDirectory(prefix="cvd-replay-") as folder:
            runs.append(replayed(recipe, Path(folder)))
        print(json.dumps(runs[-1]), file=sys.stderr, flush=True)
    different = [run["recipe"] for run in runs if not run["identical"]]
    speeds = sorted(run["times_real_time"] for run in runs)
    record = {
        "commit": commit(), "recipes": len(runs), "scans": sum(run["scans"] for run in runs),
        "digests": sum(run["digests"] for run in runs), "slowest_times_real_time": speeds[0],
        "median_times_real_time": speeds[len(speeds) // 2], "runs": runs,
        "result": f"{', '.join(different)} differ" if different else "every recipe bit-identical",
    }  # fmt: skip
    keep(record, arguments.out)
    return int(bool(different))


if __name__ == "__main__":
    sys.exit(main())
