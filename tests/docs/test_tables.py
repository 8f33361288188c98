"""Tables that people wrote say what the code says."""

import re
from pathlib import Path

import pytest

from config.tool import Role
from hil.furnace import script
from hil.showerhead import script as reactor_script
from opcua_model.methods import METHODS
from supervisor.cli import main as command_line
from supervisor.controller import main as controller_main
from supervisor.controller.supervision import STALLED
from supervisor.server import main as server_main
from supervisor.server.historian import ingest, roll
from supervisor.server.store import space
from tests.architecture.layout import ROOT

DOCS = ROOT / "docs"


def first_cells(page: Path, heading: str) -> list[str]:
    """Return the first cells of the table with this heading, without code marks."""
    _, _, behind = page.read_text(encoding="utf-8").partition(f"\n| {heading} |")
    rows = behind.split("\n\n", 1)[0].splitlines()[2:]
    return [row.split("|")[1].strip().strip("`") for row in rows]


def test_every_fault_of_the_furnace_is_explained() -> None:
    assert sorted(first_cells(DOCS / "how-to" / "faults.md", "fault")) == sorted(script.KNOWN)


def test_every_fault_of_the_reactor_is_explained() -> None:
    own = first_cells(DOCS / "reference" / "pecvd-1.md", "its own fault")
    shared = set(script.KNOWN) - {"boat_out", "element_broken"}
    assert shared | set(own) == set(reactor_script.KNOWN)
    assert not shared & set(own)


def test_every_word_of_a_fault_is_explained() -> None:
    cells = first_cells(DOCS / "how-to" / "faults.md", "word")
    words = {word for cell in cells for word in re.findall(r"[a-z_]+", cell)} - {"true"}
    assert words == set(script.WORDS)


def test_every_exit_code_is_explained() -> None:
    codes = {0, 2, command_line.FAULTY, command_line.INTERNAL, command_line.INTERRUPTED, STALLED}
    codes |= {controller_main.UNUSABLE, server_main.UNUSABLE}
    assert {int(cell) for cell in first_cells(DOCS / "reference" / "exit-codes.md", "code")} == codes


def test_every_role_is_explained() -> None:
    assert first_cells(DOCS / "how-to" / "users.md", "role") == [role.value for role in Role]


def test_an_administrator_may_call_what_everybody_may() -> None:
    """As the table of roles says; when this changes, the table does."""
    assert [method.name for method in METHODS if Role.ADMINISTRATOR in method.roles] == []


@pytest.mark.parametrize(
    ("said", "number"),
    [
        ("rolled when it is older than 2 days", ingest.Retention().hot_days),
        ("kept for 366", ingest.Retention().file_days),
        ("64 MB that are given back", space.BALLAST_BYTES >> 20),
        ("at most 20 000 rows", roll.PART_SCANS),
    ],
)
def test_numbers_of_the_data_page_are_those_of_the_code(said: str, number: int) -> None:
    assert said in " ".join((DOCS / "reference" / "data.md").read_text(encoding="utf-8").split())
    assert str(number) in said.replace(" ", "")


@pytest.fixture(scope="module")
def sources() -> str:
    return "\n".join(path.read_text(encoding="utf-8") for path in sorted((ROOT / "supervisor").rglob("*.py")))


@pytest.mark.parametrize(
    "words",
    [
        "half ended; starting it again",
        "the last controller did not end in order: the safe sequence runs first",
        "the controller has stopped: every value is Bad",
        "bytes of an unfinished record after number",
        "is damaged and later ones follow it",
        "the journal is not the one that was projected before; a new one begins",
        "left unfinished by an interrupted roll",
        "the audit trail is not whole",
        "is held by another process: PID",
        "is in use by another cvd daemon (process",
        "the disk of the data folder is nearly full",
        "the logging ring had lost rows before they were stored",
        "scan slots were skipped",
        "no tape of this run",
        "the database has schema version",
    ],
)
def test_what_the_recovery_page_quotes_is_what_the_daemon_says(words: str, sources: str) -> None:
    assert words in (DOCS / "how-to" / "recover.md").read_text(encoding="utf-8")
    assert words in sources
