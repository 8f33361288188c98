"""One task for each physical link: it owns all of its input and output.

Safe-state writes come first, then writes, read-backs and what feeds a watchdog, then fast polls, then steps of bringing
a device up, then slow polls. On a link with more to do than it can carry, every second turn belongs to what has waited
longest for its rank, so that nothing is kept off the wire for good. A poll that is late is left out and counted, never
queued. After any answer that failed the link is dirty, and nothing is asked before it was quiet for the worst latency
of its devices.
"""

import random
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

import anyio
import structlog

from config.profile import Point
from drivers.bring_up import Steps, WrongDevice, bring_up
from drivers.codecs.exchange import Fetch, Raw, Store
from drivers.conversation import Conversation
from drivers.device import VERIFY_S, Device, Poll, Unconfirmed, Wanted
from drivers.errors import BadFrame, DeviceRefused, DriverError, LinkError, NoAnswer
from drivers.probing import passes
from drivers.values import BAD_CONFIGURATION, BAD_DEVICE, Decoder, carried, to_store

log = structlog.get_logger()

LOST_AFTER = 3
"""Exchanges in a row without an answer: the device is lost."""
FIRST_BACK_OFF_S, GREATEST_BACK_OFF_S, JITTER = 0.2, 3.0, 0.3
BUSY_S, BUSY_MOST = 0.05, 3
"""A busy device is asked again after so long, and so often."""
CONFIGURATION_S = 10.0
"""What a device will never do is tried again after so long."""
STATISTICS_S = 0.5
FEED_LOOK_S = 0.02
STARVED = "its watchdog was not fed in time and has acted"
GRID_S = 0.01
"""Slots begin at multiples of this: links that poll at once are served by one turn of the loop, which costs less."""
BRING_UP_PATIENCE_S = 0.1
"""A step of bringing a device up waits so long before it has a turn of its own on a busy link."""
RATE_STEP_S = 0.1
"""A limited set point moves in steps of this length."""
JITTERS = 65536


@dataclass
class _Coming:
    """A device that is being brought up, and the request that comes next."""

    steps: Steps
    request: Fetch | Store


