"""A person at the panel: looks, takes control, moves something by hand, answers an alarm, resets a trip.

Screens are compared in words (numbers are marked, not compared); `CVD_WRITE_SCREENS=1` writes them anew.
"""

import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from supervisor.cli.panel.app import Panel
from tests.supervisor.cli.screen import appears, comes, masked, shown
from tests.system.daemon import PASSWORD, Daemon, cvd, running
from tests.system.test_alarm_client import ALARM, tool_with_alarm

SCREENS = Path(__file__).with_name("screens")
TRIP = """
[[interlocks]]
name = "asked_too_much"
class = "trip"
description = "Somebody asks for far too much heat"
response_time_s = 60
when = "heater.zone1.setpoint_c > 850 °C"
latch = true
priority = "high"
effects = [{ output = "gas_panel.n2.valve", value = 0 }]
consequence = "None: it is a test"
action = "Move it back, then reset"
"""

pytestmark = [pytest.mark.anyio, pytest.mark.slow, pytest.mark.timeout(240)]


@asynccontextmanager
async def panel(daemon: Daemon, user: str) -> AsyncGenerator[Pilot[Any]]:
    app = Panel(daemon.endpoint, user, PASSWORD)
    async with app.run_test(size=(150, 45)) as pilot:
        await appears(pilot, "connected to")
        yield pilot
        await pilot.press("q")


async def typed(pilot: Pilot[Any], text: str) -> None:
    """Type over what stands in a field."""
    await pilot.press("end", "ctrl+u", *({".": "full_stop", " ": "space"}.get(one, one) for one in text))


async def assert_screen(name: str, pilot: Pilot[Any]) -> None:
    """Compare the screen, in words, once it has come to rest."""
    file = SCREENS / f"{name}.txt"
    if os.environ.get("CVD_WRITE_SCREENS") == "1":
        await pilot.pause(3.0)
        SCREENS.mkdir(exist_ok=True)
        file.write_text("\n".join(masked(shown(pilot.app))) + "\n", encoding="utf-8")
    wanted = file.read_text(encoding="utf-8").splitlines()
    await comes(pilot, lambda lines: masked(lines) == wanted, f"screen {file.name}", within_s=20)


async def select(pilot: Pilot[Any], key: str) -> None:
    """Put the cursor of the page's table on a row: from the row before it by a key, as a person comes down to it."""
    app = pilot.app
    assert isinstance(app, Panel)
    await comes(pilot, lambda _: app.grid is not None and bool(app.grid.chosen), "a row")
    grid = app.grid
    assert grid is not None
    at = grid.get_row_index(key)
    if at:
        grid.move_cursor(row=at - 1)
        await pilot.press("down")
    assert grid.chosen == key, shown(app)


def tool(folder: Path) -> Path:
    file = tool_with_alarm(folder)
    text = file.read_text(encoding="utf-8")
    assert ALARM in text
    file.write_text(text.replace(ALARM, TRIP + ALARM), encoding="utf-8")
    return file


async def test_a_person_operates_the_tool_by_keys(tmp_path: Path) -> None:
    async with running(tmp_path / "data", tool=tool(tmp_path), speed=20) as daemon, panel(daemon, "erika") as pilot:
        await comes(pilot, lambda lines: any("Mode" in line and "Standby" in line for line in lines), "Standby")
        await appears(pilot, "1 active, 1 not acknowledged")
        await pilot.press("c")
        await appears(pilot, "TakeControl")
        await pilot.press("n")
        await pilot.press("c", "y")
        await appears(pilot, "control: erika")
        await appears(pilot, "done: TakeControl")
        await assert_screen("overview", pilot)

        await pilot.press("8")
        await select(pilot, "Equipment/heater/zone1.setpoint_c")
        await pilot.press("enter")
        await appears(pilot, "Move heater.zone1.setpoint_c")
        await typed(pilot, "99999")
        await pilot.press("enter")
        await appears(pilot, "99999 is outside")
        await typed(pilot, "900")
        await pilot.press("enter")
        await appears(pilot, "→ 900 °C")
        await assert_screen("move", pilot)
        await pilot.press("y")
        await appears(pilot, "done: heater.zone1.setpoint_c = 900")

        await pilot.press("4")
        await appears(pilot, "setpoint_high")
        await select(pilot, "setpoint_high")
        await assert_screen("alarms", pilot)
        await pilot.press("enter")
        await appears(pilot, "Move it back")
        await pilot.press("escape", "a")
        await typed(pilot, "seen")
        await pilot.press("enter")
        await appears(pilot, "done: Acknowledge setpoint_high")

        await pilot.press("2")
        await appears(pilot, "gas_panel.n2.valve = 0 ← asked_too_much (trip, ")
        await pilot.press("5")
        await select(pilot, "asked_too_much")
        await pilot.press("r", "y")
        await appears(pilot, "refused: ")
        await pilot.press("enter")
        await appears(pilot, "heater.zone1.setpoint_c > 850 °C")
        await assert_screen("interlock", pilot)
        await pilot.press("escape", "8")
        await select(pilot, "Equipment/heater/zone1.setpoint_c")
        await pilot.press("enter")
        await typed(pilot, "700")
        await pilot.press("enter", "y")
        await appears(pilot, "done: heater.zone1.setpoint_c = 700")
        await pilot.press("5")
        await select(pilot, "asked_too_much")
        await comes(
            pilot, lambda lines: any("asked_too_much" in line and "Latched" in line for line in lines), "Latched"
        )
        await pilot.press("r", "y")
        await appears(pilot, "done: asked_too_much reset")

        await pilot.press("7")
        await select(pilot, "standby")
        await pilot.press("enter", "y")
        await appears(pilot, "done: standby started")
        await comes(pilot, lambda lines: "Ready   run COMPLETE" in lines[0], "its end")
        await pilot.press("6")
        await appears(pilot, "heater.zone1.temperature_c")
        assert any("▁" in line or "█" in line for line in shown(pilot.app))
        await pilot.press("S", "y")
        await appears(pilot, "done: safe shutdown")


async def test_who_only_observes_moves_nothing_and_a_dead_daemon_leaves_no_old_value(tmp_path: Path) -> None:
    async with running(tmp_path / "data") as daemon, panel(daemon, "otto") as pilot:
        await pilot.press("7")
        await select(pilot, "vent")
        await pilot.press("enter", "y")
        await appears(pilot, "refused: ")
        await pilot.press("2")
        await appears(pilot, "gas_panel.sih4.valve")
        daemon.process.kill()
        daemon.process.wait()
        lines = await appears(pilot, "NO CONNECTION")
        lines = await comes(
            pilot, lambda lines: not any("gas_panel.sih4.valve" in line and "Bad" not in line for line in lines), "Bad"
        )
        assert all("closed" not in line and "open" not in line for line in lines)


def test_a_wrong_password_ends_it_in_one_line(tmp_path: Path) -> None:
    assert "no daemon is ready" in cvd("panel", "--user", "erika", "--data", tmp_path, "--password-stdin").stderr
