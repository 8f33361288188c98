"""The fault matrix again and again: `python -m tests.hil.campaign --cells 10000 --seed 1`.

Cells are counted; every round takes all rows on all kinds of wires with another seed. Prints one line a round and ends
with 1 at the first round with a fault.
"""

import argparse
import json
import logging
import sys
import tempfile
import time
from pathlib import Path

import anyio
import structlog

from tests.hil.matrix import TRANSPORTS, Matrix


def main() -> int:
    """Run rounds until enough cells were run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cells", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    began_s, done, seed = time.monotonic(), 0, arguments.seed
    names = list(TRANSPORTS)
    while done < arguments.cells:
        for first in range(0, len(names), 3):
            before = len(list(Path("/proc/self/fd").iterdir()))
            with tempfile.TemporaryDirectory() as folder:
                matrix = Matrix(names[first : first + 3], Path(folder), seed)
                faults = anyio.run(matrix.run)
            leaked = len(list(Path("/proc/self/fd").iterdir())) - before
            if leaked > 0:
                faults.append(f"{leaked} descriptors are left open")
            done += len(matrix.cells)
            if faults:
                print(*faults, sep="\n")
                print(json.dumps({"cells": done, "seed": seed, "faults": len(faults)}))
                return 1
        seed += 1
        print(json.dumps({"cells": done, "seed": seed - 1, "seconds": round(time.monotonic() - began_s)}), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
