"""Alarms in a running server: events in order, answers kept over restarts, time, surroundings, figures, audit."""

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import anyio
import anyio.lowlevel
import numpy as np
import pytest

from config.tool import Alarm, AlarmKind, Priority, Suppression, Tool
from kernels.image import Snapshot
from kernels.tables import CONDITION_STATE, ConditionState
from opcua_model.conditions.state import AlarmState, Shelf
from opcua_model.interface import Refused
from supervisor.link.messages import CommandKind, Event, EventKind
from supervisor.server.alarms.figures import DAY_NS, MINUTE_NS, Figures
from supervisor.server.alarms.surroundings import Surroundings
from supervisor.server.errors import StoreError
from tests.supervisor.server.stand import (
    ERIKA,
    OLGA,
    OTTO,
    START_NS,
    Furnace,
    House,
    house,
    new_id,
    person,
    small_tool,
)

pytestmark = pytest.mark.anyio

MAX = person("max", "maintenance")
S = 10**9
SAID: dict[str, Any] = {"priority": Priority.MEDIUM, "consequence": "scrap", "action": "look"}
ALARMS = (
    Alarm(
        name="pressure", kind=AlarmKind.LEVEL, tag="chamber.pressure_torr", high="1 Torr", high_high="2 Torr",
        outer_priority=Priority.HIGH, description="Pressure is off", max_shelve_s=100.0, **SAID,
    ),
    Alarm(
        name="film", when="chamber.raw > 1", description="Film is odd", latch=True,
        suppress=Suppression(steps=("deposition",), modes=("Maintenance",)), **SAID,
    ),
)  # fmt: skip


def tool() -> Tool:
    return small_tool().model_copy(update={"alarms": ALARMS})


def furnace() -> Furnace:
    return Furnace(tool())


async def tell(h: House, name: str, *, active: bool, trips: int = 1, latched: bool = False) -> Event:
    return await h.controller.happen(
        EventKind.CONDITION, name=name, active=active, raw=active, latched=latched, trips=trips, bypassed=False
    )


def state(h: House, name: str = "pressure") -> AlarmState:
    return h.server.desk.alarms.states[name]


def told(h: House, name: str = "pressure") -> list[AlarmState]:
    return [one for one, event in h.space.alarms if event and one.name == name]


async def refusal(h: House, caller: Any, name: str, method: str, *arguments: Any) -> Refused:
    with pytest.raises(Refused) as caught:
        await h.call(caller, f"Alarms/{name}", method, *arguments)
    return caught.value


@asynccontextmanager
async def raised(data: Path, **named: Any) -> AsyncGenerator[House]:
    async with house(data, furnace(), **named) as h:
        await tell(h, "pressure.high", active=True)
        await h.until(lambda: state(h).active)
        yield h


def clock(h: House, now: list[int]) -> Callable[[], int]:
    read = lambda: now[0]  # noqa: E731 - handed over
    h.server.desk.alarms._clock = read
    return read


async def test_pulses_shorter_than_anybody_looks_are_all_told_in_order(tmp_path: Path) -> None:
    async with house(tmp_path, furnace()) as h:
        for trips in range(1, 21):
            await tell(h, "pressure.high", active=True, trips=trips)
            await tell(h, "pressure.high", active=False, trips=trips)
        await h.until(lambda: len(told(h)) == 40)
        assert [one.active for one in told(h)] == [True, False] * 20
        assert len({one.event_id for one in told(h)}) == 40
        assert not state(h).acked
        assert state(h).occurrences == 20
        figures = h.server.backend.variables()
        assert (figures["Alarms/RateDay"], figures["Alarms/Flood"]) == (0, False)  # at START_NS, long ago
        log = await h.server.desk.store.read(
            lambda c: c.execute("SELECT what, count(*) FROM alarm_log GROUP BY what ORDER BY what").fetchall()
        )
        assert log == [("cleared", 20), ("raised", 20)]


