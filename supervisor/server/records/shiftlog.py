"""The shift log: what a crew hands over to the next one, put together from events and the audit trail.

Runs and service operations with their results, trips, holds and alarms, changes of mode and control, lock-outs, work
done, notes; in the language and the units that are asked for.
"""

import csv
import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any, cast

from config.alarms import AlarmPoint
from config.tool import Interlock
from config.units import UnitError, find_unit
from supervisor.link.messages import Event, EventKind
from supervisor.server.store.rows import Connection
from supervisor.server.texts import Texts
from supervisor.server.texts.wording import tell

Conditions = Mapping[str, Interlock | AlarmPoint]
MOST = 20_000
"""Lines of one log; a shift has some hundred."""
_EVENTS = (
    EventKind.BOOT, EventKind.SHUTDOWN, EventKind.RUN_STARTED, EventKind.RUN_ENDED, EventKind.RUN_STATE,
    EventKind.CHECK_FAILED, EventKind.TIMEOUT, EventKind.GUARD, EventKind.CONDITION, EventKind.MODE,
    EventKind.BYPASS_EXPIRED, EventKind.FORCE_EXPIRED, EventKind.PROOF_TEST,
    EventKind.TUNED,
)  # fmt: skip
_COMMANDS = frozenset({
    "bypass", "remove_bypass", "force", "unforce", "reset_interlock", "lock_out", "remove_lock_out", "task_done",
    "safe_shutdown", "write",
})  # fmt: skip
"""Commands of people that the next crew wants to know of."""
_ACTIONS = ("take_control", "take_over_control", "release_control", "shift_note", "acknowledge", "confirm", "shelve")
_STATES = frozenset({"HELD", "PAUSED"})
_WHAT = {
    EventKind.CONDITION: "trip",
    EventKind.MODE: "mode",
    EventKind.BOOT: "system",
    EventKind.SHUTDOWN: "system",
    EventKind.BYPASS_EXPIRED: "trip",
    EventKind.FORCE_EXPIRED: "person",
    EventKind.PROOF_TEST: "person",
    EventKind.TUNED: "person",
}


@dataclass(frozen=True)
class Line:
    """Something that happened in a shift."""

    time: str
    """ISO 8601, UTC."""
    what: str
    """run, trip, alarm, mode, person, note or system."""
    who: str
    text: str


def lines(
    connection: Connection,
    conditions: Conditions,
    begin_ns: int,
    end_ns: int,
    texts: Texts,
    units: Mapping[str, str] | None = None,
) -> list[Line]:
    """Put the log of a stretch of time together, oldest first.

    Args:
        connection: of the database.
        conditions: interlocks and alarms of the tool, by name.
        begin_ns: from this moment, ns since 1970.
        end_ns: up to this one, it not included.
        texts: in which language.
        units: what a tool's unit is shown in (`{"Torr": "mbar"}`).
    """
    found = [*_from_events(connection, conditions, begin_ns, end_ns, texts, units or {})]
    found += _from_audit(connection, begin_ns, end_ns)
    return [line for _, line in sorted(found, key=lambda pair: pair[0])][:MOST]


def _from_events(
    connection: Connection, conditions: Conditions, begin_ns: int, end_ns: int, texts: Texts, units: Mapping[str, str]
) -> Iterator[tuple[int, Line]]:
    marks = ", ".join("?" for _ in (*_EVENTS, EventKind.COMMAND))
    rows = connection.execute(
        f"SELECT seq, time_ns, scan, kind, data FROM events WHERE time_ns >= ? AND time_ns < ? AND kind IN ({marks}) "  # noqa: S608
        "ORDER BY journal, seq LIMIT ?",
        [begin_ns, end_ns, *(kind.value for kind in (*_EVENTS, EventKind.COMMAND)), MOST],
    ).fetchall()
    names = dict[str, str]()
    for seq, time_ns, scan, kind, data in rows:
        event = Event(seq=seq, time_ns=time_ns, scan=scan, kind=EventKind(kind), data=json.loads(data))
        if event.kind is EventKind.RUN_STARTED:
            names[str(event.data.get("run_id"))] = str(event.data.get("name"))
        if (line := _line(event, conditions, texts, units, names)) is not None:
            yield time_ns, line


