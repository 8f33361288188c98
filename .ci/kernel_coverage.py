"""Line and branch coverage of the Cython kernels: ``kernel_coverage.py [--out FILE] [pytest arguments]``.

coverage.py sees no branches in compiled code, so a copy of the tree is built with gcov counters and line directives
(``CVD_COVERAGE=1``, see setup.py), the tests that drive kernels run there, and gcov's counts are summed up per
``.pyx``. Branches are those of the generated C on lines of the ``.pyx``: Cython's own error paths count too, so the
figure is a lower bound and is read as a trend, next to the lines. The phases of the scan are pure C: for them, summed
up as interlock and program code, the figure is exact; ``--out`` keeps it, with each line that has a branch not taken.
"""

import argparse
import gzip
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
DEFAULT_TESTS = ("tests/kernels", "tests/hil", "tests/validation")
GROUPS: dict[str, tuple[str, ...]] = {
    "interlocks": ("condition", "logic", "expression", "gate", "command", "latch"),
    "program": ("program", "run", "write", "control"),
}
"""What the phases of the scan (`kernels/phases/*.pxd`) are summed up as."""


@dataclass
class Counts:
    """What gcov saw of one source file: executed or not, by line, and by branch of a line."""

    lines: dict[int, bool] = field(default_factory=lambda: defaultdict(bool))
    branches: dict[tuple[int, int], bool] = field(default_factory=lambda: defaultdict(bool))

    def row(self, name: str) -> str:
        """Format one line of the table."""
        return f"{name:44} {share(self.lines)} {share(self.branches)}"


def share(seen: dict[int, bool] | dict[tuple[int, int], bool]) -> str:
    """Format `hit/all percent`."""
    hit, total = sum(seen.values()), len(seen)
    return f"{hit:6}/{total:<6} {100 * hit / total if total else 100:5.1f} %"


def copy_of_the_tree(folder: Path) -> None:
    """Copy what git knows, changes included, without its build products."""
    listing = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],  # noqa: S607 (the user's git)
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    for name in filter(None, listing.stdout.split("\0")):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)


def gcov(folder: Path) -> dict[str, Counts]:
    """Sum the counters of every object below folder, by ``.pyx`` relative to it."""
    found: dict[str, Counts] = defaultdict(Counts)
    for data in sorted(folder.rglob("*.gcda")):
        with tempfile.TemporaryDirectory() as scratch:
            command = ["gcov", "--json-format", "--branch-probabilities", str(data)]
            subprocess.run(command, cwd=scratch, check=True, stdout=subprocess.DEVNULL)
            for report in Path(scratch).glob("*.gcov.json.gz"):
                add(json.loads(gzip.decompress(report.read_bytes())), found)
    return found


def add(report: dict[str, list[dict[str, object]]], found: dict[str, Counts]) -> None:
    """Add one of gcov's reports: a line is hit when any function that was made from it ran it."""
    for source in report["files"]:
        name = str(source["file"])
        if not name.endswith((".pyx", ".pxd")) or name.startswith(("/", "..")):
            continue
        counts = found[name]
        lines: list[dict[str, object]] = source["lines"]  # pyright: ignore[reportAssignmentType] (gcov's own format)
        for line in lines:
            number = int(str(line["line_number"]))
            counts.lines[number] |= int(str(line["count"])) > 0
            branches: list[dict[str, object]] = line["branches"]  # pyright: ignore[reportAssignmentType] (the same)
            for index, branch in enumerate(branches):
                counts.branches[number, index] |= int(str(branch["count"])) > 0


def group(found: dict[str, Counts], names: tuple[str, ...]) -> dict[str, Any]:
    """Sum up phases: lines and branches hit and in all, and the lines with a branch that was never taken."""
    rows = {name: found.get(f"kernels/phases/{name}.pxd", Counts()) for name in names}
    lines = [hit for counts in rows.values() for hit in counts.lines.values()]
    branches = [hit for counts in rows.values() for hit in counts.branches.values()]
    return {
        "lines": [sum(lines), len(lines)],
        "branches": [sum(branches), len(branches)],
        "branch_percent": round(100 * sum(branches) / len(branches), 2) if branches else None,
        "not_taken": {
            name: sorted({number for (number, _), hit in counts.branches.items() if not hit})
            for name, counts in rows.items()
            if not all(counts.branches.values())
        },
    }


def commit() -> str:
    """Return the commit that is measured, marked when files differ from it."""
    command = ["git", "describe", "--always", "--dirty", "--abbrev=12"]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()


def main() -> int:
    """Build, test, report; the exit status is that of the tests."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, help="keep the figures of the scan's phases in this file (JSON)")
    arguments, given = parser.parse_known_args()
    with tempfile.TemporaryDirectory(prefix="cvd-kernel-coverage-") as scratch:
        folder = Path(scratch)
        copy_of_the_tree(folder)
        environment = {**os.environ, "CVD_COVERAGE": "1", "PYTHONPATH": scratch}
        build = [sys.executable, "setup.py", "--quiet", "build_ext", "--inplace"]
        subprocess.run(build, cwd=folder, env=environment, check=True)
        tests = given or [name for name in DEFAULT_TESTS if (folder / name).exists()]
        # Unoptimised and counted code is slow: a test's ordinary time limit does not hold here.
        command = [sys.executable, "-m", "pytest", "-q", "--timeout=900", *tests]
        tested = subprocess.run(command, cwd=folder, env=environment, check=False)
        found = gcov(folder)
    print(f"{'kernel':44} {'lines':>21} {'branches':>21}")
    for name, counts in sorted(found.items()):
        print(counts.row(name))
    groups = {name: group(found, files) for name, files in GROUPS.items()}
    record = {"commit": commit(), "tests": tests, "tests_passed": tested.returncode == 0, **groups}
    print(json.dumps(groups, indent=1))
    if arguments.out:
        arguments.out.write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
    return tested.returncode


if __name__ == "__main__":
    sys.exit(main())
