"""Every input and output of a tool with instruments is bound to one of them, and none that a lost link endangers."""

from pathlib import Path
from typing import Any

import pytest

from config.faults import ConfigError
from tests.config.device_profiles import profiles_for
from tests.config.minimal_tool import minimal_data, tool_of


@pytest.fixture(autouse=True)
def _profiles(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The instruments of these tests are a site's own."""
    profiles_for(tmp_path, with_devices())
    monkeypatch.setenv("CVD_DEVICES", str(tmp_path))


def with_devices(**changes: Any) -> dict[str, Any]:
    """The smallest tool, its hazardous outputs on a coupler whose watchdog zeroes them, the rest on one that holds."""
    data = minimal_data()
    data["devices"] = [
        {"name": "io", "profile": "coupler", "link": "modbus-tcp://10.0.0.7:502", "on_link_loss": "zero"},
        {"name": "gauge", "profile": "manometer", "link": "modbus-rtu:///dev/ttyS0?baud=19200", "address": 3,
         "on_link_loss": "hold"},
    ]  # fmt: skip
    for module in data["modules"]:
        for tag in module["tags"]:
            if tag["kind"] in {"input", "output"}:
                zeroed = tag.get("hazardous", False) or tag.get("safe", 0) == 0
                device = "io" if tag["kind"] == "output" and zeroed else "gauge"
                tag["point"] = f"{device}.{module['name']}_{tag['name'].replace('.', '_')}"
    data["devices"][0] |= changes.pop("io", {})
    return data


def first(data: dict[str, Any], kind: str, **fields: Any) -> dict[str, Any]:
    return next(
        tag
        for module in data["modules"]
        for tag in module["tags"]
        if tag["kind"] == kind and all(tag.get(name) == value for name, value in fields.items())
    )


def reasons(data: dict[str, Any]) -> str:
    with pytest.raises(ConfigError) as caught:
        tool_of(data)
    return str(caught.value)


def test_a_tool_whose_points_are_all_bound_is_sound() -> None:
    tool = tool_of(with_devices())
    assert [device.name for device in tool.devices] == ["io", "gauge"]


def test_an_input_that_is_bound_to_nothing_is_refused() -> None:
    data = with_devices()
    del first(data, "input")["point"]
    assert "say which point it is bound to" in reasons(data)


def test_an_unknown_device_is_refused_with_a_suggestion() -> None:
    data = with_devices()
    first(data, "input")["point"] = "guage.pressure"
    assert "there is no device 'guage'; did you mean 'gauge'?" in reasons(data)


def test_two_tags_cannot_write_one_point() -> None:
    data = with_devices()
    outputs = [t for m in data["modules"] for t in m["tags"] if t["kind"] == "output" and t["point"].startswith("io.")]
    outputs[1]["point"] = outputs[0]["point"]
    assert "exists already" in reasons(data)


def test_a_set_point_is_bound_to_no_instrument() -> None:
    data = with_devices()
    first(data, "setpoint")["point"] = "gauge.pressure"
    assert "only inputs and outputs are bound" in reasons(data)


@pytest.mark.parametrize("action", ["hold", "none"])
def test_a_hazardous_output_needs_a_watchdog_that_takes_it_away(action: str) -> None:
    assert "goes on with the last value when its link is lost" in reasons(with_devices(io={"on_link_loss": action}))


def test_an_output_that_must_keep_running_does_not_hang_on_a_coupler_that_zeroes_it() -> None:
    data = with_devices()
    tag = first(data, "output", hazardous=None) if any(
        t["kind"] == "output" and "hazardous" not in t for m in data["modules"] for t in m["tags"]
    ) else first(data, "output")  # fmt: skip
    tag["safe"], tag["point"] = tag["high"], "io.running"
    assert "takes its outputs to 0 when its link is lost" in reasons(data)


def test_a_wire_that_nobody_knows_is_refused() -> None:
    assert "devices[0].link" in reasons(with_devices(io={"link": "telepathy://furnace"}))


def test_a_profile_that_nobody_wrote_is_refused_with_those_that_exist() -> None:
    said = reasons(with_devices(io={"profile": "coupller"}))
    assert "there is no device profile 'coupller'; did you mean 'coupler'?" in said


def test_a_point_that_the_instrument_does_not_have_is_refused() -> None:
    data = with_devices()
    first(data, "input")["point"] = "gauge.colour"
    assert "a manometer has no point 'colour'" in reasons(data)


def test_a_tag_measures_what_its_point_measures() -> None:
    data = with_devices()
    tag = next(t for m in data["modules"] for t in m["tags"] if t["kind"] == "input" and t.get("unit", "1") != "1")
    other = next(
        t["point"]
        for m in data["modules"]
        for t in m["tags"]
        if t.get("point", "").startswith("gauge.") and t.get("unit", "1") == "1"
    )
    tag["point"] = other
    assert "give the tag the right unit, or a scaling" in reasons(data)


def test_an_input_that_would_never_age_is_refused() -> None:
    data = with_devices()
    first(data, "input")["period_s"] = 0.0
    assert "would never age" in reasons(data)


def test_a_tool_with_instruments_has_tags_and_permissives_for_them() -> None:
    tool = tool_of(with_devices())
    names = {f"{module.name}.{tag.name}" for module in tool.modules for tag in module.tags}
    assert {"devices.io.armed", "devices.gauge.connected", "devices.gauge.missed_slots"} <= names
    added = [interlock for interlock in tool.interlocks if interlock.when == "not devices.io.armed"]
    hazardous = {f"{m.name}.{t.name}" for m in tool.modules for t in m.tags if t.hazardous}
    assert [{effect.output for effect in interlock.effects} for interlock in added] == [hazardous]


def test_the_watchdog_must_be_the_one_that_the_profile_describes() -> None:
    assert "is hold, but a coupler has a watchdog that takes its outputs to zero" in reasons(
        with_devices(io={"on_link_loss": "hold"})
    )


def test_on_a_rig_faster_than_the_clock_readings_may_be_older_in_the_tools_time() -> None:
    """A wire is no faster than on a tool: its reading of half a second is five seconds of a plant ten times as fast."""
    data = with_devices(io={"link": "modbus-tcp://127.0.0.1:502"})
    data["devices"][1]["link"] = "modbus-rtu:///tmp/rig/wires/gauge"
    plain, fast = tool_of(data), tool_of(data | {"rig": {"speed": 10}})
    pairs = zip((tag for module in plain.modules for tag in module.tags),
                (tag for module in fast.modules for tag in module.tags), strict=True)  # fmt: skip
    assert {other.period_s / one.period_s for one, other in pairs if one.period_s} == {10.0}


def test_on_a_rig_what_holds_a_reading_against_a_command_waits_for_the_older_reading() -> None:
    """Current is asked for and none flows: on a rig the answer of the supply may only be on its way."""
    data = with_devices(io={"link": "modbus-tcp://127.0.0.1:502"})
    data["devices"][1]["link"] = "modbus-rtu:///tmp/rig/wires/gauge"
    plain, fast = tool_of(data), tool_of(data | {"rig": {"speed": 5, "patience": 3}})
    (running,) = [tag for module in plain.modules for tag in module.tags if tag.name == "pump.running"]
    delays = {one.name: one.on_delay_s for one in plain.interlocks}
    assert delays["pump_lost"] == 0.5
    later = {"pump_lost": 0.5 + 14 * 2 * running.period_s}
    assert {one.name: one.on_delay_s for one in fast.interlocks} == delays | later
