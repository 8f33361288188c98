"""What is made from the models is up to date: tables in pages, and the pages in build/docs."""

import subprocess
import sys
from pathlib import Path

from tests.architecture.layout import ROOT


def test_pages_and_links_have_no_fault(tmp_path: Path) -> None:
    command = [sys.executable, "-W", "error", ".ci/docs.py", "--output", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=110, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert {path.name for path in tmp_path.iterdir()} == {"command-line.md", "recipe.schema.json", "tool.schema.json"}
