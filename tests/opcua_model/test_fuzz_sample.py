"""A sample of the hostile campaign (`make campaign` sends a million), and whatever once hurt a server."""

import json
import random
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import anyio
import anyio.to_thread
import pytest

from opcua_model import processor
from opcua_model.client import _throwaway, connect
from opcua_model.settings import Limits
from tests.opcua_model.fake_daemon import PASSWORDS, FakeDaemon, furnace, serving
from tests.opcua_model.fuzz import Fuzzer, Tally, request, seeds
from tests.opcua_model.wire import Line, header, server_certificate, type_id

pytestmark = pytest.mark.anyio
MESSAGES = 2_000
SEED = 20_261_124
CORPUS = Path(__file__).with_name("corpus.json")


class Ledger:
    """Stands in for the log, and keeps what a fault of ours has written there."""

    def __init__(self) -> None:
        self.failed: list[dict[str, Any]] = []

    def error(self, event: str, **fields: Any) -> None:
        if event == "request_failed":
            self.failed.append(fields)

    def __getattr__(self, _: str) -> Any:
        return lambda *_arguments, **_fields: None


async def test_hostile_messages_of_every_layer_hurt_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ledger = Ledger()
    monkeypatch.setattr(processor, "log", ledger)
    limits = replace(Limits(), handshakes_per_s=1e6, handshake_burst=10**6)
    async with serving(FakeDaemon(furnace()), tmp_path, plain_loopback=True, limits=limits) as server:
        port = urlsplit(server.endpoint).port
        assert port is not None

        def besiege() -> Tally:
            fuzzer = Fuzzer(port, SEED, _throwaway(), server_certificate(port), "erika", PASSWORDS["erika"])
            return fuzzer.run(MESSAGES)

        tally = await anyio.to_thread.run_sync(besiege)
        async with connect(server.endpoint, "olga", PASSWORDS["olga"]) as tool:
            assert await tool.read("State/Mode") == "Ready"
    assert ledger.failed == []
    assert tally.total >= MESSAGES
    assert tally.answers["BadInternalError"] == 0
    assert tally.answers["answered"] > 100  # some of it was well-formed, and asked for something odd


async def test_what_once_hurt_a_server_does_so_no_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ledger = Ledger()
    monkeypatch.setattr(processor, "log", ledger)
    cases = json.loads(CORPUS.read_text(encoding="utf-8"))
    async with serving(FakeDaemon(furnace()), tmp_path, plain_loopback=True) as server:
        port = urlsplit(server.endpoint).port
        assert port is not None

        def replay() -> list[str]:
            survived: list[str] = []
            for case in cases:
                with Line(port) as line:
                    line.log_in()
                    line.send(
                        line.message(
                            type_id(f"{case['service']}Request") + header(line.session) + bytes.fromhex(case["hex"])
                        )
                    )
                    line.send(line.message(type_id("GetEndpointsRequest") + header() + b"\xff" * 12))
                    wanted = line.request
                    while line.answer()[0] != wanted:
                        continue
                    survived.append(case["name"])
            return survived

        assert await anyio.to_thread.run_sync(replay) == [case["name"] for case in cases]
    assert ledger.failed == []


def test_every_message_can_be_made_again() -> None:
    made = [request(random.Random(f"{SEED}:{number}"), seeds(), None) for number in range(50)]
    again = [request(random.Random(f"{SEED}:{number}"), seeds(), None) for number in range(50)]
    assert made == again
