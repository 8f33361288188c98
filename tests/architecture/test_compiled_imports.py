"""Kernels and stubs obey the import contracts too; import-linter reads neither."""

from graphlib import TopologicalSorter
from pathlib import Path

import pytest

from tests.architecture.layout import ROOT, imports, may_import, rooms

COMPILED = [
    path for room in rooms() for ending in ("pyx", "pxd", "pxi", "pyi") for path in (ROOT / room).rglob(f"*.{ending}")
]


def test_compiled_sources_import_downwards_only() -> None:
    broken = [
        f"{path.relative_to(ROOT)}:{found.line} imports {found.imported}"
        for path in sorted(COMPILED)
        for found in imports(path)
        if not may_import(found.importer, found.imported)
    ]
    assert broken == []


def test_kernels_import_one_another_in_no_circle() -> None:
    """Whichever a program imports first: it loads."""
    sources = {path.stem: path for path in sorted((ROOT / "kernels").glob("*.pyx"))}
    uses = {
        name: {found.imported.split(".")[1] for found in imports(path) if found.imported.startswith("kernels.")}
        & set(sources) - {name}
        for name, path in sources.items()
    }  # fmt: skip
    assert list(TopologicalSorter(uses).static_order())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("cimport kernels.image", {"kernels.image"}),
        ("cimport numpy as np, kernels.scan as s", {"numpy", "kernels.scan"}),
        ("from hil.plant cimport step", {"hil.plant", "hil.plant.step"}),
        ("from drivers import (a,\n   b as c,  # why\n)", {"drivers", "drivers.a", "drivers.b"}),
        ("from . cimport image", {"kernels.physics", "kernels.physics.image"}),
        ("from ..scan cimport table", {"kernels.scan", "kernels.scan.table"}),
        ("from libc.math cimport sqrt", {"libc.math", "libc.math.sqrt"}),
        ('"""\nimport drivers\n"""\n# import hil\nx = 1', set()),
        ("def f():\n    import supervisor.link", {"supervisor.link"}),
        ('cdef extern from "pthread.h" nogil:\n    pass', set()),
    ],
)
def test_every_form_of_import_is_read(tmp_path: Path, text: str, expected: set[str]) -> None:
    source = tmp_path / "kernels" / "physics" / "probe.pyx"
    source.parent.mkdir(parents=True)
    source.write_text(text)
    assert {found.imported for found in imports(source, tmp_path)} == expected


@pytest.mark.parametrize(
    ("importer", "imported", "allowed"),
    [
        ("kernels.scan", "kernels.image", True),
        ("kernels.scan", "numpy", True),
        ("kernels.scan", "config.tool", False),
        ("hil.plant", "kernels.physics", True),
        ("hil.plant", "drivers.modbus", False),
        ("config.tool", "opcua_model", False),
        ("opcua_model.types", "supervisor.server", False),
        ("supervisor.controller.scan", "drivers.modbus", True),
        ("supervisor.controller.scan", "supervisor.link.image", True),
        ("supervisor.controller.scan", "supervisor.server.records.runs", False),
        ("supervisor.controller.scan", "asyncua.ua", False),
        ("supervisor.link.image", "supervisor.controller", False),
        ("supervisor.server.records.runs", "hil.plant", False),
        ("supervisor.cli.main", "supervisor.launcher", True),
    ],
)
def test_the_contracts_are_applied(importer: str, imported: str, *, allowed: bool) -> None:
    assert may_import(importer, imported) is allowed
