"""A bus and its device: what is read, what is written first, and what happens when the wire or the device fails."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import anyio
import pytest

from config.profile import Profile, Setting
from config.profiles import load_profile
from drivers.binding import Bound
from drivers.bus import Bus
from drivers.codecs import make_codec
from drivers.conversation import StreamConversation
from drivers.device import Device
from drivers.transports.tcp import open_tcp
from tests.config.device_profiles import point, write_profile
from tests.drivers.fake_modbus import (
    MS,
    PV,
    SP,
    STATUS,
    TAG_ARMED,
    TAG_CONNECTED,
    TAG_PV,
    TAG_STATUS,
    furnace_profile,
    running,
    until,
)

pytestmark = pytest.mark.anyio


async def test_readings_arrive_with_value_status_and_time(tmp_path: Path) -> None:
    async with running(partial(furnace_profile, tmp_path)) as stand:
        await until(lambda: stand.posted.good(TAG_PV, 700.0))
        stand.fake.set_float(PV, 701.5)
        await until(lambda: stand.posted.good(TAG_PV, 701.5))
        assert stand.posted.good(TAG_CONNECTED, 1.0)


async def test_a_value_out_of_range_or_no_number_is_bad(tmp_path: Path) -> None:
    async with running(partial(furnace_profile, tmp_path)) as stand:
        await until(lambda: stand.posted.good(TAG_PV, 700.0))
        for nonsense in (1e9, float("nan"), float("inf"), -300.0):
            stand.fake.set_float(PV, nonsense)
            await until(lambda: stand.posted.bad(TAG_PV))
            stand.fake.set_float(PV, 700.0)
            await until(lambda: stand.posted.good(TAG_PV, 700.0))
        assert all(value == 700.0 for tag, value, status in stand.posted.all if tag == TAG_PV and status == 0)


async def test_nothing_is_armed_before_the_watchdog_is_proven(tmp_path: Path) -> None:
    """The device takes the setting, but shows another one: its watchdog is not believed."""

    def forgetful(function: int, address: int) -> None:
        if function == 3 and address == MS:
            stand.fake.registers[MS] = 0

    async with running(partial(furnace_profile, tmp_path)) as stand:
        stand.fake.before = forgetful
        await until(lambda: stand.heard("other_device") or stand.heard("not_armed") or stand.heard("rebooted"))
        await until(lambda: stand.posted.good(TAG_ARMED, 0.0))
        stand.fake.before = None
        await until(lambda: stand.posted.good(TAG_ARMED, 1.0))
        assert stand.fake.registers[MS] == 1000


async def test_a_write_is_read_back(tmp_path: Path) -> None:
    async with running(partial(furnace_profile, tmp_path)) as stand:
        await until(lambda: stand.posted.good(TAG_ARMED, 1.0))
        stand.bus.want(stand.device, "sp", 500.0)
        await until(lambda: stand.fake.get_float(SP) == 500.0 and not stand.device.unconfirmed)
        assert stand.device.statistics.write_faults == 0


async def test_a_write_that_the_device_does_not_keep_disarms_it(tmp_path: Path) -> None:
    async with running(partial(furnace_profile, tmp_path)) as stand:
        await until(lambda: stand.posted.good(TAG_ARMED, 1.0))
        stand.fake.before = lambda function, address: stand.fake.set_float(SP, 20.0) if function == 3 else None
        stand.bus.want(stand.device, "sp", 500.0)
        await until(lambda: stand.posted.good(TAG_ARMED, 0.0))
        assert "500 °C was written, the device shows 20" in stand.heard("write_fault")[0]
        stand.fake.before = None
        stand.bus.want(stand.device, "sp", 510.0)
        await until(lambda: stand.posted.good(TAG_ARMED, 1.0))


async def test_a_write_outside_of_the_limits_never_reaches_the_wire(tmp_path: Path) -> None:
    async with running(partial(furnace_profile, tmp_path)) as stand:
        await until(lambda: stand.posted.good(TAG_ARMED, 1.0))
        before = stand.fake.written().count(SP)
        stand.bus.want(stand.device, "sp", 5000.0)
        await until(lambda: stand.heard("write_fault"))
        assert stand.fake.written().count(SP) == before
        assert stand.fake.get_float(SP) == 20.0


async def test_a_rate_limit_moves_the_set_point_in_steps_but_not_to_safety(tmp_path: Path) -> None:
    async with running(partial(furnace_profile, tmp_path, sp_extra="rate_per_s = 1000\n")) as stand:
        await until(lambda: stand.posted.good(TAG_ARMED, 1.0))
        stand.bus.want(stand.device, "sp", 100.0)
        await until(lambda: stand.fake.get_float(SP) == 100.0)
        seen: list[float] = []
        stand.fake.before = lambda function, address: seen.append(stand.fake.get_float(SP))
        stand.bus.want(stand.device, "sp", 500.0)
        await until(lambda: stand.fake.get_float(SP) == 500.0)
        assert [value for value in seen if 100.0 < value < 500.0]
        stand.bus.want(stand.device, "sp", 0.0)
        await until(lambda: stand.fake.get_float(SP) == 0.0)
        assert not [value for value in seen[-20:] if 0.0 < value < 100.0]


async def test_the_watchdog_is_fed_only_while_the_scan_is_healthy(tmp_path: Path) -> None:
    async with running(partial(furnace_profile, tmp_path)) as stand:
        await until(lambda: stand.posted.good(TAG_ARMED, 1.0))
        stand.bus.want(stand.device, "sp", 300.0)
        await until(lambda: stand.fake.written().count(SP) >= 3)  # one for the change, the others feed
        stand.mood["healthy"] = False
        await until(lambda: stand.device.fed_s < anyio.current_time() - 0.3)
        fed = stand.fake.written().count(SP)
        requests = len(stand.fake.log)
        await until(lambda: len(stand.fake.log) > requests + 20)
        assert stand.fake.written().count(SP) == fed
        stand.mood["healthy"] = True
        stand.bus.want(stand.device, "sp", 310.0)  # on a busy machine the watchdog may have acted meanwhile
        await until(lambda: stand.fake.written().count(SP) > fed)


def watchdog_s(device: Device) -> float:
    """Time after which the device lets its outputs fall."""
    assert device.profile.watchdog != "none"
    return device.profile.watchdog.timeout_s


async def test_a_watchdog_that_was_not_fed_for_its_whole_time_has_acted_and_is_armed_again(tmp_path: Path) -> None:
    """The scan stood still for longer than the watchdog waits: the outputs are down, though the link never broke."""
    async with running(partial(furnace_profile, tmp_path)) as stand:
        await until(lambda: stand.posted.good(TAG_ARMED, 1.0))
        stand.bus.want(stand.device, "sp", 300.0)
        await until(lambda: stand.fake.get_float(SP) == 300.0 and not stand.device.unconfirmed)
        stand.mood["healthy"] = False
        stand.fake.set_float(SP, 0.0)  # its watchdog acts
        await until(lambda: anyio.current_time() - stand.device.last_fed_s > 2 * watchdog_s(stand.device), 30.0)
        armings = stand.fake.written().count(MS)
        stand.mood["healthy"] = True
        await until(lambda: stand.heard("rebooted"))
        await until(lambda: stand.fake.written().count(MS) > armings and stand.posted.good(TAG_ARMED, 1.0))
        assert stand.fake.get_float(SP) == 0.0, "nothing comes back by itself"
        stand.bus.want(stand.device, "sp", 310.0)
        await until(lambda: stand.fake.get_float(SP) == 310.0)


async def test_a_first_write_that_comes_after_the_watchdogs_time_waits_until_it_is_armed_again(tmp_path: Path) -> None:
    """Instruments are met before the scan asks for anything: on a slow start their watchdogs act in between."""
    async with running(partial(furnace_profile, tmp_path)) as stand:
        await until(lambda: stand.posted.good(TAG_ARMED, 1.0))
        armings = stand.fake.written().count(MS)
        await until(lambda: stand.device.starved(anyio.current_time()), 30.0)
        stand.bus.want(stand.device, "sp", 300.0)
        await until(lambda: stand.fake.get_float(SP) == 300.0 and stand.posted.good(TAG_ARMED, 1.0))
        order = stand.fake.written()
        assert order.count(MS) > armings
        assert order.index(SP) > len(order) - 1 - order[::-1].index(MS), "armed first, then written"
        assert not stand.heard("rebooted")


async def test_a_silent_device_is_lost_told_once_and_found_again(tmp_path: Path) -> None:
    async with running(partial(furnace_profile, tmp_path)) as stand:
        await until(lambda: stand.posted.good(TAG_ARMED, 1.0))
        stand.fake.silent = True
        await until(lambda: stand.posted.bad(TAG_PV) and stand.posted.good(TAG_ARMED, 0.0))
        assert len(stand.heard("lost")) == 1
        stand.fake.silent = False
        await until(lambda: stand.posted.good(TAG_PV, 700.0) and stand.posted.good(TAG_ARMED, 1.0))
        assert stand.device.statistics.reconnects == 1


async def test_a_connection_that_is_closed_is_opened_again(tmp_path: Path) -> None:
    async with running(partial(furnace_profile, tmp_path)) as stand:
        await until(lambda: stand.posted.good(TAG_ARMED, 1.0))
        await stand.fake.streams[-1].aclose()
        await until(lambda: stand.fake.connections == 2 and stand.posted.good(TAG_ARMED, 1.0))
        # With a request under way the other side's end is a reset.
        assert any(
            words in stand.heard("lost")[0] for words in ("closed the connection", "link broke", "sending failed")
        )


@pytest.mark.parametrize(
    "mischief",
    [
        lambda frame: [frame, frame],
        lambda frame: [b"\x00\x01garbage", frame],
        lambda frame: [frame[:-1]],
        lambda frame: [frame[:6] + bytes([frame[6] ^ 1]) + frame[7:]],
        lambda frame: [bytes([frame[0] ^ 0xFF]) + frame[1:]],
        lambda frame: [frame[:3], frame[3:]],
    ],
    ids=["duplicate", "garbage before", "short", "wrong unit", "other transaction", "in pieces"],
)
async def test_no_mischief_on_the_wire_becomes_a_wrong_value(
    tmp_path: Path, mischief: Callable[[bytes], list[bytes]]
) -> None:
    async with running(partial(furnace_profile, tmp_path)) as stand:
        await until(lambda: stand.posted.good(TAG_PV, 700.0))
        requests = len(stand.fake.log)
        stand.fake.answers = mischief
        await until(lambda: len(stand.fake.log) > requests + 2)
        stand.fake.answers = lambda frame: [frame]
        stand.fake.set_float(PV, 650.0)
        await until(lambda: stand.posted.good(TAG_PV, 650.0))
        good = {value for tag, value, status in stand.posted.all if tag == TAG_PV and status == 0}
        assert good == {700.0, 650.0}


async def test_a_register_that_does_not_exist_is_told_and_the_rest_goes_on(tmp_path: Path) -> None:
    async with running(partial(furnace_profile, tmp_path), exceptions={STATUS: 2}) as stand:
        await until(lambda: stand.posted.good(TAG_PV, 700.0) and stand.posted.bad(TAG_STATUS))
        assert "illegal data address" in stand.heard("configuration")[0]
        asked = [address for _, address, _ in stand.fake.log].count(STATUS)
        requests = len(stand.fake.log)
        await until(lambda: len(stand.fake.log) > requests + 10)
        assert [address for _, address, _ in stand.fake.log].count(STATUS) == asked


async def test_a_busy_device_is_asked_again_a_bounded_number_of_times(tmp_path: Path) -> None:
    async with running(partial(furnace_profile, tmp_path)) as stand:
        await until(lambda: stand.posted.good(TAG_STATUS, 0.0))
        stand.fake.exceptions[STATUS] = 6
        await until(lambda: stand.posted.bad(TAG_STATUS))
        stand.fake.exceptions.clear()
        await until(lambda: stand.posted.good(TAG_STATUS, 0.0))
        assert stand.posted.good(TAG_CONNECTED, 1.0)


async def test_a_device_that_forgot_its_watchdog_is_armed_again_and_nothing_is_replayed(tmp_path: Path) -> None:
    async with running(partial(furnace_profile, tmp_path)) as stand:
        await until(lambda: stand.posted.good(TAG_ARMED, 1.0))
        stand.bus.want(stand.device, "sp", 400.0)
        await until(lambda: stand.fake.get_float(SP) == 400.0 and not stand.device.unconfirmed)
        stand.fake.registers[MS] = 0
        stand.fake.set_float(SP, 0.0)  # the device restarted
        await until(lambda: stand.heard("rebooted"))
        await until(lambda: stand.fake.registers[MS] == 1000 and stand.posted.good(TAG_ARMED, 1.0))
        assert stand.fake.get_float(SP) == 0.0
        stand.bus.want(stand.device, "sp", 400.0)  # the same value as before: nobody asked anew
        requests = len(stand.fake.log)
        await until(lambda: len(stand.fake.log) > requests + 10)
        assert stand.fake.get_float(SP) == 0.0
        stand.bus.want(stand.device, "sp", 410.0)
        await until(lambda: stand.fake.get_float(SP) == 410.0)


async def test_safe_values_go_before_other_writes_and_before_polls(tmp_path: Path) -> None:
    def profile() -> Profile:
        points = [point(name, at) for name, at in (("pv", PV), ("sp", SP), ("status", STATUS), ("valve", 40))]
        return load_profile(write_profile(tmp_path, "controller", points, action="zero", period_s=0.001))

    async with running(profile) as stand:
        stand.device.outputs = [*stand.device.outputs, Bound("valve", 7, safe=0.0, hazardous=True)]
        stand.device.output_points["valve"] = stand.device.outputs[-1]
        await until(lambda: stand.posted.good(TAG_ARMED, 1.0))
        stand.fake.log.clear()
        stand.bus.want(stand.device, "sp", 300.0)
        stand.bus.want(stand.device, "valve", 0.0)
        await until(lambda: {40, SP} <= set(stand.fake.written()))
        assert stand.fake.written()[:2] == [40, SP]
        assert [function for function, _, _ in stand.fake.log[:2]].count(3) <= 1  # at most the one under way


async def test_late_polls_are_left_out_and_counted(tmp_path: Path) -> None:
    async with running(partial(furnace_profile, tmp_path)) as stand:
        await until(lambda: stand.posted.good(TAG_ARMED, 1.0))
        assert stand.device.statistics.missed_slots == 0
        poll = stand.device.polls[0]
        poll.due_s = anyio.current_time() - 5.5 * poll.period_s
        requests = len(stand.fake.log)
        await until(lambda: stand.device.statistics.missed_slots >= 5)
        assert len(stand.fake.log) - requests <= 4


async def test_at_the_end_safe_settings_are_written_and_the_link_is_closed(tmp_path: Path) -> None:
    more = point("mode", 60, type="u16", low=0, high=9, extra="")

    def profile() -> Profile:
        return furnace_profile(tmp_path, more=more).model_copy(update={"safe": (Setting(point="mode", value=7),)})

    async with running(profile) as stand:
        await until(lambda: stand.posted.good(TAG_ARMED, 1.0))
        stand.bus.want(stand.device, "sp", 600.0)
        await until(lambda: stand.fake.get_float(SP) == 600.0)
        stand.bus.want(stand.device, "sp", 0.0)
        with anyio.fail_after(3):
            await stand.bus.end()
        assert stand.fake.get_float(SP) == 0.0
        assert stand.fake.written()[-1] == 60
        assert stand.fake.registers[60] == 7


async def test_a_dead_neighbour_on_the_same_wire_does_not_take_the_others_with_it(tmp_path: Path) -> None:
    async with running(partial(furnace_profile, tmp_path)) as stand:
        await until(lambda: stand.posted.good(TAG_ARMED, 1.0))
        around = stand.device.around
        other = Device(
            "dead", stand.device.profile, make_codec(stand.device.profile, "modbus-tcp", 2), [Bound("pv", 50)], [],
            [Bound("connected", 51)], around,
        )  # fmt: skip
        stand.fake.dumb_units.add(2)
        both = Bus("both", StreamConversation(lambda: open_tcp("127.0.0.1", stand.fake.port)), [stand.device, other])
        await stand.bus.end()
        stand.posted.newest.clear()
        async with anyio.create_task_group() as group:
            group.start_soon(both.run)
            await until(lambda: stand.posted.good(TAG_ARMED, 1.0) and stand.heard("lost"), 15.0)
            stand.fake.set_float(PV, 640.0)
            await until(lambda: stand.posted.good(TAG_PV, 640.0))
            reconnects = stand.device.statistics.reconnects
            tried = other.statistics.requests
            await until(lambda: other.statistics.requests >= tried + 2, 15.0)
            assert stand.device.statistics.connected
            assert stand.device.statistics.reconnects == reconnects
            stand.fake.dumb_units.clear()
            await until(lambda: stand.posted.good(50, 640.0) and stand.posted.good(51, 1.0), 15.0)
            group.cancel_scope.cancel()


async def test_on_a_wire_that_cannot_carry_all_polls_everybody_has_a_turn(tmp_path: Path) -> None:
    """The first device's polls are due again before they are over: its neighbour must come up all the same."""
    async with running(partial(furnace_profile, tmp_path)) as stand:
        await until(lambda: stand.posted.good(TAG_ARMED, 1.0))
        await stand.bus.end()
        other = Device(
            "late", stand.device.profile, make_codec(stand.device.profile, "modbus-tcp", 2), [Bound("pv", 50)], [],
            [Bound("connected", 51)], stand.device.around,
        )  # fmt: skip
        for poll in stand.device.polls:
            poll.period_s = 1e-6
        stand.fake.dumb_units.add(2)
        both = Bus("both", StreamConversation(lambda: open_tcp("127.0.0.1", stand.fake.port)), [stand.device, other])
        stand.posted.newest.clear()
        async with anyio.create_task_group() as group:
            group.start_soon(both.run)
            await until(lambda: stand.posted.good(TAG_ARMED, 1.0) and other.statistics.faults, 15.0)
            stand.fake.dumb_units.clear()
            await until(lambda: stand.posted.good(50, 700.0) and stand.posted.good(51, 1.0), 15.0)
            group.cancel_scope.cancel()


