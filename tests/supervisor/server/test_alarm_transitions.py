"""The life of an alarm, one step after another, and what may never be done to one."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.alarm_list import AlarmDefinition, alarm_list
from config.layout import Layout
from config.tool import Alarm, AlarmKind, Priority
from kernels.tables import ConditionState
from opcua_model.conditions.state import AlarmState, Shelf
from opcua_model.interface import Refused
from supervisor.server.alarms import transitions as t
from tests.config.small_furnace import small_furnace

S = 10**9
ACTIVE = int(ConditionState.RAW | ConditionState.ACTIVE)
LATCHED = ACTIVE | int(ConditionState.LATCHED)
SAID: dict[str, Any] = {
    "name": "pressure", "description": "Pressure is off", "priority": Priority.LOW, "consequence": "scrap",
    "action": "look",
}  # fmt: skip


def defined(**fields: Any) -> AlarmDefinition:
    level: dict[str, Any] = {
        "kind": AlarmKind.LEVEL, "tag": "chamber.pressure_torr", "high": "1 Torr", "high_high": "2 Torr",
        "outer_priority": Priority.HIGH,
    }  # fmt: skip
    alarm = Alarm(**{**SAID, **level, **fields})
    return alarm_list(Layout(small_furnace().model_copy(update={"alarms": (alarm,)})))["pressure"]


LEVEL = defined()
HIGH, HIGH_HIGH = LEVEL.index["pressure.high"], LEVEL.index["pressure.high_high"]


def at(second: float) -> t.Moment:
    return t.Moment(int(second * S), f"event {second}".encode())


def raised(definition: AlarmDefinition = LEVEL, second: float = 1) -> AlarmState:
    return t.observe(definition, t.fresh(definition), definition.index["pressure.high"], ACTIVE, 1, at(second)).after


def refused(work: Any, *arguments: Any, **named: Any) -> str:
    with pytest.raises(Refused) as caught:
        work(*arguments, **named)
    return caught.value.status


def test_it_comes_is_acknowledged_and_goes() -> None:
    state = raised()
    assert (state.active, state.acked, state.retain, state.severity) == (True, False, True, 200)
    acked = t.acknowledge(LEVEL, state, at(2), "olga", state.event_id, "on my way").after
    assert (acked.acked, acked.comment, acked.comment_by, acked.retain) == (True, "on my way", "olga", True)
    gone = t.observe(LEVEL, acked, HIGH, 0, 1, at(3)).after
    assert (gone.active, gone.retain, gone.message) == (False, False, "back to normal: Pressure is off")


def test_one_that_goes_by_itself_still_wants_an_answer() -> None:
    gone = t.observe(LEVEL, raised(), HIGH, 0, 1, at(2)).after
    assert gone.retain
    answered = t.acknowledge(LEVEL, gone, at(3), "olga", gone.event_id, None).after
    assert not answered.retain
    assert answered.comment == ""


def test_an_outer_limit_asks_again_and_the_way_back_does_not() -> None:
    state = raised()
    state = t.acknowledge(LEVEL, state, at(2), "olga", state.event_id, None).after
    worse = t.observe(LEVEL, state, HIGH_HIGH, ACTIVE, 1, at(3))
    assert (worse.what, worse.after.acked, worse.after.severity, worse.after.last_severity) == (
        "worsened", False, 700, 200,
    )  # fmt: skip
    acked = t.acknowledge(LEVEL, worse.after, at(4), "olga", worse.after.event_id, None).after
    eased = t.observe(LEVEL, acked, HIGH_HIGH, 0, 1, at(5))
    assert (eased.what, eased.after.acked, eased.after.active, eased.after.severity) == ("eased", True, True, 200)


def test_only_events_of_this_occurrence_are_answered() -> None:
    first = raised()
    assert refused(t.acknowledge, LEVEL, first, at(2), "olga", b"", None) == "BadEventIdUnknown"
    assert refused(t.acknowledge, LEVEL, first, at(2), "olga", b"guess", None) == "BadEventIdUnknown"
    gone = t.observe(LEVEL, first, HIGH, 0, 1, at(2)).after
    again = t.observe(LEVEL, gone, HIGH, ACTIVE, 2, at(3)).after
    # Who has the first event on his screen has not seen the second occurrence.
    assert refused(t.acknowledge, LEVEL, again, at(4), "olga", first.event_id, None) == "BadEventIdUnknown"
    acked = t.acknowledge(LEVEL, again, at(5), "olga", again.event_id, None).after
    assert refused(t.acknowledge, LEVEL, acked, at(6), "max", acked.event_id, None) == "BadConditionBranchAlreadyAcked"
    assert refused(t.add_comment, LEVEL, acked, at(6), "max", acked.event_id, "x" * 3000) == "BadInvalidArgument"


def test_what_must_be_confirmed_stays_on_the_list_until_it_is() -> None:
    definition = defined(confirm=True)
    state = raised(definition)
    assert refused(t.confirm, definition, state, at(2), "olga", state.event_id, None) == "BadInvalidState"
    state = t.acknowledge(definition, state, at(2), "olga", state.event_id, None).after
    state = t.observe(definition, state, HIGH, 0, 1, at(3)).after
    assert state.retain
    state = t.confirm(definition, state, at(4), "max", state.event_id, "valve changed").after
    assert not state.retain
    code = refused(t.confirm, definition, state, at(5), "max", state.event_id, None)
    assert code == "BadConditionBranchAlreadyConfirmed"
    assert refused(t.confirm, LEVEL, raised(), at(5), "max", raised().event_id, None) == "BadNotSupported"


def test_the_shelf_ends_by_time_by_hand_or_with_the_cause() -> None:
    definition = defined(max_shelve_s=100.0)
    state = raised(definition)
    for time_ms in (0.0, -1.0, 100_001.0):
        assert refused(t.shelve, definition, state, at(2), "olga", time_ms, None) == "BadShelvingTimeOutOfRange"
    timed = t.shelve(definition, state, at(2), "olga", 50_000.0, "sensor").after
    assert (timed.silent, timed.unshelve_ns) == (True, 52 * S)
    assert refused(t.shelve, definition, timed, at(3), "olga", 1000.0, None) == "BadConditionAlreadyShelved"
    assert t.expire(definition, timed, at(51.9)) is None
    over = t.expire(definition, timed, at(52))
    assert over is not None
    assert over.after.shelf is Shelf.NONE
    assert refused(t.unshelve, definition, state, at(3), "olga", None) == "BadConditionNotShelved"
    once = t.shelve(definition, state, at(2), "olga", None, None).after
    assert once.unshelve_ns == 102 * S  # the longest time holds for it too
    cleared = t.observe(definition, once, HIGH, 0, 1, at(5)).after
    assert cleared.shelf is Shelf.NONE
    assert t.unshelve(definition, timed, at(5), "olga", None).after.shelf is Shelf.NONE


def test_nobody_silences_what_is_of_the_safety_class() -> None:
    safety = defined(safety=True)
    trip = next(one for one in alarm_list(Layout(small_furnace())).values() if one.alarm is None)
    for definition in (safety, trip):
        state = t.observe(definition, t.fresh(definition), 0, ACTIVE, 1, at(1)).after
        assert refused(t.shelve, definition, state, at(2), "max", 1000.0, None) == "BadNotSupported"
        assert refused(t.shelve, definition, state, at(2), "max", None, None) == "BadNotSupported"
        assert refused(t.set_enabled, definition, state, at(2), "max", enabled=False) == "BadNotSupported"
        assert refused(t.set_out_of_service, definition, state, at(2), "max", None, out=True) == "BadNotSupported"
        assert refused(t.set_commanded, definition, state, at(2), "max", None, suppress=True) == "BadNotSupported"


def test_a_method_and_the_declaration_suppress_beside_each_other() -> None:
    state = t.observe(LEVEL, t.fresh(LEVEL), HIGH, ACTIVE, 1, at(1)).after
    held = t.set_commanded(LEVEL, state, at(2), "max", "the pump is being changed", suppress=True)
    assert (held.told, held.after.suppressed, held.after.silent, held.after.active) == (True, True, True, True)
    assert (held.after.comment, held.after.comment_by, held.user) == ("the pump is being changed", "max", "max")
    assert refused(t.set_commanded, LEVEL, held.after, at(3), "max", None, suppress=True) == "BadInvalidState"
    both = t.set_suppressed(held.after, at(3), suppressed=True)
    assert both is not None
    assert (both.told, both.after.suppressed) == (False, True)  # nothing that anybody sees has changed
    assert t.set_suppressed(both.after, at(4), suppressed=True) is None
    design = t.set_commanded(LEVEL, both.after, at(5), "max", None, suppress=False).after
    assert (design.suppressed, design.suppressed_ns) == (True, 2 * S)
    over = t.set_suppressed(design, at(6), suppressed=False)
    assert over is not None
    assert (over.told, over.after.suppressed, over.after.silent) == (True, False, False)
    assert refused(t.set_commanded, LEVEL, over.after, at(7), "max", None, suppress=False) == "BadInvalidState"
    # A cause that comes meanwhile is an event, but asks nobody.
    quiet = t.observe(LEVEL, t.set_commanded(LEVEL, t.fresh(LEVEL), at(1), "m", None, suppress=True).after, HIGH,
                      ACTIVE, 1, at(2))  # fmt: skip
    assert (quiet.told, quiet.asks) == (True, False)


def test_a_disabled_alarm_is_silent_and_asks_when_it_is_enabled_again() -> None:
    off = t.set_enabled(LEVEL, t.fresh(LEVEL), at(1), "max", enabled=False).after
    seen = t.observe(LEVEL, off, HIGH, ACTIVE, 1, at(2))
    assert not seen.told
    assert not seen.after.retain
    assert refused(t.acknowledge, LEVEL, seen.after, at(3), "olga", b"x", None) == "BadConditionDisabled"
    assert refused(t.set_enabled, LEVEL, seen.after, at(3), "max", enabled=False) == "BadConditionAlreadyDisabled"
    on = t.set_enabled(LEVEL, seen.after, at(4), "max", enabled=True)
    assert (on.told, on.after.acked, on.after.retain) == (True, False, True)
    assert refused(t.set_enabled, LEVEL, on.after, at(5), "max", enabled=True) == "BadConditionAlreadyEnabled"


def test_a_cause_that_stays_asks_again() -> None:
    definition = defined(re_alarm_s=600.0)
    state = raised(definition, 0)
    state = t.acknowledge(definition, state, at(10), "olga", state.event_id, None).after
    assert t.ask_again(definition, state, at(609)) is None
    again = t.ask_again(definition, state, at(610))
    assert again is not None
    assert (again.asks, again.after.acked, again.after.re_alarms) == (True, False, 1)
    shelved = t.shelve(definition, state, at(20), "olga", 1000.0, None).after
    assert t.ask_again(definition, shelved, at(10_000)) is None


def test_a_latch_keeps_it_on_the_list_until_the_scan_says_it_was_reset() -> None:
    definition = defined(latch=True)
    state = t.observe(definition, t.fresh(definition), HIGH, LATCHED, 1, at(1)).after
    state = t.acknowledge(definition, state, at(2), "olga", state.event_id, None).after
    gone = t.observe(definition, state, HIGH, int(ConditionState.LATCHED), 1, at(3))
    assert (gone.what, gone.after.retain) == ("cleared", True)
    assert gone.after.message == "cause gone, still latched: Pressure is off"
    reset = t.observe(definition, gone.after, HIGH, 0, 1, at(4))
    assert (reset.what, reset.told, reset.after.retain) == ("reset", True, False)


def test_a_controller_s_restart_asks_nobody_twice() -> None:
    state = raised()
    state = t.acknowledge(LEVEL, state, at(2), "olga", state.event_id, None).after
    forgotten = t.forget_scan(state, at(3))
    assert (forgotten.told, forgotten.after.active, forgotten.after.verified) == (True, True, False)
    found = t.observe(LEVEL, forgotten.after, HIGH, ACTIVE, 1, at(4)).after
    assert (found.acked, found.verified, found.occurrences) == (True, True, 1)
    away = t.correct(LEVEL, forgotten.after, [0, 0], [0, 0], at(9))
    assert (away.what, away.after.active) == ("cleared", False)


def test_one_that_came_and_went_while_events_were_lost_is_still_told() -> None:
    quiet = t.fresh(LEVEL)
    missed = t.correct(LEVEL, quiet, [0, 0], [1, 0], at(1))
    assert (missed.what, missed.told, missed.after.active, missed.after.acked) == ("raised", True, False, False)


def test_a_state_survives_as_plain_data_and_an_odd_one_is_a_fresh_one() -> None:
    state = t.shelve(LEVEL, raised(), at(2), "olga", 1000.0, "später").after
    assert t.from_facts(t.facts(state)) == state
    assert t.fitted(defined(high_high=None, outer_priority=None), state).bits == (0,)
    assert t.from_facts({"name": "pressure", "invented": 1}).name == "pressure"


ACTS = st.sampled_from(["raise", "clear", "worse", "ack", "confirm", "shelve", "once", "unshelve", "off", "on", "out",
                        "in", "boot", "tick", "comment", "hush",
                        "speak", "step", "after"])  # fmt: skip


@given(st.lists(ACTS, max_size=40), st.booleans())
def test_whatever_happens_in_whatever_order_the_list_is_right(acts: list[str], confirm: bool) -> None:
    definition = defined(confirm=confirm, re_alarm_s=600.0, max_shelve_s=100.0)
    state, now = t.fresh(definition), 0.0
    for act in acts:
        now += 7
        moment = at(now)
        works: dict[str, Any] = {
            "raise": lambda s=state, m=moment: t.observe(definition, s, HIGH, ACTIVE, s.trips[HIGH] + 1, m),
            "worse": lambda s=state, m=moment: t.observe(definition, s, HIGH_HIGH, ACTIVE, 1, m),
            "clear": lambda s=state, m=moment: t.observe(definition, s, HIGH, 0, s.trips[HIGH], m),
            "ack": lambda s=state, m=moment: t.acknowledge(definition, s, m, "olga", s.event_id, "x"),
            "confirm": lambda s=state, m=moment: t.confirm(definition, s, m, "olga", s.event_id, None),
            "comment": lambda s=state, m=moment: t.add_comment(definition, s, m, "olga", s.event_id, "y"),
            "shelve": lambda s=state, m=moment: t.shelve(definition, s, m, "olga", 5000.0, None),
            "once": lambda s=state, m=moment: t.shelve(definition, s, m, "olga", None, None),
            "unshelve": lambda s=state, m=moment: t.unshelve(definition, s, m, "olga", None),
            "off": lambda s=state, m=moment: t.set_enabled(definition, s, m, "max", enabled=False),
            "on": lambda s=state, m=moment: t.set_enabled(definition, s, m, "max", enabled=True),
            "out": lambda s=state, m=moment: t.set_out_of_service(definition, s, m, "max", None, out=True),
            "in": lambda s=state, m=moment: t.set_out_of_service(definition, s, m, "max", None, out=False),
            "hush": lambda s=state, m=moment: t.set_commanded(definition, s, m, "max", None, suppress=True),
            "speak": lambda s=state, m=moment: t.set_commanded(definition, s, m, "max", None, suppress=False),
            "step": lambda s=state, m=moment: t.set_suppressed(s, m, suppressed=True),
            "after": lambda s=state, m=moment: t.set_suppressed(s, m, suppressed=False),
            "boot": lambda s=state, m=moment: t.forget_scan(s, m),
            "tick": lambda s=state, m=moment: t.expire(definition, s, m) or t.ask_again(definition, s, m),
        }
        try:
            change = works[act]()
        except Refused:
            continue
        if change is None:
            continue
        before, state = state, change.after
        assert state.revision > before.revision
        assert state.active == any(bits & ConditionState.ACTIVE for bits in state.bits)
        assert not state.retain or state.enabled
        assert state.suppressed == (state.designed or state.commanded)
        if change.told:
            assert state.event_id in state.event_ids
            assert state.event_id != before.event_id
        if state.active and not before.active and state.enabled:
            assert not state.acked
            assert state.event_ids == (state.event_id,)
        if state.acked and not before.acked:
            assert act in {"ack", "off"}
        assert t.from_facts(t.facts(state)) == state
    assert replace(state) == state
