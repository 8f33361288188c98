"""How an alarm's state changes: pure functions from a state to the next one, or a refusal with its reason.

What may not be done to an alarm of the safety class is refused here, whoever asks.
"""

from dataclasses import dataclass, replace
from typing import Any

from config.alarm_list import AlarmDefinition
from kernels.tables import ConditionState
from opcua_model.conditions.state import AlarmState, Shelf
from opcua_model.interface import Refused

IDS_KEPT = 32
"""Event ids of one occurrence that can still be acknowledged."""
LONGEST_COMMENT = 2000
_TOLD = ConditionState.ACTIVE | ConditionState.LATCHED


@dataclass(frozen=True)
class Moment:
    """When something happens, and the id of the event that tells of it."""

    time_ns: int
    event_id: bytes


@dataclass(frozen=True)
class Change:
    """What became of a state."""

    before: AlarmState
    after: AlarmState
    what: str
    """A word for the log: raised, worsened, eased, cleared, acknowledged …"""
    user: str = ""
    comment: str = ""

    @property
    def told(self) -> bool:
        """Whether an event tells of it."""
        return self.after.event_id != self.before.event_id

    @property
    def asks(self) -> bool:
        """Whether somebody is asked for an answer."""
        return self.what in {"raised", "worsened", "asked again", "expired"} and not self.after.silent


def fresh(definition: AlarmDefinition) -> AlarmState:
    """The state of an alarm that never came."""
    count = len(definition.points)
    return AlarmState(
        definition.name,
        bits=(0,) * count,
        trips=(0,) * count,
        severity=definition.severity(0),
        last_severity=definition.severity(0),
        message=definition.declared.description,
    )


def fitted(definition: AlarmDefinition, state: AlarmState) -> AlarmState:
    """A state that was kept, for an alarm whose points may be others now."""
    count = len(definition.points)
    if len(state.bits) == count:
        return state
    return replace(state, bits=(0,) * count, trips=(0,) * count, active=False, latched=False, unknown=False)


def _event(state: AlarmState, moment: Moment, *, new: bool = False) -> AlarmState:
    """Mark that an event tells of the present state."""
    ids = (moment.event_id,) if new else (*state.event_ids, moment.event_id)[-IDS_KEPT:]
    return replace(state, event_id=moment.event_id, event_ids=ids, time_ns=moment.time_ns, revision=state.revision + 1)


# ---------------------------------------------------------------------------------------------------- from the scan
def observe(
    definition: AlarmDefinition, state: AlarmState, place: int, bits: int, trips: int, moment: Moment
) -> Change:
    """Take the state of one point as the scan tells it."""
    all_bits = tuple(bits if at == place else one for at, one in enumerate(state.bits))
    all_trips = tuple(trips if at == place else one for at, one in enumerate(state.trips))
    seen = replace(
        state,
        bits=all_bits,
        trips=all_trips,
        active=any(one & ConditionState.ACTIVE for one in all_bits),
        latched=any(one & ConditionState.LATCHED for one in all_bits),
        first_out=any(one & ConditionState.FIRST_OUT for one in all_bits),
        unknown=any(one & ConditionState.UNKNOWN and one & ConditionState.ACTIVE for one in all_bits),
        verified=True,
        revision=state.revision + 1,
    )
    return _judge(definition, state, seen, moment)


