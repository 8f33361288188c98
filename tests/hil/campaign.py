"""The fault matrix again and again: `python -m tests.hil.campaign --cells 10000 --seed 1`.

Cells are counted; every round takes all rows on all kinds of wires with another seed. Prints one line a round and ends
with 1 at the first round with a fault: of a cell, of what is left when its loop has ended, or of memory that goes on
growing once everything was done a few times.
"""

import argparse
import json
import logging
import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import anyio
import structlog

from tests.architecture.layout import ROOT
from tests.hil.matrix import TRANSPORTS, Matrix, left_behind

SETTLED_ROUNDS = 3
"""Until then modules are loaded, caches filled and the allocator's arenas made."""
MOST_GROWN_MB = 32.0


class Memory:
    """Resident memory of this process after each round."""

    def __init__(self) -> None:
        self.rounds_mb: list[float] = []

    def judged(self) -> list[str]:
        """Take another reading; a complaint when it has grown too much since the first rounds."""
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
        self.rounds_mb.append(pages * os.sysconf("SC_PAGE_SIZE") / 1e6)
        settled = self.rounds_mb[SETTLED_ROUNDS - 1 :]
        if settled and settled[-1] - settled[0] > MOST_GROWN_MB:
            return [f"memory grew from {settled[0]:.0f} to {settled[-1]:.0f} MB"]
        return []

    def told(self) -> dict[str, float]:
        """For the record."""
        return {"memory_first_mb": round(self.rounds_mb[0], 1), "memory_last_mb": round(self.rounds_mb[-1], 1)}


def main() -> int:
    """Run rounds until enough cells were run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cells", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, default=None, help="what came of it, written after each round")
    arguments = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    began_s, done, seed = time.monotonic(), 0, arguments.seed
    names = list(TRANSPORTS)
    described = ["git", "describe", "--always", "--dirty"]
    commit = subprocess.run(described, cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()
    grown = Memory()
    while done < arguments.cells:
        faults: list[str] = []
        for first in range(0, len(names), 3):
            before = left_behind()
            with tempfile.TemporaryDirectory() as folder:
                matrix = Matrix(names[first : first + 3], Path(folder), seed)
                faults = anyio.run(matrix.run)
            done += len(matrix.cells)
            del matrix
            faults += [f"{count} more {name} are left" for name, count in (left_behind() - before).items()]
            if threading.active_count() > 1:
                faults.append(f"threads are left: {[one.name for one in threading.enumerate()]}")
            if faults:
                print(*faults, sep="\n")
                break
        faults += grown.judged()
        record = {"commit": commit, "seed": arguments.seed, "cells": done, "faults": faults, **grown.told()}
        record |= {"seconds": round(time.monotonic() - began_s), "load": os.getloadavg()[0]}
        print(json.dumps(record), flush=True)
        if arguments.out is not None:
            arguments.out.write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
        if faults:
            return 1
        seed += 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
