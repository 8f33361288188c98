"""The audit trail: who did what, in a chain of digests that shows any later change.

`sha` is SHA-256 over the previous row's `sha` and the row's own fields as canonical JSON. A row that was changed,
removed or put in between breaks the chain; rows cut from its end are shown by the head that the server keeps in a
file beside the database (`Head`).
"""

import hashlib
import json
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from supervisor.server.store.rows import Connection, one

FIRST = "0" * 64
_COLUMNS = "seq, time_ns, user_name, roles, session, action, target, detail, status, reason, prev_sha, sha"


@dataclass(frozen=True)
class Deed:
    """Something that somebody did or tried to do."""

    user: str
    roles: tuple[str, ...]
    session: str
    action: str
    target: str = ""
    detail: str = "{}"
    """JSON."""
    status: str = "Good"
    reason: str = ""
    time_ns: int = 0
    """0: now."""


@dataclass(frozen=True)
class Head:
    """The end of the chain: number and digest of its last row."""

    seq: int
    sha: str


def append(connection: Connection, deed: Deed) -> Head:
    """Append a row, within the caller's transaction."""
    last = head(connection)
    fields: list[Any] = [
        last.seq + 1, deed.time_ns or time.time_ns(), deed.user, " ".join(sorted(deed.roles)), deed.session,
        deed.action, deed.target, deed.detail, deed.status, deed.reason,
    ]  # fmt: skip
    sha = digest(last.sha, fields)
    marks = ", ".join("?" * (len(fields) + 2))
    connection.execute(f"INSERT INTO audit ({_COLUMNS}) VALUES ({marks})", [*fields, last.sha, sha])  # noqa: S608
    return Head(last.seq + 1, sha)


def head(connection: Connection) -> Head:
    """Return the end of the chain."""
    row = one(connection, "SELECT seq, sha FROM audit ORDER BY seq DESC LIMIT 1")
    return Head(int(row[0]), str(row[1])) if row else Head(0, FIRST)


def digest(previous: str, fields: list[Any]) -> str:
    """Return the digest of a row."""
    text = json.dumps([previous, *fields], ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True)
class Walk:
    """How far the chain has been walked, and what was found; `kept_sha` is the digest at the number that was kept."""

    at: Head = Head(0, FIRST)
    faults: tuple[str, ...] = ()
    kept_sha: str = FIRST
    ended: bool = False


def walk(connection: Connection, so_far: Walk, kept: Head | None = None, rows: int = 5000) -> Walk:
    """Walk some more rows of the chain: in parts, because a trail of years takes a while."""
    found = connection.execute(
        f"SELECT {_COLUMNS} FROM audit WHERE seq > ? ORDER BY seq LIMIT {rows}",  # noqa: S608 (names of our own)
        [so_far.at.seq],
    ).fetchall()
    faults, previous, number, kept_sha = list(so_far.faults), so_far.at.sha, so_far.at.seq, so_far.kept_sha
    for *fields, prev_sha, sha in found:
        if fields[0] != number + 1:
            faults.append(f"audit row {number + 1} is missing; the next one is {fields[0]}")
        if prev_sha != previous:
            faults.append(f"audit row {fields[0]} does not follow the row before it")
        if digest(prev_sha, fields) != sha:
            faults.append(f"audit row {fields[0]} was changed")
        previous, number = sha, fields[0]
        if kept and number == kept.seq:
            kept_sha = sha
    return Walk(Head(number, previous), tuple(faults), kept_sha, ended=len(found) < rows)


def verdict(walked: Walk, kept: Head | None = None) -> list[str]:
    """Return every fault of a chain that was walked to its end, for people; an empty list when it is whole."""
    faults = list(walked.faults)
    if kept and kept.seq and walked.kept_sha != kept.sha:
        where = f"ends at {walked.at.seq}" if walked.at.seq < kept.seq else "has another row there"
        faults.append(f"the audit trail once reached row {kept.seq} and {where}")
    return faults


def verify(connection: Connection, kept: Head | None = None) -> list[str]:
    """Walk the whole chain at once; return every fault, for people."""
    walked = Walk()
    while not walked.ended:
        walked = walk(connection, walked, kept)
    return verdict(walked, kept)


class HeadFile:
    """The head, kept beside the database and written after a commit; for worker threads."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self) -> Head | None:
        """Return the kept head; None when there is none that can be read."""
        try:
            document = json.loads(self.path.read_text(encoding="utf-8"))
            return Head(int(document["seq"]), str(document["sha"]))
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def write(self, reached: Head) -> None:
        """Keep a head."""
        temporary = self.path.with_name(self.path.name + ".tmp")
        temporary.write_text(json.dumps(asdict(reached)) + "\n", encoding="utf-8")
        temporary.replace(self.path)
