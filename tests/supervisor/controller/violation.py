"""Finds, for each interlock of a tool, readings that are its cause; and plays them into the compiled scan.

Nothing is written by hand: the readings are searched for over the limits of the tags and the numbers of the
expression, starting from a state in which no trip and no hold is present. So a row that is added to a tool's matrix
brings its own violating test.
"""

import sys
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from random import Random
from typing import Any

import numpy as np
from numpy.typing import NDArray

from config.gas_rules import LEAK_PASSED
from config.layout import Layout
from config.loading import load_tool, shipped, shipped_tool
from config.tool import InterlockClass, Tool
from kernels.image import Image
from kernels.scan import Scan
from kernels.tables import Command, ConditionState, Op, Status, SystemTag, TagKind
from supervisor.controller.compile import compile_tool
from supervisor.controller.scanning.evaluate import evaluate

TRIES = 4000
HITS = 40
"""Violations among which the one with the least side effects is taken: others must not act while a delay runs."""
PLAYED = 8
"""Of them so many are played until one is not stopped by another interlock before it acts."""
FRESH = 10
"""Scans between two postings of all inputs."""


@dataclass
class Moment:
    """Values of all tags, as `evaluate` wants them."""

    values: NDArray[np.float64]
    status: NDArray[np.uint32]


