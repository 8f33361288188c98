"""The page of threats names a test for each gap of the protocol shell; every one of them is there."""

import re

from tests.architecture.layout import ROOT

PAGE = ROOT / "docs" / "explanation" / "threats.md"


def test_each_gap_of_the_protocol_shell_is_tried_by_a_test_that_exists() -> None:
    _, _, behind = PAGE.read_text(encoding="utf-8").partition("| asyncua 2.1.0 | here | tried by |\n|---|---|---|\n")
    rows = behind.partition("\n\n")[0].splitlines()
    assert len(rows) > 25
    missing: list[str] = []
    for row in rows:
        files: list[tuple[str, list[str]]] = []
        for mark in re.findall(r"`([^`]+)`", row.split("|")[3]):
            if mark.startswith("tests/"):
                files.append((mark, []))
            else:
                files[-1][1].append(mark)
        assert files, row
        for file, names in files:
            text = (ROOT / file).read_text(encoding="utf-8")
            missing += [f"{file}::{name}" for name in names if f"def {name}(" not in text] or ([] if names else [file])
    assert missing == []
