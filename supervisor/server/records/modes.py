"""The catalogue of process modes: those shipped at first start, and those that engineers add."""

import json
import uuid
from collections.abc import Sequence
from typing import Any

from config.process_mode import ProcessMode, shipped_modes
from opcua_model.interface import Entry, Refused
from supervisor.server.historian import arrow
from supervisor.server.records.declared import read_declared
from supervisor.server.store.rows import Connection, one

MOST = 1000
_COLUMNS = (
    "id, name, pressure_mode, energy_mode, reactor_type, chemistry_type, variant, description, default_recipes, "
    "capabilities"
)


def read_mode(text: str) -> ProcessMode:
    """Read a process mode from JSON.

    Raises:
        Refused: with every fault.
    """
    return read_declared(text, ProcessMode, "process mode")


def add_mode(connection: Connection, org_id: str, mode: ProcessMode) -> str:
    """Add a process mode; return its id.

    Raises:
        Refused: there is one of that name.
    """
    if one(connection, "SELECT 1 FROM process_modes WHERE name = ?", [mode.name]):
        raise Refused("BadBrowseNameDuplicated", f"there is a process mode called {mode.name!r} already")
    number = str(uuid.uuid4())
    # What the guide's table has no column for (films, gas pairs) is kept with the capabilities.
    capabilities: dict[str, Any] = {**mode.capabilities, "films": list(mode.films)}
    connection.execute(
        "INSERT INTO process_modes (id, org_id, name, pressure_mode, energy_mode, reactor_type, chemistry_type, "
        "variant, description, default_recipes, capabilities) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [number, org_id, mode.name, mode.pressure_mode.value, mode.energy_mode.value, mode.reactor_type.value,
         mode.chemistry_type.value, mode.variant, mode.description, json.dumps(mode.default_recipes),
         json.dumps(capabilities)],
    )  # fmt: skip
    return number


def add_shipped(connection: Connection, org_id: str) -> int:
    """Add the shipped modes that are not there yet; return how many."""
    present = {name for (name,) in connection.execute("SELECT name FROM process_modes").fetchall()}
    missing = [mode for name, mode in sorted(shipped_modes().items()) if name not in present]
    for mode in missing:
        add_mode(connection, org_id, mode)
    return len(missing)


def list_modes(
    connection: Connection, pressure: str = "", energy: str = "", skip: int = 0, limit: int = 0
) -> list[dict[str, Any]]:
    """List process modes by name."""
    found = arrow.records(
        connection,
        f"SELECT {_COLUMNS.replace('id,', 'id::VARCHAR AS id,', 1)} FROM process_modes "  # noqa: S608
        "WHERE (? = '' OR pressure_mode = ?) AND (? = '' OR energy_mode = ?) ORDER BY name LIMIT ? OFFSET ?",
        [pressure, pressure, energy, energy, min(limit or MOST, MOST), skip],
    )
    for mode in found:
        for name in ("default_recipes", "capabilities"):
            mode[name] = json.loads(mode[name]) if mode[name] else None
    return found


def mode_id(connection: Connection, name: str | None) -> str | None:
    """Find a mode by its name."""
    row = one(connection, "SELECT id FROM process_modes WHERE name = ?", [name])
    return str(row[0]) if row else None


def mode_entries(modes: Sequence[dict[str, Any]]) -> list[Entry]:
    """Make the objects of the address space."""
    return [
        Entry(
            "ProcessModes",
            mode["name"],
            {
                "ProcessModeId": mode["id"],
                "PressureMode": mode["pressure_mode"],
                "EnergyMode": mode["energy_mode"],
                "ReactorType": mode["reactor_type"],
                "ChemistryType": mode["chemistry_type"],
                "Variant": mode["variant"] or "",
            },
            mode["description"] or "",
        )
        for mode in modes
    ]
