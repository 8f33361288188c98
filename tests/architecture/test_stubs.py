"""Typed stubs say what the built kernels are."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture.layout import ROOT, module_name, rooms

KERNELS = [path for room in rooms() for path in sorted((ROOT / room).rglob("*.pyx"))]

# Names that Cython puts into every module, and what it cannot tell at run time.
ALLOWED = r"""
.*\.__test__
.*\.__reduce_cython__
.*\.__setstate_cython__
.*\.__pyx_\w+
.*\.__defaults__
"""


def names(path: Path) -> str:
    return module_name(path)


@pytest.mark.parametrize("path", KERNELS, ids=names)
def test_a_kernel_has_a_stub(path: Path) -> None:
    assert path.with_suffix(".pyi").exists()


def test_a_stub_describes_a_kernel_or_its_package() -> None:
    """A stub without a module is what remains when a kernel moves."""
    stubs = [path for room in rooms() for path in (ROOT / room).rglob("*.pyi")]
    orphans = [s for s in stubs if not (s.with_suffix(".pyx").exists() or s.with_suffix(".py").exists())]
    assert orphans == []


@pytest.mark.slow
def test_stubs_and_built_modules_agree(tmp_path: Path) -> None:
    """Names, signatures and defaults, compared by mypy's stubtest on the modules as built."""
    modules = [module_name(path) for path in KERNELS if path.with_suffix(".pyi").exists()]
    if not modules:
        pytest.skip("no kernel has a stub yet")
    allowed = tmp_path / "allowed"
    allowed.write_text(ALLOWED)
    settings = tmp_path / "mypy.ini"
    settings.write_text(f"[mypy]\nmypy_path = {ROOT}\ncache_dir = {ROOT}/.mypy_cache\nignore_errors = true\n")
    command = [sys.executable, "-m", "mypy.stubtest", *modules, "--ignore-disjoint-bases"]
    command += ["--allowlist", str(allowed), "--ignore-unused-allowlist", "--mypy-config-file", str(settings)]
    judged = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert judged.returncode == 0, f"{judged.stdout}\n{judged.stderr}"
