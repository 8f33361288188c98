"""Kernels that are not built are told so in one sentence."""

import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_kernels_that_are_not_built_say_what_to_do(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "kernels", tmp_path / "kernels", ignore=shutil.ignore_patterns("*.so", "__pycache__"))
    for module in ("kernels.scan", "kernels.tables"):
        run = subprocess.run(
            [sys.executable, "-c", f"import {module}"], cwd=tmp_path, capture_output=True, text=True, check=False
        )
        assert run.returncode == 1
        assert "ImportError: the kernels are not built: run `make setup` (or pip install .)" in run.stderr
