"""Records of tuned loops: a proposal from the telemetry of a test, and what became of it.

A proposal is a row that changes nothing. Approved gains are the controller's: what happened to them comes back as its
event and is projected here (projection.fold), so a database that was lost has them again.
"""

import json
import uuid
from pathlib import Path
from typing import Any

import numpy as np

from config.regulation.record import Column, RecordError, loop_test, tags_of_loop
from config.regulation.tuning import Proposal, propose
from config.tool import Loop
from opcua_model.interface import Refused
from supervisor.server.historian import arrow, query
from supervisor.server.records.runs import OPEN, extent
from supervisor.server.store.rows import Connection, one

MOST = 1000
_COLUMNS = (
    "id, loop, status, version, method, rule, kp, ti_s, schedule_at, found, present, run_number, proposed_by, "
    "proposed_at, decided_by, decided_at, comment"
)


def tell(
    connection: Connection, data: Path, loop: Loop, run_id: str, method: str, closed_loop_s: float | None
) -> tuple[str, Proposal]:
    """Return the number of a run and what its telemetry tells of a loop.

    Raises:
        Refused: there is no such run, or its record tells no gains.
    """
    rows, begin, _ = extent(connection, run_id)
    tags = tags_of_loop(loop)
    columns = query.rows_of(connection, data, rows, tags, (begin, OPEN), 0)
    if not columns:
        raise Refused("BadNoData", f"{rows.owner} has no telemetry of loop {loop.name}")
    seconds: Column = (columns["ts_ns"] - columns["ts_ns"][0]) / 1e9
    try:
        test = loop_test(loop, seconds, {tag: np.asarray(columns[tag], np.float64) for tag in tags})
        return str(rows.owner), propose(loop, test, method, closed_loop_s)
    except RecordError as error:
        raise Refused("BadInvalidState", f"{rows.owner}: {error}") from error


def add(connection: Connection, proposal: Proposal, run_number: str, user: str) -> str:
    """Keep a proposal; return its id."""
    number = str(uuid.uuid4())
    connection.execute(
        "INSERT INTO tunings (id, loop, status, method, rule, kp, ti_s, schedule_at, found, present, run_number, "
        "proposed_by, proposed_at) VALUES (?, ?, 'proposed', ?, ?, ?, ?, ?, ?, ?, ?, ?, now())",
        [number, proposal.loop, proposal.method, proposal.rule, proposal.kp, proposal.ti_s, proposal.at,
         json.dumps(proposal.found), json.dumps(proposal.present), run_number, user],
    )  # fmt: skip
    return number


def open_proposal(connection: Connection, number: str) -> dict[str, Any]:
    """Return a proposal that waits for a decision.

    Raises:
        Refused: there is none, or it was decided.
    """
    found = one(
        connection,
        "SELECT loop, status, method, rule, kp, ti_s, schedule_at, found, run_number, proposed_by FROM tunings "
        "WHERE id = ?",
        [number],
    )
    if found is None:
        raise Refused("BadNotFound", f"there is no proposal {number}")
    if found[1] != "proposed":
        raise Refused("BadInvalidState", f"the proposal {number} was {found[1]} already")
    names = ("loop", "status", "method", "rule", "kp", "ti_s", "at", "found", "run_number", "proposed_by")
    return dict(zip(names, found, strict=True)) | {"found": json.loads(found[7])}


def reject(connection: Connection, number: str, user: str, comment: str) -> None:
    """Decide against a proposal; raises Refused as `open_proposal`."""
    open_proposal(connection, number)
    connection.execute(
        "UPDATE tunings SET status = 'rejected', decided_by = ?, decided_at = now(), comment = ? WHERE id = ?",
        [user, comment, number],
    )


def listing(connection: Connection, loop: str, skip: int, limit: int) -> list[dict[str, Any]]:
    """Return the records of a loop, or of all where `loop` is empty; the newest first."""
    found = arrow.records(
        connection,
        f"SELECT {_COLUMNS} FROM tunings WHERE ? IN ('', loop) ORDER BY proposed_at DESC, id LIMIT ? OFFSET ?",  # noqa: S608
        [loop, min(limit or MOST, MOST), skip],
    )
    return [row | {name: json.loads(row[name]) for name in ("found", "present")} for row in found]


def project(connection: Connection, data: dict[str, Any], time_ns: int) -> None:
    """Enter what the controller did to a loop."""
    moment, number = time_ns // 1000, str(data["proposal_id"])
    if data["stage"] == "restored":
        connection.execute(
            "UPDATE tunings SET status = 'restored', decided_by = ?, decided_at = make_timestamptz(?), comment = ? "
            "WHERE id = ?",
            [data["user"], moment, data.get("reason"), number],
        )
        return
    connection.execute(
        "UPDATE tunings SET status = 'superseded' WHERE loop = ? AND status = 'approved' AND id <> ?",
        [data["loop"], number],
    )
    present = {"kp": data["kp_before"], "ti_s": data["ti_s_before"]}
    signature = json.dumps(data["signature"]) if data.get("signature") else None
    connection.execute(
        "INSERT INTO tunings (id, loop, status, version, method, rule, kp, ti_s, schedule_at, found, present, "
        "run_number, proposed_by, proposed_at, decided_by, decided_at, comment, signature) "
        "VALUES (?, ?, 'approved', ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, make_timestamptz(?), ?, make_timestamptz(?), ?, ?) "
        "ON CONFLICT (id) DO UPDATE SET status = 'approved', version = excluded.version, "
        "decided_by = excluded.decided_by, decided_at = excluded.decided_at, comment = excluded.comment, "
        "signature = excluded.signature",
        [number, data["loop"], data["version"], data["method"], data["rule"], data["kp"], data["ti_s"], data["at"],
         json.dumps(data["found"]), json.dumps(present), data["run_number"], data["proposed_by"], moment,
         data["user"], moment, data.get("comment"), signature],
    )  # fmt: skip
