"""The shift log: what the next crew reads, in its language and units."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from supervisor.link.messages import EventKind
from supervisor.server.records.shiftlog import Line, quantity, render
from supervisor.server.texts import ENGLISH, Texts
from tests.supervisor.server.stand import OLGA, OTTO, START_NS
from tests.supervisor.server.test_life import house, refusal


def test_a_value_is_shown_in_the_unit_that_people_want() -> None:
    assert quantity(1.0, "Torr", {"Torr": "mbar"}) == "1.333 mbar"
    assert quantity(700.0, "°C", {"°C": "K"}) == "973.1 K"
    assert quantity(700.0, "°C", {"Torr": "mbar"}) == "700 °C"
    assert quantity(1.0, "Torr", {"Torr": "sccm"}) == "1 Torr"
    assert quantity(3.0, "1", {}) == "3"


def test_a_log_is_written_for_people_for_spreadsheets_and_for_programs() -> None:
    rows = [Line("2026-11-24T14:00:00.000+00:00", "note", "olga", "=1+1 is no formula")]
    text = render(rows, "text", Texts.of("de"), "Schichtbuch")
    assert text.splitlines()[:2] == ["Schichtbuch", "==========="]
    assert "Notiz" in text
    assert "'=1+1 is no formula" in render(rows, "csv", ENGLISH, "")
    assert json.loads(render(rows, "json", ENGLISH, ""))[0]["who"] == "olga"
    assert "es geschah nichts" in render([], "text", Texts.of("de"), "Schichtbuch")


@pytest.mark.anyio
async def test_a_shift_is_told_with_results_people_and_notes(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        finding = {"value": 2.0, "unit": "Torr", "below": 5.0, "above": None, "passed": True}
        run = {"run_id": "0f0f0f0f-0000-4000-8000-000000000001", "run_number": "CVD-7"}
        await h.controller.happen(EventKind.RUN_STARTED, **run, name="Leak check", kind="operation", user="olga")
        await h.controller.happen(EventKind.CONDITION, name="over_pressure", active=True, trips=1, **{"class": "trip"})
        await h.controller.happen(
            EventKind.RUN_ENDED, **run, state="COMPLETE", cause="program", summary={"findings": {"rate": finding}}
        )
        await h.controller.happen(EventKind.STEP, **run, index=0, name="look")
        await h.call(OLGA, "Care", "AddNote", "pump sounds odd")
        begin = datetime.fromtimestamp(START_NS / 1e9 - 60, UTC)
        wish = json.dumps({"language": "de", "units": {"Torr": "mbar"}})
        end = datetime(2100, 1, 1, tzinfo=UTC)
        (text,) = await h.call(OTTO, "Care", "GetShiftLog", begin, end, wish)
        rows = [(row["what"], row["who"], row["text"]) for row in json.loads(text)]
        assert ("run", "olga", "CVD-7 gestartet: Lecktest") in rows
        assert any(what == "trip" for what, _, _ in rows)
        assert (
            "run",
            "",
            "CVD-7 Lecktest: COMPLETE (program); rate 2.666 mbar (bestanden, Grenze < 6.666 mbar)",
        ) in rows
        assert ("note", "olga", "pump sounds odd") in rows
        assert not any("look" in text for _, _, text in rows)
        assert "WishJson" in (await refusal(h, OTTO, "Care", "GetShiftLog", begin, end, "{")).reason
        assert (await refusal(h, OTTO, "Care", "AddNote", "observers only look")).status == "BadUserAccessDenied"
