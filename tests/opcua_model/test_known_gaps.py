"""The pages that name a test for each promise and for each gap of the protocol shell: every one of them is there."""

import re
from pathlib import Path

import pytest

from tests.architecture.layout import ROOT

GAPS = ROOT / "docs" / "explanation" / "threats.md"
PROMISES = ROOT / "docs" / "reference" / "opcua-conformance.md"
THIRD_CELL = "| asyncua 2.1.0 | here | tried by |\n|---|---|---|\n"
SECOND_CELL = "| promise | tried by |\n|---|---|\n"


@pytest.mark.parametrize(("page", "head", "least"), [(GAPS, THIRD_CELL, 25), (PROMISES, SECOND_CELL, 45)])
def test_each_promise_and_each_gap_is_tried_by_a_test_that_exists(page: Path, head: str, least: int) -> None:
    _, *tables = page.read_text(encoding="utf-8").split(head)
    rows = [row for table in tables for row in table.partition("\n\n")[0].splitlines()]
    assert len(rows) > least
    missing: list[str] = []
    for row in rows:
        files: list[tuple[str, list[str]]] = []
        for mark in re.findall(r"`([^`]+)`", row.split(" | ")[-1]):
            if mark.startswith("tests/"):
                files.append((mark, []))
            else:
                files[-1][1].append(mark)
        assert files, row
        for file, names in files:
            text = (ROOT / file).read_text(encoding="utf-8")
            missing += [f"{file}::{name}" for name in names if f"def {name}(" not in text] or ([] if names else [file])
    assert missing == []
