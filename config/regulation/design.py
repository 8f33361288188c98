"""From a group of loops to the numbers of the scan's predictor (kernels/mpc.pxd).

A disturbance of every process value, constant until something changes it, is added to the model, and the gain of the
Kalman filter in its steady state is found by iterating the Riccati equation. The errors at some moments of the future
and the moves are weighed against one another; blocks of moves are further apart the further ahead they are.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from config.regulation.model import LinearModel, LoopGroup

Matrix = NDArray[np.float64]

POINTS = 12
"""Moments of the future at which errors are weighed."""
RELAX = 1.6
"""Over-relaxation of the iteration; Stellato et al. (2020) recommend 1.6."""
STEP_SHARE = 0.3
"""Step size of the iteration as a share of the mean eigenvalue of the program (by trial on the shipped furnace)."""
RICCATI = 100_000
TOLERANCE = 1e-12


@dataclass(frozen=True)
class Design:
    """A predictor: sizes, weights and matrices, and the quadratic program that it solves."""

    states: int
    points: tuple[int, ...]
    blocks: tuple[int, ...]
    rho: float
    sigma: float
    numbers: Matrix
    """Points, then the matrices in the order of kernels/mpc.pxd."""
    hessian: Matrix
    """[moves, moves] of the program in the moves."""
    sums: Matrix
    """[moves, moves]: outputs after each block from the moves."""

    @property
    def sizes(self) -> dict[str, Any]:
        """What `kernels.mpc.Mpc` wants, beside channels, measured and iterations."""
        return {
            "states": self.states,
            "points": len(self.points),
            "blocks": len(self.blocks),
            "rho": self.rho,
            "sigma": self.sigma,
            "relax": RELAX,
            "numbers": self.numbers[len(self.points) :],
        }


def augmented(model: LinearModel) -> tuple[Matrix, Matrix]:
    """Return state and input matrix: process values of now and before, then a disturbance of each.

    Returns:
        a: [(order + 1) · measured, the same]
        b: [(order + 1) · measured, outputs]
    """
    q, order = len(model.measured), model.order
    n = (order + 1) * q
    a, b = np.zeros((n, n)), np.zeros((n, len(model.outputs)))
    a[:q, : order * q] = model.a
    a[:q, order * q :] = np.eye(q)
    a[q : order * q, : (order - 1) * q] = np.eye((order - 1) * q)
    a[order * q :, order * q :] = np.eye(q)
    b[:q] = model.b
    return a, b


def kalman_gain(a: Matrix, measured: int, noise: float, drift: float) -> Matrix:
    """Return the gain [states, measured] in the steady state.

    Raises:
        ValueError: the filter does not settle, since the model cannot be observed.
    """
    n = len(a)
    c = np.eye(measured, n)
    q = np.diag([(noise * 0.4) ** 2] * measured + [0.0] * (n - 2 * measured) + [drift**2] * measured)
    p = q.copy()
    for _ in range(RICCATI):
        gain = np.linalg.solve(c @ p @ c.T + noise**2 * np.eye(measured), c @ p).T
        following = a @ (p - gain @ c @ p) @ a.T + q
        if np.abs(following - p).max() <= TOLERANCE * np.abs(following).max():
            return np.asarray(gain, np.float64)
        p = following
    raise ValueError("the filter does not settle: the model cannot be observed")


def spread(last: int, count: int) -> tuple[int, ...]:
    """Return whole numbers from 1 to `last`, closer together at the start."""
    return tuple(sorted({round(float(x)) for x in np.geomspace(1, last, count)}))


def design(group: LoopGroup) -> Design:
    """Work out a group's predictor.

    Raises:
        ValueError: its model cannot be followed.
    """
    model, m = group.model, len(group.members)
    if model is None:
        raise ValueError(f"group {group.name} has no model")
    q = len(model.measured)
    a, b = augmented(model)
    gain = kalman_gain(a, q, group.noise, group.drift)
    ahead = max(4, round(group.horizon_s / model.sample_s))
    points = tuple(sorted({max(2, ahead * at // 100) for at in (4, 9, 13, 18, 22, 29, 36, 44, 56, 67, 83, 100)}))
    blocks = (0, *(at for at in spread(max(1, ahead // 4), max(1, group.moves - 1)) if at < points[-1]))
    blocks = blocks[: group.moves]
    free, steps = _responses(a, b, m, points[-1])
    nothing = np.zeros((m, m))
    moved = np.vstack([np.hstack([steps[at - block] if at > block else nothing for block in blocks]) for at in points])
    weights = np.repeat(np.diff((0, *points)) / points[-1], m)
    pull = moved.T * weights
    moves = len(blocks) * m
    hessian = pull @ moved + group.move_weight * np.eye(moves)
    sums = np.asarray(np.kron(np.tril(np.ones((len(blocks), len(blocks)))), np.eye(m)), np.float64)
    scale = float(np.trace(hessian)) / moves
    rho, sigma = STEP_SHARE * scale, 1e-6 * scale
    inverse = np.linalg.inv(hessian + (sigma + rho) * np.eye(moves) + rho * sums.T @ sums)
    parts = (
        points, model.measured, model.outputs, a, b, gain,
        np.vstack([free[at] for at in points]), np.vstack([steps[at] for at in points]), pull, inverse,
    )  # fmt: skip
    numbers = np.concatenate([np.asarray(part, np.float64).ravel() for part in parts])
    return Design(len(a), points, blocks, rho, sigma, numbers, hessian, sums)


def _responses(a: Matrix, b: Matrix, controlled: int, last: int) -> tuple[list[Matrix], list[Matrix]]:
    """Return, for each sample ahead, what the state and held outputs make of what is controlled."""
    free, held = [np.eye(len(a))[:controlled]], [np.zeros((controlled, b.shape[1]))]
    power, driven = np.eye(len(a)), np.zeros_like(b)
    for _ in range(last):
        driven = a @ driven + b
        power = a @ power
        free.append(power[:controlled])
        held.append(driven[:controlled].copy())
    return free, held
