"""Says whether the built distributions hold what they must: ``dist_check.py build/dist`` after ``python -m build``.

The source distribution must build again anywhere, so it holds every tracked kernel source, stub, data file, test and
page. The wheel must run, so it holds every module, a compiled one for each kernel, and the data; and nothing else.
The wheel is then unpacked into an empty folder and imported from there, away from the checkout.
"""

import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

ROOT = Path(__file__).resolve().parent.parent
ROOMS = ("supervisor", "opcua_model", "drivers", "hil", "config", "kernels")
SOURCES = {
    ".py",
    ".pyx",
    ".pxd",
    ".pxi",
    ".pyi",
    ".h",
    ".toml",
    ".json",
    ".sql",
    ".xml",
    ".html",
    ".typed",
    ".md",
}
# Read by the compiler only.
NOT_IN_WHEEL = {".pyx", ".pxi", ".h", ".md"}
# Kernels stay out of sight of this list when they are imported: a daemon is not started here.
IMPORTED = """
import importlib.metadata, importlib.resources, pathlib, sys
sys.path.insert(0, sys.argv[1])
import config, kernels, supervisor
for room in (config, kernels, supervisor):
    assert pathlib.Path(room.__file__).is_relative_to(sys.argv[1]), room.__file__
for name in sys.argv[2:]:
    __import__(name)
from supervisor.cli.main import main
sys.argv[1:] = ["check", str(config.shipped_tool("lpcvd_furnace")), str(config.shipped_recipe("lpcvd_sio2_100nm"))]
sys.exit(main())
"""


def tracked() -> list[PurePosixPath]:
    """Return the files that git knows, those not yet committed included."""
    listing = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],  # noqa: S607 (git is where the user has it)
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return [PurePosixPath(name) for name in listing.stdout.splitlines() if (ROOT / name).is_file()]


def missing(expected: Iterable[str], present: set[str], where: str) -> list[str]:
    """Return one complaint for each expected file that is not there."""
    return [f"{where} lacks {name}" for name in sorted(expected) if name not in present]


def source_faults(archive: Path, files: list[PurePosixPath]) -> list[str]:
    """Judge the source distribution."""
    with tarfile.open(archive) as tar:
        present = {name.split("/", 1)[1] for name in tar.getnames() if "/" in name}
    expected = {
        str(path)
        for path in files
        if (path.parts[0] in {*ROOMS, "tests", "docs"} and path.suffix in SOURCES)
        or str(path) in {"LICENSE", "CHANGELOG.md", "README.md", "Makefile", "setup.py", "requirements/lock.txt"}
    }
    built = [f"source distribution holds the build product {n}" for n in present if n.endswith((".so", ".c", ".pyc"))]
    return missing(expected, present, "source distribution") + built


def wheel_faults(archive: Path, files: list[PurePosixPath]) -> list[str]:
    """Judge the wheel: its files, then its modules imported from an empty folder."""
    with zipfile.ZipFile(archive) as wheel:
        present = set(wheel.namelist())
    ours = [path for path in files if path.parts[0] in ROOMS]
    expected = {str(path) for path in ours if path.suffix in SOURCES - NOT_IN_WHEEL}
    faults = missing(expected, present, "wheel")
    kernels = [path.with_suffix("") for path in ours if path.suffix == ".pyx"]
    faults += [
        f"wheel lacks the compiled module of {kernel}.pyx"
        for kernel in kernels
        if not any(name.startswith(f"{kernel}.") and name.endswith(".so") for name in present)
    ]
    faults += [
        f"wheel holds {name}, which belongs to no room"
        for name in sorted(present)
        if name.split("/")[0] not in ROOMS and not name.split("/")[0].endswith(".dist-info")
    ]
    faults += [f"wheel holds the source {n}" for n in sorted(present) if n.endswith((".c", ".pyx", ".pyc"))]
    return faults or import_faults(archive, [".".join(kernel.parts) for kernel in kernels])


def import_faults(archive: Path, modules: list[str]) -> list[str]:
    """Import every compiled module from the unpacked wheel and let `cvd check` read the shipped data there."""
    with tempfile.TemporaryDirectory() as folder:
        with zipfile.ZipFile(archive) as wheel:
            wheel.extractall(folder)  # noqa: S202 (a wheel that was built here a moment ago)
        command = [sys.executable, "-c", IMPORTED, folder, *modules]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    return [] if done.returncode == 0 else [f"wheel does not run on its own:\n{done.stdout}{done.stderr}"]


def main() -> int:
    """Print every fault; exit status 1 when there is one."""
    folder = Path(sys.argv[1])
    sources, wheels = list(folder.glob("*.tar.gz")), list(folder.glob("*.whl"))
    if len(sources) != 1 or len(wheels) != 1:
        print(f"{folder}: expected one .tar.gz and one .whl, found {len(sources)} and {len(wheels)}")
        return 1
    files = tracked()
    faults = source_faults(sources[0], files) + wheel_faults(wheels[0], files)
    print(*faults or [f"{sources[0].name} and {wheels[0].name} hold what they must"], sep="\n")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
