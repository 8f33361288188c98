"""The validation table, case by case: ``python -m tests.validation``; exit code 1 when a case misses its tolerance."""

import sys
from importlib import import_module
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.validation.case import Case


def cases() -> list[Case]:
    """Collect CASES of every module ``cases_<subject>.py`` beside this file."""
    names = sorted(path.stem for path in Path(__file__).parent.glob("cases_*.py"))
    return [case for name in names for case in import_module(f"tests.validation.{name}").CASES]


def main() -> int:
    """Print the table."""
    shown = Table(title="validation", title_justify="left")
    for heading in ("case", "expected", "got", "deviation", "tolerance", ""):
        shown.add_column(heading, justify="left" if heading in {"case", ""} else "right")
    missed = 0
    for case in cases():
        got = case.got()
        deviation = abs(got / case.expected - 1.0)
        missed += deviation > case.tolerance
        shown.add_row(case.name, f"{case.expected:.6g}", f"{got:.6g}", f"{deviation:.1e}", f"{case.tolerance:.0e}",
                      "" if deviation <= case.tolerance else "missed")  # fmt: skip
    Console(width=None if sys.stdout.isatty() else 140).print(shown)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
