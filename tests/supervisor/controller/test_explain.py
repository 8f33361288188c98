"""Why not: each link of the chain says what the scan itself found, voters and conditions of a reset included."""

from collections.abc import Iterator
from random import Random

import numpy as np
import pytest

from config.layout import Layout
from config.loading import load_tool, shipped_tool
from config.tool import Tool, Vote
from kernels.image import Image
from kernels.scan import Scan
from kernels.tables import Command, ConditionFlag, ConditionState, Op, Refusal, TagKind
from supervisor.controller.compile import compile_tool
from supervisor.controller.scanning.evaluate import evaluate
from supervisor.controller.scanning.explain import Explainer
from supervisor.controller.scanning.scanner import View
from tests.kernels.strategies import case, story

BAD = 0x80310000
INTERLOCK = "zone1_overtemperature"
ZONE, SPIKE, BOAT = "heater.zone1.temperature_c", "heater.zone1.spike_c", "heater.boat_c"


class Bench:
    """The furnace's scan with inputs by hand."""

    def __init__(self, tool: Tool) -> None:
        self.compiled = compile_tool(tool)
        tables = self.compiled.tables
        self.layout = Layout(tool)
        self.image = Image.create(tags=len(tables.tags), conditions=len(tables.conditions), flight_rows=4, log_rows=4)
        self.scan = Scan(tables, self.image)

    def post(self, status: int = 0, **values: float) -> None:
        for name, value in values.items():
            self.scan.post(self.layout.index[name.replace("__", ".")], value, status, 0)

    def run(self, scans: int = 1) -> Explainer:
        self.scan.advance(scans, 0, 1000)
        return Explainer(View(self.layout, self.compiled.tables, self.image.snapshot()))

    def quiet(self) -> None:
        """Post a plausible value for every input, furnace at idle."""
        for name, tag in self.layout.declared.items():
            if tag.kind.value == "input":
                self.scan.post(self.layout.index[name], 20.0 if tag.unit == "°C" else max(tag.low, 0.0), 0, 0)


def furnace(**changed: object) -> Tool:
    """The shipped furnace with another over-temperature interlock of zone 1."""
    tool = load_tool(shipped_tool("lpcvd_furnace"))
    rows = [
        row.model_validate(row.model_dump(by_alias=True, exclude={"when"}) | changed) if row.name == INTERLOCK else row
        for row in tool.interlocks
    ]
    return tool.model_copy(update={"interlocks": tuple(rows)})


@pytest.fixture
def bench() -> Iterator[Bench]:
    """Two out of three thermocouples, and a reset only below 300 °C."""
    causes = (f"{ZONE} > 950 °C", f"{SPIKE} > 1050 °C", f"{BOAT} > 950 °C")
    made = Bench(furnace(vote=Vote.TWO_OUT_OF_THREE, causes=causes, on_delay_s=0.0, reset_when=f"{BOAT} < 300 °C"))
    yield made
    made.image.close()


def test_each_voter_is_told_with_its_value_and_what_an_unknown_one_makes_of_the_vote(bench: Bench) -> None:
    bench.quiet()
    index = bench.layout.condition_index[INTERLOCK]
    bench.post(heater__zone1__temperature_c=960.0)
    links = bench.run().links(index)
    assert links[2] == "vote 2oo3: 1 of 3 causes vote, 2 make the cause"
    assert links[3] == f"cause {ZONE} > 950 °C: present [{ZONE} = 960 °C]"
    assert links[4] == f"cause {SPIKE} > 1050 °C: not there [{SPIKE} = 20 °C]"
    bench.post(BAD, heater__zone1__spike_c=20.0)
    explainer = bench.run()
    links = explainer.links(index)
    assert links[0].startswith(f"trip {INTERLOCK}")
    assert links[2] == "vote 2oo3: 2 of 3 causes vote, 2 make the cause, degraded: 1oo2"
    assert "unknown, which is a vote to trip" in links[4]
    assert explainer.view.in_force(index)


def test_a_reset_that_waits_for_its_condition_says_for_which(bench: Bench) -> None:
    bench.quiet()
    index = bench.layout.condition_index[INTERLOCK]
    bench.post(heater__zone1__temperature_c=960.0, heater__boat_c=960.0)
    bench.run()
    bench.post(heater__zone1__temperature_c=20.0, heater__boat_c=400.0)
    explainer = bench.run()
    assert explainer.reset_waits(index) == f"{BOAT} < 300 °C [{BOAT} = 400 °C]"
    assert f"it waits for {BOAT} < 300 °C" in explainer.condition(index)
    bench.scan.command(Command.RESET, index)
    bench.run()
    assert bench.scan.events()["b"].tolist()[-1] == Refusal.CONDITION_ACTIVE
    bench.post(heater__boat_c=200.0)
    bench.scan.command(Command.RESET, index)
    explainer = bench.run()
    assert explainer.reset_waits(index) == ""
    assert not explainer.view.state(index) & ConditionState.LATCHED


def test_the_words_and_the_scan_never_disagree_about_a_cause() -> None:
    """Over random tools and readings the explanation finds the same value, RAW and UNKNOWN as the scan."""
    seen = 0
    for seed in range(6):
        rng = Random(seed)
        drawn = case(rng)
        tables = drawn.tables
        image = Image.create(tags=len(tables.tags), conditions=len(tables.conditions), flight_rows=4, log_rows=4)
        scan = Scan(tables, image)
        for slot in range(2):
            scan.load(slot, drawn.programs[slot])
        for moment in story(rng, drawn, 40):
            for posting in moment.postings:
                scan.post(*posting)
            earlier = image.snapshot()
            before, values = earlier.conditions["state"].copy(), earlier.values.copy()
            scan.advance(1, 0, 1000)
            snapshot = image.snapshot()
            for index, row in enumerate(tables.conditions):
                expression = tables.expressions[int(row["expression"])]
                code = tables.code[int(expression["start"]) : int(expression["start"]) + int(expression["length"])]
                if (code["op"] == Op.RATE).any():
                    continue
                reads = code["arg"][np.isin(code["op"], [Op.TAG, Op.IS_GOOD, Op.IS_BAD])]
                late = reads[~np.isin(tables.tags["kind"][reads], [TagKind.INPUT, TagKind.COMPUTED])]
                if not np.array_equal(values[late], snapshot.values[late], equal_nan=True):
                    continue  # set points, outputs and the scan's own change later in the scan
                limit = 2 if int(row["flags"]) & ConditionFlag.ACCEPT_UNCERTAIN else 1
                active = bool(int(before[index]) & ConditionState.ACTIVE)
                value, q = evaluate(code, snapshot, limit=limit, active=active)
                state = int(snapshot.conditions["state"][index])
                assert bool(state & ConditionState.UNKNOWN) == (q >= limit)
                assert bool(state & ConditionState.RAW) == (q >= limit or value != 0)
                seen += 1
        image.close()
    assert seen > 100
