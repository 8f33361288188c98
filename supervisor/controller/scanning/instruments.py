"""The tool's instruments beside the scan: readings go into its input table, its gated outputs go to the buses."""

import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import anyio
import structlog

from config.layout import Layout
from config.profile import Profile
from kernels.image import Image
from kernels.realtime import ScanThread
from kernels.scan import Scan
from supervisor.controller.errors import BindingError

if TYPE_CHECKING:
    from drivers.binding import Happening

log = structlog.get_logger()

LOOK_S = 0.01
"""How often outputs are compared with those of the last look; a scan with a longer period is looked at once a scan."""
STALLED_S, STALLED_SCANS = 0.2, 10
"""A scan that has not advanced for the longer of these feeds no watchdog any more."""
REPEAT_S, REMEMBERED = 60.0, 1000
"""The same thing is told again only after so long; so many things are remembered."""
GRAVE = frozenset(
    {"lost", "rebooted", "not_armed", "write_fault", "configuration", "other_device", "safe", "late_edge"}
)


class Instruments:
    """Buses of a tool with instruments.

    Args:
        layout: the tool.
        profiles: of its devices.
        scan: takes readings.
        image: holds the outputs.
        notice: tells people something once.
        speed: scans a slot: more than one with a rig whose plant goes faster than the clock.

    Raises:
        BindingError: a link cannot be used.
    """

    def __init__(
        self,
        layout: Layout,
        profiles: Mapping[str, Profile],
        scan: Scan,
        image: Image,
        notice: Callable[[str], None],
        speed: int = 1,
    ) -> None:
        from drivers.binding import Surroundings
        from drivers.build import build, build_fast
        from drivers.errors import LinkError
        from drivers.outputs import Outputs

        self._scan = scan
        self._image = image
        self._notice = notice
        self._told: dict[tuple[str, str, str], float] = {}
        self._index = -1
        self._advanced_s = time.monotonic()
        self._ending = False
        try:
            around = Surroundings(scan, self.healthy, self._report, speed, scan.period_s)
            self.buses = build(layout, profiles, around)
            self.fast = build_fast(layout, profiles, around)
        except LinkError as error:
            raise BindingError(str(error)) from error
        self._outputs = Outputs(self.buses)

    def attach(self, thread: ScanThread, priority: int) -> list[str]:
        """Before the scan thread starts: let fast outputs have its edges. What was not permitted, in words."""
        if self.fast is None:
            return []
        thread.attach(self.fast.thread)
        return self.fast.thread.start(priority=max(priority - 1, 0))

    async def run(self) -> None:
        """Serve every link and follow the outputs, until `finish`."""
        async with anyio.create_task_group() as group:
            for bus in self.buses:
                group.start_soon(bus.run)
            if self.fast is not None:
                group.start_soon(self.fast.run)
            while not self._ending:
                self._follow()
                await anyio.sleep(max(LOOK_S, self._scan.period_s))

    async def finish(self, timeout_s: float) -> None:
        """Hand on the outputs as the scan left them, then every profile's safe settings, and close the links."""
        self._ending = True
        self._follow()
        with anyio.move_on_after(timeout_s) as bound:
            async with anyio.create_task_group() as group:
                if self.fast is not None:
                    self.fast.end()
                for bus in self.buses:
                    group.start_soon(bus.end)
        if bound.cancelled_caught:
            log.error("not every instrument took its safe values in time; their own watchdogs act", within_s=timeout_s)

    def healthy(self) -> bool:
        """Whether the scan advances: only then watchdogs are fed."""
        now_s = time.monotonic()
        if self._scan.index != self._index:
            self._index, self._advanced_s = self._scan.index, now_s
        return now_s - self._advanced_s < max(STALLED_S, STALLED_SCANS * self._scan.period_s)

    def _follow(self) -> None:
        self.healthy()
        snapshot = self._image.snapshot()
        if snapshot.scan >= 0:
            self._outputs.follow(snapshot.values)

    def _report(self, what: "Happening", device: str, text: str) -> None:
        """Everything is logged; what a person should know is a notice, but not every second."""
        now_s = time.monotonic()
        key = (what, device, text)
        known_s = self._told.get(key)
        if known_s is not None and now_s - known_s < REPEAT_S:
            return
        if len(self._told) >= REMEMBERED:
            self._told.clear()
        self._told[key] = now_s
        if what not in GRAVE:
            log.info("instrument", device=device, state=what)
            return
        words = {"lost": "does not answer", "not_armed": "is not armed", "rebooted": "restarted"}.get(what, "")
        log.warning("instrument", device=device, state=what, reason=text)
        self._notice(f"instrument {device}: {': '.join(part for part in (words, text) if part)}")
