"""The benchmark table: ``python -m tests.bench [NAME…] [--json FILE]``, or ``make bench``.

Every module ``bench_<name>.py`` beside this file offers ``figures()``. Each runs in a process of its own, so
that one benchmark's memory, threads and scheduling do not colour the next.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import time
from dataclasses import asdict
from importlib import import_module
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.bench.figure import Figure
from tests.evidence import commit

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
ORDER = ("scan", "latency", "simulate", "replay", "plant", "start", "historian", "opcua")


def names() -> list[str]:
    """Find the benchmarks, the order of the requirements first."""
    found = sorted(path.stem.removeprefix("bench_") for path in HERE.glob("bench_*.py"))
    return sorted(found, key=lambda name: (ORDER.index(name) if name in ORDER else len(ORDER), name))


def measure(name: str) -> list[Figure]:
    """Run one benchmark in a child process and read its figures back."""
    command = [sys.executable, "-m", "tests.bench", "--child", name]
    child = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False)
    lines = [line.removeprefix("figures ") for line in child.stdout.splitlines() if line.startswith("figures ")]
    if child.returncode or len(lines) != 1:
        raise RuntimeError(f"benchmark {name} ended with {child.returncode}:\n{child.stdout}")
    return [Figure(**figure) for figure in json.loads(lines[0])]


def number(value: float | None) -> str:
    """Write a number with four significant digits and no exponent."""
    if value is None:
        return ""
    return f"{value:,.0f}" if abs(value) >= 10_000 else f"{value:.4g}"


def processor() -> str:
    """Name the processor as Linux does."""
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    model = next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), "unknown")
    return f"{os.cpu_count()} × {model}, Python {platform.python_version()}, Linux {platform.release()}"


def table(figures: list[Figure]) -> Table:
    """Lay the figures out, each beside its reference and target."""
    shown = Table(title="cvd-supervisor benchmarks", title_justify="left")
    for heading, justify in [("figure", "left"), ("value", "right"), ("unit", "left"), ("reference", "right"),
                             ("reference is", "left"), ("ratio", "right"), ("target", "left")]:  # fmt: skip
        shown.add_column(heading, justify="right" if justify == "right" else "left", overflow="fold")
    for figure in figures:
        shown.add_row(figure.name, number(figure.value), figure.unit, number(figure.reference),
                      figure.reference_name, number(figure.ratio), figure.target)  # fmt: skip
    return shown


def main() -> int:
    """Run the named benchmarks, or all of them; print the table; write JSON where asked."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(names())}; all when omitted")
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    parser.add_argument("--child", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child:
        figures = import_module(f"tests.bench.bench_{arguments.child}").figures()
        print("figures", json.dumps([asdict(figure) for figure in figures]))
        return 0
    if unknown := set(arguments.names) - set(names()):
        parser.error(f"no benchmark called {', '.join(sorted(unknown))}; there are {', '.join(names())}")
    started, collected, failed = time.monotonic(), list[Figure](), list[str]()
    for name in arguments.names or names():
        print(f"measuring {name} …", file=sys.stderr, flush=True)
        try:
            collected += measure(name)
        except RuntimeError as error:
            failed.append(str(error))
    console = Console(width=None if sys.stdout.isatty() else 170)
    console.print(table(collected))
    console.print(f"commit {commit()} · {processor()} · {time.monotonic() - started:.0f} s", highlight=False)
    for error in failed:
        console.print(error, style="bold red", highlight=False)
    if arguments.json:
        record = {
            "commit": commit(),
            "machine": processor(),
            "figures": [asdict(figure) for figure in collected],
        }
        arguments.json.write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
