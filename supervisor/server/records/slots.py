"""Slot maps: which wafer lies in which slot of a carrier, and how wafers go in and out of the tool with it.

A map is nothing of its own but the newest words of the material's history: every wafer knows where it was put last.
"""

from typing import Any

from opcua_model.interface import Refused
from supervisor.server.records import material
from supervisor.server.store.rows import Connection, one

SLOTS = 200
LONGEST_ID = 200
HANDED = {
    "load": ("loaded", "in the tool"), "transfer_in": ("moved", "in the chamber"),
    "transfer_out": ("moved", "in the load lock"), "unload": ("unloaded", "out of the tool"),
}  # fmt: skip
"""What operations that hand wafers on do to those of the carrier that was mapped last, and where they are then."""
_NEWEST = """
SELECT material_id, location FROM (
    SELECT material_id, location, what,
        row_number() OVER (PARTITION BY material_id ORDER BY time_ns DESC, rowid DESC) AS n
    FROM material_log WHERE kind = 'wafer' AND location <> ''
) WHERE n = 1 AND starts_with(location, ?) AND what NOT IN ('left', 'scrapped')
"""


def put(connection: Connection, org_id: str, carrier: str, wafers: list[str], user: str) -> None:
    """Say which wafers lie in a carrier, in the order of its slots; an empty id is an empty slot.

    Raises:
        Refused: no carrier, too many slots, a wafer twice.
    """
    named = [wafer for wafer in wafers if wafer]
    faults = [
        *(["CarrierId has 1 to 200 characters"] if not 0 < len(carrier) <= LONGEST_ID else []),
        *([f"a carrier has at most {SLOTS} slots"] if len(wafers) > SLOTS else []),
        *(["a wafer lies in two slots"] if len(set(named)) != len(named) else []),
        *(["a wafer's id has at most 200 characters"] if any(len(wafer) > LONGEST_ID for wafer in named) else []),
    ]
    if faults:
        raise Refused("BadInvalidArgument", "; ".join(faults))
    gone = [wafer for wafer in get(connection, carrier) if wafer and wafer not in named]
    for wafer in gone:
        material.track(
            connection, org_id, [("wafer", wafer)], "note", user=user, location="?", comment=f"out of {carrier}"
        )
    material.track(connection, org_id, [("carrier", carrier)], "note", user=user, comment=f"{len(named)} wafers mapped")
    for slot, wafer in enumerate(wafers, start=1):
        if wafer:
            place = f"{_place(carrier)}{slot}"
            material.track(connection, org_id, [("wafer", wafer)], "note", user=user, location=place, comment="mapped")


def get(connection: Connection, carrier: str) -> list[str]:
    """Return the wafers of a carrier by slot, empty text where none lies; an unknown carrier has no slots."""
    place = _place(carrier)
    found: dict[int, str] = {}
    for wafer, location in connection.execute(_NEWEST, [place]).fetchall():
        number = str(location).removeprefix(place).partition(" ")[0]
        if number.isdigit():
            found[int(number)] = str(wafer)
    return [found.get(slot, "") for slot in range(1, max(found, default=0) + 1)]


def handed_over(connection: Connection, org_id: str, operation: str, run_id: str, time_ns: int, user: str) -> None:
    """A hand-off was completed: the wafers of the carrier that was mapped last went with it."""
    if operation not in HANDED:
        return
    what, where = HANDED[operation]
    row = one(
        connection,
        "SELECT material_id FROM material_log WHERE kind = 'carrier' AND comment LIKE '% wafers mapped' "
        "ORDER BY time_ns DESC, rowid DESC LIMIT 1",
    )
    carrier = str(row[0]) if row else ""
    for slot, wafer in enumerate(get(connection, carrier) if carrier else [], start=1):
        if wafer:
            place = f"{_place(carrier)}{slot} {where}"
            material.track(
                connection, org_id, [("wafer", wafer)], what, user=user, location=place, run_id=run_id, time_ns=time_ns
            )


def as_map(carrier: str, wafers: list[str]) -> dict[str, Any]:
    """What a client gets."""
    return {"carrier_id": carrier, "slots": wafers, "wafers": sum(bool(wafer) for wafer in wafers)}


def _place(carrier: str) -> str:
    return f"{carrier} slot "
