"""Profiles for tests, written as TOML into a folder of their own and found through CVD_DEVICES."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

HEAD = """
schema_version = 1
name = "{name}"
codec = "modbus"
links = [{links}]
verified = true
address = [1, 247]
{extra}
[identity]
manufacturer = "Test"
model = "{name}"
function = "test"
documents = ["tests/config/device_profiles.py"]

[modbus]
merge_gap = 8

[timing]
answer_s = 0.1
quiet_s = 0.05

[poll]
fast = {{ period_s = {period_s} }}
"""
WATCHDOG = """
[watchdog]
timeout_s = 1.0
set = [{{ point = "watchdog_ms", value = 1000 }}]
prove = [{{ point = "watchdog_ms", equals = 1000, what = "it is armed" }}]
volatile = true
feed = "write"
action = "acts"
takes_outputs_to = "{action}"
source = "test"
"""
POINT = """
[[points]]
name = "{name}"
description = "test"
access = "{access}"
type = "{type}"
unit = "{unit}"
low = {low}
high = {high}
source = "test"
modbus = {{ address = {address} }}
{extra}
"""


def point(name: str, address: int, **fields: Any) -> str:
    """One holding register or pair of them."""
    known = {"access": "rw", "type": "f32", "unit": "1", "low": -1e9, "high": 1e9, "extra": 'poll = "fast"'}
    return POINT.format(**(known | fields), name=name, address=address)


def write_profile(
    folder: Path,
    name: str,
    points: Iterable[str],
    *,
    action: str | None = None,
    links: str = '"modbus-tcp", "modbus-rtu"',
    period_s: float = 0.02,
    extra: str = "",
) -> Path:
    """Write a profile; with `action` it has a watchdog that takes its outputs there."""
    extra += 'watchdog = "none"\n' if action is None else ""
    parts = [HEAD.format(name=name, links=links, extra=extra, period_s=period_s), *points]
    if action is not None:
        parts += [point("watchdog_ms", 9000, type="u16", low=0, high=65535), WATCHDOG.format(action=action)]
    path = folder / f"{name}.toml"
    path.write_text("".join(parts), encoding="utf-8")
    return path


def profiles_for(folder: Path, data: Mapping[str, Any]) -> None:
    """Write the profiles that the tags of a tool's plain data ask for: a point for every tag, in its unit."""
    kinds = {device["name"]: device["profile"] for device in data["devices"]}
    points: dict[str, dict[str, str]] = {profile: {} for profile in kinds.values()}
    for module in data["modules"]:
        for tag in module["tags"]:
            if "point" in tag:
                device, _, name = tag["point"].partition(".")
                known = points[kinds[device]]
                known[name] = point(name, 2 * len(known), unit=f"{tag.get('unit', '1')}")
    for device in data["devices"]:
        profile = device["profile"]
        action = {"zero": "zero", "hold": "hold"}.get(device["on_link_loss"])
        write_profile(folder, profile, points[profile].values(), action=action)
