"""What the crew sees at a glance, from the controller's status answer."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any


def crew_variables(status: Mapping[str, Any]) -> dict[str, Any]:
    """Return what stands below Care, and the lock-outs below State."""
    locks: Mapping[str, Mapping[str, Any]] = status.get("locks") or {}
    care: Mapping[str, Any] = status.get("care") or {}
    return {
        "State/LockedModules": "; ".join(
            f"{name} by {lock.get('user') or 'nobody known'}: {lock.get('reason', '')}" for name, lock in locks.items()
        ),
        "Care/Due": len(care.get("due") or ()),
        "Care/Soon": len(care.get("soon") or ()),
        "Care/DueTitles": "; ".join(care.get("due") or ()),
        "Care/Stopped": "; ".join(care.get("stopped") or ()),
        **proof_variables(care.get("proofs") or ()),
    }


def proof_variables(rows: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Return what stands below each interlock whose proof test is declared."""
    shown: dict[str, Any] = {}
    for row in rows:
        at = f"Interlocks/{row['name']}"
        shown[f"{at}/ProofTest"] = str(row["state"])
        shown[f"{at}/ProofTestDue"] = datetime.fromtimestamp(row["due_ns"] / 1e9, UTC)
        shown[f"{at}/LastProofTest"] = datetime.fromtimestamp(row["passed_ns"] / 1e9, UTC) if row["passed_ns"] else None
    return shown
