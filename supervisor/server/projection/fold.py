"""The journal's events as rows of the database, each exactly once: the cursor moves in the same transaction."""

import json
import math
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import structlog

from config.alarms import AlarmPoint
from config.tool import Interlock
from supervisor.link.messages import Event, EventKind
from supervisor.server.alarms.projecting import AlarmProjection
from supervisor.server.records import audit, material, slots, tunings
from supervisor.server.records.results import film_result, insert_result
from supervisor.server.spc import verdicts as spc
from supervisor.server.store.rows import Connection, one
from supervisor.server.texts.wording import tell

log = structlog.get_logger()

NIL = "00000000-0000-0000-0000-000000000000"
LAST_SCAN = 2**62
"""Stands for the last scan of a run whose controller died: which one it was is not known."""
PRIVATE = frozenset({"recipe"})
"""Arguments of commands that are documents: the audit trail keeps digests of those."""


@dataclass(frozen=True)
class Cursor:
    """How far the journal has been projected."""

    journal: int
    """Counts journals: a new one (another folder, a removed one) starts again at 1."""
    seq: int


class Gap(Exception):  # noqa: N818 - not a fault: the events are asked for again
    """Events are missing between the cursor and what came; `after` is where to go on from."""

    def __init__(self, after: int) -> None:
        super().__init__(f"events behind {after} are missing")
        self.after = after


def cursor(connection: Connection) -> Cursor:
    """Read the cursor."""
    row = one(connection, "SELECT journal, seq FROM projection")
    assert row is not None  # noqa: S101 (the migration put it there)
    return Cursor(int(row[0]), int(row[1]))


def begin_journal(connection: Connection) -> Cursor:
    """Count another journal: the one that was projected before is gone."""
    connection.execute("UPDATE projection SET journal = journal + 1, seq = 0")
    return cursor(connection)


