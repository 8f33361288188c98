"""The queue of runs: made under a client's token, ordered, listed, taken away."""

import hashlib
import json
from collections.abc import Callable
from typing import Any

from opcua_model.interface import Refused
from supervisor.server.records import runs
from supervisor.server.store.rows import Connection, aggregate, one

LONGEST_TOKEN = 200
_QUEUE = (
    "SELECT runs.id::VARCHAR FROM runs LEFT JOIN run_queue ON run_queue.run_id = runs.id::VARCHAR "
    "WHERE status = 'QUEUED' AND kind = 'recipe' ORDER BY place NULLS LAST, created_at, run_number"
)


def made(connection: Connection, user: str, token: str, asked: Any) -> dict[str, Any] | None:
    """Return what a token has made, None when nothing.

    Raises:
        Refused: the token was used for something else, or is too long.
    """
    if len(token) > LONGEST_TOKEN:
        raise Refused("BadInvalidArgument", f"ClientToken has {len(token)} characters; at most {LONGEST_TOKEN}")
    row = one(connection, "SELECT asked, answer FROM run_tokens WHERE user_name = ? AND token = ?", [user, token])
    if row is None or not token:
        return None
    if row[0] != _digest(asked):
        raise Refused("BadInvalidArgument", f"ClientToken {token!r} has made something else already")
    return json.loads(row[1])


def _digest(asked: Any) -> str:
    return hashlib.sha256(json.dumps(asked, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def once(
    connection: Connection, user: str, token: str, asked: Any, make: Callable[[], dict[str, Any]]
) -> tuple[dict[str, Any], bool]:
    """Make something under a token, or give back what the same token has made; and whether it was made now.

    Raises:
        Refused: the token was used for something else.
    """
    known = made(connection, user, token, asked)
    if known is not None:
        return known, False
    answer = make()
    if token:
        answer_text = json.dumps(answer)
        connection.execute("INSERT INTO run_tokens VALUES (?, ?, ?, ?)", [user, token, _digest(asked), answer_text])
    return answer, True


def order(connection: Connection) -> list[str]:
    """Return the ids of the waiting runs in the order in which they are started."""
    return [str(row[0]) for row in connection.execute(_QUEUE).fetchall()]


def list_queue(connection: Connection, skip: int, limit: int) -> dict[str, Any]:
    """List waiting runs in their order."""
    ids = order(connection)
    chosen = ids[skip : skip + min(limit or runs.MOST, runs.MOST)]
    found = [{"position": ids.index(run_id), **runs.get(connection, run_id)} for run_id in chosen]
    return {"waiting": len(ids), "queue": found}


def move(connection: Connection, run_id: str, position: int) -> int:
    """Put a waiting run to a place, 0 being the next; return the place that it got.

    Raises:
        Refused: it does not wait.
    """
    number = waiting(connection, run_id)["run_id"]
    ids = [one_id for one_id in order(connection) if one_id != number]
    place = min(position, len(ids))
    ids.insert(place, number)
    connection.execute("DELETE FROM run_queue")
    connection.executemany("INSERT INTO run_queue VALUES (?, ?)", [[one_id, at] for at, one_id in enumerate(ids)])
    return place


def waiting(connection: Connection, run_id: str) -> dict[str, Any]:
    """Return the record of a run that waits.

    Raises:
        Refused: there is none, or it has been started or taken away.
    """
    run = runs.get(connection, run_id)
    if run["status"] != "QUEUED" or run["kind"] != "recipe":
        raise Refused("BadInvalidState", f"{run['run_number']} is {run['status']}; only a queued run is in the queue")
    return run


def remove(connection: Connection, run_id: str, reason: str) -> dict[str, Any]:
    """Take a waiting run away; its record stays, REMOVED.

    Raises:
        Refused: it does not wait.
    """
    run = waiting(connection, run_id)
    connection.execute(
        "UPDATE runs SET status = 'REMOVED', error_message = ? WHERE id::VARCHAR = ?", [reason or None, run["run_id"]]
    )
    connection.execute("DELETE FROM run_queue WHERE run_id = ?", [run["run_id"]])
    return runs.get(connection, run["run_id"])


def length(connection: Connection) -> int:
    """Count the waiting runs."""
    (count,) = aggregate(connection, "SELECT count(*) FROM runs WHERE status = 'QUEUED' AND kind = 'recipe'")
    return int(count)