class Search:
    """Looks for readings of one tool."""

    def __init__(self, tool: Tool) -> None:
        self.tool, self.layout = tool, Layout(tool)
        self.tables = compile_tool(tool).tables
        self.kinds = self.tables.tags["kind"]
        self.computed = [index for index, kind in enumerate(self.kinds) if kind == TagKind.COMPUTED]
        for tag in self.computed:
            if any(op == Op.TAG and arg == tag for op, arg, *_ in self.code(self._expression(tag)).tolist()):
                self.tables.tags["initial"][tag] = 0.0  # what a tag remembers of gas is that it was purged
        if LEAK_PASSED in self.layout.index:
            self.tables.tags["initial"][self.layout.index[LEAK_PASSED]] = 1.0  # and the chamber was found tight
        self.rng = Random(1)

    def _expression(self, tag: int) -> int:
        return int(self.tables.tags["expression"][tag])

    def code(self, expression: int) -> NDArray[Any]:
        row = self.tables.expressions[expression]
        return self.tables.code[int(row["start"]) : int(row["start"]) + int(row["length"])]

    def causes(self, values: NDArray[np.float64], conditions: Iterable[int]) -> list[int]:
        """Return the conditions whose causes are there."""
        moment = Moment(values.copy(), np.zeros(len(values), np.uint32))
        for tag in self.computed:
            value, q = evaluate(self.code(self._expression(tag)), moment)  # type: ignore[arg-type]
            moment.values[tag], moment.status[tag] = value, 0x80000000 if q == 2 else 0
        rows = self.tables.conditions["expression"]
        return [one for one in conditions if self._holds(moment, self.code(int(rows[one])))]

    @staticmethod
    def _holds(moment: Moment, code: NDArray[Any]) -> bool:
        value, q = evaluate(code, moment)  # type: ignore[arg-type]
        return q > 0 or value != 0

    def leaves(self, condition: int) -> dict[int, list[float]]:
        """Tags that a condition depends on, each with values worth trying."""
        numbers, found, left = set[float](), set[int](), [int(self.tables.conditions["expression"][condition])]
        while left:
            for op, arg, _, _, value, _ in self.code(left.pop()).tolist():
                if op == Op.CONST:
                    numbers.add(value)
                elif op in {Op.TAG, Op.IS_GOOD, Op.IS_BAD}:
                    if arg not in found and self.kinds[arg] == TagKind.COMPUTED:
                        left.append(self._expression(arg))
                    found.add(arg)
        return {tag: self._worth(tag, numbers) for tag in sorted(found) if self.kinds[tag] != TagKind.COMPUTED}

    def _worth(self, tag: int, numbers: set[float]) -> list[float]:
        if tag < len(SystemTag):
            return [0.0]
        declared = self.layout.declared[self.layout.tags[tag]]
        if declared.states:
            return [float(state) for state in range(len(declared.states))]
        low, high = max(declared.low, -1e6), min(declared.high, 1e6)
        near = [number * factor for number in numbers for factor in (0.5, 0.9, 0.98, 1.0, 1.02, 1.1, 2.0)]
        spread = [low + (high - low) * part for part in (0.0, 0.02, 0.1, 0.3, 0.5, 0.7, 0.9, 1.0)]
        return [value for value in (*near, *spread) if low <= value <= high]

    @cached_property
    def interlocks(self) -> list[int]:
        return list(range(len(self.tool.interlocks)))

    @cached_property
    def quiet(self) -> NDArray[np.float64]:
        """Readings in which as few causes as possible are there, and none of a trip or hold."""
        tags = self.tables.tags
        values = np.where(self.kinds == TagKind.OUTPUT, tags["safe"], np.clip(0.0, tags["low"], tags["high"]))
        values = np.where(self.kinds == TagKind.SETPOINT, tags["initial"], values)
        there = self.causes(values, self.interlocks)
        tried = 0
        while there and tried < TRIES:
            tried += 1
            options = self.leaves(self.rng.choice(there))
            new = values.copy()
            for tag in self.rng.sample(sorted(options), min(len(options), self.rng.randint(1, 3))):
                if self.kinds[tag] == TagKind.INPUT:
                    new[tag] = self.rng.choice(options[tag])
            after = self.causes(new, self.interlocks)
            if self._weight(after) <= self._weight(there):
                values, there = new, after
        return values

    @cached_property
    def restless(self) -> set[int]:
        """Permissives that are in force even in the quiet tool."""
        return set(self.causes(self.quiet, self.interlocks))

    def _weight(self, conditions: list[int]) -> int:
        return sum(1 if self.tool.interlocks[one].cls is InterlockClass.PERMISSIVE else 10 for one in conditions)

    def violations(self, condition: int) -> list[NDArray[np.float64]]:
        """Return readings and set values that are the cause of a condition, those with the least side effects first."""
        options, found = self.leaves(condition), list[tuple[int, int, NDArray[np.float64]]]()
        for attempt in range(TRIES):
            new = self.quiet.copy()
            for tag in self.rng.sample(sorted(options), min(len(options), 1 + attempt % 5)):
                new[tag] = self.rng.choice(options[tag])
            if not self.causes(new, [condition]):
                continue
            moved = sum(self.kinds[tag] == TagKind.OUTPUT and new[tag] != self.quiet[tag] for tag in options)
            others = self._weight([one for one in self.causes(new, self.interlocks) if one not in self.restless])
            found.append((100 * others + moved, len(found), new))
            if len(found) >= HITS or (others <= self._weight([condition]) and not moved):
                break
        # The best of each way to move outputs and set points first: one of them may be gated by another interlock.
        written = [tag for tag in options if self.kinds[tag] != TagKind.INPUT]
        ways: dict[tuple[float, ...], int] = {}
        ranked: list[tuple[int, int, int, NDArray[np.float64]]] = []
        for weight, number, values in sorted(found, key=lambda one: one[:2]):
            way = tuple(values[written].tolist())
            ways[way] = ways.get(way, -1) + 1
            ranked.append((ways[way], weight, number, values))
        return [values for *_, values in sorted(ranked, key=lambda one: one[:3])[:PLAYED]]


@dataclass(frozen=True)
class Played:
    """What happened when a cause was played."""

    quiet_before: bool
    active: bool
    """It became active in the scan in which its delay was over."""
    outputs: dict[str, tuple[float, float]]
    """Each output with an effect in force: what it is, and what it has to be."""


