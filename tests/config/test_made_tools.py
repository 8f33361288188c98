"""The shipped chamber tools are what their script makes."""

import subprocess
import sys

from tests.architecture.layout import ROOT
from tests.processes import uncounted


def test_shipped_chambers_are_what_the_script_makes() -> None:
    command = [sys.executable, str(ROOT / ".ci" / "make_chambers.py")]
    made = subprocess.run(command, cwd=ROOT, env=uncounted(), capture_output=True, text=True, check=False)
    assert made.returncode == 0, made.stdout + made.stderr