class Projection:
    """Writes events into the database.

    Args:
        conditions: the tool's interlocks and alarms by name, for the words.
        alarms: what events do to alarms, in the same transaction.
        org_id: organisation that rows belong to.
        instrument_id: the tool's identity in run records.
    """

    def __init__(
        self,
        conditions: Mapping[str, Interlock | AlarmPoint],
        org_id: str = NIL,
        instrument_id: str = NIL,
        alarms: AlarmProjection | None = None,
    ) -> None:
        self._conditions = conditions
        self._alarms = alarms
        self._org_id = org_id
        self._instrument_id = instrument_id
        self._apply: dict[EventKind, Callable[[Connection, Event, str], None]] = {
            EventKind.BOOT: self._boot,
            EventKind.COMMAND: self._command,
            EventKind.RUN_STARTED: self._run_started,
            EventKind.RUN_STATE: self._run_state,
            EventKind.STEP: self._step,
            EventKind.RUN_ENDED: self._run_ended,
            EventKind.METROLOGY: self._metrology,
            EventKind.CALIBRATION: self._calibration,
            EventKind.PROOF_TEST: self._proof_test,
            EventKind.TUNED: self._tuned,
            EventKind.TIMEOUT: self._trouble,
            EventKind.GUARD: self._trouble,
            EventKind.CHECK_FAILED: self._trouble,
            EventKind.PROGRAM_FAULT: self._trouble,
        }

    def project(self, connection: Connection, events: Sequence[Event]) -> Cursor:
        """Project a batch within the caller's transaction; events at or before the cursor are passed over.

        Raises:
            Gap: events are missing; nothing of this batch may be committed.
        """
        reached = cursor(connection)
        if self._alarms is not None:
            self._alarms.begin()
        seq, rows = reached.seq, list[list[Any]]()
        for event in events:
            if event.seq <= seq:
                continue
            if event.seq != seq + 1:
                raise Gap(seq)
            seq = event.seq
            if event.kind is EventKind.CHECKPOINT:
                continue  # for the controller's successor: people have the events that it sums up
            run_id = _uuid(event.data.get("run_id"))
            told = tell(event, self._conditions)
            rows.append([
                reached.journal, event.seq, event.time_ns // 1000, event.time_ns, event.scan, event.kind.value,
                told.severity, told.source, told.message, run_id, _json(event.data),
            ])  # fmt: skip
            if (apply := self._apply.get(event.kind)) or self._alarms is not None:
                try:
                    if apply is not None:
                        apply(connection, event, run_id or NIL)
                    if self._alarms is not None:
                        self._alarms.apply(connection, event, reached.journal)
                        if event.kind is EventKind.METROLOGY:
                            standing = spc.standing(connection, str(event.data.get("run_id")))
                            self._alarms.judge(connection, event, reached.journal, standing)
                except (ValueError, TypeError, AttributeError) as error:
                    # One odd event is kept as it is and must not stop all that follow it.
                    log.warning(
                        "an event does not read as its kind should", seq=seq, kind=event.kind.value, why=str(error)
                    )
        for row in rows:
            connection.execute(
                "INSERT INTO events (journal, seq, ts, time_ns, scan, kind, severity, source, message, cvd_run_id, "
                "data) VALUES (?, ?, make_timestamptz(?), ?, ?, ?, ?, ?, ?, ?, ?)",
                row,
            )
        if self._alarms is not None:
            self._alarms.finish(connection)
        if seq > reached.seq:
            connection.execute("UPDATE projection SET seq = ?", [seq])
        return Cursor(reached.journal, seq)

    def _boot(self, connection: Connection, event: Event, _run_id: str) -> None:
        """A controller that starts has no run: what was open when the last one died has ended, at the latest now."""
        connection.execute(
            "UPDATE runs SET status = 'ABORTED', end_time = make_timestamptz(?), end_ns = ?, end_scan = ?, "
            "duration_seconds = (? - start_ns) / 1e9, error_code = coalesce(error_code, 'CONTROLLER_LOST'), "
            "error_message = coalesce(error_message, 'the controller ended in the middle of the run') "
            "WHERE start_ns IS NOT NULL AND end_ns IS NULL AND kind <> 'simulation'",
            [event.time_ns // 1000, event.time_ns, LAST_SCAN, event.time_ns],
        )

    def _command(self, connection: Connection, event: Event, _run_id: str) -> None:
        data = event.data
        principal: dict[str, Any] = data.get("principal") or {}
        given: dict[str, Any] = data.get("args") or {}
        args = {name: value for name, value in given.items() if name not in PRIVATE}
        target = str(args.get("name") or args.get("tag") or args.get("run_number") or args.get("run_id") or "")
        audit.append(
            connection,
            audit.Deed(
                user=str(principal.get("user", "")),
                roles=tuple(str(role) for role in principal.get("roles") or ()),
                session=str(principal.get("session", "")),
                action=str(data.get("kind", "")),
                target=target,
                detail=_json(args),
                status=str(data.get("status", "Good")),
                reason=str(data.get("reason", "")),
                time_ns=event.time_ns,
            ),
        )

    def _calibration(self, connection: Connection, event: Event, _run_id: str) -> None:
        data = event.data
        names = ("tag", "version", "kind", "unit", "offset", "gain", "found_offset", "found_gain", "operation",
                 "run_number", "user")  # fmt: skip
        times = [int(data["time_ns"]) // 1000, int(data["time_ns"]), int(data["due_ns"]) // 1000]
        connection.execute(
            'INSERT OR REPLACE INTO calibrations (tag, version, kind, unit, "offset", gain, found_offset, found_gain, '
            "operation, run_number, operator_id, calibrated_at, time_ns, due_at) VALUES "
            "(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, make_timestamptz(?), ?, make_timestamptz(?))",
            [*(data[name] for name in names), *times],
        )
        action = audit.Deed(
            user=str(data["user"]), roles=(), session="", action="calibrated", target=str(data["tag"]),
            detail=_json(data), status="Good", reason="", time_ns=event.time_ns,
        )  # fmt: skip
        audit.append(connection, action)

    @staticmethod
    def _tuned(connection: Connection, event: Event, _run_id: str) -> None:
        data = event.data
        tunings.project(connection, data, event.time_ns)
        done = audit.Deed(
            user=str(data["user"]), roles=(), session="", action=f"gains {data['stage']}", target=str(data["loop"]),
            detail=_json(data), status="Good", reason=str(data.get("reason") or data.get("comment") or ""),
            time_ns=event.time_ns,
        )  # fmt: skip
        audit.append(connection, done)

    @staticmethod
    def _proof_test(connection: Connection, event: Event, _run_id: str) -> None:
        data = event.data
        if data["stage"] not in {"recorded", "aborted", "released"}:
            return
        found: dict[str, Any] = data.get("measured") or {}
        signature, due, begun = data.get("signature"), data.get("due_ns"), data.get("begun_ns")
        connection.execute(
            "INSERT INTO proof_tests (test_id, interlock, stage, method, passed, tester, witness, begun_at, ended_at, "
            "time_ns, as_found, as_left, trip_value, response_s, measured_value, unit, measured_scans, allowed_scans, "
            "reason, comment, measured, signature, due_at) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, make_timestamptz(?), make_timestamptz(?), ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, "
            "?, ?, make_timestamptz(?))",
            [data["test_id"], data["name"], data["stage"], data.get("method"), data.get("passed"), data.get("user"),
             data.get("witness"), None if begun is None else int(begun) // 1000, event.time_ns // 1000, event.time_ns,
             data.get("as_found"), data.get("as_left"), data.get("trip_value"), data.get("response_s"),
             found.get("trip_value"), found.get("unit"), found.get("scans"), found.get("allowed_scans"),
             data.get("failure") or data.get("reason"), data.get("comment"), _json(found) if found else None,
             _json(signature) if signature else None, None if due is None else int(due) // 1000],
        )  # fmt: skip
        done = audit.Deed(
            user=str(data.get("witness") or data.get("user") or ""), roles=(), session="",
            action=f"proof test {data['stage']}", target=str(data["name"]), detail=_json(data), status="Good",
            reason=str(data.get("failure") or data.get("reason") or ""), time_ns=event.time_ns,
        )  # fmt: skip
        audit.append(connection, done)

    def _run_started(self, connection: Connection, event: Event, run_id: str) -> None:
        data = event.data
        known = one(connection, "SELECT 1 FROM runs WHERE id = ?", [run_id])
        if known is None:
            # The row of a recipe's run was made by CreateRun; operations, and runs of a lost database, have none.
            connection.execute(
                "INSERT INTO runs (id, org_id, run_number, kind, status, instrument_id, operator_id) "
                "VALUES (?, ?, ?, ?, 'RUNNING', ?, ?)",
                [run_id, self._org_id, str(data.get("run_number", run_id)), _kind(data), self._instrument_id,
                 str(data.get("user", ""))],
            )  # fmt: skip
        connection.execute(
            "UPDATE runs SET status = 'RUNNING', start_time = make_timestamptz(?), start_ns = ?, start_scan = ?, "
            "steps = ? WHERE id = ?",
            [event.time_ns // 1000, event.time_ns, event.scan, _json(data.get("steps") or []), run_id],
        )
        connection.execute("DELETE FROM run_queue WHERE run_id = ?", [run_id])
        material.of_run(connection, self._org_id, run_id, "processing", event.time_ns)

    def _run_state(self, connection: Connection, event: Event, run_id: str) -> None:
        state = str(event.data.get("state") or "")
        # An end state comes with the run's record: whoever sees it there finds the record complete. IDLE after it says
        # that the program was cleared, nothing of the run.
        if state and state not in {"COMPLETE", "STOPPED", "ABORTED", "IDLE"}:
            connection.execute("UPDATE runs SET status = ? WHERE id = ? AND end_ns IS NULL", [state, run_id])

    def _step(self, connection: Connection, event: Event, run_id: str) -> None:
        index = int(event.data.get("index", -1))
        connection.execute(
            "UPDATE runs SET step_index = ?, job_progress = CASE WHEN json_array_length(steps) > 0 "
            "THEN greatest(job_progress, ? / json_array_length(steps)) ELSE job_progress END WHERE id = ?",
            [index, float(max(index, 0)), run_id],
        )

    def _run_ended(self, connection: Connection, event: Event, run_id: str) -> None:
        data = event.data
        state = str(data.get("state") or "ABORTED")
        code, words = (None, None) if state == "COMPLETE" else _fault(data)
        connection.execute(
            "UPDATE runs SET status = ?, end_time = make_timestamptz(?), end_ns = ?, end_scan = ?, "
            "duration_seconds = (? - start_ns) / 1e9, postflight_summary = ?, tape = ?, "
            "error_code = coalesce(error_code, ?), error_message = coalesce(error_message, ?), "
            "job_progress = CASE WHEN ? = 'COMPLETE' THEN 1.0 ELSE job_progress END WHERE id = ?",
            [state, event.time_ns // 1000, event.time_ns, event.scan, event.time_ns, _json(data.get("summary") or {}),
             data.get("tape"), code, words, state, run_id],
        )  # fmt: skip
        what = "processed" if state == "COMPLETE" else "processed in part"
        material.of_run(connection, self._org_id, run_id, what, event.time_ns)
        if state == "COMPLETE":
            self._handed_over(connection, run_id, event.time_ns)

    def _handed_over(self, connection: Connection, run_id: str, time_ns: int) -> None:
        row = one(connection, "SELECT metadata, operator_id FROM runs WHERE id = ? AND kind = 'operation'", [run_id])
        if row is not None and row[0]:
            operation = str(json.loads(row[0]).get("operation", ""))
            slots.handed_over(connection, self._org_id, operation, run_id, time_ns, str(row[1]))

    def _metrology(self, connection: Connection, event: Event, run_id: str) -> None:
        row = film_result(event.data)
        points = spc.take(connection, self._org_id, run_id, row, event.time_ns)
        if row["spc_snapshot"] is None and points:
            row["spc_snapshot"] = points
        insert_result(connection, self._org_id, run_id, row)

    def _trouble(self, connection: Connection, event: Event, run_id: str) -> None:
        """The first thing that went wrong is what the record names; the others are in its fault data."""
        row = one(connection, "SELECT fault_data FROM runs WHERE id = ?", [run_id])
        faults: list[Any] = json.loads(row[0]) if row and row[0] else []
        faults.append({"kind": event.kind.value, "scan": event.scan, "time_ns": event.time_ns, **event.data})
        words = tell(event, self._conditions).message
        connection.execute(
            "UPDATE runs SET fault_data = ?, error_code = coalesce(error_code, ?), "
            "error_message = coalesce(error_message, ?) WHERE id = ?",
            [_json(faults), event.kind.value.upper(), words, run_id],
        )


def _fault(data: dict[str, Any]) -> tuple[str | None, str | None]:
    """Say why a run ended early; nothing where a person or its own recipe ended it."""
    cause = str(data.get("cause") or "")
    kind, _, rest = cause.partition(":")
    if kind in {"", "command", "program"}:
        return None, None
    if kind == "condition":
        summary: dict[str, Any] = data.get("summary") or {}
        trips: list[dict[str, Any]] = summary.get("trips") or []
        named = [f"{trip.get('name')}: {trip.get('description')}" for trip in trips if str(trip.get("name")) in rest]
        return "INTERLOCK", "; ".join(named) or f"interlock in force: {rest.strip() or 'see the events'}"
    if kind == "controller restarted":
        return (
            "CONTROLLER_LOST",
            "the controller ended in the middle of the run and was restarted; the tool was made safe",
        )
    return kind.upper().replace(" ", "_") if kind in {"timeout", "guard", "fault"} else "NOT_STARTED", cause


def _kind(data: dict[str, Any]) -> str:
    return "operation" if data.get("kind") == "operation" else "recipe"


def _uuid(value: object) -> str | None:
    """Return a UUID in its usual writing; None for anything else, so that one odd event stops nothing."""
    try:
        return str(uuid.UUID(str(value))) if value else None
    except ValueError:
        return None


def _json(value: Any) -> str:
    return json.dumps(finite(value), ensure_ascii=False, default=str, allow_nan=False)


def finite(value: Any) -> Any:
    """Replace NaN and infinities, which JSON has not, by null."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {str(name): finite(item) for name, item in cast("dict[Any, Any]", value).items()}
    if isinstance(value, list | tuple):
        return [finite(item) for item in cast("list[Any]", value)]
    return value
