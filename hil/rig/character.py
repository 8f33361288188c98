"""What an instrument does by itself, beyond answering, as far as its profile says it: watchdog, sensor failure.

What single kinds do besides stands in `hil.rig.kinds`.
"""

import math
from typing import TYPE_CHECKING

from config.profile import Feed, Watchdog
from config.tool import LinkLoss
from hil.rig.raw import Raw, Reason

if TYPE_CHECKING:
    from hil.rig.instrument import Instrument


class Character:
    """An instrument that does what its profile says."""

    def __init__(self, instrument: "Instrument") -> None:
        self._own = instrument

    def delivered(self) -> dict[str, Raw]:
        """Raw values as the factory leaves them, where they are not the least possible."""
        return {}

    def power_up(self) -> None:
        """Mains came back."""

    def reading(self, name: str, raw: Raw) -> Raw:
        """What the wire says for what is remembered."""
        _ = name
        return raw

    def written(self, name: str, raw: Raw) -> Raw:
        """What is remembered of what the wire said."""
        _ = name
        return raw

    def allow(self, name: str, value: float) -> None:
        """Refuse a write that this instrument would not take now; raises Refused."""

    def after_write(self, name: str, value: float) -> None:
        """Something was written."""

    def says(self, command: str) -> str | None:
        """An answer in the instrument's own form, where it has one that a pattern leaves open."""
        _ = command
        return None

    def confirms(self, name: str) -> str | None:
        """The same for the answer to a write."""
        _ = name
        return None

    def error_text(self, reason: Reason) -> str | None:
        """The same for a refusal."""
        _ = reason
        return None

    def was_asked(self, command: str) -> None:
        """A question was answered (some answers are given once)."""
        _ = command

    def tick(self, now_s: float) -> None:
        """Time goes on while it is switched on."""
        beat = self._own.profile.heartbeat
        if beat is not None:
            self._own.raw[beat.point] = float(int(now_s) % 65536)

    def heartbeat(self, producer: int) -> None:
        """A CANopen heartbeat was seen on its bus."""
        _ = producer

    def sensor_failure(self, status: str) -> Raw:
        """What a status point says when its sensor is broken."""
        point = self._own.points[status]
        good = {good for other in self._own.points.values() if other.quality.status == status
                for good in other.quality.good}  # fmt: skip
        if point.states:
            return next(state.raw for n, state in enumerate(point.states) if n not in good)
        return next(float(code) for code in range(256) if code not in good)

    def feeds(self, watchdog: Watchdog, wrote: str | None) -> bool:
        """Whether a request feeds the watchdog."""
        match watchdog.feed:
            case Feed.ANY:
                return True
            case Feed.WRITE:
                return wrote is not None
            case Feed.POINT:
                return wrote == watchdog.feed_point

    def watchdog_s(self, watchdog: Watchdog) -> float | None:
        """After which silence the watchdog acts; none: it is not armed."""
        own = self._own
        armed = all(own.value(setting.point) == setting.value for setting in watchdog.set)
        return watchdog.timeout_s if armed and math.isfinite(own.heard_s) else None

    def expire(self, watchdog: Watchdog) -> None:
        """The watchdog acts."""
        if watchdog.takes_outputs_to is LinkLoss.ZERO:
            for name in sorted(self._own.outputs):
                self._own.put(name, 0.0)
