"""Links of fast outputs: opened, identified and armed here, then lent to the real-time thread (kernels.fast).

As long as the thread has a link nobody else talks on it. Here its counters become tags, an edge that left late or could
not leave is told with its number, and a link that failed is taken back, closed and opened again like any other.
"""

import random
from collections.abc import Sequence
from typing import Any

import anyio

from config.profile import Setting
from drivers.bring_up import WrongDevice, bring_up
from drivers.codecs.exchange import Fetch, Raw, Store
from drivers.conversation import Conversation
from drivers.device import Device
from drivers.errors import BadFrame, DeviceRefused, DriverError, LinkError, NoAnswer
from drivers.fast_frames import FastOutput, FastWire
from drivers.values import to_store
from kernels.fast import FastOutputs

LOOK_S = 0.02
"""How often the thread's counters are looked at."""
STATISTICS_S = 0.5
LATE_S = 0.25
"""`edge_late` stays for so long, so that the check at the end of a pulse meets it."""
TOLD_MOST = 20
"""So many late edges are told one by one at each look; more are told as a row."""
FIRST_BACK_OFF_S, GREATEST_BACK_OFF_S, JITTER = 0.2, 3.0, 0.3
FEED_SHARE = 0.25
"""Everything is written again after this share of the watchdog's time."""
REFRESH_S = 1.0
"""The same for a device without a watchdog."""
LATE_SCANS = 1
"""An edge that leaves so many scans after its own is late."""
STALL_S, STALL_SCANS = 0.2, 10
LETTING_GO_S = 0.002


class FastLink:
    """A link with its device.

    Args:
        name: the link of the tool file.
        number: of the link in the thread.
        conversation: what talks on it until it is lent.
        device: on it.
        wire: its outputs and their frames.
        seed: of the jitter of its reconnects.
    """

    def __init__(
        self,
        name: str,
        number: int,
        conversation: Conversation,
        device: Device,
        wire: FastWire,
        seed: int = 0,
    ) -> None:
        self.name = name
        self.number = number
        self.device = device
        self.wire = wire
        self._conversation = conversation
        self._random = random.Random(seed)  # noqa: S311 - spreads reconnects, no secret
        self._ever = False

    @property
    def timing(self) -> tuple[bool | bytes, int, int]:
        """What the thread must know of it (kernels.fast.FastOutputs)."""
        watchdog = self.device.profile.watchdog
        refresh_s = REFRESH_S if watchdog == "none" else FEED_SHARE * watchdog.timeout_s
        return self.wire.shows, round(self.wire.shows_s * 1e9), round(refresh_s * 1e9)

    async def run(self, thread: FastOutputs, ending: anyio.Event) -> None:
        """Serve until the end is wanted; the profile's safe settings are written then."""
        back_off_s = FIRST_BACK_OFF_S
        try:
            while not ending.is_set():
                try:
                    await self._conversation.open()
                    await self._bring_up()
                    back_off_s = FIRST_BACK_OFF_S
                    await self._lend(thread, ending)
                except WrongDevice as error:
                    self.device.around.report("other_device", self.device.name, str(error))
                except (DriverError, TimeoutError) as error:
                    self.device.lose(str(error))
                if ending.is_set():
                    break
                pause_s = back_off_s * (1 + JITTER * (2 * self._random.random() - 1))
                pause_s = max(pause_s, self.device.next_attempt_s - anyio.current_time())
                with anyio.move_on_after(pause_s):
                    await ending.wait()
                back_off_s = min(back_off_s * 2, GREATEST_BACK_OFF_S)
        finally:
            with anyio.CancelScope(shield=True), anyio.move_on_after(1):
                await self._take_back(thread)
                await self._conversation.close()

    async def _bring_up(self) -> None:
        device = self.device
        steps = bring_up(device, first=not self._ever)
        request = next(steps, None)
        while request is not None:
            try:
                raws = await self._talk(request)
            except DeviceRefused as refused:
                request = steps.throw(refused)
                continue
            try:
                request = steps.send(raws)
            except StopIteration:
                break
        device.statistics.connected = device.proven = True
        device.statistics.reconnects += self._ever
        self._ever, device.told_lost = True, False
        device.around.report("connected", device.name, "")
        device.settle_armed()

    async def _talk(self, request: Fetch | Store) -> tuple[Raw, ...]:
        device = self.device
        device.statistics.requests += 1
        answer_s = device.profile.timing.answer_s
        try:
            if isinstance(request, Fetch):
                return tuple(await self._conversation.fetch(device.codec, request, answer_s))
            await self._conversation.store(device.codec, request, answer_s)
        except (NoAnswer, BadFrame):
            device.statistics.faults += 1
            raise
        return ()

    async def _lend(self, thread: FastOutputs, ending: anyio.Event) -> None:
        """Let the thread have the link; raises LinkError when it failed."""
        thread.offer(self.number, self._conversation.descriptor)
        while not ending.is_set():
            with anyio.move_on_after(LOOK_S):
                await ending.wait()
            fault = thread.fault(self.number)
            if fault:
                await self._take_back(thread)
                raise LinkError(fault)
        while thread.pending:  # noqa: ASYNC110 - a POSIX thread sets no event
            await anyio.sleep(LETTING_GO_S)
        await self._take_back(thread)
        for setting in self.device.profile.safe:
            await self._make_safe(setting)

    async def _make_safe(self, setting: Setting) -> None:
        device = self.device
        try:
            await self._conversation.settle(device.profile.timing.quiet_s)
            await self._talk(to_store(device.points[setting.point], setting.value, device.latest))
        except DriverError as error:
            device.around.report("safe", device.name, f"{setting.point} could not be made safe: {error}")

    async def _take_back(self, thread: FastOutputs) -> None:
        while not thread.withdraw(self.number):  # noqa: ASYNC110 - a POSIX thread sets no event
            await anyio.sleep(LETTING_GO_S)


