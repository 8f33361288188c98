"""Faults planted in the kernel's own source: `python -m tests.kernels.mutation --out FILE`.

Every operator of the interlock code of the scan (conditions, votes, delays, latches, bypasses, first-out, gates,
forces, judgement of inputs) is changed, one at a time. Each mutant is translated and compiled in a folder of its own
and then compared with the oracle, at the edges of every rule (`edges.py`) and over seeded random tools: one that
behaves like the oracle survives, and every survivor has to stand in `EQUIVALENT` with the reason why it is no fault at
all. Exit code 1 for any other survivor.

A mutant costs some five seconds: the campaign takes all, the test suite a seeded sample.
"""

import argparse
import json
import multiprocessing
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from random import Random
from sysconfig import get_config_var, get_path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
CASES = 15
"""Seeded cases of 400 scans that a mutant is compared over before it counts as a survivor."""
SCANS = 400
SLOWEST_S = 300.0
DIRECTIVES = "boundscheck=False,wraparound=False,cdivision=True,initializedcheck=False"

PLACES: dict[str, tuple[str, ...]] = {
    "condition.pxd": ("delayed", "set_alive", "next_state", "ask", "judge_further", "judge", "judge_conditions"),
    "gate.pxd": ("gather_effects", "release", "gate", "gate_outputs"),
    "logic.pxd": ("nibble", "fill_logic", "logic_leaf", "count_votes", "decide"),
    "command.pxd": ("unforce", "force", "command_tag", "bypass_scans", "command_condition", "carry_out"),
    "expression.pxd": ("both", "either", "vote", "comparison", "giving_way", "outcomes_of"),
    "latch.pxd": ("aged", "judge_input"),
}
"""Functions whose operators are changed, by file of `kernels/phases/`."""

OPERATORS: tuple[tuple[str, str], ...] = (
    (r" >= ", " > "), (r" > ", " >= "), (r" <= ", " < "), (r" < ", " <= "), (r" == ", " != "), (r" != ", " == "),
    (r" and ", " or "), (r" or ", " and "), (r"\bnot ", ""), (r" \+= ", " -= "), (r" -= ", " += "),
    (r" \|= ", " &= "), (r" \| ", " & "), (r" & ", " | "), (r" &= ", " |= "), (r" \^ ", " | "), (r" \+ ", " - "),
    (r" - ", " + "), (r"\bTrue\b", "False"), (r"\bFalse\b", "True"), (r" << ", " >> "), (r" >> ", " << "),
)  # fmt: skip
"""What becomes of each operator."""

EQUIVALENT: dict[str, str] = {
    "condition.pxd judge: if plan.logic and plan.expression.length > 1: → "
    "if plan.logic and plan.expression.length >= 1:": "of one comparison the way for logic gives what the other does",
    "gate.pxd gate_outputs: cdef bint effects = s.counts.in_force > 0 and gather_effects(s) → "
    "cdef bint effects = s.counts.in_force >= 0 and gather_effects(s)": "with none in force nothing is gathered",
    "gate.pxd gather_effects: cdef bint any_effect = False → cdef bint any_effect = True": (
        "it spares looking at outputs one by one; each is looked at by its own scan number all the same"
    ),
}
"""Mutants that behave as the original by what else is true, by their words (`str(mutant)` without the line number)."""


@dataclass(frozen=True)
class Mutant:
    """One changed operator."""

    file: str
    line: int
    function: str
    before: str
    after: str

    @property
    def words(self) -> str:
        """What identifies it, whatever is written above it in the file."""
        return f"{self.file} {self.function}: {self.before.strip()} → {self.after.strip()}"


def mutants() -> list[Mutant]:
    """List all of them, in the order of the files."""
    return [mutant for file, functions in PLACES.items() for mutant in _of_file(file, functions)]


def _of_file(file: str, functions: tuple[str, ...]) -> Iterator[Mutant]:
    here, found = "", set[str]()
    quoted = False
    for number, line in enumerate((ROOT / "kernels/phases" / file).read_text(encoding="utf-8").splitlines()):
        started = re.match(r"cdef inline [\w* ]*?(\w+)\($|cdef inline [\w* ]*?(\w+)\(", line)
        if started:
            here = started[1] or started[2]
            found.add(here)
            continue
        if line and not line.startswith((" ", ")")):
            here = ""
        quoted ^= line.count('"""') == 1
        code = line.partition("  # ")[0]
        if here not in functions or quoted or '"""' in line or not code.startswith("    ") or code.endswith(","):
            continue
        for pattern, replacement in OPERATORS:
            for match in re.finditer(pattern, code):
                after = code[: match.start()] + replacement + code[match.end() :]
                yield Mutant(file, number, here, line, after)
    missing = set(functions) - found
    if missing:
        raise LookupError(f"kernels/phases/{file} has no {', '.join(sorted(missing))}")


def build(mutant: Mutant | None, folder: Path) -> None:
    """Make a folder whose `kernels` is this checkout's with one operator changed (none for the original)."""
    shutil.copytree(
        ROOT / "kernels", folder / "kernels", ignore=shutil.ignore_patterns("__pycache__", "scan.cpython*", "*.c")
    )
    if mutant is not None:
        path = folder / "kernels/phases" / mutant.file
        lines = path.read_text(encoding="utf-8").splitlines()
        if lines[mutant.line] != mutant.before:
            raise LookupError(f"{mutant.words}: the source is another one by now")
        lines[mutant.line] = mutant.after
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    cython = [sys.executable, "-m", "cython", "-3", "-X", DIRECTIVES, "-I", ".", "kernels/scan.pyx"]
    compiler = [
        "gcc", "-O0", "-w", "-shared", "-fPIC", "-ffp-contract=off", "-fno-fast-math", "-D_GNU_SOURCE",
        "-DNPY_NO_DEPRECATED_API=NPY_1_7_API_VERSION",
        "-I", np.get_include(), "-I", get_path("include"), "-I", "kernels",
        "kernels/scan.c", "-o", f"kernels/scan{get_config_var('EXT_SUFFIX')}", "-lpthread", "-lrt", "-lm",
    ]  # fmt: skip
    for command in (cython, compiler):
        subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=SLOWEST_S)


