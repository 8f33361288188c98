"""One simulated instrument: what it remembers of its points, and what it does by itself.

Values are kept as the wire carries them (`raw`). A write goes through the instrument's own limits; what it moves
outside (the plant) listens with `on_write`.
"""

import math
import time
from collections.abc import Callable

from config.profile import Profile, ValueType
from hil.rig.character import Character
from hil.rig.kinds import CHARACTERS
from hil.rig.raw import Raw, Refused, initial, to_raw, to_value


class Instrument:
    """An instrument that is switched on.

    Args:
        name: as the tool file calls it.
        profile: what kind it is.
        address: on its wire, where it has one.
    """

    def __init__(self, name: str, profile: Profile, address: int | None = None) -> None:
        self.name = name
        self.profile = profile
        self.address = address
        self.points = profile.by_name
        self.raw: dict[str, Raw] = {}
        self.outputs: set[str] = set()
        """Points that move something: what a watchdog takes away."""
        self.power_ups = 0
        self.heard_s = math.inf
        """When it last heard what feeds its watchdog; infinite: never yet."""
        self.tripped = False
        """Its watchdog has acted."""
        self.frozen: dict[str, Raw] = {}
        """While its program hangs: what it said last, over and over."""
        self.on_write: Callable[[str, float], None] | None = None
        self.settings: dict[str, Raw] = {}
        """What it is delivered with in this tool (full scale, unit); kept over a restart."""
        self.character: Character = CHARACTERS.get(profile.name, Character)(self)
        self._delivered()

    # ------------------------------------------------------------------------------------------------------- power
    def _delivered(self) -> None:
        """Everything as the factory left it."""
        self.raw = {name: initial(point) for name, point in self.points.items()}
        for point in self.points.values():
            if point.quality.status is not None:
                self.raw[point.quality.status] = self._status_raw(point.quality.status, point.quality.good[0])
        for probe in self.profile.identify:
            if probe.equals is not None:
                self.raw[probe.point] = to_raw(self.points[probe.point], probe.equals)
        self.raw |= {name: raw for name, raw in self.character.delivered().items() if name in self.raw}
        self.raw |= self.settings
        self.power_up()

    def deliver(self, settings: dict[str, Raw]) -> None:
        """Say how it is set up in this tool."""
        self.settings |= {name: raw for name, raw in settings.items() if name in self.points}
        self.raw |= self.settings

    def power_up(self) -> None:
        """Mains off and on: outputs at 0, what is volatile forgotten, counters one higher."""
        self.power_ups += 1
        self.heard_s, self.tripped = math.inf, False
        for name in self.outputs:
            self.put(name, 0.0)
        watchdog = self.profile.watchdog
        if watchdog != "none" and watchdog.volatile:
            for setting in watchdog.set:
                self.raw[setting.point] = initial(self.points[setting.point])
        sign = self.profile.reboot
        if sign is not None:
            self.raw[sign.point] = {"counter": float(self.power_ups), "flag": 1.0, "uptime": 0.0}[sign.kind]
            if isinstance(initial(self.points[sign.point]), str):
                self.raw[sign.point] = str(self.power_ups)
        self.character.power_up()

    # ------------------------------------------------------------------------------------------------------ inside
    def show(self, name: str, value: float) -> None:
        """Let a point read this, in its unit, as far as its wire can say it."""
        point = self.points[name]
        self.raw[name] = to_raw(point, min(max(value, point.low), point.high))

    def value(self, name: str) -> float:
        """What a point is, in its unit; NaN for text and for a raw value that is no state."""
        return to_value(self.points[name], self.raw[name])

    def fail(self, name: str) -> None:
        """The sensor behind a point is broken: say so the way this instrument does."""
        status = self.points[name].quality.status
        if status is not None:
            self.raw[status] = self.character.sensor_failure(status)
        elif self.points[name].quality.bad:
            self.raw[name] = self.points[name].quality.bad[0]
        elif self.points[name].type is ValueType.F32:
            self.raw[name] = math.nan
        else:
            self.show(name, self.points[name].high)

    def recover(self, name: str) -> None:
        """The sensor is whole again."""
        quality = self.points[name].quality
        if quality.status is not None:
            self.raw[quality.status] = self._status_raw(quality.status, quality.good[0])

    def put(self, name: str, value: float) -> None:
        """Set an output from inside (a watchdog, a restart) and let the plant know."""
        self.show(name, value)
        if self.on_write is not None:
            self.on_write(name, value)

    # --------------------------------------------------------------------------------------------------- the wire's
    def ask(self, name: str) -> Raw:
        """What the wire reads; raises Refused."""
        point = self.points.get(name)
        if point is None:
            raise Refused("unknown")
        if not point.readable:
            raise Refused("not_understood")
        return self.character.reading(name, self.frozen.get(name, self.raw[name]))

    def tell(self, name: str, raw: Raw) -> None:
        """What the wire writes; raises Refused and then changes nothing."""
        point = self.points.get(name)
        if point is None:
            raise Refused("unknown")
        if not point.writable:
            raise Refused("read_only")
        raw = self.character.written(name, raw)
        value = to_value(point, raw)
        if math.isnan(value) or not point.low <= value <= point.high:
            raise Refused("range")
        self.character.allow(name, value)
        self.raw[name] = raw
        self.character.after_write(name, value)
        if self.on_write is not None:
            self.on_write(name, self.value(name))

    def heard(self, *, wrote: str | None = None, understood: bool = True) -> None:
        """A request came: does it feed the watchdog?"""
        watchdog = self.profile.watchdog
        if watchdog == "none" or not understood:
            return
        if self.character.feeds(watchdog, wrote):
            self.heard_s = time.monotonic()

    def go_on(self, now_s: float) -> None:
        """What it does by itself; called every few milliseconds while it is switched on."""
        self.character.tick(now_s)
        self._look_at_watchdog(now_s)

    def freeze(self, *, hangs: bool) -> None:
        """Its program hangs, or not."""
        self.frozen = dict(self.raw) if hangs else {}

    def _look_at_watchdog(self, now_s: float) -> None:
        """Act when the controller has been silent for too long."""
        watchdog = self.profile.watchdog
        if watchdog == "none" or self.tripped:
            return
        limit_s = self.character.watchdog_s(watchdog)
        if limit_s is not None and now_s - self.heard_s > limit_s:
            self.tripped = True
            self.character.expire(watchdog)

    def _status_raw(self, name: str, value: float) -> Raw:
        return to_raw(self.points[name], value)
