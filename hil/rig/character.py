"""What kinds of instruments do by themselves, beyond answering: units at power-up, watchdogs, interlocked commands.

`Character` is what every profile says already. A subclass stands here only for behaviour that is no data.
"""

import math
from typing import TYPE_CHECKING

from config.profile import Feed, Watchdog
from config.tool import LinkLoss

if TYPE_CHECKING:
    from hil.rig.instrument import Instrument, Raw


class Character:
    """An instrument that does what its profile says."""

    def __init__(self, instrument: "Instrument") -> None:
        self._own = instrument

    def delivered(self) -> dict[str, "Raw"]:
        """Raw values as the factory leaves them, where they are not the least possible."""
        return {}

    def power_up(self) -> None:
        """Mains came back."""

    def reading(self, name: str, raw: "Raw") -> "Raw":
        """What the wire says for what is remembered."""
        _ = name
        return raw

    def written(self, name: str, raw: "Raw") -> "Raw":
        """What is remembered of what the wire said."""
        _ = name
        return raw

    def allow(self, name: str, value: float) -> None:
        """Refuse a write that this instrument would not take now; raises Refused."""

    def after_write(self, name: str, value: float) -> None:
        """Something was written."""

    def was_asked(self, command: str) -> None:
        """A question was answered (some answers are given once)."""
        _ = command

    def sensor_failure(self, status: str) -> "Raw":
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


class Watlow(Character):
    """EZ-ZONE PM: speaks °F until register 2490 says otherwise; 65 is an open thermocouple."""

    CELSIUS, FAHRENHEIT = 15.0, 30.0

    def delivered(self) -> dict[str, "Raw"]:
        """°F, control off, no input error."""
        return {"display_units": self.FAHRENHEIT, "mode": 62.0, "input_error": 61.0}

    def reading(self, name: str, raw: "Raw") -> "Raw":
        """Temperatures in °F."""
        if self._fahrenheit(name) and not isinstance(raw, str):
            return raw * 1.8 + 32.0
        return raw

    def written(self, name: str, raw: "Raw") -> "Raw":
        """Temperatures in °F."""
        if self._fahrenheit(name) and not isinstance(raw, str):
            return (raw - 32.0) / 1.8
        return raw

    def sensor_failure(self, status: str) -> "Raw":
        """Open sensor."""
        _ = status
        return 65.0

    def _fahrenheit(self, name: str) -> bool:
        return self._own.points[name].unit == "°C" and self._own.raw["display_units"] != self.CELSIUS


class Bronkhorst(Character):
    """EL-FLOW: counts in mln/min, and its flow follows the set point of its own."""

    def delivered(self) -> dict[str, "Raw"]:
        """Nitrogen, 20 °C."""
        return {"unit_name": "mln/min", "fluid": "N2", "full_scale": 500.0, "temperature": 20.0}


class Beckhoff(Character):
    """BK9050: its watchdog has registers of its own, acts once, and then wants BECFh and AFFEh."""

    RESET = (0xBECF, 0xAFFE)

    def __init__(self, instrument: "Instrument") -> None:
        super().__init__(instrument)
        self._first = False

    def delivered(self) -> dict[str, "Raw"]:
        """The watchdog is on as delivered, 1000 ms, and every telegram feeds it."""
        return {"watchdog_ms": 1000.0, "watchdog_type": 1.0}

    def power_up(self) -> None:
        """Outputs are 0."""
        self._first = False

    def feeds(self, watchdog: Watchdog, wrote: str | None) -> bool:
        """Type 1: every telegram; 0: only writes."""
        _ = watchdog
        return self._own.raw["watchdog_type"] == 1.0 or wrote is not None

    def watchdog_s(self, watchdog: Watchdog) -> float | None:
        """Register 1120h."""
        _ = watchdog
        own_ms = self._own.raw["watchdog_ms"]
        if isinstance(own_ms, str) or own_ms == 0.0 or not math.isfinite(self._own.heard_s):
            return None
        return own_ms / 1000.0

    def after_write(self, name: str, value: float) -> None:
        """The two words of the reset in their order; outputs stay at 0 while the watchdog has acted."""
        if name == "watchdog_reset":
            if self._first and value == self.RESET[1]:
                self._own.tripped = False
            self._first = value == self.RESET[0]
        elif self._own.tripped and name in self._own.outputs:
            self._own.show(name, 0.0)


CHARACTERS: dict[str, type[Character]] = {
    "watlow_ez_zone_pm": Watlow,
    "bronkhorst_el_flow": Bronkhorst,
    "beckhoff_bk9050": Beckhoff,
}
"""By the profile's name."""
