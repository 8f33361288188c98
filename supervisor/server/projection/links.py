"""What stands beside the tags: who has the say over each of them, and how each instrument's link is."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from config.layout import Layout
from config.tool import TagKind
from kernels.image import Snapshot

_OWNED = frozenset({TagKind.SETPOINT, TagKind.OUTPUT})


def owner_variables(layout: Layout, status: Mapping[str, Any]) -> dict[str, Any]:
    """`Owner` of each set point and output, and of each input: what posts it, or who stands in for it.

    Args:
        layout: the tool.
        status: newest answer of the controller.
    """
    owners: Mapping[str, str] = status.get("owners") or {}
    forces = {row["tag"]: row for row in status.get("forces") or ()}
    shown: dict[str, Any] = {}
    for name, tag in layout.declared.items():
        module, _, rest = name.partition(".")
        path = f"Equipment/{module}/{rest}/Owner"
        if tag.kind in _OWNED:
            shown[path] = owners.get(name, "")
        elif tag.kind is TagKind.INPUT:
            force = forces.get(name)
            device = (tag.point or "").partition(".")[0]
            source = "simulation" if status.get("sim") or not device else f"instrument {device}"
            shown[path] = f"force by {force['user']}: {force['reason']}" if force else source
    return shown


def link_variables(layout: Layout, snapshot: Snapshot | None) -> dict[str, Any]:
    """`State` of each instrument's link: armed, connected or lost; unknown without a controller."""
    return {
        f"Diagnostics/Links/{device.name}/State": _state(
            snapshot, [layout.index[f"devices.{device.name}.{word}"] for word in ("armed", "connected")]
        )
        for device in layout.tool.devices
    }


def _state(snapshot: Snapshot | None, tags: Sequence[int]) -> str:
    if snapshot is None or np.isnan(snapshot.values[tags]).any():
        return "unknown"
    armed, connected = (bool(value) for value in snapshot.values[tags])
    return "armed" if armed else "connected" if connected else "lost"