async def test_writes_without_end_do_not_keep_readings_off_the_wire(tmp_path: Path) -> None:
    """A loop that moves its output at every look may not make what it reads old."""
    async with running(partial(furnace_profile, tmp_path)) as stand:
        await until(lambda: stand.posted.good(TAG_ARMED, 1.0))

        def another(function: int, address: int) -> None:
            if function == 16:
                stand.bus.want(stand.device, "sp", 100.0 + len(stand.fake.log) % 1000)

        stand.fake.before = another
        stand.bus.want(stand.device, "sp", 500.0)
        await until(lambda: stand.fake.written().count(SP) > 20)
        stand.fake.set_float(PV, 640.0)
        await until(lambda: stand.posted.good(TAG_PV, 640.0))
        stand.fake.before = None


async def test_a_point_that_is_polled_often_is_read_back_by_its_poll(tmp_path: Path) -> None:
    async with running(partial(furnace_profile, tmp_path)) as stand:
        await until(lambda: stand.posted.good(TAG_ARMED, 1.0) and stand.posted.good(TAG_STATUS, 0.0))
        await until(lambda: stand.posted.good(TAG_PV, 700.0))
        reads = {(address, count) for function, address, count in stand.fake.log if function == 3}
        stand.fake.log.clear()
        stand.bus.want(stand.device, "sp", 500.0)
        await until(lambda: stand.fake.get_float(SP) == 500.0 and not stand.device.unconfirmed)
        assert {(address, count) for function, address, count in stand.fake.log if function == 3} <= reads
