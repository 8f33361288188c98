"""The layers as pyproject.toml states them, and a reader of imports for the files that import-linter does not see."""

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
NOT_ROOMS = {"tests", "docs", "build", "dist", "requirements", "node_modules", "data"}


@cache
def project() -> dict[str, Any]:
    """Return pyproject.toml, parsed."""
    return tomllib.loads((ROOT / "pyproject.toml").read_text())


def contract(identifier: str) -> dict[str, Any]:
    """Return one import contract by its id."""
    return next(c for c in project()["tool"]["importlinter"]["contracts"] if c["id"] == identifier)


def layers(identifier: str) -> list[list[str]]:
    """Return the layers of a contract, highest first, each with the packages that stand side by side in it."""
    return [[name.strip() for name in layer.split("|")] for layer in contract(identifier)["layers"]]


def rooms() -> list[str]:
    """Return all rooms, highest layer first."""
    return [room for layer in layers("rooms") for room in layer]


def top_level_packages() -> set[str]:
    """Return the folders of the repository that Python would import as ours."""
    return {
        folder.name
        for folder in ROOT.iterdir()
        if folder.is_dir()
        and folder.name.isidentifier()
        and folder.name not in NOT_ROOMS
        and any(folder.rglob("*.py*"))
    }


@dataclass(frozen=True)
class Import:
    """One imported module: who imports it, on which line."""

    importer: str
    imported: str
    line: int


_COMMENT = re.compile(r"#[^\n]*")
_TRIPLE = re.compile(r"('''|\"\"\")(?:.|\n)*?\1")
_IMPORT = re.compile(
    r"^[ \t]*(?:"
    r"from[ \t]+(?P<base>\.*[\w.]*)[ \t]+c?import[ \t]+(?P<names>\([^)]*\)|[^\n;]*)"
    r"|c?import[ \t]+(?P<modules>[^\n;]*)"
    r"|cdef[ \t]+extern[ \t]+from[ \t]+[^\n]*"
    r")",
    re.MULTILINE,
)


def module_name(path: Path, root: Path = ROOT) -> str:
    """Return the dotted name of a source file below root."""
    parts = path.relative_to(root).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _names(text: str) -> list[str]:
    names = (piece.strip().split(" as ")[0].split()[0] for piece in text.strip("() \n").split(",") if piece.strip())
    return [name for name in names if name != "*"]


def imports(path: Path, root: Path = ROOT) -> Iterator[Import]:
    """Yield what a ``.pyx``, ``.pxd``, ``.pxi`` or ``.pyi`` imports or cimports, relative imports resolved.

    ``from a.b import c`` yields ``a.b`` and ``a.b.c``, since either may be the module.
    """
    text = _TRIPLE.sub(lambda match: "\n" * match[0].count("\n"), path.read_text())
    text = _COMMENT.sub("", text).replace("\\\n", "  ")
    importer = module_name(path, root)
    package = importer.split(".") if path.stem == "__init__" else importer.split(".")[:-1]
    for match in _IMPORT.finditer(text):
        line = text.count("\n", 0, match.start()) + 1
        if match["modules"] is not None:
            for name in _names(match["modules"]):
                yield Import(importer, name, line)
        elif match["base"] is not None:
            base = match["base"].lstrip(".")
            dots = len(match["base"]) - len(base)
            prefix = package[: len(package) - dots + 1] if dots else []
            module = ".".join([*prefix, *([base] if base else [])])
            if module:
                yield Import(importer, module, line)
            for name in _names(match["names"]):
                yield Import(importer, f"{module}.{name}" if module else name, line)


def _rank(room: str) -> int:
    return next(index for index, layer in enumerate(layers("rooms")) if room in layer)


def may_import(importer: str, imported: str) -> bool:
    """Say whether the contracts of pyproject.toml let one module import another (both dotted names)."""
    mine, theirs = (name.split(".", 1)[0] for name in (importer, imported))
    if mine in rooms() and theirs in rooms() and mine != theirs and _rank(mine) >= _rank(theirs):
        return False
    if mine == theirs == "supervisor":
        order = {name: index for index, layer in enumerate(layers("supervisor")) for name in layer}
        inside = [dotted.split(".")[1] for dotted in (importer, imported) if dotted.count(".")]
        both_known = len(inside) == 2 and all(name in order for name in inside)
        if both_known and inside[0] != inside[1] and order[inside[0]] >= order[inside[1]]:
            return False
    for rule in project()["tool"]["importlinter"]["contracts"]:
        if rule["type"] == "forbidden":
            by = any(f"{importer}.".startswith(f"{source}.") for source in rule["source_modules"])
            if by and any(f"{imported}.".startswith(f"{module}.") for module in rule["forbidden_modules"]):
                return False
    return True