def _judge(definition: AlarmDefinition, state: AlarmState, seen: AlarmState, moment: Moment) -> Change:
    """Say what it means that an alarm was `state` and is `seen` now."""
    now = moment.time_ns
    top, was = seen.top, state.top
    if seen.latched != state.latched:
        seen = replace(seen, latched_ns=now)
    if top is not None:
        severity = definition.severity(top)
        if severity != state.severity:
            seen = replace(seen, severity=severity, last_severity=state.severity, severity_ns=now)
    if seen.active and not state.active:
        return Change(state, _raised(definition, seen, moment), "raised")
    if seen.active and top is not None and top != was:
        worse = was is None or definition.severity(top) > definition.severity(was) or _outer(definition, top, was)
        seen = replace(seen, message=definition.points[top].description)
        if not worse:
            return Change(state, _told(seen, moment), "eased")
        seen = replace(seen, acked=False, confirmed=not definition.confirm, acked_ns=now, asked_ns=now)
        return Change(state, _told(seen, moment), "worsened")
    if state.active and not seen.active:
        seen = replace(seen, active_ns=now, message=_gone(definition, seen))
        if seen.shelf is Shelf.ONE_SHOT:
            seen = replace(seen, shelf=Shelf.NONE, unshelve_ns=0, shelf_ns=now)
        return Change(state, _told(seen, moment), "cleared")
    if seen.latched != state.latched:
        words = _gone(definition, seen) if not seen.active else seen.message
        return Change(state, _told(replace(seen, message=words), moment), "latched" if seen.latched else "reset")
    if (seen.unknown, seen.verified, seen.first_out) != (state.unknown, state.verified, state.first_out):
        return Change(state, _told(seen, moment) if seen.active else seen, "quality")
    return Change(state, seen, "seen")


def _outer(definition: AlarmDefinition, top: int, was: int) -> bool:
    """Whether a limit behind another one was passed, whatever their priorities."""
    now, before = definition.limit(top), definition.limit(was)
    return now is not None and before is not None and now.outer and not before.outer


def _told(state: AlarmState, moment: Moment) -> AlarmState:
    return _event(state, moment) if state.enabled else state


def _raised(definition: AlarmDefinition, state: AlarmState, moment: Moment) -> AlarmState:
    """A new occurrence: what was answered before does not count."""
    now = moment.time_ns
    top = state.top or 0
    state = replace(
        state,
        acked=False,
        confirmed=not definition.confirm,
        active_ns=now,
        acked_ns=now,
        confirmed_ns=now,
        asked_ns=now,
        occurrences=state.occurrences + 1,
        re_alarms=0,
        message=definition.points[top].description,
    )
    return _event(state, moment, new=True) if state.enabled else replace(state, acked=True, confirmed=True)


def _gone(definition: AlarmDefinition, state: AlarmState) -> str:
    words = definition.declared.description
    return f"cause gone, still latched: {words}" if state.latched else f"back to normal: {words}"


def forget_scan(state: AlarmState, moment: Moment) -> Change:
    """A controller started: its scan knows nothing yet, and what it found before is not verified any more."""
    seen = replace(
        state,
        trips=(0,) * len(state.trips),
        bits=tuple(one & ConditionState.ACTIVE for one in state.bits),
        latched=False,
        first_out=False,
        verified=not state.active,
        revision=state.revision + 1,
    )
    told = state.enabled and (state.active or state.latched)
    return Change(state, _event(seen, moment) if told else seen, "controller started")


def correct(
    definition: AlarmDefinition, state: AlarmState, bits: list[int], trips: list[int], moment: Moment
) -> Change:
    """Take all points as the image shows them: what no event told of (a lost one, a cause that went with a restart)."""
    missed = (
        not state.active
        and state.verified
        and any(now > before for now, before in zip(trips, state.trips, strict=True))
    )
    seen = replace(
        state,
        bits=tuple(bits),
        trips=tuple(trips),
        active=any(one & ConditionState.ACTIVE for one in bits),
        latched=any(one & ConditionState.LATCHED for one in bits),
        first_out=any(one & ConditionState.FIRST_OUT for one in bits),
        unknown=any(one & ConditionState.UNKNOWN and one & ConditionState.ACTIVE for one in bits),
        verified=True,
        revision=state.revision + 1,
    )
    if missed and not seen.active:  # it came and went unseen: somebody has to know
        raised = _raised(definition, replace(seen, bits=state.bits), moment)
        return Change(state, replace(raised, bits=seen.bits), "raised")
    return _judge(definition, state, seen, moment)


def explain(definition: AlarmDefinition, state: AlarmState, words: str, moment: Moment) -> Change | None:
    """Say who and why of a bypass that stands; one that is given anew asks for an answer again."""
    if not state.active or state.message == words:
        return None
    anew = state.message != definition.declared.description
    seen = replace(state, message=words)
    if anew:
        seen = replace(seen, acked=False, acked_ns=moment.time_ns, asked_ns=moment.time_ns)
    return Change(state, _event(seen, moment), "asked again" if anew else "explained")


