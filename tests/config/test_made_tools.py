"""The shipped chamber tools are what their script makes; every shipped tool tests what would fail unseen."""

import subprocess
import sys
import tomllib

from config.loading import shipped_tool
from tests.architecture.layout import ROOT
from tests.processes import uncounted

TESTED = {"emergency_off", "gas_cabinet", "exhaust_lost", "abatement_lost", "pump_failure", "purge_supply_lost"}
"""Trips on a reading that every tool has."""


def test_shipped_chambers_are_what_the_script_makes() -> None:
    command = [sys.executable, str(ROOT / ".ci" / "make_chambers.py")]
    made = subprocess.run(command, cwd=ROOT, env=uncounted(), capture_output=True, text=True, check=False)
    assert made.returncode == 0, made.stdout + made.stderr


def test_detectors_exhaust_and_pump_of_every_tool_have_proof_tests() -> None:
    """Gas detectors twice a year: a cell that has lost its sensitivity reads 0, as clean air does."""
    for path in sorted(shipped_tool("lpcvd_furnace").parent.glob("*.toml")):
        trips = {one["name"]: one for one in tomllib.loads(path.read_text())["interlocks"] if one["class"] == "trip"}
        detectors = {name for name in trips if name.endswith("_detected")}
        untested = {name for name in detectors | (TESTED & trips.keys()) if "proof_test" not in trips[name]}
        assert not untested, f"{path.stem}: {untested}"
        for name in detectors:
            assert trips[name]["proof_test"]["every_days"] <= 183, f"{path.stem}: {name}"
