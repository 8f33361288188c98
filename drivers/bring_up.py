"""From a link that was just opened to a device that may be used: who is it, is it set up, is its watchdog armed?

Requests come out, answers go in, one at a time, so that a bus can write for its other devices in between.
"""

from collections.abc import Generator

import anyio

from config.profile import Probe, Setting
from drivers.codecs.exchange import Fetch, Raw, Store
from drivers.device import Device
from drivers.errors import DeviceRefused, DriverError
from drivers.probing import found, passes
from drivers.values import HELD_BACK, Decoder, Reading, to_store

Steps = Generator[Fetch | Store, tuple[Raw, ...], None]


class WrongDevice(DriverError):  # noqa: N818 - says what it is
    """What answers is not the instrument that the tool file names, or cannot be armed."""


def bring_up(device: Device, *, first: bool, restarted: bool = False) -> Steps:
    """Identify, notice a restart, set up, arm and prove.

    Args:
        device: that does not count as connected yet.
        first: nothing was written to it since the start.
        restarted: it is known that it restarted.

    Raises:
        WrongDevice: a probe failed.
    """
    profile, watchdog = device.profile, device.profile.watchdog
    silent_s = anyio.current_time() - device.heard_s
    if not profile.identify and device.polls:
        yield device.polls[0].fetch
    for probe in profile.identify:
        yield from _prove(device, probe, "it is not the right device")
    if profile.reboot is not None:
        yield from read_point(device, profile.reboot.point)
        if device.restarted() and not first and not restarted:
            restarted = True
            device.statistics.reboots += 1
            device.around.report("rebooted", device.name, "it restarted: outputs are not written again by themselves")
    yield from _write_all(device, profile.on_connect)
    if watchdog != "none":
        yield from _write_all(device, watchdog.set)
        for probe in watchdog.prove:
            yield from _prove(device, probe, "its watchdog is not armed")
    device.fed_s = device.last_fed_s = anyio.current_time()
    expired = not first and watchdog != "none" and silent_s > watchdog.timeout_s
    device.synchronise(device.fed_s, replay=not (restarted or expired))


def read_point(device: Device, name: str) -> Generator[Fetch | Store, tuple[Raw, ...], Reading]:
    """Read one point now, twice where its profile wants two readings that agree."""
    fetch = device.codec.plan([device.points[name]])[0]
    decoder = Decoder(fetch.points, device.latest)
    while True:
        raws = yield fetch
        reading = decoder.single(fetch.points[0], raws[0])
        if reading.status != HELD_BACK:
            device.latest[name] = reading
            return reading


def _write_all(device: Device, settings: tuple[Setting, ...]) -> Steps:
    for setting in settings:
        point = device.points[setting.point]
        if point.bits is not None and setting.point not in device.latest:
            yield from read_point(device, setting.point)
        yield to_store(point, setting.value, device.latest)


def _prove(device: Device, probe: Probe, otherwise: str) -> Steps:
    try:
        reading = yield from read_point(device, probe.point)
    except DeviceRefused as refused:
        raise WrongDevice(f"{otherwise}: {probe.point} cannot be read ({refused}); {probe.what}") from refused
    if not passes(probe, reading):
        raise WrongDevice(f"{otherwise}: {probe.point} is {found(reading)}; {probe.what}")