def ended(state: AlarmState, words: str, moment: Moment) -> Change | None:
    """The bypass has ended by itself: whoever relied on it is told, and answers."""
    if not state.active:
        return None
    now = moment.time_ns
    seen = replace(
        state, bits=(0,) * len(state.bits), active=False, verified=True, active_ns=now, acked=False, acked_ns=now,
        asked_ns=now, message=words,
    )  # fmt: skip
    return Change(state, _event(seen, moment), "expired")


# ------------------------------------------------------------------------------------------- from process control
@dataclass(frozen=True)
class Standing:
    """How a series of process control stands by its newest point."""

    series: str
    urgent: bool | None
    """Beyond a limit, or (False) part of a pattern; None: in control."""
    words: str


def charted(definition: AlarmDefinition, state: AlarmState, standing: Standing, moment: Moment) -> Change:
    """Take the verdict on the newest point of a series; each that breaks a rule asks for an answer of its own."""
    place = None if standing.urgent is None else 0 if standing.urgent else 1
    bits = tuple(int(ConditionState.ACTIVE) if at == place else 0 for at in range(len(definition.points)))
    active = place is not None
    seen = replace(state, bits=bits, active=active, unknown=False, verified=True, revision=state.revision + 1)
    change = _judge(definition, state, seen, moment)
    if not active:
        words = standing.words if state.active else change.after.message
        return replace(change, after=replace(change.after, message=words))
    after = replace(change.after, message=standing.words)
    if change.what in {"raised", "worsened"} or not state.enabled:
        return replace(change, after=after)
    now = moment.time_ns
    after = replace(after, acked=False, confirmed=not definition.confirm, acked_ns=now, asked_ns=now)
    return Change(state, _event(after, moment), "asked again")


def listed(definition: AlarmDefinition, state: AlarmState, bits: list[int], words: str, moment: Moment) -> Change:
    """Take what a list says: which points are active and what stands on it; another list asks again."""
    change = correct(definition, state, bits, [0] * len(bits), moment)
    if not change.after.active or change.after.message == words:
        return change
    seen = replace(change.after, message=words)
    if change.told:
        return replace(change, after=seen)
    seen = replace(seen, acked=False, acked_ns=moment.time_ns, asked_ns=moment.time_ns)
    return Change(state, _event(seen, moment), "asked again")


# -------------------------------------------------------------------------------------------------------- by people
def _enabled(state: AlarmState) -> None:
    if not state.enabled:
        raise Refused("BadConditionDisabled", f"{state.name} is disabled")


def _known(state: AlarmState, event_id: bytes) -> None:
    if not event_id or event_id not in state.event_ids:
        raise Refused(
            "BadEventIdUnknown",
            f"{state.name} has told of no such event since it came; refresh the list and answer what it shows now",
        )


def _commented(state: AlarmState, comment: str | None, user: str, moment: Moment) -> AlarmState:
    if comment is not None and len(comment) > LONGEST_COMMENT:
        raise Refused("BadInvalidArgument", f"a comment has at most {LONGEST_COMMENT} characters")
    state = replace(state, user=user)
    if comment is None:
        return state
    return replace(state, comment=comment, comment_by=user, comment_ns=moment.time_ns)


def acknowledge(
    definition: AlarmDefinition, state: AlarmState, moment: Moment, user: str, event_id: bytes, comment: str | None
) -> Change:
    """Somebody has seen it."""
    _enabled(state)
    _known(state, event_id)
    if state.acked:
        raise Refused("BadConditionBranchAlreadyAcked", f"{definition.name} is acknowledged already")
    now = moment.time_ns
    seen = _commented(replace(state, acked=True, acked_ns=now, asked_ns=now), comment, user, moment)
    return Change(state, _event(seen, moment), "acknowledged", user, comment or "")