async def test_an_answer_is_kept_audited_and_still_there_after_a_restart(tmp_path: Path) -> None:
    journal: list[Event] = []
    async with raised(tmp_path, journal=journal) as h:
        event_id = state(h).event_id
        refused = await refusal(h, OTTO, "pressure", "Acknowledge", event_id, "me too")
        assert refused.status == "BadUserAccessDenied"
        assert (await refusal(h, OLGA, "pressure", "Acknowledge", b"guess", None)).status == "BadEventIdUnknown"
        assert (await refusal(h, OLGA, "nothing", "Acknowledge", event_id, None)).status == "BadNotFound"
    async with house(tmp_path, furnace(), journal=journal) as h:
        assert (state(h).active, state(h).acked, state(h).event_id) == (True, False, event_id)
        await h.call(OLGA, "Alarms/pressure", "Acknowledge", event_id, "on my way")
        assert (state(h).acked, state(h).comment, state(h).user) == (True, "on my way", "olga")
    async with house(tmp_path, furnace(), journal=journal) as h:
        assert (state(h).active, state(h).acked, state(h).comment) == (True, True, "on my way")
        assert (await refusal(h, OLGA, "pressure", "Acknowledge", event_id, None)).status == (
            "BadConditionBranchAlreadyAcked"
        )
        rows = await h.server.desk.store.read(
            lambda c: c.execute(
                "SELECT user_name, action, target, status FROM audit WHERE target LIKE 'Alarms/%' ORDER BY seq"
            ).fetchall()
        )
    assert ("olga", "acknowledge", "Alarms/pressure", "Good") in rows
    assert ("otto", "Acknowledge", "Alarms/pressure", "BadUserAccessDenied") in rows
    assert ("olga", "Acknowledge", "Alarms/pressure", "BadEventIdUnknown") in rows


async def test_each_service_of_an_alarm_has_its_role(tmp_path: Path) -> None:
    async with raised(tmp_path) as h:
        assert (await refusal(h, OLGA, "pressure", "Disable")).status == "BadUserAccessDenied"
        assert (await refusal(h, OLGA, "pressure", "RemoveFromService")).status == "BadUserAccessDenied"
        await h.call(MAX, "Alarms/pressure", "RemoveFromService2", "gauge is at the bench")
        assert (state(h).out_of_service, state(h).silent, state(h).comment) == (True, True, "gauge is at the bench")
        assert h.server.backend.variables()["Alarms/OutOfService"] == 1
        await h.call(MAX, "Alarms/pressure", "PlaceInService")
        await h.call(MAX, "Alarms/pressure", "Disable")
        await tell(h, "pressure.high", active=False)
        await h.until(lambda: not state(h).active)
        assert not any(one.event_id == state(h).event_id and one.active is False for one in told(h)[:-1])
        await h.call(MAX, "Alarms/pressure", "Enable")
        await h.call(OLGA, "Alarms/pressure", "AddComment", state(h).event_id, "seen")
        for name, method in (("overpressure_test", "TimedShelve"), ("emo", "OneShotShelve")):
            arguments = (1000.0,) if method == "TimedShelve" else ()
            refused = await refusal(h, MAX, name, method, *arguments)
            assert refused.status in {"BadNotFound", "BadNotSupported"}


async def test_a_shelf_ends_when_its_time_is_over(tmp_path: Path) -> None:
    async with raised(tmp_path) as h:
        now = [START_NS + 10 * S]
        clock(h, now)
        await h.call(OLGA, "Alarms/pressure", "TimedShelve", 50_000.0)
        assert state(h).shelf is Shelf.TIMED
        now[0] += 49 * S
        await anyio.lowlevel.checkpoint()
        assert state(h).shelf is Shelf.TIMED
        now[0] += 2 * S
        await h.until(lambda: state(h).shelf is Shelf.NONE)
        await h.call(OLGA, "Alarms/pressure", "OneShotShelve2", "known")
        await tell(h, "pressure.high", active=False)
        await h.until(lambda: state(h).shelf is Shelf.NONE)
        assert [one.shelf for one in told(h)][-1] is Shelf.NONE


async def test_an_alarm_is_suppressed_in_its_step_and_asks_again_after_it(tmp_path: Path) -> None:
    async with house(tmp_path, furnace()) as h:
        run = new_id()
        steps = [{"name": "heat", "planned_s": 1.0}, {"name": "deposition", "planned_s": 1.0}]
        await h.controller.happen(
            EventKind.RUN_STARTED, run_id=run, run_number="CVD-1", kind="recipe", name="r", steps=steps
        )
        await h.controller.happen(EventKind.STEP, run_id=run, index=1, name="deposition")
        await h.until(lambda: state(h, "film").suppressed)
        await tell(h, "film", active=True, latched=True)
        await h.until(lambda: state(h, "film").active)
        assert state(h, "film").silent
        variables = h.server.backend.variables()
        assert (variables["Alarms/Active"], variables["Alarms/Standing"], variables["Alarms/Suppressed"]) == (1, 0, 1)
        await h.controller.happen(EventKind.STEP, run_id=run, index=0, name="heat")
        await h.until(lambda: not state(h, "film").suppressed)
        assert h.server.backend.variables()["Alarms/Standing"] == 1