class FastLinks:
    """All fast links of a tool, and the thread that has them.

    Args:
        links: numbered from 0.
    """

    def __init__(self, links: Sequence[FastLink]) -> None:
        self.links = tuple(links)
        frames: list[tuple[int, bytes, int]] = []
        slots: list[tuple[int, int, int, int, int, int]] = []
        self._of: list[tuple[FastLink, FastOutput]] = []
        for link in self.links:
            whole = (*dict.fromkeys(output.frame for output in link.wire.outputs), *link.wire.kept)
            for output in link.wire.outputs:
                number = len(frames) + whole.index(output.frame)
                slots.append((output.bound.tag, number, output.at, 0xFF, output.on, output.off))
                self._of.append((link, output))
            frames += [(link.number, frame, link.wire.stamp) for frame in whole]
        scan_s = self.links[0].device.around.scan_s
        self.thread = FastOutputs(
            [link.timing for link in self.links],
            frames,
            slots,
            limit_ns=round(LATE_SCANS * scan_s * 1e9),
            stall_ns=round(max(STALL_S, STALL_SCANS * scan_s) * 1e9),
        )
        self._ending = anyio.Event()
        self._seen = 0
        self._statistics_s = 0.0
        self._late_s = [-LATE_S] * len(self.links)

    async def run(self) -> None:
        """Serve until `end`; the thread must have been started."""
        try:
            async with anyio.create_task_group() as group:
                watch = anyio.CancelScope()
                group.start_soon(self._watch, watch)
                async with anyio.create_task_group() as serving:
                    for link in self.links:
                        serving.start_soon(link.run, self.thread, self._ending)
                watch.cancel()
        finally:
            with anyio.CancelScope(shield=True):
                await anyio.to_thread.run_sync(self.thread.stop)

    def end(self) -> None:
        """Let every edge leave, then take the links back and make the devices safe."""
        self._ending.set()

    async def _watch(self, scope: anyio.CancelScope) -> None:
        with scope:
            while True:
                self.look(anyio.current_time())
                await anyio.sleep(LOOK_S)

    def look(self, now_s: float) -> None:
        """Tell late edges, and post counters when one changed or their time has come."""
        rows, self._seen = self.thread.log(self._seen)
        told = rows[rows["outcome"] != 0]
        for row in told[:TOLD_MOST]:
            link, output = self._of[int(row["slot"])]
            link.device.around.report("late_edge", link.device.name, _words(row, output))
        if len(told) > TOLD_MOST:
            first, last = int(told["number"][TOLD_MOST]), int(told["number"][-1])
            device = self.links[0].device
            device.around.report(
                "late_edge", device.name, f"and {len(told) - TOLD_MOST} more between edge {first} and edge {last}"
            )
        due = now_s >= self._statistics_s
        if due:
            self._statistics_s = now_s + STATISTICS_S
        for link in self.links:
            self._count(link, now_s, due=due)

    def _count(self, link: FastLink, now_s: float, *, due: bool) -> None:
        statistics, counts = link.device.statistics, self.thread.counts(link.number)
        late = counts["late"] + counts["dropped"]
        if late != statistics.late_edges:
            self._late_s[link.number] = now_s
        edge_late = now_s - self._late_s[link.number] < LATE_S
        changed = edge_late != statistics.edge_late
        statistics.edges, statistics.late_edges, statistics.edge_late = counts["edges"], late, edge_late
        statistics.round_trip_ms = counts["round_ns"] / 1e6
        if changed or due:
            link.device.post_statistics()


def _words(row: Any, output: FastOutput) -> str:
    number, due_ns, sent_ns = (int(row[name]) for name in ("number", "due_ns", "sent_ns"))
    what = f"edge {number} of {output.bound.point} ({'on' if row['on'] else 'off'})"
    if row["outcome"] == 1:
        return f"{what} left {(sent_ns - due_ns) / 1e6:.2f} ms after its scan"
    return f"{what} could not leave: the link is down"
