"""Events of the past as the address space shows them, in order of time: the projected journal, and what alarms told.

What the scan said of an alarm's cause is not told again beside the alarm's own event, then as now.
"""

import hashlib
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

from config.alarm_list import AlarmDefinition
from opcua_model.conditions.state import AlarmState
from opcua_model.interface import Occurrence, PastEvent
from supervisor.server.alarms import rows
from supervisor.server.store.rows import Connection, beyond

_JOURNAL: Final = 2**40
"""Events of one journal: its number and theirs make one that orders all."""
_ALARMS: Final = 2**61
"""Numbers of alarms' events stand behind those of all journals."""


def past_events(
    connection: Connection,
    start_ns: int,
    end_ns: int,
    limit: int,
    source: str,
    behind: tuple[int, int] | None,
    alarms: Mapping[str, AlarmDefinition] = MappingProxyType({}),
) -> Sequence[PastEvent]:
    """Return events of a source and of what is below it (empty: all), newest first when start is after end.

    Args:
        connection: to the database.
        start_ns: included.
        end_ns: included.
        limit: how many at most.
        source: path of the notifier.
        behind: go on after the event of this time and number.
        alarms: of the tool; they are heard at themselves and at their modules.
    """
    names = [name for name, one in alarms.items() if _heard(source, f"Alarms/{name}", one.source)]
    told = rows.past(connection, alarms, names, (start_ns, end_ns), limit, _behind_alarms(behind))
    found = [*_journalled(connection, start_ns, end_ns, limit, source, behind), *(_of_alarm(*one) for one in told)]
    found.sort(key=lambda one: (one.occurrence.time_ns, one.number), reverse=start_ns > end_ns)
    return found[:limit]


def _heard(source: str, *paths: str) -> bool:
    return not source or any(f"{path}/".startswith(f"{source}/") for path in paths)


def _behind_alarms(behind: tuple[int, int] | None) -> tuple[int, int] | None:
    """The same place among the events of alarms, which stand behind all others of a moment."""
    return None if behind is None else (behind[0], behind[1] - _ALARMS)


def _of_alarm(number: int, state: AlarmState) -> PastEvent:
    occurrence = Occurrence(f"Alarms/{state.name}", state.severity, state.message, state.time_ns)
    return PastEvent(_ALARMS + number, state.event_id, occurrence, state)


def _journalled(
    connection: Connection, start_ns: int, end_ns: int, limit: int, source: str, behind: tuple[int, int] | None
) -> list[PastEvent]:
    backward = start_ns > end_ns
    where = ["time_ns BETWEEN ? AND ?", "NOT (kind = 'condition' AND starts_with(source, 'Alarms/'))"]
    params = [min(start_ns, end_ns), max(start_ns, end_ns)]
    given: list[Any] = list(params)
    if source:
        where.append("(source = ? OR starts_with(source, ?))")
        given += [source, f"{source}/"]
    if behind is not None:
        clause, values = beyond(f"journal * {_JOURNAL} + seq", behind, backward=backward)
        where.append(clause)
        given += values
    order = "DESC" if backward else "ASC"
    rows = connection.execute(
        "SELECT journal, seq, time_ns, kind, severity, source, message, cvd_run_id FROM events "  # noqa: S608 (our words)
        f"WHERE {' AND '.join(where)} ORDER BY time_ns {order}, journal {order}, seq {order} LIMIT {int(limit)}",
        given,
    ).fetchall()
    return [
        PastEvent(
            int(journal) * _JOURNAL + int(seq),
            event_id(int(journal), int(seq)),
            Occurrence(
                source=str(path),
                severity=int(severity),
                message=str(message),
                time_ns=int(time_ns),
                fields={"Kind": str(kind), "RunId": "" if run is None else str(run), "Seq": int(seq)},
            ),
        )
        for journal, seq, time_ns, kind, severity, path, message, run in rows
    ]


def event_id(journal: int, seq: int) -> bytes:
    """Make the EventId of a journalled event: the same whenever it is asked for."""
    return hashlib.sha256(f"{journal}:{seq}".encode()).digest()[:16]
