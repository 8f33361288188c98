"""One instrument as its bus sees it: what is polled, what is to be written, whether it may be trusted."""

import math
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import anyio
import numpy as np
from numpy.typing import NDArray

from config.profile import Feed, Point, Profile, ReadBack, WritePolicy
from drivers.binding import Bound, Surroundings
from drivers.codecs.exchange import Codec, Fetch, Raw
from drivers.statistics import Statistics
from drivers.values import BAD_NO_COMMUNICATION, GOOD, HELD_BACK, Decoder, Reading

VERIFY_S = 0.05
"""Between two attempts to read a write back."""
POLLS_TO_CONFIRM = 4
"""A poll that comes so often within the time allowed is how a write is read back."""
UNARMED_SCANS = 3
"""A device that is no longer armed stays so for at least these: readings between two scans hide one another."""
FEED_SHARE = 0.25
"""A watchdog is fed after this share of its time."""


@dataclass
class Poll:
    """One exchange that is repeated.

    Attributes:
        fetch: what is read.
        period_s: how often.
        fast: before slow ones.
        due_s: when the next slot begins, on the loop's clock.
        decoder: makes readings of it.
        tags, gains, offsets, places: what of it is posted, and where.
        retry_s: not before this time, after the device said that it never will.
    """

    fetch: Fetch
    period_s: float
    fast: bool
    decoder: Decoder
    tags: NDArray[np.int32]
    places: NDArray[np.intp]
    gains: NDArray[np.float64]
    offsets: NDArray[np.float64]
    values: NDArray[np.float64]
    """Newest values of the points, in their units."""
    watched: tuple[tuple[int, str], ...] = ()
    """Places and names of the points whose newest reading somebody in the driver asks for."""
    due_s: float = 0.0
    retry_s: float = 0.0
    again: bool = False
    """A reading was held back: read once more at once."""
    busy: int = 0
    """Times that the device was busy, in a row."""

    def advance(self, now_s: float) -> int:
        """Go to the next slot that is not over yet; slots left out."""
        missed = int((now_s - self.due_s) / self.period_s) if now_s > self.due_s else 0
        self.due_s += (missed + 1) * self.period_s
        return missed


@dataclass
class Wanted:
    """A value that an output asks for."""

    value: float
    urgent: bool
    since_s: float
    not_before_s: float = 0.0
    attempts: int = 0


@dataclass
class Unconfirmed:
    """A write that has not been read back yet.

    Attributes:
        value: what was written.
        until_s: when it is a fault that the device shows something else.
        next_s: when it is asked.
        poll: reads the point often enough to be the answer: nothing is asked besides, except at the last moment.
        place: of the point in the poll.
    """

    value: float
    until_s: float
    next_s: float
    poll: Poll | None = None
    place: int = 0