def _line(
    event: Event, conditions: Conditions, texts: Texts, units: Mapping[str, str], names: Mapping[str, str]
) -> Line | None:
    data = event.data
    if event.kind is EventKind.COMMAND:
        return _command(event) if data.get("kind") in _COMMANDS and data.get("status") == "Good" else None
    what, text = _WHAT.get(event.kind, "run"), tell(event, conditions, texts).message
    if event.kind is EventKind.CONDITION:
        if data.get("class") == "permissive" or not (data.get("active") or data.get("bypassed")):
            return None
        what = "alarm" if isinstance(conditions.get(str(data.get("name"))), AlarmPoint) else "trip"
    if event.kind is EventKind.RUN_STATE and data.get("state") not in _STATES:
        return None
    if event.kind is EventKind.RUN_STARTED:
        text = f"{text}: {texts(str(data.get('name')))}"
    if event.kind is EventKind.RUN_ENDED:
        name = texts(names.get(str(data.get("run_id")), ""))
        text = f"{data.get('run_number')} {name}: {data.get('state')} ({data.get('cause')})"
        findings = _table(_table(data.get("summary")).get("findings"))
        text += "".join(f"; {key} {_finding(one, texts, units)}" for key, one in findings.items())
    user = str(data.get("user") or "") if event.kind is EventKind.RUN_STARTED else ""
    return Line(moment(event.time_ns), what, user, text)


def _command(event: Event) -> Line:
    args = _table(event.data.get("args"))
    said = ", ".join(f"{name} {value}" for name, value in args.items() if value not in ("", None))
    user = str(_table(event.data.get("principal")).get("user", ""))
    words = f"{str(event.data.get('kind')).replace('_', ' ')} {said}".strip()
    return Line(moment(event.time_ns), "person", user, words)


def _table(value: Any) -> dict[str, Any]:
    """A table of JSON, an empty one where there is none."""
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def _finding(one: Mapping[str, Any], texts: Texts, units: Mapping[str, str]) -> str:
    value, unit = one.get("value"), str(one.get("unit", "1"))
    if value is None:
        return "?"
    text = quantity(float(value), unit, units)
    for word, sign in (("below", "<"), ("above", ">")):
        if one.get(word) is not None:
            verdict = texts("passed" if one.get("passed") else "not passed")
            text += f" ({verdict}, {texts('limit')} {sign} {quantity(float(one[word]), unit, units)})"
    return text


def quantity(value: float, unit: str, units: Mapping[str, str]) -> str:
    """Say a value in the unit that people want for it; in its own where that is none of the same dimension."""
    wanted = units.get(unit)
    if wanted is not None:
        try:
            own, other = find_unit(unit), find_unit(wanted)
        except UnitError:
            own = other = None
        if own is not None and other is not None and own.exponents == other.exponents:
            value = float((value * own.factor + own.offset - other.offset) / other.factor)
            unit = wanted
    return f"{value:.4g}" + ("" if unit == "1" else f" {unit}")


def _from_audit(connection: Connection, begin_ns: int, end_ns: int) -> Iterator[tuple[int, Line]]:
    marks = ", ".join("?" for _ in _ACTIONS)
    rows = connection.execute(
        f"SELECT time_ns, user_name, action, target, reason FROM audit WHERE time_ns >= ? AND time_ns < ? "  # noqa: S608
        f"AND status = 'Good' AND action IN ({marks}) ORDER BY seq LIMIT ?",
        [begin_ns, end_ns, *_ACTIONS, MOST],
    ).fetchall()
    for time_ns, user, action, target, reason in rows:
        note = action == "shift_note"
        text = reason if note else f"{action.replace('_', ' ')} {target} {reason}".strip()
        yield time_ns, Line(moment(time_ns), "note" if note else "person", user, text)


def render(rows: list[Line], form: str, texts: Texts, title: str) -> str:
    """Write a log as text, csv or json."""
    if form == "json":
        return json.dumps([asdict(row) for row in rows], ensure_ascii=False, indent=1) + "\n"
    if form == "csv":
        sink = io.StringIO()
        writer = csv.writer(sink, lineterminator="\n")
        writer.writerow(["time", "what", "who", "text"])
        # A leading apostrophe keeps spreadsheets from taking a person's words for a formula.
        writer.writerows([row.time, row.what, row.who, _inert(row.text)] for row in rows)
        return sink.getvalue()
    body = [f"{row.time[:19]}  {texts(row.what):<10} {row.who:<10} {row.text}" for row in rows]
    return "\n".join([title, "=" * len(title), *(body or [texts("nothing happened")])]) + "\n"


def _inert(text: str) -> str:
    return f"'{text}" if text[:1] in {"=", "+", "-", "@"} else text


def moment(time_ns: int) -> str:
    """Say a moment."""
    return datetime.fromtimestamp(time_ns / 1e9, UTC).isoformat(timespec="milliseconds")
