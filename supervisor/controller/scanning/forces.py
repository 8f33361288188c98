"""Forces: values that a person puts in the place of a tag's own, for a limited time, never around an interlock."""

from dataclasses import dataclass
from typing import Any

from kernels.tables import ConditionClass, TagKind
from supervisor.controller.arguments import Force
from supervisor.controller.errors import CommandRefused
from supervisor.controller.scanning.explain import Explainer
from supervisor.controller.scanning.scanner import View

GREATEST_FORCE_S = 8 * 3600.0
"""One shift: whoever forced a tag is still there when it ends."""


@dataclass(frozen=True)
class Forced:
    """A force that is in place."""

    tag: str
    value: float
    reason: str
    user: str
    until_scan: int
    requested_by: str | None = None
    """Who asked for it, where another one confirmed it."""
    until_ns: int = 0
    """UTC."""
    roles: tuple[str, ...] = ()
    """Of the user."""

    def words(self) -> dict[str, Any]:
        """Data for the status answer."""
        return {
            "tag": self.tag,
            "value": self.value,
            "reason": self.reason,
            "user": self.user,
            "until_scan": self.until_scan,
            "until_ns": self.until_ns,
            "roles": list(self.roles),
            "requested_by": self.requested_by,
        }


def check_force(view: View, force: Force) -> None:
    """Refuse a force that would reduce protection.

    An input that an interlock reads is as good as a bypass of that interlock: it may be forced only where all of them
    may be bypassed, no longer than their bypasses may last, and by two people, of whom the one asks and the other
    confirms. A forced output is still gated by every effect.

    Raises:
        CommandRefused: it would, or it lasts too long.
    """
    tag = view.layout.index.get(force.tag)
    if tag is None:
        raise CommandRefused("BadNotFound", f"there is no tag {force.tag}")
    if int(view.tables.tags["kind"][tag]) not in {TagKind.INPUT, TagKind.OUTPUT}:
        raise CommandRefused("BadNotWritable", f"{force.tag} is neither an input nor an output: it cannot be forced")
    longest = GREATEST_FORCE_S
    explainer = Explainer(view)
    for index, cls in enumerate(view.tables.conditions["cls"]):
        if int(cls) == ConditionClass.WARNING or tag not in explainer.sources(index):
            continue
        name = view.condition(index).name
        if not view.bypassable(index):
            raise CommandRefused(
                "BadNotSupported", f"{force.tag} is read by the interlock {name}, which may never be bypassed"
            )
        if force.requested_by is None:
            raise CommandRefused(
                "BadUserAccessDenied",
                f"{force.tag} is read by the interlock {name}: it is forced by two people, one asks, another confirms",
            )
        longest = min(longest, float(view.tables.conditions["max_bypass"][index]) * view.tables.period_s)
    if force.duration_s > longest:
        raise CommandRefused(
            "BadOutOfRange", f"{force.tag} may be forced for {longest:g} s at most, not {force.duration_s:g} s"
        )


class Forces:
    """The forces that are in place."""

    def __init__(self) -> None:
        self.present: dict[str, Forced] = {}

    def expired(self, scan: int) -> list[Forced]:
        """Return those whose time is over."""
        return [force for force in self.present.values() if scan >= force.until_scan]
