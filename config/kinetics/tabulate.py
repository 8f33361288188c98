"""From a plan to a table: every point, held-out points, and a finer grid until the error is what was asked."""

import itertools
import random
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from config.kinetics.mechanism import Mechanism, Point
from config.kinetics.plan import POINTS, Grid, KineticsError, Plan
from kernels.lookup import Axis, Table

SMALL = 1e-3
"""Errors are relative to the value, or to this share of the output's largest value where it is less."""


def tabulate(plan: Plan, tell: Callable[[str], None] = lambda _line: None) -> Table:
    """Work a mechanism out over a plan.

    The axis along which interpolation errs most is refined until the largest error at the held-out points is within
    the plan's tolerance. `about` of the table holds what was measured, output by output.

    Args:
        plan: what to tabulate.
        tell: is told how it goes, a line at a time.

    Raises:
        KineticsError: a plan or mechanism at fault, or a tolerance that no table of 200 000 points keeps.
    """
    if faults := plan.faults():
        raise KineticsError("; ".join(faults))
    mechanism = Mechanism(plan)
    known = dict[tuple[float, ...], dict[str, float]]()
    grids = {"temperature": plan.temperature, "pressure": plan.pressure, **plan.fractions}

    def evaluate(point: Point) -> dict[str, float]:
        key = tuple(point.values())
        if key not in known:
            known[key] = mechanism.evaluate(point)
        return known[key]

    held = _held_out(grids, plan)
    while True:
        table = _build(grids, evaluate)
        errors, scale = _errors(table, held, evaluate)
        worst = max(errors.values())
        points = _size(grids)
        tell(f"{points} points: largest error {worst:.2e} at {len(held)} held-out points")
        if worst <= plan.tolerance:
            about = {
                "mechanism": str(plan.mechanism), "surface": plan.surface, "cantera": mechanism.version,
                "base": plan.base, "residence_s": plan.residence_s, "seed": plan.seed, "held_out": len(held),
                "tolerance": plan.tolerance, "error": errors, "largest": scale,
                "error_is": f"largest of |table − mechanism| / max(|mechanism|, {SMALL:g}·largest)",
            }  # fmt: skip
            return Table(table.axes, table.outputs, table.values, about)
        axis = _weakest(grids, table, evaluate, scale)
        grids = grids | {axis: grids[axis].finer()}
        if _size(grids) > POINTS:
            raise KineticsError(
                f"{points} points keep {worst:.1e}, not {plan.tolerance:g}: narrow the ranges or allow a larger error"
            )


def _size(grids: dict[str, Grid]) -> int:
    size = 1
    for grid in grids.values():
        size *= grid.count
    return size


def _scale(name: str) -> str:
    return "reciprocal" if name == "temperature" else "log"


def _build(grids: dict[str, Grid], evaluate: Callable[[Point], dict[str, float]]) -> Table:
    axes = [Axis(name, grid.values(_scale(name)), _scale(name)) for name, grid in grids.items()]
    rows = [evaluate(dict(zip(grids, at, strict=True))) for at in itertools.product(*(axis.values for axis in axes))]
    outputs = list(rows[0])
    values = np.array([[row[name] for name in outputs] for row in rows])
    return Table(axes, outputs, values.reshape(*(len(axis.values) for axis in axes), len(outputs)))


def _held_out(grids: dict[str, Grid], plan: Plan) -> list[Point]:
    """Points evenly spread in the axes' own coordinates, by a seeded Latin hypercube."""
    dice = random.Random(plan.seed)  # noqa: S311 - a design of experiments
    columns = dict[str, list[float]]()
    for name, grid in grids.items():
        places = [(i + dice.random()) / plan.held_out for i in range(plan.held_out)]
        dice.shuffle(places)
        columns[name] = [_between(grid, _scale(name), place) for place in places]
    return [{name: columns[name][i] for name in grids} for i in range(plan.held_out)]


def _between(grid: Grid, scale: str, place: float) -> float:
    if grid.count == 1:
        return grid.low
    if scale == "log":
        return grid.low * (grid.high / grid.low) ** place
    return 1.0 / (1.0 / grid.low + place * (1.0 / grid.high - 1.0 / grid.low))


def _errors(
    table: Table, held: list[Point], evaluate: Callable[[Point], dict[str, float]]
) -> tuple[dict[str, float], dict[str, float]]:
    exact = [evaluate(point) for point in held]
    found = [table(**point) for point in held]
    largest = {name: max(abs(row[name]) for row in exact) for name in table.outputs}
    errors = {
        name: max(
            abs(got[name] - want[name]) / max(abs(want[name]), SMALL * largest[name], 1e-300)
            for got, want in zip(found, exact, strict=True)
        )
        for name in table.outputs
    }
    return errors, largest


def _weakest(
    grids: dict[str, Grid], table: Table, evaluate: Callable[[Point], dict[str, float]], largest: dict[str, float]
) -> str:
    """The axis along which the middles between points err most, on lines through the middle of the table."""
    middle = {name: grid.values(_scale(name))[grid.count // 2] for name, grid in grids.items()}
    found = dict[str, float]()
    for name, grid in grids.items():
        if grid.count == 1:
            continue
        fine = replace(grid, count=2 * grid.count - 1).values(_scale(name))[1::2]
        found[name] = 0.0
        for value in fine:
            point = middle | {name: value}
            want, got = evaluate(point), table(**point)
            for output in table.outputs:
                floor = max(abs(want[output]), SMALL * largest[output], 1e-300)
                found[name] = max(found[name], abs(got[output] - want[output]) / floor)
    return max(found, key=lambda name: (found[name], -grids[name].count))
