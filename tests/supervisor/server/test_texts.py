"""Every text that a shipped tool can show to people, in the other shipped language."""

from collections.abc import Iterator
from pathlib import Path

import pytest

import config
from config.loading import load_tool, shipped_tool
from config.tool import Action, Tool
from supervisor.link.messages import Event, EventKind
from supervisor.server.texts import Texts, catalogue, generalise, templates
from supervisor.server.texts.wording import tell

GERMAN = Texts.of("de")
SHIPPED = sorted(path.stem for path in (Path(config.__file__).parent / "tools").glob("*.toml"))


def checks(steps: tuple[Action, ...]) -> Iterator[str]:
    for step in steps:
        yield from (check.reason for check in step.check)
        yield from checks(step.steps)


def shown(tool: Tool) -> Iterator[str]:
    """Conditions with their consequences and actions, titles, reasons, work that is due."""
    for condition in (*tool.interlocks, *tool.alarms):
        yield from (condition.description, condition.consequence, condition.action)
    yield from (module.description for module in tool.modules)
    for operation in tool.operations:
        yield operation.title
        yield from (need.reason for need in operation.needs)
        yield from checks(operation.steps)
    yield from (need.reason for need in tool.recipe.needs)
    yield from (need.reason for transition in tool.transitions for need in transition.needs)
    yield from (text for task in tool.care.tasks for text in (task.title, task.action))
    yield from (counter.remedy for counter in tool.care.counters)


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_tool_shows_nothing_without_translation(name: str) -> None:
    missing = {text for text in shown(load_tool(shipped_tool(name))) if text and not translated(text)}
    assert sorted(missing) == []


def translated(text: str) -> bool:
    return text in catalogue("de") or generalise("de", text)[0] in templates("de")


def test_a_template_carries_what_varies_in_its_order() -> None:
    assert GERMAN("Silane above 5 ppm") == "Silan über 5 ppm"
    assert GERMAN("Ammonia not before nitrogen trifluoride has been shut for 20 s") == (
        "Ammoniak nicht, bevor Stickstofftrifluorid 20 s lang zu war"
    )
    assert GERMAN("the bottle of NH3 is shut: finish change_bottle_nh3 first") == (
        "die Flasche von NH3 ist zu: zuerst change_bottle_nh3 zu Ende führen"
    )
    assert GERMAN("Lamp is wanted and does not burn for 20 s") == "Lampe: angefordert und brennt 20 s lang nicht"
    assert GERMAN("nobody has translated this 5 times") == "nobody has translated this 5 times"


def test_reasons_one_behind_the_other_are_translated_each() -> None:
    told = "the door is open [wafer_handling.door_closed = open]; the abatement is not ready"
    assert GERMAN.sentence(told) == (
        "die Tür ist offen [wafer_handling.door_closed = open]; die Abgasreinigung ist nicht bereit"
    )
    assert Texts().sentence(told) == told


def test_a_refusal_and_a_failed_check_are_told_in_german() -> None:
    refused = Event(
        seq=1, time_ns=1, scan=1, kind=EventKind.COMMAND,
        data={"kind": "start_operation", "principal": {"user": "olga"}, "status": "BadInvalidState",
              "reason": "Vent does not start: the door is open [wafer_handling.door_closed = open]"},
    )  # fmt: skip
    assert "die Tür ist offen" in tell(refused, {}, GERMAN).message
    failed = Event(
        seq=2, time_ns=1, scan=1, kind=EventKind.CHECK_FAILED,
        data={"step": 3, "reason": "the line leaks: the bottle stays shut", "policy": "abort"},
    )  # fmt: skip
    assert "die Leitung leckt: die Flasche bleibt zu" in tell(failed, {}, GERMAN).message


def test_templates_keep_every_placeholder() -> None:
    for english, german in templates("de").items():
        for place in ("{s}", "{g}", "~", "#"):
            assert english.count(place) == german.count(place), english
