"""Where the equipment stands in the factory: its organisation and its path in ISA-95's hierarchy, on every record."""

import uuid
from dataclasses import dataclass

from supervisor.server.store.rows import Connection

WITH_PATH = (
    "process_modes", "recipes", "results", "spc_series", "spc_points", "runs", "material_log", "events", "alarm_log",
    "audit", "calibrations", "proof_tests", "tunings",
)  # fmt: skip
"""Tables whose records carry the path."""


@dataclass(frozen=True)
class Identity:
    """Whose tool this is, and where; made at first start."""

    org_id: str
    instrument_id: str
    path: str = ""
    """ISA-95: enterprise/site/area/work centre/work unit; the enterprise is the organisation's id."""


def identify(connection: Connection, tool: str, org_id: str = "", equipment_path: str = "") -> Identity:
    """Read the identities of the organisation and the tool; make them at the first start.

    Args:
        connection: of the database.
        tool: the tool's name, the last part of the path.
        org_id: the organisation as the settings say it; empty: one of its own.
        equipment_path: the parts between enterprise and tool as the settings say them.
    """
    known = dict(connection.execute("SELECT name, value FROM settings").fetchall())
    for name, wanted in (("org_id", org_id), ("instrument_id", "")):
        if name not in known:
            known[name] = wanted or str(uuid.uuid4())
            connection.execute("INSERT INTO settings VALUES (?, ?)", [name, known[name]])
        elif wanted and wanted != known[name]:
            known[name] = wanted
            connection.execute("UPDATE settings SET value = ? WHERE name = ?", [wanted, name])
    path = "/".join([known["org_id"], *(part for part in equipment_path.split("/") if part), tool])
    quoted = path.replace("'", "''")
    for table in WITH_PATH:  # a default takes no parameter
        connection.execute(f"ALTER TABLE {table} ALTER isa95_path SET DEFAULT '{quoted}'")
    return Identity(known["org_id"], known["instrument_id"], path)