async def test_an_alarm_that_was_suppressed_by_a_method_stays_so_after_a_restart(tmp_path: Path) -> None:
    journal: list[Any] = []
    async with house(tmp_path, furnace(), journal) as h:
        await h.call(MAX, "Alarms/film", "Suppress2", "its sensor is being changed")
        assert state(h, "film").suppressed
        await tell(h, "film", active=True, latched=True)
        await h.until(lambda: state(h, "film").active)
        assert state(h, "film").silent
        assert (await refusal(h, OLGA, "film", "Unsuppress")).status == "BadUserAccessDenied"
    async with house(tmp_path, furnace(), journal) as h:
        assert (state(h, "film").suppressed, state(h, "film").comment_by) == (True, "max")
        await h.call(MAX, "Alarms/film", "Unsuppress")
        assert not state(h, "film").suppressed
        rows = await h.server.desk.store.read(
            lambda c: c.execute(
                "SELECT user_name, action FROM audit WHERE status = 'Good' AND target = 'Alarms/film' ORDER BY seq"
            ).fetchall()
        )
        assert rows == [("max", "suppress"), ("max", "unsuppress")]


async def test_the_past_of_an_alarm_is_told_with_everything_that_it_was(tmp_path: Path) -> None:
    journal: list[Any] = []
    async with raised(tmp_path, journal=journal) as h:
        event_id = state(h).event_id
        clock(h, [state(h).time_ns + 1])
        await h.call(OLGA, "Alarms/pressure", "Acknowledge", event_id, "pump is on its way")
        h.furnace.run(5)
        await tell(h, "pressure.high", active=False)
        await h.until(lambda: not state(h).active)
        kept = [one for one, _ in h.space.alarms if one.name == "pressure" and one.event_id]
    async with house(tmp_path, furnace(), journal) as h:
        past = h.server.backend.past_events

        async def alarms(source: str, *, backward: bool = False, limit: int = 100) -> list[AlarmState]:
            span = (2**62, 0) if backward else (0, 2**62)
            return [one.alarm for one in await past(*span, limit, source, None) if one.alarm is not None]

        found = await alarms("Alarms/pressure")
        assert [(one.active, one.acked) for one in found] == [(True, False), (True, True), (False, True)]
        assert (found[1].comment, found[1].user) == ("pump is on its way", "olga")
        assert [one.event_id for one in found] == list(dict.fromkeys(one.event_id for one in kept))
        # Every field, but what no event tells of.
        assert found[-1] == next(one for one in reversed(kept) if one.event_id == found[-1].event_id)
        assert await alarms("Alarms/pressure", backward=True) == found[::-1]
        assert await alarms("Alarms/film") == []
        module = h.server.desk.alarms.definitions["pressure"].module
        assert [one for one in await alarms(f"Equipment/{module}") if one.name == "pressure"] == found
        # The tool's events with the alarms' among them, page by page, once each; the scan's word of it is not repeated.
        for span in ((0, 2**62), (2**62, 0)):
            whole, paged, behind = await past(*span, 1000, "", None), [], None
            while page := await past(*span, 2, "", behind):
                paged += page
                behind = page[-1].occurrence.time_ns, page[-1].number
            assert [one.id for one in paged] == [one.id for one in whole]
            assert len({one.id for one in whole}) == len(whole)
        assert not [one for one in whole if one.occurrence.source.startswith("Alarms/") and one.alarm is None]


async def test_a_latched_alarm_is_reset_by_the_controller(tmp_path: Path) -> None:
    async with house(tmp_path, furnace()) as h:
        await tell(h, "film", active=True, latched=True)
        await h.until(lambda: state(h, "film").active)
        await tell(h, "film", active=False, latched=True)
        await h.until(lambda: not state(h, "film").active)
        assert (await refusal(h, OLGA, "film", "Reset")).status == "BadInvalidState"
        await h.call(OLGA, "Alarms/film", "Acknowledge", state(h, "film").event_id, None)
        await h.call(OLGA, "Alarms/film", "Reset")
        sent = [one for one in h.controller.commands if one.kind is CommandKind.RESET_INTERLOCK]
        assert [one.args for one in sent] == [{"name": "film"}]
        assert (await refusal(h, OLGA, "pressure", "Reset")).status == "BadNotSupported"


