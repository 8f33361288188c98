"""The settings that a server was started with last, so that the audit trail tells when they have changed."""

import hashlib
import json
from typing import Any

from supervisor.server.records import audit
from supervisor.server.store.rows import Connection, one

NOTED = "daemon settings"
"""Their name in the table `settings`."""


def note_settings(connection: Connection, file: str, settings: dict[str, Any]) -> None:
    """Enter it in the audit trail when these are others than before (a start, a reload).

    The trail has their digest and names, not what they say: there may be secrets among them.

    Args:
        connection: of the database.
        file: the name of the settings file.
        settings: what it says, but for what is as shipped.
    """
    said = json.dumps(settings, separators=(",", ":"), ensure_ascii=False)
    text = json.dumps({"names": sorted(settings), "sha256": hashlib.sha256(said.encode()).hexdigest()})
    row = one(connection, "SELECT value FROM settings WHERE name = ?", [NOTED])
    if row is not None and row[0] == text:
        return
    connection.execute("DELETE FROM settings WHERE name = ?", [NOTED])
    connection.execute("INSERT INTO settings VALUES (?, ?)", [NOTED, text])
    audit.append(connection, audit.Deed("", (), "", "settings", file, text))