def judge(cases: int) -> str:
    """Compare the built scan with the oracle; return the first difference, or an empty string."""
    from kernels.scan import Scan
    from tests.kernels.comparison import Tally, compare
    from tests.kernels.edges import bench, edges, firsts, grouped
    from tests.kernels.strategies import case, story
    from tests.kernels.test_scan_oracle import TELLING

    tool = bench()
    found = compare(tool, edges(tool), Scan, Tally())
    if found:
        return f"edges: {found}"
    tool = grouped()
    found = compare(tool, firsts(tool), Scan, Tally())
    if found:
        return f"groups: {found}"
    for number in dict.fromkeys((*TELLING, *range(cases))):
        rng = Random(f"1/{number}")
        drawn = case(rng)
        found = compare(drawn, story(rng, drawn, SCANS), Scan, Tally())
        if found:
            return f"case {number}: {found}"
    return ""


def attempt(mutant: Mutant | None, cases: int = CASES) -> str:
    """Build a mutant and say what gave it away; an empty string when nothing did."""
    with tempfile.TemporaryDirectory(prefix="cvd-mutant-") as scratch:
        folder = Path(scratch)
        try:
            build(mutant, folder)
        except subprocess.CalledProcessError as error:
            return f"does not compile: {error.stderr.decode(errors='replace').strip().splitlines()[-1][:200]}"
        environment = {**os.environ, "PYTHONPATH": f"{scratch}{os.pathsep}{ROOT}", "PYTHONDONTWRITEBYTECODE": "1"}
        command = [sys.executable, "-P", "-m", "tests.kernels.mutation", "--judge", "--cases", str(cases)]
        try:
            told = subprocess.run(
                command, cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=SLOWEST_S
            )
        except subprocess.TimeoutExpired:
            return "never comes to an end"
    if told.returncode < 0:
        return f"killed by signal {-told.returncode}"
    if told.returncode > 1 or told.stderr:
        return f"fails: {(told.stderr.strip().splitlines() or [''])[-1][:200]}"
    return told.stdout.strip()


def _told(mutant: Mutant, cases: int) -> tuple[Mutant, str]:
    return mutant, attempt(mutant, cases)


def sample(count: int, seed: int) -> list[Mutant]:
    """Draw mutants that are no equivalents."""
    return Random(seed).sample([one for one in mutants() if one.words not in EQUIVALENT], count)


def campaign(chosen: list[Mutant], processes: int, cases: int, end_s: float = float("inf")) -> dict[str, Any]:
    """Try mutants until `end_s` (time.monotonic); return the record."""
    started = time.monotonic()
    verdicts: list[dict[str, Any]] = []
    with multiprocessing.get_context("spawn").Pool(processes) as pool:
        for mutant, verdict in pool.imap_unordered(partial(_told, cases=cases), chosen):
            verdicts.append({**asdict(mutant), "words": mutant.words, "verdict": verdict})
            print(f"{len(verdicts)}/{len(chosen)} {mutant.words}: {verdict or 'SURVIVED'}", file=sys.stderr, flush=True)
            if time.monotonic() > end_s:
                break
    survived = [one["words"] for one in verdicts if not one["verdict"]]
    unknown = [words for words in survived if words not in EQUIVALENT]
    return {
        "mutants": len(verdicts),
        "caught": len(verdicts) - len(survived),
        "equivalent": {words: EQUIVALENT[words] for words in survived if words in EQUIVALENT},
        "survived": unknown,
        "cases": cases,
        "seconds": round(time.monotonic() - started, 1),
        "caught_by": dict(sorted((one["words"], one["verdict"][:160]) for one in verdicts if one["verdict"])),
        "result": f"{len(unknown)} survived" if unknown else "every fault caught",
    }


def main() -> int:
    """Read the command line, try, write the record."""
    parser = argparse.ArgumentParser(prog="python -m tests.kernels.mutation", description=__doc__)
    parser.add_argument("--count", type=int, help="a seeded sample of so many (default: all)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--cases", type=int, default=CASES)
    parser.add_argument("--processes", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--minutes", type=float, default=float("inf"), help="begin none after so long")
    parser.add_argument(
        "--but", type=Path, nargs="+", default=[], help="leave out those that these records say were caught"
    )
    parser.add_argument("--list", action="store_true", help="print the mutants and end")
    parser.add_argument("--judge", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--out", type=Path, help="write the record to this file (JSON)")
    arguments = parser.parse_args()
    if arguments.judge:
        found = judge(arguments.cases)
        print(found)
        return int(bool(found))
    records = [json.loads(path.read_text(encoding="utf-8")) for path in arguments.but]
    known = {words for record in records for words in record["caught_by"]}
    chosen = sample(arguments.count, arguments.seed) if arguments.count else mutants()
    chosen = [one for one in chosen if one.words not in known]
    if arguments.list:
        print("\n".join(one.words for one in chosen))
        return 0
    from tests.evidence import commit, keep

    end_s = time.monotonic() + 60.0 * arguments.minutes
    done = campaign(chosen, arguments.processes, arguments.cases, end_s)
    record = {"commit": commit(), "seed": arguments.seed, "of": len(chosen), **done}
    keep(record, arguments.out)
    return int(bool(record["survived"]))


if __name__ == "__main__":
    sys.exit(main())
