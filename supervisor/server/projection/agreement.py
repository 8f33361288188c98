"""Do journal, events, audit trail and run records of a data folder say the same? For a folder without a daemon.

The journal is the controller's memory, the others are what a server made of it; after whatever crash all of them must
agree once the server has caught up. Every disagreement is told, for people.
"""

import json
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

from supervisor.link.journal import read_journal
from supervisor.link.messages import Event, EventKind
from supervisor.server.projection.fold import Cursor, cursor, finite
from supervisor.server.records import audit
from supervisor.server.store.opening import FILE_NAME, open_to_read
from supervisor.server.store.rows import Connection

END_STATES = frozenset({"COMPLETE", "STOPPED", "ABORTED"})
MOST = 20
"""Disagreements of one kind that are told one by one."""


def disagreements(data: Path) -> list[str]:
    """Compare everything that a data folder keeps; return every disagreement.

    Raises:
        StoreError: another process holds the database, or it cannot be read.
    """
    journal = list(read_journal(data / "journal"))
    with open_to_read(data / FILE_NAME) as connection:
        kept = audit.HeadFile(data / "audit.head").read()
        return [
            *_gaps(journal),
            *audit.verify(connection, kept),
            *_cursor(connection, journal),
            *_events(connection, journal),
            *_deeds(connection, journal),
            *_runs(connection, journal),
        ]


def lost_rows(connection: Connection) -> int:
    """Count the telemetry rows that are known to be lost."""
    row = connection.execute("SELECT coalesce(sum(rows), 0) FROM gaps").fetchone()
    return int(row[0]) if row else 0


def _gaps(journal: list[Event]) -> Iterator[str]:
    for before, after in pairwise(journal):
        if after.seq != before.seq + 1:
            yield f"journal: record {after.seq} follows {before.seq}"


def _cursor(connection: Connection, journal: list[Event]) -> Iterator[str]:
    reached, last = cursor(connection), journal[-1].seq if journal else 0
    if reached.seq != last:
        yield f"the database has the journal's records up to {reached.seq}; it ends at {last}"


def _events(connection: Connection, journal: list[Event]) -> Iterator[str]:
    """Each record of the journal is one event, and no event is without its record."""
    at: Cursor = cursor(connection)
    rows = connection.execute(
        "SELECT seq, kind, time_ns, scan, data FROM events WHERE journal = ? ORDER BY seq", [at.journal]
    ).fetchall()
    wanted = {event.seq: event for event in journal if event.kind is not EventKind.CHECKPOINT}
    seen: set[int] = set()
    faults: list[str] = []
    for seq, kind, time_ns, scan, text in rows:
        event = wanted.get(seq)
        if seq in seen:
            faults.append(f"event {seq} is in the database twice")
        elif event is None:
            faults.append(f"event {seq} ({kind}) has no record in the journal")
        elif (kind, time_ns, scan) != (event.kind.value, event.time_ns, event.scan) or not _same(text, event.data):
            faults.append(f"event {seq} ({kind}) is not what the journal says")
        seen.add(seq)
    faults += [f"record {seq} ({wanted[seq].kind}) is missing among the events" for seq in sorted(wanted.keys() - seen)]
    yield from _told(faults, "events")


def _deeds(connection: Connection, journal: list[Event]) -> Iterator[str]:
    """Each command of the journal is in the audit trail as often as it was journalled."""
    rows = connection.execute("SELECT time_ns, user_name, action, status FROM audit").fetchall()
    entered = Counter((int(time_ns), user, action, status) for time_ns, user, action, status in rows)
    wanted: Counter[tuple[int, str, str, str]] = Counter()
    for event in journal:
        if event.kind is EventKind.COMMAND:
            principal: dict[str, Any] = event.data.get("principal") or {}
            said = (str(principal.get("user", "")), str(event.data.get("kind", "")), str(event.data.get("status")))
            wanted[event.time_ns, *said] += 1
    faults = [
        f"the command {action} of {user!r} ({status}) at {time_ns} is in the journal {count} times, in the audit trail "
        f"{entered[time_ns, user, action, status]} times"
        for (time_ns, user, action, status), count in wanted.items()
        if entered[time_ns, user, action, status] != count
    ]
    yield from _told(faults, "commands")


def _runs(connection: Connection, journal: list[Event]) -> Iterator[str]:
    """Each run that was started has one record, which says of its end what the journal says."""
    rows = connection.execute("SELECT id::VARCHAR, status, start_ns, end_ns, run_number FROM runs").fetchall()
    known = {str(run_id): (status, start, end, number) for run_id, status, start, end, number in rows}
    started = {str(e.data.get("run_id")): e for e in journal if e.kind is EventKind.RUN_STARTED}
    ended = {str(e.data.get("run_id")): e for e in journal if e.kind is EventKind.RUN_ENDED}
    faults: list[str] = []
    for run_id, event in started.items():
        status, start, end, number = known.get(run_id, ("", None, None, event.data.get("run_number")))
        if not status:
            faults.append(f"run {number} has no record")
        elif start != event.time_ns:
            faults.append(f"run {number} began at {event.time_ns}; its record says {start}")
        elif run_id not in ended:
            faults.append(f"run {number} was started and has no end in the journal; its record says {status}")
        elif (status, end) != (ended[run_id].data.get("state"), ended[run_id].time_ns):
            faults.append(
                f"run {number} is {ended[run_id].data.get('state')} in the journal and {status} in its record"
            )
    faults += [
        f"run {number} is {status} in its record and was never started"
        for run_id, (status, start, _, number) in known.items()
        if start is not None and run_id not in started and status in END_STATES and not str(number).startswith("SIM")
    ]
    yield from _told(faults, "runs")


def _same(text: str | None, data: dict[str, Any]) -> bool:
    """Whether a row's JSON is a record's data, NaN and infinities left out of account (JSON has none)."""
    return json.loads(text or "{}") == json.loads(json.dumps(finite(data), default=str))


def _told(faults: list[str], what: str) -> Iterator[str]:
    yield from faults[:MOST]
    if len(faults) > MOST:
        yield f"and {len(faults) - MOST} more disagreements of {what}"