async def test_a_controller_that_starts_again_makes_nobody_answer_twice(tmp_path: Path) -> None:
    async with raised(tmp_path) as h:
        await h.call(OLGA, "Alarms/pressure", "Acknowledge", state(h).event_id, None)
        await h.controller.happen(EventKind.BOOT, version="1", tool="t", pid=1, clean=False)
        await h.until(lambda: not state(h).verified)
        await tell(h, "pressure.high", active=True)
        await h.until(lambda: state(h).verified)
        assert (state(h).acked, state(h).occurrences) == (True, 1)


def snapshot(h: House, **bits: int) -> Snapshot:
    layout = h.server.backend.layout
    rows = np.zeros(len(layout.conditions), CONDITION_STATE)
    for name, value in bits.items():
        rows["state"][layout.condition_index[name.replace("__", ".")]] = value
    empty = np.zeros(len(layout.tags))
    return Snapshot(1, START_NS, empty, empty.astype(np.uint32), empty.astype(np.int64), rows)


async def test_what_no_event_told_is_found_in_the_image_after_a_while(tmp_path: Path) -> None:
    async with raised(tmp_path) as h:
        book, now = h.server.desk.alarms, [START_NS]
        clock(h, now)
        await h.controller.happen(EventKind.BOOT, version="1", tool="t", pid=1, clean=False)
        await h.until(lambda: not state(h).verified)
        around = Surroundings(h.server.backend.layout, "Ready", "", False, snapshot(h), settled=True)
        await book.look(around)
        assert state(h).active  # its delay may still run in the new scan
        now[0] += 4 * S
        await book.look(replace(around, settled=False))
        assert state(h).active  # the events on their way may tell of it
        for _ in range(3):
            await book.look(around)
            now[0] += 4 * S
        assert (state(h).active, state(h).verified) == (False, True)
        active = int(ConditionState.RAW | ConditionState.ACTIVE)
        seen = replace(around, snapshot=snapshot(h, pressure__high_high=active))
        for _ in range(3):
            await book.look(seen)
            now[0] += 4 * S
        assert (state(h).active, state(h).severity, state(h).acked) == (True, 700, False)


async def test_while_the_database_is_in_trouble_alarms_are_told_and_answers_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with house(tmp_path, furnace()) as h:
        store = h.server.desk.store
        write = store.write

        async def full(_work: Any) -> Any:
            await anyio.lowlevel.checkpoint()
            raise StoreError("no space left")

        monkeypatch.setattr(store, "write", full)
        await tell(h, "pressure.high", active=True)
        await h.until(lambda: state(h).active)
        before = told(h)[-1]
        refused = await refusal(h, OLGA, "pressure", "Acknowledge", before.event_id, None)
        assert refused.status == "BadResourceUnavailable"
        assert not state(h).acked
        monkeypatch.setattr(store, "write", write)
        await h.until(lambda: h.server.desk.projector.failure == "", 15)
        # Projected at last, it is the same event: whoever has it on the screen can answer it.
        await h.call(OLGA, "Alarms/pressure", "Acknowledge", before.event_id, None)
        assert state(h).acked
        assert len([one for one in told(h) if one.event_id == before.event_id]) == 1


def test_floods_chattering_and_stale_alarms_are_counted() -> None:
    figures, now = Figures(), 10 * DAY_NS
    for number in range(11):
        figures.count(now + number * S, f"a{number % 4}")
    quiet = AlarmState("a0", active=True, active_ns=now - 2 * DAY_NS, severity=700)
    values = figures.values([quiet], now + 11 * S)
    assert values["Alarms/Flood"] is True
    assert values["Alarms/Rate10Min"] == values["Alarms/Peak10Min"] == 11
    assert values["Alarms/ChatteringNames"] == "a0, a1, a2"
    assert values["Alarms/StaleNames"] == "a0"
    assert values["Alarms/ActiveHigh"] == 1
    assert values["Alarms/MostFrequent"].startswith("a0: 3")
    later = figures.values([], now + 9 * MINUTE_NS + 59 * S)
    assert later["Alarms/Flood"] is True
    later = figures.values([], now + 11 * MINUTE_NS)
    assert (later["Alarms/Flood"], later["Alarms/Floods"], later["Alarms/Chattering"]) == (False, 1, 0)
    gone = figures.values([], now + DAY_NS + MINUTE_NS)
    assert (gone["Alarms/RateDay"], gone["Alarms/Peak10Min"]) == (0, 11)


