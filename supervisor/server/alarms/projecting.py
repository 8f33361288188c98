"""The journal's events as changes of alarms, in the transaction that moves the projection's cursor.

The id of an event of OPC UA follows from the event's place in the journal: an event that is projected a second time,
after a full disk or a crash in the middle, is the same event to every client.
"""

import hashlib
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from config.alarm_list import AlarmDefinition, Watches
from kernels.tables import ConditionState
from opcua_model.conditions.state import AlarmState
from supervisor.link.messages import Event, EventKind
from supervisor.server.alarms import rows
from supervisor.server.alarms.transitions import (
    Change,
    Moment,
    Standing,
    charted,
    ended,
    explain,
    forget_scan,
    listed,
    observe,
)
from supervisor.server.store.rows import Connection

ID_BYTES = 16


class AlarmProjection:
    """Applies events to alarms.

    Args:
        definitions: the alarms of the tool.
    """

    def __init__(self, definitions: dict[str, AlarmDefinition]) -> None:
        self.definitions = definitions
        causes = [one for one in definitions.values() if one.watches is Watches.CAUSE]
        self._of_point = {point: one for one in causes for point in one.index}
        self._of_bypass = {one.interlock: one for one in definitions.values() if one.watches is Watches.BYPASS}
        self._of_proof = next((one for one in definitions.values() if one.watches is Watches.PROOF), None)
        self._of_series: dict[str | None, AlarmDefinition] = {}
        self._changes: dict[tuple[int, int], list[Change]] = {}
        self._states: dict[str, AlarmState] = {}
        """Of this transaction; each is kept once, at its end."""

    def add(self, definition: AlarmDefinition) -> None:
        """Know the alarm of a series."""
        self.definitions[definition.name] = definition
        self._of_series[definition.series] = definition

    def begin(self) -> None:
        """A transaction begins: what an earlier one worked out and rolled back has not happened."""
        self._changes.clear()
        self._states.clear()

    def apply(self, connection: Connection, event: Event, journal: int) -> None:
        """Change the alarms that an event is about."""
        self._keep(connection, event, journal, self.changes(event, journal, lambda one: self._state(connection, one)))

    def judge(self, connection: Connection, event: Event, journal: int, verdicts: Sequence[Standing]) -> None:
        """Change the alarms of the series whose newest points an event has brought."""
        changes: list[Change] = []
        for verdict in verdicts:
            definition = self._of_series.get(verdict.series)
            if definition is not None:
                moment = self._moment(event, journal, definition.name)
                changes.append(charted(definition, self._state(connection, definition), verdict, moment))
        changes = [one for one in changes if one.told or one.after.active != one.before.active]
        self._keep(connection, event, journal, changes)

    def _keep(self, connection: Connection, event: Event, journal: int, changes: list[Change]) -> None:
        for change in changes:
            self._states[change.after.name] = change.after
            rows.note(connection, change)
        if changes:
            self._changes.setdefault((journal, event.seq), []).extend(changes)

    def _state(self, connection: Connection, definition: AlarmDefinition) -> AlarmState:
        known = self._states.get(definition.name)
        return rows.read(connection, definition) if known is None else known

    def finish(self, connection: Connection) -> None:
        """Keep the states before the transaction is committed."""
        for state in self._states.values():
            rows.keep(connection, state)

    def changes(self, event: Event, journal: int, read: Callable[[AlarmDefinition], AlarmState]) -> list[Change]:
        """Work out what an event changes, from the states that `read` gives."""
        if event.kind is EventKind.BOOT:
            return [
                forget_scan(state, self._moment(event, journal, one.name))
                for one in list(self.definitions.values())
                if one.watches is not Watches.SERIES
                if any((state := read(one)).bits) or any(state.trips)
            ]
        if event.kind is EventKind.PROOF_DUE:
            return self._due(event, journal, read)
        return [*self._caused(event, journal, read), *self._bypassed(event, journal, read)]

    def _caused(self, event: Event, journal: int, read: Callable[[AlarmDefinition], AlarmState]) -> list[Change]:
        definition = self._of_point.get(str(event.data.get("name")))
        if event.kind is not EventKind.CONDITION or definition is None:
            return []
        place = definition.index[str(event.data["name"])]
        bits, trips = _bits(event.data), int(event.data.get("trips") or 0)
        moment = self._moment(event, journal, definition.name)
        return [observe(definition, read(definition), place, bits, trips, moment)]

    def _bypassed(self, event: Event, journal: int, read: Callable[[AlarmDefinition], AlarmState]) -> list[Change]:
        """The alarm of a bypass: the scan says that it stands, the command who gave it and why."""
        args: dict[str, Any] = event.data.get("args") or {}
        given = event.kind is EventKind.COMMAND and event.data.get("kind") == "bypass"
        definition = self._of_bypass.get(str(args.get("name") if given else event.data.get("name")))
        if definition is None or (given and event.data.get("status") != "Good"):
            return []
        state, moment = read(definition), self._moment(event, journal, definition.name)
        if event.kind is EventKind.CONDITION:
            bypassed = bool(event.data.get("bypassed"))
            if bypassed == state.active and state.verified:
                return []
            return [observe(definition, state, 0, int(ConditionState.ACTIVE) if bypassed else 0, 0, moment)]
        change: Change | None = None
        if given:
            change = explain(definition, state, bypass_words(event), moment)
        elif event.kind is EventKind.BYPASS_EXPIRED:
            why = f" ({cause})" if (cause := event.data.get("cause")) else ""
            change = ended(state, f"the bypass of {definition.interlock} has ended by itself{why}", moment)
        return [] if change is None else [change]

    def _due(self, event: Event, journal: int, read: Callable[[AlarmDefinition], AlarmState]) -> list[Change]:
        definition = self._of_proof
        if definition is None:
            return []
        lists = {key: [str(name) for name in event.data.get(key) or ()] for key in ("failed", "overdue", "soon")}
        there = (lists["failed"] + lists["overdue"], lists["soon"])
        bits = [int(ConditionState.ACTIVE) if names else 0 for names in there]
        words = "; ".join(f"proof test {key}: {', '.join(names)}" for key, names in lists.items() if names)
        return [listed(definition, read(definition), bits, words, self._moment(event, journal, definition.name))]

    def take(self, journal: int, seq: int) -> list[Change] | None:
        """Hand over what was committed of an event; None when it was not."""
        return self._changes.pop((journal, seq), None)

    @staticmethod
    def _moment(event: Event, journal: int, name: str) -> Moment:
        text = f"{journal}/{event.seq}/{event.time_ns}/{name}"
        return Moment(event.time_ns, hashlib.blake2b(text.encode(), digest_size=ID_BYTES).digest())


def bypass_words(event: Event) -> str:
    """Say of the command that gave a bypass: until when, why, and who."""
    args: dict[str, Any] = event.data["args"]
    who: dict[str, Any] = event.data.get("principal") or {}
    until = datetime.fromtimestamp(event.time_ns / 1e9 + float(args.get("duration_s") or 0.0), UTC)
    return (
        f"{args.get('name')} is bypassed until {until:%Y-%m-%d %H:%M:%S} UTC ({args.get('duration_s'):g} s): "
        f"{args.get('reason')} (asked for by {args.get('requested_by')}, confirmed by {who.get('user')})"
    )


def _bits(data: dict[str, Any]) -> int:
    return sum(int(bit) for bit in ConditionState if bit.name and data.get(bit.name.lower()))
