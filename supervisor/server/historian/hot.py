"""Rows of the logging ring into the hot table: rounded, with their statuses, in one statement each."""

from dataclasses import dataclass

import numpy as np

from kernels.image import Rows
from kernels.tables import Status
from supervisor.server.historian import arrow
from supervisor.server.historian.changes import ChangeDetector
from supervisor.server.historian.rounding import Rounding
from supervisor.server.historian.tagset import TagSet
from supervisor.server.store.rows import Connection


@dataclass
class HotWriter:
    """Writes rows of one tag set; the caller holds the transaction.

    `detector` remembers what the last stored row was: after a transaction that failed it must forget.
    """

    tag_set: TagSet
    detector: ChangeDetector

    def __post_init__(self) -> None:
        self._round = Rounding(self.tag_set.resolution)

    def insert(self, connection: Connection, rows: Rows) -> int:
        """Append rows; return how many."""
        count = len(rows.scan)
        if rows.lost:
            self.detector.forget()
            first = int(rows.time_ns[0]) if count else 0
            connection.execute("INSERT INTO gaps VALUES (?, ?)", [first, rows.lost])
        if not count:
            return 0
        row, tag = np.nonzero(rows.status >= np.uint32(Status.BAD))
        columns = {
            "scan": rows.scan,
            "ts_ns": rows.time_ns,
            "v": arrow.fixed_lists(self._round(rows.values)),
            "bad": arrow.lists(row, tag.astype(np.int32), count),
        }
        arrow.insert(connection, self.tag_set.table, arrow.table(columns))
        changes = self.detector(rows.time_ns, rows.status, rows.source_ns)
        if changes.tag.size:
            found = {
                "tag_set": np.full(changes.tag.size, self.tag_set.id, np.int32),
                "tag": changes.tag,
                "ts_ns": changes.ts_ns,
                "source_ns": changes.source_ns,
                "moving": changes.moving,
                "status": changes.status,
            }
            arrow.insert(connection, "changes", arrow.table(found))
        return count
