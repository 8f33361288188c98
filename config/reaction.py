"""How long it takes at worst until a lost instrument is answered for: staleness, two scans, and the slowest write.

A device that dies silently: its newest value goes Bad after BAD_PERIODS of the tag's period; the scan that sees it
gates the outputs, at worst one scan later, and publishes; then the outputs have to be written to the other instruments.
A write waits for the exchange that is under way on its link, for the quiet time after it has failed, and for safe
values that were queued before it.
"""

from dataclasses import dataclass

from config.profile import Profile
from config.tool import Device, Tag, TagKind, Tool

BAD_PERIODS = 5.0
"""Periods of silence after which a value is Bad (config.tool.Tag.period_s)."""
FOLLOW_S = 0.01
"""How often the controller compares outputs with what it wrote (supervisor.controller.scanning.instruments)."""


@dataclass(frozen=True)
class Reaction:
    """The worst case of one device.

    Attributes:
        device: its name.
        staleness_s: until the slowest of its inputs is Bad; None: no input is bound to it.
        write_s: until a safe value has reached it, once the scan asks for it; None: no output is bound to it.
        slowest: of the tool's links, the one on which a write takes longest, without the device's own.
        total_s: from its silence to the last safe value on every other link.
        watchdog_s: until its own watchdog acts; None: it has none.
    """

    device: str
    staleness_s: float | None
    write_s: float | None
    slowest: str | None
    total_s: float | None
    watchdog_s: float | None


def reactions(tool: Tool, profiles: dict[str, Profile]) -> list[Reaction]:
    """Work out every device's worst reaction; profiles by device name."""
    bound: dict[str, list[Tag]] = {device.name: [] for device in tool.devices}
    for module in tool.modules:
        for tag in module.tags:
            name, _, point = (tag.point or "").partition(".")
            if name in bound and profiles[name].point(point) is not None:
                bound[name].append(tag)
    writes = {device.name: write_s(tool, profiles, device, bound) for device in tool.devices}
    scan_s = tool.scan.period_ms / 1000
    rows: list[Reaction] = []
    for device in tool.devices:
        inputs = [tag.period_s for tag in bound[device.name] if tag.kind is TagKind.INPUT]
        staleness_s = BAD_PERIODS * max(inputs) if inputs else None
        others = {other.name: took for other in tool.devices if other.link != device.link
                  if (took := writes[other.name]) is not None}  # fmt: skip
        slowest = max(others, key=lambda name: others[name], default=None)
        total_s = None
        if staleness_s is not None:
            total_s = staleness_s + 2 * scan_s + (others[slowest] if slowest is not None else 0.0)
        watchdog = profiles[device.name].watchdog
        rows.append(
            Reaction(
                device.name,
                staleness_s,
                writes[device.name],
                slowest,
                total_s,
                None if watchdog == "none" else watchdog.timeout_s,
            )
        )
    return rows


def write_s(tool: Tool, profiles: dict[str, Profile], device: Device, bound: dict[str, list[Tag]]) -> float | None:
    """Worst time of a safe value: the exchange under way fails, the link is drained, every output of it is written."""
    if not any(tag.kind is TagKind.OUTPUT for tag in bound[device.name]):
        return None
    on_link = [other for other in tool.devices if other.link == device.link]
    under_way_s = max(profiles[other.name].timing.answer_s for other in on_link)
    quiet_s = max(profiles[other.name].timing.quiet_s for other in on_link)
    queue_s = 0.0
    for other in on_link:
        timing = profiles[other.name].timing
        count = sum(tag.kind is TagKind.OUTPUT for tag in bound[other.name])
        queue_s += count * (timing.answer_s + timing.gap_s)
    return max(FOLLOW_S, tool.scan.period_ms / 1000) + under_way_s + quiet_s + queue_s