def confirm(
    definition: AlarmDefinition, state: AlarmState, moment: Moment, user: str, event_id: bytes, comment: str | None
) -> Change:
    """Somebody has done what it asks for."""
    if not definition.confirm:
        raise Refused("BadNotSupported", f"{definition.name} is not confirmed, only acknowledged")
    _enabled(state)
    _known(state, event_id)
    if state.confirmed:
        raise Refused("BadConditionBranchAlreadyConfirmed", f"{definition.name} is confirmed already")
    if not state.acked:
        raise Refused("BadInvalidState", f"acknowledge {definition.name} before its action is confirmed")
    seen = _commented(replace(state, confirmed=True, confirmed_ns=moment.time_ns), comment, user, moment)
    return Change(state, _event(seen, moment), "confirmed", user, comment or "")


def add_comment(
    _definition: AlarmDefinition, state: AlarmState, moment: Moment, user: str, event_id: bytes, comment: str | None
) -> Change:
    """Somebody has to say something of it."""
    _enabled(state)
    _known(state, event_id)
    return Change(state, _event(_commented(state, comment, user, moment), moment), "commented", user, comment or "")


def _not_safety(definition: AlarmDefinition, what: str) -> None:
    if definition.safety:
        raise Refused("BadNotSupported", f"{definition.name} is of the safety class: it cannot be {what}")


def shelve(
    definition: AlarmDefinition,
    state: AlarmState,
    moment: Moment,
    user: str,
    time_ms: float | None,
    comment: str | None,
) -> Change:
    """Put it on the shelf for a time, or (None) until it goes by itself."""
    _not_safety(definition, "shelved")
    _enabled(state)
    longest = definition.max_shelve_s
    if longest <= 0:
        raise Refused("BadNotSupported", f"{definition.name} cannot be shelved")
    shelf = Shelf.ONE_SHOT if time_ms is None else Shelf.TIMED
    seconds = longest if time_ms is None else time_ms / 1000.0
    if not 0 < seconds <= longest:
        raise Refused("BadShelvingTimeOutOfRange", f"{definition.name} may be shelved for {longest:g} s at most")
    if state.shelf is shelf:
        raise Refused("BadConditionAlreadyShelved", f"{definition.name} is shelved already")
    now = moment.time_ns
    seen = replace(state, shelf=shelf, shelf_ns=now, unshelve_ns=now + int(seconds * 1e9))
    seen = _commented(seen, comment, user, moment)
    return Change(state, _event(seen, moment), f"shelved ({shelf.value})", user, comment or "")


def unshelve(definition: AlarmDefinition, state: AlarmState, moment: Moment, user: str, comment: str | None) -> Change:
    """Take it off the shelf; a cause that is still there asks again."""
    if state.shelf is Shelf.NONE:
        raise Refused("BadConditionNotShelved", f"{definition.name} is not shelved")
    seen = replace(state, shelf=Shelf.NONE, unshelve_ns=0, shelf_ns=moment.time_ns, asked_ns=moment.time_ns)
    seen = _commented(seen, comment, user, moment)
    return Change(state, _event(seen, moment), "unshelved", user, comment or "")


def set_enabled(definition: AlarmDefinition, state: AlarmState, moment: Moment, user: str, *, enabled: bool) -> Change:
    """Switch it on or off altogether."""
    if not enabled:
        _not_safety(definition, "disabled")
    if state.enabled == enabled:
        code = "BadConditionAlreadyEnabled" if enabled else "BadConditionAlreadyDisabled"
        raise Refused(code, f"{definition.name} is {'enabled' if enabled else 'disabled'} already")
    now = moment.time_ns
    seen = replace(state, enabled=enabled, enabled_ns=now, user=user)
    if not enabled:
        seen = replace(seen, acked=True, confirmed=True, shelf=Shelf.NONE, unshelve_ns=0)
        return Change(state, _event(seen, moment), "disabled", user)
    if seen.active:
        return Change(state, _raised(definition, seen, moment), "raised", user)
    return Change(state, _event(seen, moment), "enabled", user)


