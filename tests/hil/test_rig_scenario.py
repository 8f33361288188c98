"""Scenarios: what is written wrongly is told at once, and what is to happen happens when its time has come."""

import subprocess
import sys
from pathlib import Path

import pytest

import config
from config.faults import ConfigError
from config.loading import load_tool
from config.tool import Tool
from hil.rig.faults import Kind
from hil.rig.rig import Rig
from hil.rig.scenario import load_scenario, schema
from tests.architecture.layout import ROOT

WIRED = config.shipped_tool("lpcvd_furnace_wired")
GOOD = """
schema_version = 1
title = "a bad day"
[[event]]
at_s = 2
wire = { instrument = "mfc_n2", fault = "silent" }
[[event]]
at_s = 3
clear = "mfc_n2"
[[event]]
at_s = 1
at_step = "purge"
plant = { fault = "water_lost", value = 3 }
[[event]]
when = { tag = "facilities.cooling_water_l_min", below = 5 }
wire = { instrument = "gauges", fault = "hang" }
"""
BAD = """
schema_version = 1
[[event]]
wire = { instrument = "mfc_n3", fault = "silent" }
[[event]]
wire = { instrument = "io", fault = "bus_off" }
[[event]]
when = { tag = "chamber.manometer_tor", above = 1 }
clear = "nobody"
[[event]]
plant = { fault = "meteorite" }
"""


@pytest.fixture(scope="module")
def furnace() -> Tool:
    return load_tool(WIRED)


def written(folder: Path, text: str) -> Path:
    path = folder / "scenario.toml"
    path.write_text(text)
    return path


def test_every_mistake_of_a_scenario_is_told_at_once(furnace, tmp_path) -> None:
    with pytest.raises(ConfigError) as caught:
        load_scenario(written(tmp_path, BAD), furnace)
    told = str(caught.value)
    for words in ("did you mean 'mfc_n2'", "bus_off is for CAN", "did you mean 'chamber.manometer_torr'", "'nobody'",
                  "no 'meteorite'"):  # fmt: skip
        assert words in told


def test_events_happen_at_their_time_step_and_condition(furnace, tmp_path) -> None:
    rig = Rig(furnace, tmp_path, scenario=load_scenario(written(tmp_path, GOOD), furnace))
    gas, gauges = rig.wire_of("mfc_n2"), rig.wire_of("gauges")
    rig.advance(1.0)
    assert rig.happened == []
    rig.advance(1.0)
    assert list(gas.faults["mfc_n2"]) == [Kind.SILENT]
    rig.advance(1.0)
    assert not gas.faults["mfc_n2"]
    rig.director.step("purge", rig.plant_s)
    for _ in range(3):
        rig.advance(1.0)
    assert list(gauges.faults["gauges"]) == [Kind.HANG], "the water fell, and with it the gauges"
    assert rig.director.waiting == 0
    assert len(rig.happened) == 4


def test_the_schema_knows_every_fault() -> None:
    assert set(schema()["$defs"]["Kind"]["enum"]) == {kind.value for kind in Kind}


def test_the_fixture_serves_a_users_own_test(tmp_path) -> None:
    (tmp_path / "test_mine.py").write_text(
        "def test_mine(cvd_rig):\n"
        f"    rig = cvd_rig({str(WIRED)!r})\n"
        "    rig.client.inject('mfc_n2', 'silent', for_s=2)\n"
        "    assert rig.client.status()['wires']\n"
        "    assert rig.tool.exists()\n"
    )
    probe = (
        "import importlib.metadata as m, sys; sys.exit('cvd_rig' in {e.name for e in m.entry_points(group='pytest11')})"
    )
    installed = subprocess.run([sys.executable, "-c", probe], check=False).returncode == 1
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "--rootdir",
        str(tmp_path),
        str(tmp_path),
    ]
    command += [] if installed else ["-p", "hil.pytest_plugin"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=90)
    assert done.returncode == 0, done.stdout + done.stderr