class Bus:
    """A link and its devices.

    Args:
        name: what people call it: the link of the tool file.
        conversation: what talks on it.
        devices: all that hang on it.
        seed: of the jitter of its reconnects.
    """

    def __init__(self, name: str, conversation: Conversation, devices: Sequence[Device], seed: int = 0) -> None:
        self.name = name
        self.devices = tuple(devices)
        self.jitters: deque[float] = deque(maxlen=JITTERS)
        """How late polls began, s."""
        self._conversation = conversation
        self._quiet_s = max(device.profile.timing.quiet_s for device in devices)
        self._random = random.Random(seed)  # noqa: S311 - spreads reconnects, no secret
        self._wake = anyio.Event()
        self._dirty = False
        self._ending = False
        self._ended = anyio.Event()
        self._coming: dict[str, _Coming] = {}
        self._ever: set[str] = set()
        self._restarted: set[str] = set()
        self._reached = False
        self._statistics_s = 0.0
        self._stepped_s = 0.0
        """When a device was last brought a step further up."""
        self._turned = False
        """The last turn was one of those that belong to what has waited."""

    # ---------------------------------------------------------------------------------------------------- its life
    async def run(self) -> None:
        """Serve until `end`; the link is closed then."""
        back_off_s = FIRST_BACK_OFF_S
        try:
            while not self._ending:
                try:
                    await self._conversation.open()
                    self._dirty = False
                    await self._serve()
                except LinkError as error:
                    self._lose_all(str(error))
                if self._ending:
                    break
                if self._reached:
                    back_off_s, self._reached = FIRST_BACK_OFF_S, False
                with anyio.move_on_after(self._jittered(back_off_s)):
                    await self._until_ending()
                back_off_s = min(back_off_s * 2, GREATEST_BACK_OFF_S)
        finally:
            with anyio.CancelScope(shield=True), anyio.move_on_after(1):
                await self._conversation.close()
            self._ended.set()

    async def end(self) -> None:
        """Write what is still wanted, then each profile's safe settings, and close."""
        self._ending = True
        self._wake.set()
        await self._ended.wait()

    def want(self, device: Device, point: str, tag_value: float) -> None:
        """An output's tag has this value now."""
        if device.want(device.output_points[point], tag_value, anyio.current_time()):
            self._wake.set()

    async def _serve(self) -> None:
        """Do one thing after the other until the end comes; raises LinkError when the link is lost."""
        for device in self.devices:
            device.attempt_s = device.back_off_s = 0.0
        self._coming.clear()
        while True:
            self._wake = anyio.Event()
            worked = await self._step(anyio.current_time())
            if self._ending and not worked:
                await self._finish()
                return
            if not worked:
                now_s = anyio.current_time()
                with anyio.move_on_after(max(0.0, self._next_due_s(now_s) - now_s)):
                    await self._conversation.idle(self._wake)

    async def _until_ending(self) -> None:
        while not self._ending:
            await self._wake.wait()
            self._wake = anyio.Event()

    # ------------------------------------------------------------------------------------------- what comes first
    async def _step(self, now_s: float) -> bool:
        """Do the most important thing that is due; whether there was one."""
        if now_s >= self._statistics_s:
            self._statistics_s = now_s + STATISTICS_S / self.devices[0].around.speed
            for device in self.devices:
                device.post_statistics()
        if await self._write_something(now_s, urgent=True):
            return True
        self._turned = not self._turned and not self._ending and await self._serve_the_patient(now_s)
        if self._turned or await self._write_something(now_s, urgent=False):
            return True
        if self._ending:
            return False
        if await self._confirm_something(now_s) or await self._feed_something(now_s):
            return True
        poll = self._due_poll(now_s, fast=True)
        if poll is None and await self._bring_up_something(now_s):
            return True
        poll = poll or self._due_poll(now_s, fast=False)
        if poll is None:
            return False
        await self._poll(*poll, now_s)
        return True

    async def _serve_the_patient(self, now_s: float) -> bool:
        """Do what has waited too long: a device to bring up, else the poll that is late by the most of its periods."""
        worst, chosen = 1.0, None
        for device in self.devices:
            if device.statistics.connected:
                for poll in device.polls:
                    late = (now_s - poll.due_s) / poll.period_s if poll.due_s else 0.0
                    if late > worst:
                        worst, chosen = late, (device, poll)
            elif now_s - max(device.next_attempt_s, self._stepped_s) > BRING_UP_PATIENCE_S:
                return await self._bring_up_something(now_s)
        if chosen is not None:
            await self._poll(*chosen, now_s)
        return chosen is not None

    def _connected(self) -> Sequence[Device]:
        return [device for device in self.devices if device.statistics.connected]

    def _due_poll(self, now_s: float, *, fast: bool) -> tuple[Device, Poll] | None:
        chosen: tuple[Device, Poll] | None = None
        for device in self.devices:
            if not device.statistics.connected:
                continue
            for poll in device.polls:
                if poll.fast is fast and poll.due_s <= now_s and (chosen is None or poll.due_s < chosen[1].due_s):
                    chosen = device, poll
        return chosen

    def _next_due_s(self, now_s: float) -> float:
        due = self._statistics_s
        for device in self.devices:
            if not device.statistics.connected:
                due = min(due, device.next_attempt_s)
                continue
            due = min([due, *(poll.due_s for poll in device.polls)])
            due = min([due, *(one.next_s for one in device.unconfirmed.values())])
            due = min([due, *(wanted.not_before_s for wanted in device.wanted.values())])
            # What could not be fed (the scan stands still, nothing was written yet) is looked at again soon.
            due = min(due, max(device.next_feed_s(), now_s + FEED_LOOK_S))
        return due

    # --------------------------------------------------------------------------------------------------- exchanges
    async def _talk(self, device: Device, request: Fetch | Store) -> tuple[Raw, ...]:
        """One exchange with everything that is counted and cleaned up around it; raises DriverError."""
        if self._dirty:
            await self._conversation.settle(self._quiet_s)
            self._dirty = False
        statistics, answer_s = device.statistics, device.profile.timing.answer_s
        statistics.requests += 1
        begun_s = anyio.current_time()
        try:
            if isinstance(request, Fetch):
                raws = tuple(await self._conversation.fetch(device.codec, request, answer_s))
            else:
                raws = ()
                await self._conversation.store(device.codec, request, answer_s)
        except (NoAnswer, BadFrame):
            self._dirty = True
            statistics.faults += 1
            device.failures += 1
            raise
        except DeviceRefused:
            statistics.faults += 1
            device.failures = 0
            raise
        except BaseException:
            self._dirty = True
            raise
        device.failures = 0
        device.heard_s = anyio.current_time()
        statistics.round_trip_ms = (device.heard_s - begun_s) * 1e3
        return raws

    def _unanswered(self, device: Device, error: DriverError) -> None:
        """Count what failed; after LOST_AFTER times the device is lost, with the last of them the link.

        Raises:
            LinkError: no device of the link answers.
        """
        log.debug("no good answer", device=device.name, link=self.name, reason=str(error))
        if device.failures >= LOST_AFTER or not device.statistics.connected:
            self._lose(device, str(error))

    def _lose(self, device: Device, reason: str) -> None:
        self._coming.pop(device.name, None)
        device.lose(reason)
        device.failures = 0
        device.back_off_s = min(max(FIRST_BACK_OFF_S, device.back_off_s * 2), GREATEST_BACK_OFF_S)
        device.attempt_s = anyio.current_time() + self._jittered(device.back_off_s)
        if not any(other.statistics.connected or other.name in self._coming for other in self.devices):
            raise LinkError(reason)

    def _lose_all(self, reason: str) -> None:
        self._coming.clear()
        for device in self.devices:
            device.lose(reason)

    def _jittered(self, seconds: float) -> float:
        return seconds * (1 + JITTER * (2 * self._random.random() - 1))

    # ----------------------------------------------------------------------------------------------------- reading
    async def _poll(self, device: Device, poll: Poll, now_s: float) -> None:
        late_s = now_s - poll.due_s
        if poll.due_s:
            self.jitters.append(late_s)
        else:
            poll.due_s = now_s - now_s % GRID_S
        device.statistics.missed_slots += poll.advance(now_s)
        if poll.retry_s > now_s or (device.feeds_by_polling and not device.around.healthy()):
            return
        try:
            raws = await self._talk(device, poll.fetch)
        except DeviceRefused as refused:
            self._refused(device, poll, refused, now_s)
            return
        except (NoAnswer, BadFrame) as error:
            self._unanswered(device, error)
            return
        poll.busy = 0
        device.take(poll, raws)
        for name in [name for name, waiting in device.unconfirmed.items() if waiting.poll is poll]:
            waiting = device.unconfirmed[name]
            if self._agrees(device, name, waiting, float(poll.values[waiting.place])):
                self._confirmed(device, name)
        if poll.again:
            poll.due_s = now_s
        self._watch(device)

    def _refused(self, device: Device, poll: Poll, refused: DeviceRefused, now_s: float) -> None:
        if refused.kind == "busy" and poll.busy < BUSY_MOST:
            poll.busy += 1
            poll.due_s = now_s + BUSY_S
            return
        poll.busy = 0
        device.bad([poll], BAD_CONFIGURATION if refused.kind == "configuration" else BAD_DEVICE)
        if refused.kind == "configuration":
            poll.retry_s = now_s + CONFIGURATION_S
            names = ", ".join(point.name for point in poll.fetch.points)
            device.around.report("configuration", device.name, f"{names} cannot be read: {refused}")

    def _watch(self, device: Device) -> None:
        """A device that restarted, hangs, or whose watchdog is no longer armed, is brought up again."""
        if device.heart_stopped(anyio.current_time()):
            self._lose(device, "its heartbeat stands still")
            return
        watchdog = device.profile.watchdog
        reason = "it restarted" if device.restarted() else ""
        if not reason and watchdog != "none":
            readings = [(probe, device.latest.get(probe.point)) for probe in watchdog.prove]
            unproven = [probe.point for probe, reading in readings if reading and not passes(probe, reading)]
            reason = f"its watchdog is no longer armed ({unproven[0]})" if unproven else ""
        if reason:
            device.statistics.reboots += 1
            self._begin_again(device, reason, fallen=True)

    def _begin_again(self, device: Device, reason: str, *, fallen: bool) -> None:
        """Bring a device up once more; what it has let fall is not written again, what it never had is written then."""
        if fallen:
            device.around.report("rebooted", device.name, f"{reason}: outputs are not written again by themselves")
            self._restarted.add(device.name)
        self._coming.pop(device.name, None)
        device.lose(reason)
        device.attempt_s = 0.0

    # ------------------------------------------------------------------------------------------------- bringing up
    async def _bring_up_something(self, now_s: float) -> bool:
        for device in self.devices:
            if device.statistics.connected or device.next_attempt_s > now_s:
                continue
            self._stepped_s = now_s
            try:
                if await self._step_up(device):
                    self._has_come(device)
            except WrongDevice as error:
                device.around.report("other_device", device.name, str(error))
                self._put_off(device, now_s)
            except DeviceRefused as error:
                device.around.report("configuration", device.name, f"it cannot be set up: {error}")
                self._put_off(device, now_s)
            except (NoAnswer, BadFrame) as error:
                self._unanswered(device, error)
            return True
        return False

    async def _step_up(self, device: Device) -> bool:
        """One exchange; whether it was the last one."""
        coming = self._coming.get(device.name)
        if coming is None:
            first, restarted = device.name not in self._ever, device.name in self._restarted
            steps = bring_up(device, first=first, restarted=restarted)
            request = next(steps, None)
            if request is None:
                return True
            coming = self._coming[device.name] = _Coming(steps, request)
        try:
            raws = await self._talk(device, coming.request)
        except DeviceRefused as refused:
            coming.request = coming.steps.throw(refused)
            return False
        try:
            coming.request = coming.steps.send(raws)
        except StopIteration:
            return True
        return False

    def _put_off(self, device: Device, now_s: float) -> None:
        self._coming.pop(device.name, None)
        device.attempt_s = now_s + self._jittered(GREATEST_BACK_OFF_S)

    def _has_come(self, device: Device) -> None:
        self._coming.pop(device.name, None)
        self._restarted.discard(device.name)
        first = device.name not in self._ever
        self._ever.add(device.name)
        self._reached = True
        device.back_off_s = 0.0
        device.statistics.connected = device.proven = True
        device.told_lost = False
        device.beat_s = anyio.current_time()
        device.statistics.reconnects += not first
        for poll in device.polls:
            poll.due_s = poll.retry_s = 0.0
        device.around.report("connected", device.name, "")
        device.settle_armed()

    # ----------------------------------------------------------------------------------------------------- writing
    async def _write_something(self, now_s: float, *, urgent: bool) -> bool:
        for device in self._connected():
            name = device.next_write(now_s, urgent=urgent)
            if name is None:
                continue
            if device.starved(now_s):
                # Whatever is written now, the instrument's own watchdog holds it at what that takes outputs to.
                self._begin_again(device, STARVED, fallen=bool(device.written))
            else:
                await self._write(device, name, device.wanted.pop(name), now_s)
            return True
        return False

    async def _write(self, device: Device, name: str, wanted: Wanted, now_s: float) -> None:
        point = device.points[name]
        value, final = self._limited(device, point, wanted, now_s)
        try:
            await self._talk(device, to_store(point, value, device.latest))
        except DeviceRefused as refused:
            if refused.kind == "busy" and wanted.attempts < BUSY_MOST:
                self._again(device, name, wanted, now_s + BUSY_S)
            else:
                self._write_failed(device, name, f"{value:g} {point.unit} is refused: {refused}")
            return
        except (NoAnswer, BadFrame) as error:
            if point.idempotent:
                self._again(device, name, wanted, 0.0)
            else:
                self._write_failed(device, name, f"the answer was lost, and it is not written twice: {error}")
            self._unanswered(device, error)
            return
        device.written[name] = (value, now_s)
        if device.fed_by_writes:
            device.fed_s = device.last_fed_s = now_s
        if not final:
            self._again(device, name, wanted, now_s + RATE_STEP_S)
        if point.read_back is not None:
            device.unconfirmed[name] = device.awaiting(point, point.read_back, carried(point, value), now_s)
        elif name in device.faulty:
            device.faulty.discard(name)
            device.settle_armed()

    def _limited(self, device: Device, point: Point, wanted: Wanted, now_s: float) -> tuple[float, bool]:
        """The value to write now, and whether it is the one that was asked for; what is safe is never slowed."""
        last = device.written.get(point.name)
        if not point.rate_per_s or last is None or wanted.urgent:
            return wanted.value, True
        step = point.rate_per_s * min(max(now_s - last[1], RATE_STEP_S), 1.0)
        value = min(max(wanted.value, last[0] - step), last[0] + step)
        return value, value == wanted.value

    def _again(self, device: Device, name: str, wanted: Wanted, not_before_s: float) -> None:
        """Put a write back, unless a newer one has come."""
        wanted.attempts += 1
        wanted.not_before_s = not_before_s
        device.wanted.setdefault(name, wanted)

    def _write_failed(self, device: Device, name: str, reason: str) -> None:
        device.statistics.write_faults += 1
        device.faulty.add(name)
        device.around.report("write_fault", device.name, f"{name}: {reason}")
        device.settle_armed()

    async def _confirm_something(self, now_s: float) -> bool:
        for device in self._connected():
            for name, waiting in device.unconfirmed.items():
                if waiting.next_s <= now_s:
                    await self._confirm(device, name, waiting, now_s)
                    return True
        return False

    async def _confirm(self, device: Device, name: str, waiting: Unconfirmed, now_s: float) -> None:
        rule = device.points[name].read_back
        if rule is None:
            return
        shown = device.points[rule.point or name]
        fetch = device.codec.plan([shown])[0]
        said = ""
        try:
            raws = await self._talk(device, fetch)
        except DeviceRefused as refused:
            said = str(refused)
        except (NoAnswer, BadFrame) as error:
            # Nothing was shown: it is asked again, until it is lost and everything with it.
            waiting.next_s = anyio.current_time() + VERIFY_S
            self._unanswered(device, error)
            return
        else:
            value = Decoder([shown], device.latest).single(shown, raws[0]).value
            if self._agrees(device, name, waiting, value):
                self._confirmed(device, name)
                return
            said = f"the device shows {value:g}"
        if device.unconfirmed.get(name) is not waiting:
            return
        if now_s >= waiting.until_s:
            del device.unconfirmed[name]
            self._write_failed(device, name, f"{waiting.value:g} {shown.unit} was written, {said}")
        else:
            waiting.next_s = anyio.current_time() + VERIFY_S

    def _agrees(self, device: Device, name: str, waiting: Unconfirmed, value: float) -> bool:
        rule = device.points[name].read_back
        return rule is not None and abs(value - waiting.value) <= rule.tolerance + 1e-6 * abs(waiting.value)

    def _confirmed(self, device: Device, name: str) -> None:
        device.unconfirmed.pop(name, None)
        device.faulty.discard(name)
        device.settle_armed()

    async def _feed_something(self, now_s: float) -> bool:
        """Feed watchdogs that want a write of their own, while the scan is healthy; refresh set points."""
        for device in self._connected():
            if not device.around.healthy():
                continue
            name, value = self._feed(device, now_s)
            if name is None:
                continue
            if device.starved(now_s):
                self._begin_again(device, STARVED, fallen=True)
                return True
            device.fed_s = now_s
            try:
                await self._talk(device, to_store(device.points[name], value, device.latest))
            except DeviceRefused as refused:
                self._write_failed(device, name, f"the watchdog cannot be fed: {refused}")
            except (NoAnswer, BadFrame) as error:
                device.fed_s = 0.0
                self._unanswered(device, error)
            else:
                device.last_fed_s = now_s
                if name in device.written:
                    device.written[name] = (value, now_s)
            return True
        return False

    def _feed(self, device: Device, now_s: float) -> tuple[str | None, float]:
        watchdog = device.profile.watchdog
        if watchdog != "none" and device.feed_due(now_s):
            if watchdog.feed_point is not None:
                return watchdog.feed_point, watchdog.feed_value
            # Any write will do: the one that was written longest ago, once more as it was.
            oldest = min(device.written.items(), key=lambda item: item[1][1], default=None)
            return (oldest[0], oldest[1][0]) if oldest is not None else (None, 0.0)
        name = device.due_refresh(now_s)
        return (name, device.written[name][0]) if name is not None else (None, 0.0)

    async def _finish(self) -> None:
        """Each profile's own safe settings, on whatever still answers."""
        for device in self._connected():
            for setting in device.profile.safe:
                try:
                    await self._talk(device, to_store(device.points[setting.point], setting.value, device.latest))
                except (NoAnswer, BadFrame, DeviceRefused) as error:
                    device.around.report("safe", device.name, f"{setting.point} could not be made safe: {error}")
                except LinkError:
                    return