def set_out_of_service(
    definition: AlarmDefinition, state: AlarmState, moment: Moment, user: str, comment: str | None, *, out: bool
) -> Change:
    """Take it out of service, or put it back."""
    if out:
        _not_safety(definition, "taken out of service")
    _enabled(state)
    if state.out_of_service == out:
        words = "out of service" if out else "in service"
        raise Refused("BadInvalidState", f"{definition.name} is {words} already")
    now = moment.time_ns
    seen = replace(state, out_of_service=out, out_of_service_ns=now, asked_ns=now)
    seen = _commented(seen, comment, user, moment)
    return Change(state, _event(seen, moment), "out of service" if out else "in service", user, comment or "")


def set_commanded(
    definition: AlarmDefinition, state: AlarmState, moment: Moment, user: str, comment: str | None, *, suppress: bool
) -> Change:
    """Suppress it by a method, or take that back; what its declaration suppresses stays so."""
    if suppress:
        _not_safety(definition, "suppressed")
    _enabled(state)
    if state.commanded == suppress:
        why = definition.name + (" is suppressed already" if suppress else " is not suppressed by a method")
        by_design = "; its declaration suppresses it, and ends that by itself" if state.designed else ""
        raise Refused("BadInvalidState", why + by_design)
    seen = replace(state, commanded=suppress)
    seen = _suppressed(_commented(seen, comment, user, moment), moment)
    words = "suppressed by a method" if suppress else "no longer suppressed by a method"
    return Change(state, _event(seen, moment), words, user, comment or "")


def _suppressed(state: AlarmState, moment: Moment) -> AlarmState:
    suppressed = state.designed or state.commanded
    if suppressed == state.suppressed:
        return state
    return replace(state, suppressed=suppressed, suppressed_ns=moment.time_ns, asked_ns=moment.time_ns)


# ---------------------------------------------------------------------------------------------------------- by time
def set_suppressed(state: AlarmState, moment: Moment, *, suppressed: bool) -> Change | None:
    """Suppress it by design, or no longer."""
    if state.designed == suppressed:
        return None
    seen = _suppressed(replace(state, designed=suppressed), moment)
    if seen.suppressed == state.suppressed:  # a method has suppressed it: nothing changes for anybody
        return Change(state, replace(seen, revision=state.revision + 1), "seen")
    seen = _told(seen, moment) if state.enabled else replace(seen, revision=state.revision + 1)
    return Change(state, seen, "suppressed" if suppressed else "no longer suppressed")


def expire(definition: AlarmDefinition, state: AlarmState, moment: Moment) -> Change | None:
    """Take it off the shelf when its time is over."""
    if state.shelf is Shelf.NONE or moment.time_ns < state.unshelve_ns:
        return None
    return unshelve(definition, state, moment, "", None)


def ask_again(definition: AlarmDefinition, state: AlarmState, moment: Moment) -> Change | None:
    """Ask for another answer when the cause has been there for too long."""
    every = int(definition.re_alarm_s * 1e9)
    if not every or not state.active or state.silent or moment.time_ns - state.asked_ns < every:
        return None
    now = moment.time_ns
    seen = replace(
        state, acked=False, confirmed=not definition.confirm, acked_ns=now, asked_ns=now, re_alarms=state.re_alarms + 1
    )
    return Change(state, _event(seen, moment), "asked again")


def facts(state: AlarmState) -> dict[str, Any]:
    """A state as plain data, for the database."""
    return {
        **{name: getattr(state, name) for name in state.__dataclass_fields__},
        "bits": list(state.bits),
        "trips": list(state.trips),
        "shelf": state.shelf.value,
        "event_id": state.event_id.hex(),
        "event_ids": [one.hex() for one in state.event_ids],
    }


def from_facts(kept: dict[str, Any]) -> AlarmState:
    """A state from plain data; what is not known any more is left out, what is missing is as at the beginning."""
    known = {name: value for name, value in kept.items() if name in AlarmState.__dataclass_fields__}
    known |= {
        "bits": tuple(kept.get("bits") or ()),
        "trips": tuple(kept.get("trips") or ()),
        "shelf": Shelf(kept.get("shelf") or Shelf.NONE),
        "event_id": bytes.fromhex(kept.get("event_id") or ""),
        "event_ids": tuple(bytes.fromhex(one) for one in kept.get("event_ids") or ()),
    }
    return AlarmState(**known)