def play(search: Search, condition: int, values: NDArray[np.float64], *, delay: int | None = None) -> Played:
    """Arm the quiet tool, move outputs and set points as the cause needs them, then let the instruments say it."""
    tables, kinds = search.tables, search.kinds
    image = Image.create(tags=len(tables.tags), conditions=len(tables.conditions), flight_rows=4, log_rows=4)
    scan = Scan(tables, image)
    inputs = np.flatnonzero(kinds == TagKind.INPUT).astype(np.int32)
    none, source = np.zeros(len(inputs), np.uint32), np.zeros(len(inputs), np.int64)

    def run(of: NDArray[np.float64], scans: int) -> None:
        for start in range(0, scans, FRESH):
            scan.post_many(inputs, np.ascontiguousarray(of[inputs]), none, source)
            scan.advance(min(FRESH, scans - start), 0, 1000)

    delays = tables.conditions
    run(search.quiet, int(delays["off_delay"].max()) + 2)
    for one in range(len(delays)):
        scan.command(Command.RESET, one)
        run(search.quiet, 1)
    scan.command(Command.ARM)
    run(search.quiet, 1)
    before = int(image.snapshot().conditions["state"][condition])
    moved = np.flatnonzero(np.isin(kinds, [TagKind.OUTPUT, TagKind.SETPOINT]) & (values != search.quiet)).tolist()
    for tag in moved:
        scan.command(Command.WRITE, tag, float(values[tag]))
    # Other outputs with an effect stand where it will put them; forced there, their status tells whether it acts.
    for effect in search.tool.interlocks[condition].effects:
        if search.layout.index[effect.output] not in moved:
            scan.command(Command.FORCE, search.layout.index[effect.output], effect.value)
    run(search.quiet, 1)
    lasted, delay = 0, int(delays["on_delay"][condition]) if delay is None else delay
    state = image.snapshot().conditions["state"]
    for _ in range(delay + 2):
        lasted = lasted + 1 if int(state[condition]) & ConditionState.RAW else 0
        if int(state[condition]) & ConditionState.ACTIVE:
            break
        run(values, 1)
        state = image.snapshot().conditions["state"]
    snapshot = image.snapshot()
    wanted: dict[int, float] = {}
    for one, row in enumerate(search.tool.interlocks):
        if int(state[one]) & (ConditionState.ACTIVE | ConditionState.LATCHED):
            for effect in row.effects:
                wanted.setdefault(search.layout.index[effect.output], effect.value)
    found = {
        search.layout.tags[tag]: (float(snapshot.values[tag]) if snapshot.status[tag] == Status.GOOD else np.nan, value)
        for tag, value in wanted.items()
    }
    image.close()
    return Played(
        quiet_before=not before & ConditionState.ACTIVE,
        active=bool(int(state[condition]) & ConditionState.ACTIVE) and lasted in {delay, delay + 1},
        outputs=found,
    )


def complaint(search: Search, condition: int) -> str:
    """Violate an interlock; return an empty string when it acted as declared, with each of its effects."""
    row = search.tool.interlocks[condition]
    tried = search.violations(condition)
    if not tried:
        return f"{row.name}: no readings found that are its cause: {row.when}"
    said = ""
    for values in tried:
        played = play(search, condition, values)
        wrong = {name: pair for name, pair in played.outputs.items() if pair[0] != pair[1]}
        missing = {effect.output for effect in row.effects} - set(played.outputs)
        at_rest = condition in search.restless
        if played.active and (played.quiet_before or at_rest) and not wrong and not missing:
            return ""
        said = f"{row.name}: active {played.active}, quiet before {played.quiet_before}, {wrong}, {sorted(missing)}"
        if played.active and (wrong or missing):
            break
    return said


def main() -> int:
    """Violate every interlock of the tools that are named, or of all shipped ones."""
    wrong = 0
    for name in sys.argv[1:] or shipped("tools", ".toml"):
        search = Search(load_tool(shipped_tool(name)))
        told = [one for one in (complaint(search, row) for row in search.interlocks) if one]
        print(f"{name}: {len(search.interlocks) - len(told)} of {len(search.interlocks)} interlocks", *told, sep="\n  ")
        wrong += len(told)
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
