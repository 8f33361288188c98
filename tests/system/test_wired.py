"""A furnace on real wires: the daemon's drivers on one side, every instrument of the tool on the other."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import anyio
import pytest

import config
from hil.pytest_plugin import RunningRig, start_rig, stop_rig
from opcua_model.client import connect
from tests.architecture.layout import ROOT
from tests.system.daemon import PASSWORD, Daemon, free_port, until

WIRED = config.shipped_tool("lpcvd_furnace_wired")
HOLD_S = 10.0


class WiredDaemon:
    """`cvd run` on a rig's tool file. Its end is SIGKILL: what the instruments do then is what is looked at."""

    def __init__(self, rig: RunningRig, data: Path) -> None:
        self.rig, self.data = rig, data
        self.endpoint = f"opc.tcp://127.0.0.1:{free_port()}/cvd"
        data.mkdir(parents=True)
        Daemon.people_of(data)
        command = [sys.executable, "-m", "supervisor.cli", "run", str(rig.tool), "--log", "json"]
        command += ["--data", str(data), "--endpoint", self.endpoint]
        self.log = data / "daemon.log"
        with self.log.open("wb") as output:
            self.process = subprocess.Popen(command, cwd=ROOT, stdout=output, stderr=output, stdin=subprocess.DEVNULL)
        self.told = self._ready()

    def _ready(self) -> dict:
        deadline_s = time.monotonic() + 60
        while time.monotonic() < deadline_s and self.process.poll() is None:
            with contextlib.suppress(FileNotFoundError):
                return json.loads((self.data / "ready.json").read_text())
            time.sleep(0.02)
        raise AssertionError(f"the daemon is not ready:\n{self.log.read_text()[-4000:]}")

    def kill(self) -> None:
        """SIGKILL, the launcher first, so that nobody starts anything again."""
        for pid in (self.process.pid, self.told["controller_pid"], self.told["server_pid"]):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.process.wait()


@pytest.fixture(scope="module")
def wired(tmp_path_factory) -> Iterator[WiredDaemon]:
    folder = tmp_path_factory.mktemp("wired")
    rig = start_rig(WIRED, folder / "rig")
    try:
        daemon = WiredDaemon(rig, folder / "data")
        try:
            yield daemon
        finally:
            daemon.kill()
    finally:
        stop_rig(rig)


@pytest.mark.anyio
async def test_every_instrument_is_met_and_says_what_the_plant_says(wired) -> None:
    names = list(wired.rig.wires)
    async with connect(wired.endpoint, "olga", PASSWORD) as client:
        for name in names:
            await until(client, f"Equipment/devices/{name}.connected", lambda value: value == 1)
            await until(client, f"Equipment/devices/{name}.armed", lambda value: value == 1)
        for name in names:
            link = f"Diagnostics/Links/{name}"
            assert await until(client, f"{link}/State", lambda state: state == "armed")
            assert await client.read(f"{link}/Requests") > 0
            assert await client.read(f"{link}/Link") in wired.rig.wires.values()
        assert await until(client, "Equipment/chamber/manometer_torr/Owner", bool) == "instrument io"
        truth = (await anyio.to_thread.run_sync(wired.rig.client.truth))["readings"]
        for tag, tolerance in (("heater/zone2.temperature_c", 1.0), ("facilities/air_kpa", 3.0),
                               ("vacuum/throttle_valve.feedback_pct", 1.0)):  # fmt: skip
            value = await until(client, f"Equipment/{tag}", lambda value: value is not None)
            assert value == pytest.approx(truth[tag.replace("/", ".")], abs=tolerance)


def test_a_killed_controller_leaves_nothing_on(wired) -> None:
    """Its inputs are unknown while the instruments are being met, so the controller begins with its safe sequence."""
    rig = wired.rig.client
    rig.wait_for(lambda truth: truth["outputs"]["gas_panel.n2.valve"] == 1.0, within_s=30)
    wired.kill()
    truth = rig.wait_for(lambda truth: truth["outputs"]["gas_panel.n2.valve"] == 0.0, within_s=HOLD_S)
    assert rig.status()["instruments"]["io"]["watchdog_acted"] is True
    hazardous = [
        "heater.zone1.power_pct",
        "gas_panel.sih4.valve",
        "gas_panel.n2o.valve",
        "gas_panel.sih4.setpoint_sccm",
    ]
    assert {name: truth["outputs"][name] for name in hazardous} == dict.fromkeys(hazardous, 0.0)
    assert truth["outputs"]["vacuum.throttle_valve.position_pct"] == pytest.approx(100.0)
