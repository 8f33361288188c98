"""Material: samples, wafers, lots and carriers; where they were and what was done with them."""

import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from opcua_model.interface import Refused
from supervisor.server.historian import arrow
from supervisor.server.store.rows import Connection

KINDS = ("sample", "wafer", "lot", "carrier")
DEEDS = ("arrived", "loaded", "unloaded", "left", "scrapped", "measured", "note")
"""What people and the MES report; the server itself adds queued, removed, processing and processed."""
MOST = 1000


@dataclass(frozen=True)
class Load:
    """The material of a run."""

    sample: str = ""
    lot: str = ""
    carrier: str = ""
    wafers: tuple[str, ...] = ()

    def items(self) -> Iterable[tuple[str, str]]:
        """Kind and id of everything that it consists of."""
        for kind, name in (("sample", self.sample), ("lot", self.lot), ("carrier", self.carrier)):
            if name:
                yield kind, name
        for wafer in self.wafers:
            yield "wafer", wafer


NOTHING = Load()


def load_of(run: dict[str, Any]) -> Load:
    """Return the material of a run's record."""
    wafers = tuple(run.get("wafer_ids") or ()) or ((run["wafer_id"],) if run.get("wafer_id") else ())
    return Load(run.get("sample_id") or "", run.get("lot_id") or "", run.get("carrier_id") or "", wafers)


def track(
    connection: Connection,
    org_id: str,
    items: Iterable[tuple[str, str]],
    what: str,
    *,
    user: str,
    location: str = "",
    run_id: str = "",
    comment: str = "",
    time_ns: int = 0,
) -> None:
    """Enter what happened to material."""
    for kind, name in items:
        connection.execute(
            "INSERT INTO material_log (time_ns, org_id, kind, material_id, what, location, run_id, user_name, comment) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [time_ns or time.time_ns(), org_id, kind, name, what, location, run_id or None, user, comment],
        )


def of_run(connection: Connection, org_id: str, run_id: str, what: str, time_ns: int) -> None:
    """Enter what a run did to its material."""
    found = arrow.records(
        connection,
        "SELECT sample_id, wafer_id, lot_id, carrier_id, wafer_ids, operator_id FROM runs WHERE id::VARCHAR = ?",
        [run_id],
    )
    for run in found:
        items = load_of(run).items()
        track(connection, org_id, items, what, user=run["operator_id"], run_id=run_id, time_ns=time_ns)


def history(connection: Connection, material: str) -> dict[str, Any]:
    """Return what is known of a piece of material.

    Raises:
        Refused: nobody has seen it.
    """
    rows = arrow.records(
        connection,
        "SELECT time_ns, log.kind AS kind, what, location, log.run_id, run_number, user_name AS user, comment, "
        "log.isa95_path "
        "FROM material_log AS log LEFT JOIN runs ON runs.id::VARCHAR = log.run_id WHERE material_id = ? "
        "ORDER BY time_ns LIMIT ?",
        [material, MOST],
    )
    if not rows:
        raise Refused("BadNotFound", f"no material {material!r} is known here")
    location = next((row["location"] for row in reversed(rows) if row["location"]), "")
    return {
        "material_id": material,
        "kind": rows[-1]["kind"],
        "state": rows[-1]["what"],
        "location": location,
        "history": rows,
    }
