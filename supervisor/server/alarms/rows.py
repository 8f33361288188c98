"""States of alarms as rows of the database, and the log of what happened to them."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from config.alarm_list import AlarmDefinition
from opcua_model.conditions.state import AlarmState
from supervisor.server.alarms.transitions import Change, facts, fitted, fresh, from_facts
from supervisor.server.store.rows import Connection, beyond, one

LOGGED_DAYS = 400
"""A year and a bit: what a yearly review of the alarm system looks at."""


def read(connection: Connection, definition: AlarmDefinition) -> AlarmState:
    """Read the state of one alarm; as at the beginning when there is none, or none that can be read."""
    row = one(connection, "SELECT state FROM alarms WHERE name = ?", [definition.name])
    return fresh(definition) if row is None else _state(definition, str(row[0]))


def read_all(connection: Connection, definitions: dict[str, AlarmDefinition]) -> dict[str, AlarmState]:
    """Read the states of all alarms of the tool."""
    kept = {str(name): str(state) for name, state in connection.execute("SELECT name, state FROM alarms").fetchall()}
    return {
        name: _state(definition, kept[name]) if name in kept else fresh(definition)
        for name, definition in definitions.items()
    }


def _state(definition: AlarmDefinition, text: str) -> AlarmState:
    try:
        return fitted(definition, from_facts(json.loads(text)))
    except (ValueError, TypeError, AttributeError):
        return fresh(definition)


def write(connection: Connection, change: Change) -> None:
    """Keep a state and log what became of it."""
    keep(connection, change.after)
    note(connection, change)


def keep(connection: Connection, state: AlarmState) -> None:
    """Keep a state."""
    known = one(connection, "SELECT 1 FROM alarms WHERE name = ?", [state.name])
    values = [
        state.time_ns // 1000, state.active, state.acked, state.confirmed, state.enabled, state.shelf.value,
        state.out_of_service, state.suppressed, state.severity, state.message, state.revision,
        json.dumps(facts(state), ensure_ascii=False), state.name,
    ]  # fmt: skip
    if known is None:
        connection.execute(
            "INSERT INTO alarms (ts, active, acknowledged, confirmed, enabled, shelf, out_of_service, suppressed, "
            "severity, message, revision, state, name) "
            "VALUES (make_timestamptz(?), ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            values,
        )
    else:
        connection.execute(
            "UPDATE alarms SET ts = make_timestamptz(?), active = ?, acknowledged = ?, confirmed = ?, enabled = ?, "
            "shelf = ?, out_of_service = ?, suppressed = ?, severity = ?, message = ?, revision = ?, state = ? "
            "WHERE name = ?",
            values,
        )


def note(connection: Connection, change: Change) -> None:
    """Log what a person or the operators' list would want to know of a change."""
    state = change.after
    if change.told:
        connection.execute(
            "INSERT INTO alarm_log (ts, time_ns, name, what, asks, active, acknowledged, severity, message, user_name, "
            "comment, event_id, state) VALUES (make_timestamptz(?), ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [state.time_ns // 1000, state.time_ns, state.name, change.what, change.asks, state.active, state.acked,
             state.severity, state.message, change.user, change.comment, state.event_id.hex(),
             json.dumps(facts(state), ensure_ascii=False)],
        )  # fmt: skip


def past(
    connection: Connection,
    definitions: Mapping[str, AlarmDefinition],
    names: Sequence[str],
    span: tuple[int, int],
    limit: int,
    behind: tuple[int, int] | None,
) -> list[tuple[int, AlarmState]]:
    """States of alarms at their events, each with the number that orders those of one moment.

    Args:
        connection: to the database.
        definitions: the alarms that the tool has.
        names: of the alarms that are wanted.
        span: from, to, both included; newest first when the first is after the second.
        limit: how many at most.
        behind: go on after the event of this time and number.
    """
    backward = span[0] > span[1]
    where, given = ["time_ns BETWEEN ? AND ?", "list_contains(?, name)"], [min(span), max(span), list(names)]
    if behind is not None:
        clause, values = beyond("rowid", behind, backward=backward)
        where.append(clause)
        given += values
    order = "DESC" if backward else "ASC"
    found = connection.execute(
        "SELECT rowid, name, state, time_ns, active, acknowledged, severity, message, user_name, comment, event_id "  # noqa: S608 (our words)
        f"FROM alarm_log WHERE {' AND '.join(where)} ORDER BY time_ns {order}, rowid {order} LIMIT {int(limit)}",
        given,
    ).fetchall()
    return [(int(row[0]), _past(definitions[str(row[1])], row)) for row in found]


def _past(definition: AlarmDefinition, row: tuple[Any, ...]) -> AlarmState:
    _, _, text, time_ns, active, acked, severity, message, user, comment, event_id = row
    if text is not None:
        return _state(definition, str(text))
    return replace(
        fresh(definition), time_ns=int(time_ns), active=bool(active), acked=bool(acked), severity=int(severity),
        message=str(message), user=str(user), comment=str(comment), event_id=bytes.fromhex(str(event_id)),
    )  # fmt: skip


def asked_since(connection: Connection, since_ns: int) -> list[tuple[int, str]]:
    """When which alarm asked for an answer, in order."""
    found = connection.execute(
        "SELECT time_ns, name FROM alarm_log WHERE asks AND time_ns >= ? ORDER BY time_ns", [since_ns]
    ).fetchall()
    return [(int(time_ns), str(name)) for time_ns, name in found]


def forget_before(connection: Connection, time_ns: int) -> None:
    """Drop what is older than anybody looks at."""
    connection.execute("DELETE FROM alarm_log WHERE time_ns < ?", [time_ns])
