"""A pytest plugin for tests of your own tool files: the fixture `cvd_rig` starts a rig for a test.

```
def test_my_tool_stands_a_pulled_cable(cvd_rig):
    rig = cvd_rig("my_tool.toml")
    rig.client.inject("mfc_n2", "silent", for_s=2)
```

`rig.tool` is the tool file to give to `cvd run`, `rig.wires` where each instrument listens, `rig.client` the control
port. Every rig ends with its test.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from hil.rig.client import RigClient

START_S = 60.0
STOP_S = 15.0


@dataclass
class RunningRig:
    """A rig in a process of its own.

    Attributes:
        tool: the tool file with the rig's links.
        wires: link of each instrument.
        client: its control port.
        process: the rig.
    """

    tool: Path
    wires: dict[str, str]
    client: "RigClient"
    process: "subprocess.Popen[bytes]"


StartRig = Callable[..., RunningRig]


@pytest.fixture
def cvd_rig(tmp_path: Path) -> Iterator[StartRig]:
    """Start rigs: `cvd_rig(tool, scenario=None, speed=1.0, patience=1)`; all of them end with the test."""
    rigs: list[RunningRig] = []

    def start(
        tool: str | Path, scenario: str | Path | None = None, speed: float = 1.0, patience: int = 1
    ) -> RunningRig:
        rig = start_rig(Path(tool), tmp_path / f"rig-{len(rigs)}", scenario, speed, patience)
        rigs.append(rig)
        return rig

    yield start
    for rig in rigs:
        stop_rig(rig)


def start_rig(
    tool: Path, out: Path, scenario: str | Path | None = None, speed: float = 1.0, patience: int = 1
) -> RunningRig:
    """Start a rig and wait until it serves; raises AssertionError with what it said when it does not."""
    from hil.rig.client import RigClient

    out.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "hil.rig", str(tool.absolute()), str(out), str(speed), str(patience)]
    command += [str(Path(scenario).absolute())] if scenario is not None else []
    log = out / "rig.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, stdout=output, stderr=output, stdin=subprocess.DEVNULL, env=os.environ.copy()
        )
    ready, deadline_s = out / "ready.json", time.monotonic() + START_S
    while not ready.exists():
        if process.poll() is not None or time.monotonic() > deadline_s:
            process.kill()
            process.wait()
            raise AssertionError(f"the rig did not start:\n{log.read_text(errors='replace')}")
        time.sleep(0.01)
    told = json.loads(ready.read_text(encoding="utf-8"))
    return RunningRig(Path(told["tool"]), told["wires"], RigClient(told["control"]), process)


def stop_rig(rig: RunningRig) -> None:
    """End a rig in order."""
    rig.client.close()
    rig.process.terminate()
    try:
        rig.process.wait(STOP_S)
    except subprocess.TimeoutExpired:
        rig.process.kill()
        rig.process.wait()
