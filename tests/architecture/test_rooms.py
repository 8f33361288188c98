"""The rooms of the house: one list everywhere, each room says what it is, and nothing evaluates text as code."""

import ast
import importlib.metadata
import re
from pathlib import Path

import pytest

from tests.architecture.layout import ROOT, layers, project, rooms, top_level_packages
from tests.conftest import ROOMS

PYTHON_FILES = [path for room in rooms() for path in sorted((ROOT / room).rglob("*.py"))]
CYTHON_FILES = [path for room in rooms() for path in sorted((ROOT / room).rglob("*.py[xd]"))]
PACKAGES = [path for path in PYTHON_FILES if path.name == "__init__.py"]


def relative(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize(
    ("whose", "names"),
    [
        ("folders of the repository", top_level_packages()),
        ("import-linter's root packages", project()["tool"]["importlinter"]["root_packages"]),
        ("setuptools", [n.rstrip("*") for n in project()["tool"]["setuptools"]["packages"]["find"]["include"]]),
        ("pyright strict", project()["tool"]["pyright"]["strict"]),
        ("coverage", project()["tool"]["coverage"]["run"]["source_pkgs"]),
        ("blocking-call detection", ROOMS),
    ],
)
def test_every_list_of_rooms_is_the_list_of_layers(whose: str, names: list[str]) -> None:
    assert sorted(names) == sorted(rooms()), whose


def test_supervisor_is_exactly_the_parts_of_its_contract() -> None:
    parts = {p.parent.name for p in (ROOT / "supervisor").glob("*/__init__.py")}
    assert parts == {part for layer in layers("supervisor") for part in layer}


def test_a_folder_with_code_is_a_package() -> None:
    """Setuptools would leave a folder without ``__init__.py`` out of the wheel."""
    folders = {path.parent for path in [*PYTHON_FILES, *CYTHON_FILES]}
    assert [relative(f) for f in sorted(folders) if not (f / "__init__.py").exists()] == []


@pytest.mark.parametrize("path", PACKAGES, ids=relative)
def test_a_package_opens_with_a_paragraph(path: Path) -> None:
    docstring = ast.get_docstring(ast.parse(path.read_text()))
    assert docstring, "no docstring"
    assert len(docstring.split()) >= 12, "say what it is for, what comes in, what goes out, what it may import"


@pytest.mark.parametrize("room", rooms())
def test_a_room_ships_its_types(room: str) -> None:
    assert (ROOT / room / "py.typed").exists()


@pytest.mark.parametrize("path", PYTHON_FILES, ids=relative)
def test_no_text_is_evaluated_as_code(path: Path) -> None:
    calls = [
        f"line {node.lineno}: {node.func.id}"
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id in {"eval", "exec", "compile", "__import__"}
    ]
    assert calls == []


def test_no_kernel_evaluates_text_as_code() -> None:
    found = [relative(p) for p in CYTHON_FILES if re.search(r"(?<![.\w])(eval|exec)\s*\(", p.read_text())]
    assert found == []


def test_no_other_distribution_owns_a_room() -> None:
    """PyPI has a `supervisor` and a `kernels`: installed beside ours they would overwrite it (decision 0002)."""
    owners = importlib.metadata.packages_distributions()
    strangers = {room: set(owners.get(room, [])) - {"cvd-supervisor"} for room in rooms()}
    assert {room: names for room, names in strangers.items() if names} == {}
