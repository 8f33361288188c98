"""Refusals in the other shipped language: every one that the code can say, as a person hears it."""

import ast
from collections.abc import Iterator

import pytest

from supervisor.server.texts import Texts, patterns
from tests.architecture.layout import ROOT

GERMAN = Texts.of("de")
RAISED = {"Refused", "CommandRefused", "TokenError"}
ROOMS = ("opcua_model", "supervisor/controller", "supervisor/server", "supervisor/link")


SAME = {"MeasuredJson: {}", "WishJson: {}"}
"""The name of an argument and what is wrong with it, as `cvd check` says it."""


def told(node: ast.expr) -> str:
    """The words of a message, with `{}` where something is put in."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(told(part) for part in node.values)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return told(node.left) + told(node.right)
    return "{}"


def refusals() -> Iterator[str]:
    """Every message that a refusal is raised with."""
    for room in ROOMS:
        for path in (ROOT / room).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if (
                    isinstance(node, ast.Call)
                    and isinstance(node.func, ast.Name)
                    and node.func.id in RAISED
                    and node.args
                ):
                    yield told(node.args[-1])


def test_every_refusal_of_the_code_has_a_translation() -> None:
    found = {text for text in refusals() if any(letter.isalpha() for letter in text)}
    assert len(found) > 150
    assert sorted(text for text in found if not known(text)) == []


def known(english: str) -> bool:
    put_in = english.replace("{}", "X1")
    return english in SAME or GERMAN.sentence(put_in) != put_in


# What a person at the tool hears, and what it is in German.
HEARD = r"""
Leak check (leak_check) must have been completed within 24 h: L-1 was 30.5 h ago
Lecktest (leak_check) muss innerhalb von 24 h abgeschlossen worden sein: L-1 ist 30.5 h her

Load wafers does not start: the chamber is not at atmosphere: run vent first [switch = no]; the door is open [door = 0]
Scheiben laden startet nicht: die Kammer ist nicht auf Atmosphärendruck: zuerst vent ausführen [switch = no]; \
die Tür ist offen [door = 0]

nothing starts while interlocks are in force: trip power_failure, first out: its cause is present: not mains \
[mains = battery] (for its delay of 0.5 s). Let the safe sequence end; restart when the mains are back
nichts startet, solange Verriegelungen wirken: Auslösung power_failure, zuerst: die Ursache liegt vor: not mains \
[mains = battery] (seit ihrer Verzögerung von 0.5 s). Sicherheitsablauf enden lassen; neu starten, wenn das Netz \
wieder da ist

Pump down needs vacuum.isolation_valve.shut: vacuum is locked out by mia: oil change
Abpumpen braucht vacuum.isolation_valve.shut: vacuum ist von mia gesperrt: oil change

olga controls the tool at the tool, for 30 s more unless they act; it must be released there first
olga führt die Anlage an der Anlage, noch 30 s, wenn nichts geschieht; sie muss zuerst dort freigegeben werden

otto may not run a recipe: that needs the role operator
otto darf das nicht (ein Rezept fahren): dazu braucht es die Rolle operator
"""


@pytest.mark.parametrize("pair", HEARD.replace("\\\n", "").strip().split("\n\n"))
def test_a_person_reads_a_refusal_whole(pair: str) -> None:
    english, german = pair.splitlines()
    assert GERMAN.sentence(english) == german
    assert Texts().sentence(english) == english


def test_what_a_person_has_put_in_does_not_become_another_sentence() -> None:
    """A place holds one thing; nothing of a list is swallowed, and a long one costs no more than its length."""
    assert patterns("de").told("a; b is disabled", GERMAN.sentence) is None
    hostile = "there is no method " + "a/" * 20000
    assert GERMAN.sentence(hostile).startswith("es gibt keine Methode a/a")
    assert GERMAN.sentence("nobody has written this; nor that") == "nobody has written this; nor that"
