"""Replay: the tape alone gives the same outputs, bit for bit, on the scan and on the oracle."""

from collections.abc import Callable
from random import Random
from typing import Any

import pytest

from kernels.tables import TapeKind
from tests.kernels.comparison import PERIOD_NS, START_NS
from tests.kernels.stand import ENGINES
from tests.kernels.strategies import Case, case, story


def equipped(engine: Callable[..., Any], drawn: Case, *, tape: bool) -> Any:
    scan = engine(drawn.tables, tape=tape)
    for slot in range(2):
        scan.load(slot, drawn.programs[slot])
    return scan


@pytest.mark.parametrize("recorder", ENGINES, ids=lambda engine: engine.__name__)
@pytest.mark.parametrize("player", ENGINES, ids=lambda engine: engine.__name__)
def test_the_tape_of_a_run_gives_the_same_run(recorder: Callable[..., Any], player: Callable[..., Any]) -> None:
    for number in range(12):
        rng = Random(f"replay/{number}")
        drawn = case(rng)
        first, second = equipped(recorder, drawn, tape=True), equipped(player, drawn, tape=False)
        for moment in story(rng, drawn, 250, reloads=0.0):
            if moment.skip:
                first.skip(moment.skip)
            for posting in moment.postings:
                first.post(*posting)
            for command in moment.commands:
                first.command(*command)
            first.advance(1, START_NS, PERIOD_NS)
        for record in first.tape():
            due = int(record["scan"])
            if record["kind"] == TapeKind.SKIP:
                second.advance(due - int(record["value"]) - 1 - second.index, START_NS, PERIOD_NS)
                second.skip(int(record["value"]))
                continue
            checked = record["kind"] == TapeKind.DIGEST
            second.advance(due - second.index - (not checked), START_NS, PERIOD_NS)
            if record["kind"] == TapeKind.INPUT:
                second.post(*(record[name].item() for name in ("index", "value", "status", "source_ns")))
            elif record["kind"] == TapeKind.COMMAND:
                second.command(*(record[name].item() for name in ("op", "index", "value", "value2", "source_ns")))
            else:
                assert second.digest == int(record["source_ns"]) & (2**64 - 1)
        second.advance(first.index - second.index, START_NS, PERIOD_NS)
        assert second.digest == first.digest
        for mine, theirs in zip(first.values(), second.values(), strict=True):
            assert mine.tobytes() == theirs.tobytes()
