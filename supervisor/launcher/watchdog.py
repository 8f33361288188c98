"""Systemd's watchdog (sd_notify(3)): fed as long as the scan is healthy, by nobody else and for no other reason.

The launcher looks at the image. A scan that stands still, or whose slots are late or too long by more than the policy,
gets no food; after WatchdogSec systemd ends the daemon, with its safe sequence, and starts it again. A half that is
started again takes seconds: WatchdogSec must be longer than that (`cvd install-service` writes 60 s).
"""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import anyio
import structlog

from kernels.image import Image
from supervisor.launcher.notify import notify

log = structlog.get_logger()

BAD_SHARE = 0.5
"""More than this share of the slots since the last look were skipped or overran: the scan keeps no promise."""


@dataclass(frozen=True)
class Look:
    """What the scan had done at one moment."""

    scan: int
    scans: int
    bad: int
    generation: int


def interval_s(environment: Mapping[str, str] = os.environ, pid: int | None = None) -> float | None:
    """Return how often to feed: a third of what systemd asks for; None where it does not watch this process."""
    try:
        watched = int(environment.get("WATCHDOG_PID", "0")) in {0, os.getpid() if pid is None else pid}
        wanted_us = int(environment.get("WATCHDOG_USEC", "0"))
    except ValueError:
        return None
    return wanted_us / 3e6 if watched and wanted_us > 0 else None


def look(image: Image) -> Look:
    """Look at the scan."""
    timing = image.timing()
    return Look(image.head()[0], timing.scans, timing.skipped + timing.overruns, timing.generation)


def healthy(before: Look, now: Look) -> bool:
    """Whether the scan has gone on since, and kept its slots well enough. A new controller is healthy once it scans."""
    if now.generation != before.generation:
        return now.scans > 0
    slots = now.scans - before.scans
    return slots > 0 and now.bad - before.bad <= BAD_SHARE * slots


async def feed(image: Image, every_s: float, tell: Callable[[str], None] = notify) -> None:
    """Feed the watchdog for ever."""
    before, starving = await anyio.to_thread.run_sync(look, image), False
    while True:
        await anyio.sleep(every_s)
        now = await anyio.to_thread.run_sync(look, image)
        well = healthy(before, now)
        if well:
            await anyio.to_thread.run_sync(tell, "WATCHDOG=1")
        elif not starving:
            log.error("the scan is not healthy: systemd's watchdog is not fed", before=before, now=now)
        starving, before = not well, now
