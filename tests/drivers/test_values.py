"""From what the wire carried to a value with a status, and back."""

import math

import pytest

from config.profile import Access, Plausible, Point, Quality, State, ValueType
from config.wire import LinesWire, ModbusWire
from drivers.errors import DeviceRefused
from drivers.values import BAD_OUT_OF_RANGE, BAD_SENSOR, GOOD, HELD_BACK, Decoder, Reading, carried, near, to_store


def register(**fields: object) -> Point:
    known = {
        "name": "p", "description": "p", "access": Access.BOTH, "type": ValueType.U16, "source": "test",
        "modbus": ModbusWire(address=0),
    }  # fmt: skip
    return Point.model_validate(known | fields)


def test_a_step_is_believed_when_a_second_reading_agrees() -> None:
    """The first value, and each jump, is held back until the next one is near it."""
    decoder = Decoder([register(plausible=Plausible(factor=1.1))], {})
    seen = [decoder.single(decoder.points[0], raw).status for raw in (100.0, 101.0, 105.0, 900.0, 104.0, 900.0, 905.0)]
    assert seen == [HELD_BACK, GOOD, GOOD, HELD_BACK, GOOD, HELD_BACK, GOOD]


def test_after_a_break_the_old_value_is_no_measure_any_more() -> None:
    decoder = Decoder([register(plausible=Plausible(step=5))], {})
    point = decoder.points[0]
    assert [decoder.single(point, 10.0).status for _ in range(2)] == [HELD_BACK, GOOD]
    decoder.forget()
    assert decoder.single(point, 11.0).status == HELD_BACK


def test_values_of_opposite_sign_are_never_near_by_a_factor() -> None:
    assert not near(Plausible(factor=10), -1e-9, 1e-9)
    assert near(Plausible(step=1e-8, factor=10), -1e-9, 1e-9)


def test_a_status_point_takes_the_credit_away() -> None:
    latest: dict[str, Reading] = {}
    decoder = Decoder([register(quality=Quality(status="state", good=(61.0,)))], latest)
    point = decoder.points[0]
    assert decoder.single(point, 5.0).status == BAD_SENSOR
    latest["state"] = Reading(61.0, GOOD)
    assert decoder.single(point, 5.0).status == GOOD
    latest["state"] = Reading(65.0, GOOD)
    assert decoder.single(point, 5.0).status == BAD_SENSOR


def test_words_that_mean_no_value_and_states_that_nobody_named_are_bad() -> None:
    wire = LinesWire(read="X", answer="(?P<value>.*)")
    word = Point(name="p", description="p", access=Access.READ, type=ValueType.NUMBER, source="test", lines=wire,
                 quality=Quality(bad=("OFF",)))  # fmt: skip
    assert Decoder([word], {}).single(word, "OFF").status == BAD_SENSOR
    mode = register(states=(State(name="off", raw=62), State(name="auto", raw=10)), low=0, high=1)
    assert Decoder([mode], {}).single(mode, 10.0).value == 1.0
    assert Decoder([mode], {}).single(mode, 11.0).status == BAD_OUT_OF_RANGE


def test_a_write_of_some_bits_keeps_the_others() -> None:
    point = register(bits=(4, 2), low=0, high=3)
    with pytest.raises(DeviceRefused, match="not known yet"):
        to_store(point, 2.0, {})
    assert to_store(point, 2.0, {"p": Reading(3.0, GOOD, raw=float(0xF0F3))}).raw == float(0xF0E3)


@pytest.mark.parametrize("value", [math.nan, math.inf, -1.0, 100.5])
def test_what_is_outside_of_the_limits_is_never_written(value: float) -> None:
    with pytest.raises(DeviceRefused, match="outside"):
        to_store(register(low=0, high=100), value, {})


def test_scale_and_offset_work_both_ways() -> None:
    point = register(scale=0.1, offset=-40, low=-40, high=125)
    assert Decoder([point], {}).single(point, 650.0).value == pytest.approx(25.0)
    assert to_store(point, 25.0, {}).raw == pytest.approx(650.0)


@pytest.mark.parametrize(("asked", "shown"), [(10485.44, 10485.0), (10485.6, 10486.0), (7.0, 7.0)])
def test_what_is_read_back_of_a_register_is_what_it_can_hold(asked: float, shown: float) -> None:
    """160 of 500 sccm are 10485.44 digits: the terminal shows 10485, and that is no fault."""
    point = register(type=ValueType.I16, low=-32768, high=32767)
    assert carried(point, asked) == shown == float(to_store(point, shown, {}).raw)
    assert carried(register(type=ValueType.F32), asked) == asked
    assert carried(register(scale=0.1), 12.34) == pytest.approx(12.3)
