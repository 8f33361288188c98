"""Events of the past as the address space shows them: the projected journal, in order of time."""

import hashlib
from collections.abc import Sequence
from typing import Any, Final

from opcua_model.interface import Occurrence, PastEvent
from supervisor.server.store.rows import Connection

_JOURNAL: Final = 2**40
"""Events of one journal: its number and theirs make one that orders all."""


def past_events(
    connection: Connection, start_ns: int, end_ns: int, limit: int, source: str, behind: tuple[int, int] | None
) -> Sequence[PastEvent]:
    """Return events of a source and of what is below it (empty: all), newest first when start is after end.

    `behind`: go on after the event of this time and number.
    """
    backward = start_ns > end_ns
    where, params = ["time_ns BETWEEN ? AND ?"], [min(start_ns, end_ns), max(start_ns, end_ns)]
    given: list[Any] = list(params)
    if source:
        where.append("(source = ? OR starts_with(source, ?))")
        given += [source, f"{source}/"]
    if behind is not None:
        sign = "<" if backward else ">"
        where.append(f"(time_ns {sign} ? OR (time_ns = ? AND journal * {_JOURNAL} + seq {sign} ?))")
        given += [behind[0], behind[0], behind[1]]
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
