"""What the crew sees at a glance, from the controller's status answer."""

from collections.abc import Mapping
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
    }