async def test_a_bypass_stands_as_an_alarm_that_nobody_can_shelve_and_its_end_asks_again(tmp_path: Path) -> None:
    """Who, why and until when are said; an answer to the bypass is none to its end."""
    name, journal = "bypass_over_pressure", list[Event]()
    async with house(tmp_path, furnace(), journal=journal) as h:
        assert name in h.server.desk.alarms.definitions
        assert "bypass_emo" not in h.server.desk.alarms.definitions, "an interlock that is never bypassed"
        (request,) = await h.call(ERIKA, "Interlocks/over_pressure", "RequestBypass", "gauge is at the bench", 60.0)
        await tell_bypass(h, bypassed=True)
        await h.call(MAX, "Interlocks/over_pressure", "ConfirmBypass", request)
        await h.until(lambda: "gauge is at the bench" in state(h, name).message)
        said = state(h, name)
        assert (said.active, said.acked, said.retain) == (True, False, True)
        for words in ("until 20", "(60 s)", "asked for by erika", "confirmed by max"):
            assert words in said.message
        shown = h.server.backend.variables()
        assert shown["Interlocks/over_pressure/BypassWhy"] == shown[f"Alarms/{name}/Why"] == said.message
        for method, arguments in (
            ("TimedShelve", (1000.0,)), ("OneShotShelve", ()), ("Suppress", ()), ("Disable", ()),
            ("RemoveFromService", ()),
        ):  # fmt: skip
            refused = await refusal(h, MAX, name, method, *arguments)
            assert (refused.status, method) == ("BadNotSupported", method)
        await h.call(OLGA, f"Alarms/{name}", "Acknowledge", said.event_id, "I watch the other gauge")
        await h.controller.happen(EventKind.BYPASS_EXPIRED, name="over_pressure")
        await tell_bypass(h, bypassed=False)
        await h.until(lambda: not state(h, name).active)
        gone = state(h, name)
        assert (gone.acked, gone.retain) == (False, True)
        assert gone.message == "the bypass of over_pressure has ended by itself"
        assert h.server.backend.variables()["Interlocks/over_pressure/BypassWhy"] == ""
        what = await h.server.desk.store.read(
            lambda c: c.execute("SELECT what, asks FROM alarm_log WHERE name = ? ORDER BY rowid", [name]).fetchall()
        )
        assert what == [("raised", True), ("explained", False), ("acknowledged", False), ("expired", True)]
    async with house(tmp_path, furnace(), journal=journal) as h:
        assert (state(h, name).acked, state(h, name).retain) == (False, True), "a restart answers nothing"


async def test_a_bypass_given_anew_asks_again_and_one_taken_away_is_back_to_normal(tmp_path: Path) -> None:
    name = "bypass_over_pressure"
    async with house(tmp_path, furnace()) as h:
        await tell_bypass(h, bypassed=True)
        for reason in ("first reason", "another reason"):
            (request,) = await h.call(ERIKA, "Interlocks/over_pressure", "RequestBypass", reason, 60.0)
            await h.call(MAX, "Interlocks/over_pressure", "ConfirmBypass", request)
            await h.until(lambda reason=reason: reason in state(h, name).message)
            assert not state(h, name).acked
            await h.call(OLGA, f"Alarms/{name}", "Acknowledge", state(h, name).event_id, None)
        await tell_bypass(h, bypassed=False)
        await h.until(lambda: not state(h, name).active)
        assert not state(h, name).retain, "taken away by a person: nothing to answer"
        h.controller.refuse[CommandKind.BYPASS] = ("BadInvalidState", "no")
        (request,) = await h.call(ERIKA, "Interlocks/over_pressure", "RequestBypass", "in vain", 60.0)
        with pytest.raises(Refused):
            await h.call(MAX, "Interlocks/over_pressure", "ConfirmBypass", request)
        assert not state(h, name).active, "one that was refused never stood"


async def tell_bypass(h: House, *, bypassed: bool) -> None:
    await h.controller.happen(
        EventKind.CONDITION, name="over_pressure", active=False, raw=False, latched=False, trips=0, bypassed=bypassed
    )
    if bypassed:
        await h.until(lambda: state(h, "bypass_over_pressure").active)
