"""A model from the record of a test in which outputs were moved: least squares of each process value's next sample."""

from datetime import date

import numpy as np
from numpy.typing import NDArray

from config.regulation.model import LinearModel, Provenance
from config.regulation.record import Record, RecordError

Matrix = NDArray[np.float64]

LEAST_SAMPLES_PER_NUMBER = 10
LEAST_MOVE = 0.5
"""Standard deviation of an output in the test, in its unit: less tells nothing."""
WORST_CONDITION = 1e8
DIGITS = 6


def identify(record: Record, *, tool: str, test: str, on: date, order: int = 1) -> LinearModel:
    """Fit a model.

    Args:
        record: at least 10 samples for each number of a row, with every output moved.
        tool: whose model this is.
        test: what was recorded.
        on: the day.
        order: samples of the past that it looks at.

    Raises:
        RecordError: too few samples, an output that stood still, outputs that moved only together, values
            that are no numbers, or a model whose process values grow without bound.
    """
    y, u = np.asarray(record.measured, np.float64), np.asarray(record.outputs, np.float64)
    _refuse(y, u, order)
    y0, u0 = y.mean(axis=0), u.mean(axis=0)
    past = [(y - y0)[order - 1 - i : len(y) - 1 - i] for i in range(order)]
    entry = np.hstack([*past, (u - u0)[order - 1 : -1], np.ones((len(y) - order, 1))])
    scale = entry.std(axis=0)
    scale[-1] = 1.0
    if np.linalg.cond(entry / scale) > WORST_CONDITION:
        raise RecordError("outputs moved only together: the test must move each by itself")
    law: Matrix = np.asarray(np.linalg.lstsq(entry / scale, (y - y0)[order:], rcond=None)[0], np.float64).T / scale
    q = y.shape[1]
    a, b = law[:, : order * q], law[:, order * q : -1]
    _refuse_growth(a, order)
    left = (y - y0)[order:] - entry @ law.T
    return LinearModel(
        sample_s=record.sample_s,
        measured=_rounded(y0),
        outputs=_rounded(u0),
        a=tuple(_rounded(row) for row in a),
        b=tuple(_rounded(row) for row in b),
        provenance=Provenance(
            identified=on,
            tool=tool,
            test=test,
            samples=len(y),
            one_step=float(f"{np.sqrt((left**2).mean()):.3g}"),
            simulated=float(f"{np.sqrt(((_simulated(law, y - y0, u - u0, order) - (y - y0)) ** 2).mean()):.3g}"),
        ),
    )


def _rounded(row: Matrix) -> tuple[float, ...]:
    return tuple(float(f"{x:.{DIGITS}g}") for x in row)


def _refuse(y: Matrix, u: Matrix, order: int) -> None:
    if y.ndim != 2 or u.ndim != 2 or len(y) != len(u):
        raise RecordError("a record has one row of process values and one of outputs for each sample")
    if not (np.isfinite(y).all() and np.isfinite(u).all()):
        raise RecordError("the record has values that are no numbers: repeat the test with working instruments")
    needed = LEAST_SAMPLES_PER_NUMBER * (order * y.shape[1] + u.shape[1] + 1)
    if len(y) < needed:
        raise RecordError(f"{len(y)} samples are too few: at least {needed}")
    for column, moved in enumerate(u.std(axis=0)):
        if moved < LEAST_MOVE:
            raise RecordError(f"output {column + 1} moved by {moved:.2g} only: the test must move every output")


def _refuse_growth(a: Matrix, order: int) -> None:
    q = len(a)
    whole = np.eye(order * q, k=-q)
    whole[:q] = a
    if (largest := float(np.abs(np.linalg.eigvals(whole)).max())) > 1.0:
        raise RecordError(f"the model grows by {largest:.6g} a sample: the test was too short or too small")


def _simulated(law: Matrix, y: Matrix, u: Matrix, order: int) -> Matrix:
    rows = [y[i] for i in range(order)]
    for k in range(order - 1, len(y) - 1):
        rows.append(law @ np.concatenate([*(rows[k - i] for i in range(order)), u[k], [1.0]]))
    return np.array(rows)
