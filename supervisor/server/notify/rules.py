"""Which events are told to whom, in which words, and when."""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, time, timedelta

from config.alarms import AlarmPoint
from config.tool import Interlock
from supervisor.link.messages import Event, EventKind
from supervisor.server.notify.outbox import Message
from supervisor.server.notify.table import NotifyTable, Quiet, Subject
from supervisor.server.texts import Texts
from supervisor.server.texts.wording import tell

Conditions = Mapping[str, Interlock | AlarmPoint]
WAITS = frozenset({"HELD", "PAUSED"})
"""Run states in which somebody is waited for."""
_SYSTEM = frozenset({EventKind.LOST, EventKind.PROGRAM_FAULT, EventKind.LOOP_FAULT, EventKind.BYPASS_EXPIRED})
_RUN = frozenset({EventKind.RUN_ENDED, EventKind.CHECK_FAILED, EventKind.TIMEOUT, EventKind.GUARD})


def subject_of(event: Event, conditions: Conditions, silent: Callable[[str], bool]) -> Subject | None:
    """What an event is about; None for what is nobody's business outside.

    Args:
        event: that has happened.
        conditions: of the tool, by name.
        silent: whether an alarm is shelved, suppressed, disabled or out of service.
    """
    if event.kind is EventKind.CONDITION:
        declared = conditions.get(str(event.data.get("name")))
        if not event.data.get("active") or event.data.get("bypassed"):
            return None
        if isinstance(declared, AlarmPoint):
            return None if silent(declared.alarm.name) else "alarms"
        return "trips" if event.data.get("class") in {"trip", "hold"} else None
    if event.kind is EventKind.RUN_STATE:
        return "runs" if event.data.get("state") in WAITS else None
    if event.kind in _RUN:
        return "runs"
    return "system" if event.kind in _SYSTEM else None


def messages_of(
    event: Event, table: NotifyTable, conditions: Conditions, texts: Texts, silent: Callable[[str], bool]
) -> Iterator[Message]:
    """Make a message of an event for everybody who wants it."""
    about = subject_of(event, conditions, silent)
    if about is None:
        return
    told = tell(event, conditions, texts)
    declared = conditions.get(str(event.data.get("name")))
    lines = [told.message]
    if declared is not None:
        lines += [
            f"{texts('Consequence')}: {texts(declared.consequence)}",
            f"{texts('Action')}: {texts(declared.action)}",
        ]
    for name, target in table.targets.items():
        wanted = told.severity >= target.least_severity or event.kind is EventKind.RUN_ENDED
        if about in target.about and wanted:
            yield Message(name, event.time_ns, told.severity, about, told.message, "\n".join(lines))


def quiet_until(quiet: tuple[Quiet, ...], severity: int, now: datetime) -> datetime | None:
    """When the quiet hours end that a message of this severity waits for; None: it does not wait."""
    ends = [end for one in quiet if severity < one.below and (end := _end(one, now)) is not None]
    return max(ends, default=None)


def _end(one: Quiet, now: datetime) -> datetime | None:
    begin, end = time.fromisoformat(one.begin), time.fromisoformat(one.end)
    clock = now.time().replace(tzinfo=None)
    if begin <= end:
        return _at(now, end) if begin <= clock < end else None
    if clock >= begin:
        return _at(now + timedelta(days=1), end)
    return _at(now, end) if clock < end else None


def _at(day: datetime, clock: time) -> datetime:
    return day.replace(hour=clock.hour, minute=clock.minute, second=0, microsecond=0)