@dataclass
class Device:
    """State of one instrument.

    Args:
        name: as the tool file calls it.
        profile: what kind it is.
        codec: its language.
        inputs: tags that are read.
        outputs: tags that are written.
        statistics_of: tags bound to what the driver knows of it.
        around: the controller.
    """

    name: str
    profile: Profile
    codec: Codec
    inputs: Sequence[Bound]
    outputs: Sequence[Bound]
    statistics_of: Sequence[Bound]
    around: Surroundings
    statistics: Statistics = field(default_factory=Statistics)
    latest: dict[str, Reading] = field(default_factory=dict[str, Reading])
    asked: dict[str, float] = field(default_factory=dict[str, float])
    """What the outputs' tags say, in their unit."""
    wanted: dict[str, Wanted] = field(default_factory=dict[str, Wanted])
    written: dict[str, tuple[float, float]] = field(default_factory=dict[str, tuple[float, float]])
    """Last value written to a point, and when."""
    unconfirmed: dict[str, Unconfirmed] = field(default_factory=dict[str, Unconfirmed])
    faulty: set[str] = field(default_factory=set[str])
    """Points whose last write was not confirmed."""
    held: dict[str, float] = field(default_factory=dict[str, float])
    """After a restart of the device: values that are not written again until another one is asked for."""
    failures: int = 0
    """Exchanges without an answer, in a row."""
    attempt_s: float = 0.0
    """When it is tried again while it is not connected."""
    back_off_s: float = 0.0
    unarmed_until_s: float = 0.0
    """It is not brought up before: the scan must see that it was not armed, and release what it held."""
    fed_s: float = 0.0
    last_fed_s: float = 0.0
    """When its watchdog was last fed for certain; `fed_s` is 0 while a feed was not answered."""
    heard_s: float = -math.inf
    told_lost: bool = False
    last_sign: float | None = None
    beat: float | None = None
    beat_s: float = 0.0
    proven: bool = False
    polls: list[Poll] = field(default_factory=list[Poll])

    def __post_init__(self) -> None:
        self.points = self.profile.by_name
        self.watched = self._watched()
        self.polls = list(self._polls())
        self.output_points = {bound.point: bound for bound in self.outputs}

    # ----------------------------------------------------------------------------------------------------- polling
    def _watched(self) -> set[str]:
        """Points whose newest reading decides something here."""
        names = {name for name, point in self.points.items() if point.bits is not None and point.writable}
        names |= {point.quality.status for point in self.points.values() if point.quality.status is not None}
        names |= {sign.point for sign in (self.profile.reboot, self.profile.heartbeat) if sign is not None}
        if self.profile.watchdog != "none":
            names |= {probe.point for probe in self.profile.watchdog.prove}
        return names

    def _polls(self) -> Iterable[Poll]:
        bound = {bound.point for bound in self.inputs}
        needed = set(bound)
        for name in bound:
            status = self.points[name].quality.status
            needed |= {status} if status is not None else set()
        for output in self.outputs:
            point = self.points[output.point]
            shown = (point.read_back.point if point.read_back else None) or output.point
            if self.points[shown].poll is not None or point.bits is not None:
                needed.add(shown)
        if self.profile.reboot is not None:
            needed.add(self.profile.reboot.point)
        if self.profile.heartbeat is not None:
            needed.add(self.profile.heartbeat.point)
        if self.profile.watchdog != "none":
            needed |= {probe.point for probe in self.profile.watchdog.prove}
        slowest = max((group.period_s for group in self.profile.poll.values()), default=1.0)
        groups: dict[tuple[float, bool], list[Point]] = {}
        for point in (self.points[name] for name in self.points if name in needed):
            group = self.profile.poll.get(point.poll or "")
            key = (group.period_s, group.priority == "fast") if group else (slowest, False)
            groups.setdefault(key, []).append(point)
        for (period_s, fast), points in groups.items():
            for fetch in self.codec.plan(points):
                yield self._poll(fetch, period_s, fast=fast)

    def _poll(self, fetch: Fetch, period_s: float, *, fast: bool) -> Poll:
        places, bounds = list[int](), list[Bound]()
        for place, point in enumerate(fetch.points):
            for bound in self.inputs:
                if bound.point == point.name:
                    places.append(place)
                    bounds.append(bound)
        return Poll(
            fetch,
            period_s / self.around.speed,
            fast,
            Decoder(fetch.points, self.latest),
            np.array([bound.tag for bound in bounds], np.int32),
            np.array(places, np.intp),
            np.array([bound.gain for bound in bounds]),
            np.array([bound.offset for bound in bounds]),
            np.full(len(fetch.points), np.nan),
            tuple((place, point.name) for place, point in enumerate(fetch.points) if point.name in self.watched),
        )

    def take(self, poll: Poll, raws: Sequence[Raw]) -> None:
        """Decode an answer and post it."""
        source_ns = time.time_ns()
        values, status, special = poll.decoder.read(raws)
        poll.values = values
        for place, name in poll.watched:
            self.latest[name] = special.get(place) or Reading(
                float(values[place]), int(status[place]), raw=float(raws[place])
            )
        held = bool(special) and any(reading.status == HELD_BACK for reading in special.values())
        poll.again = held and not poll.again
        tags, chosen, codes = poll.tags, values[poll.places] * poll.gains + poll.offsets, status[poll.places]
        if held:
            keep = codes != HELD_BACK
            tags, chosen, codes = tags[keep], chosen[keep], codes[keep]
        if len(tags):
            self.around.sink.post_many(tags, chosen, codes, np.full(len(tags), source_ns, np.int64))

    def bad(self, polls: Iterable[Poll], status: int) -> None:
        """Post that the values of these polls are Bad."""
        now_ns = time.time_ns()
        for poll in polls:
            poll.decoder.forget()
            for point in poll.fetch.points:
                self.latest.pop(point.name, None)
            count = len(poll.tags)
            if count:
                self.around.sink.post_many(
                    poll.tags, np.full(count, np.nan), np.full(count, status, np.uint32), np.full(count, now_ns)
                )

    def post_statistics(self) -> None:
        """Post what the driver knows of the device."""
        if self.statistics_of:
            values = [bound.to_tag(self.statistics.value(bound.point)) for bound in self.statistics_of]
            count = len(values)
            self.around.sink.post_many(
                np.array([bound.tag for bound in self.statistics_of], np.int32),
                np.array(values, np.float64),
                np.full(count, GOOD, np.uint32),
                np.full(count, time.time_ns(), np.int64),
            )

    # ----------------------------------------------------------------------------------------------------- writing
    def want(self, bound: Bound, tag_value: float, now_s: float) -> bool:
        """Take over an output's value; whether something is to be written."""
        self.asked[bound.point] = tag_value
        point, value = self.points[bound.point], bound.to_point(tag_value)
        held = self.held.get(point.name)
        if held is not None:
            if value == held:
                return False
            del self.held[point.name]
        last = self.written.get(point.name)
        if last is not None and last[0] == value and point.name not in self.faulty:
            self.wanted.pop(point.name, None)
            return False
        if point.write is WritePolicy.NEVER:
            return False
        urgent = bound.hazardous and tag_value == bound.safe
        self.wanted[point.name] = Wanted(value, urgent, now_s)
        return True

    def next_write(self, now_s: float, *, urgent: bool) -> str | None:
        """Name of the point to write now, the oldest request first."""
        ready = [
            (wanted.since_s, name)
            for name, wanted in self.wanted.items()
            if wanted.urgent >= urgent and wanted.not_before_s <= now_s
        ]
        return min(ready)[1] if ready else None

    def due_refresh(self, now_s: float) -> str | None:
        """A continuous set point whose refresh is due."""
        for name in self.output_points:
            point, last = self.points[name], self.written.get(name)
            if point.write is not WritePolicy.CONTINUOUS or not point.refresh_s or last is None or name in self.held:
                continue
            if now_s - last[1] >= point.refresh_s:
                return name
        return None

    def feed_due(self, now_s: float) -> bool:
        """Whether the watchdog wants a write of its own."""
        return now_s >= self._feed_s()

    def next_feed_s(self) -> float:
        """When something must be written without a change."""
        refreshed = [
            last[1] + self.points[name].refresh_s
            for name, last in self.written.items()
            if name in self.output_points and self.points[name].refresh_s
        ]
        return min([self._feed_s(), *refreshed])

    def _feed_s(self) -> float:
        watchdog = self.profile.watchdog
        if watchdog == "none" or not self.proven or watchdog.feed is Feed.ANY:
            return math.inf
        return self.fed_s + FEED_SHARE * watchdog.timeout_s

    @property
    def fed_by_writes(self) -> bool:
        """Whether any write keeps its watchdog quiet."""
        return self.profile.watchdog != "none" and self.profile.watchdog.feed is Feed.WRITE

    def starved(self, now_s: float) -> bool:
        """Whether its watchdog wants writes and had none for its whole time: it has acted, and has to be armed again.

        While the scan stands still nothing is armed; that waits until there is somebody to feed it.
        """
        watchdog = self.profile.watchdog
        if watchdog == "none" or not self.proven or watchdog.feed is Feed.ANY or not self.around.healthy():
            return False
        return now_s - self.last_fed_s > watchdog.timeout_s

    @property
    def feeds_by_polling(self) -> bool:
        """Whether any request keeps its watchdog quiet, so that polling must stop when the scan does."""
        return self.profile.watchdog != "none" and self.profile.watchdog.feed is Feed.ANY

    def awaiting(self, point: Point, rule: ReadBack, value: float, now_s: float) -> Unconfirmed:
        """What stands for a write until it is read back: by the poll that reads it anyway, if that comes in time."""
        until_s, shown = now_s + rule.within_s, rule.point or point.name
        for poll in self.polls:
            if POLLS_TO_CONFIRM * poll.period_s <= rule.within_s:
                for place, one in enumerate(poll.fetch.points):
                    if one.name == shown:
                        return Unconfirmed(value, until_s, until_s, poll, place)
        return Unconfirmed(value, until_s, now_s)

    # ------------------------------------------------------------------------------------------------------- state
    @property
    def next_attempt_s(self) -> float:
        """When it may be brought up."""
        return max(self.attempt_s, self.unarmed_until_s)

    def disarm(self, reason: str) -> None:
        """Outputs may no longer be energised."""
        self.proven = False
        if self.statistics.armed:
            self.statistics.armed = False
            self.unarmed_until_s = anyio.current_time() + UNARMED_SCANS * self.around.scan_s
            self.around.report("not_armed", self.name, reason)
        self.post_statistics()

    def synchronise(self, now_s: float, *, replay: bool) -> None:
        """After a connect: write what the outputs say, or, after a restart of the device, only what is safe.

        What is not replayed is written when another value is asked for: a person or a program decides that.
        """
        self.written.clear()
        self.faulty.clear()
        for name, value in self.asked.items():
            bound = self.output_points[name]
            if replay or value == bound.safe:
                self.want(bound, value, now_s)
            else:
                self.held[name] = bound.to_point(value)

    def restarted(self) -> bool:
        """Whether the newest readings say that the device restarted since they were last looked at."""
        sign = self.profile.reboot
        reading = self.latest.get(sign.point) if sign is not None else None
        if sign is None or reading is None or not math.isfinite(reading.value):
            return False
        before, self.last_sign = self.last_sign, reading.value
        if sign.kind == "flag":
            del self.latest[sign.point]  # looked at once: it is no news when another point is read next
            return reading.value != 0 and before is not None
        return before is not None and (reading.value < before if sign.kind == "uptime" else reading.value != before)

    def heart_stopped(self, now_s: float) -> bool:
        """Whether the device's own program stands still though it answers."""
        heartbeat = self.profile.heartbeat
        reading = self.latest.get(heartbeat.point) if heartbeat is not None else None
        if heartbeat is None or reading is None:
            return False
        if reading.value != self.beat:
            self.beat, self.beat_s = reading.value, now_s
        return now_s - self.beat_s > heartbeat.within_s

    def settle_armed(self) -> None:
        """Armed is: connected, proven, and every write confirmed."""
        armed = self.statistics.connected and self.proven and not self.faulty
        if armed != self.statistics.armed:
            self.statistics.armed = armed
            self.around.report("armed" if armed else "not_armed", self.name, "" if armed else "a write is unconfirmed")
            self.post_statistics()

    def lose(self, reason: str) -> None:
        """It does not answer any more: everything that came from it is Bad."""
        self.statistics.connected = False
        if not self.told_lost:
            self.told_lost = True
            self.around.report("lost", self.name, reason)
        self.disarm(reason)
        self.unconfirmed.clear()
        self.wanted.clear()
        self.bad(self.polls, BAD_NO_COMMUNICATION)
