"""Similarity flows onto a surface and the mass transfer through them: rotating disk and stagnation point.

Both profiles are solved once, when first asked for, by shooting with the classical fourth-order Runge–Kutta method;
mass transfer at any Schmidt number is then one quadrature over the stored profile.
"""

from functools import cache
from typing import NamedTuple

import cython
import numpy as np

from libc.math cimport erfc, exp, fabs, log, sqrt

from kernels.physics.constants cimport PI

cdef enum:
    STEPS = 4000  # of the stored profile

cdef double STEP = 0.005  # so that it reaches η = 20


class VonKarman(NamedTuple):
    """Wall values of the flow over a rotating disk."""

    radial_shear: float
    azimuthal_shear: float
    axial_inflow: float


class Homann(NamedTuple):
    """Wall values of the axisymmetric stagnation flow."""

    wall_shear: float
    displacement: float


cdef inline void disk_slope(const double* y, double* d) noexcept nogil:
    # F, F′, G, G′, H, ∫H (T. von Kármán, Z. angew. Math. Mech. 1, 233 (1921))
    d[0] = y[1]
    d[1] = y[0] * y[0] - y[2] * y[2] + y[4] * y[1]
    d[2] = y[3]
    d[3] = 2.0 * y[0] * y[2] + y[4] * y[3]
    d[4] = -2.0 * y[0]
    d[5] = y[4]


cdef inline void stagnation_slope(const double* y, double* d) noexcept nogil:
    # f, f′, f″, H = −2f, ∫H (F. Homann, Z. angew. Math. Mech. 16, 153 (1936))
    d[0] = y[1]
    d[1] = y[2]
    d[2] = y[1] * y[1] - 1.0 - 2.0 * y[0] * y[2]
    d[3] = 0.0
    d[4] = -2.0 * y[1]
    d[5] = -2.0 * y[0]


cdef void advance(bint disk, double* y, double h) noexcept nogil:
    cdef double k[4][6]
    cdef double at[6]
    cdef int i, stage
    for stage in range(4):
        for i in range(6):
            at[i] = y[i] + (0.0 if stage == 0 else (h if stage == 3 else 0.5 * h)) * (k[stage - 1][i] if stage else 0.0)
        if disk:
            disk_slope(at, k[stage])
        else:
            stagnation_slope(at, k[stage])
    for i in range(6):
        y[i] += h / 6.0 * (k[0][i] + 2.0 * k[1][i] + 2.0 * k[2][i] + k[3][i])


cdef void shoot(bint disk, double a, double b, double reach, double* y, double[:, ::1] kept) noexcept:
    cdef int i, j, steps = <int>(reach / STEP + 0.5)
    for j in range(6):
        y[j] = 0.0
    if disk:
        y[1], y[2], y[3] = a, 1.0, b
    else:
        y[2] = a
    for i in range(steps + 1):
        if kept is not None:
            for j in range(6):
                kept[i, j] = y[j]
        if i < steps:
            advance(disk, y, STEP)


cdef object solve(bint disk):
    # Wall values by Newton's method, the far boundary moved outwards step by step
    cdef double a = 0.51 if disk else 1.312, b = -0.616, d = 1e-7, det
    cdef double y[6]
    cdef double ya[6]
    cdef double yb[6]
    for reach in [3.0, 6.0, 9.0, 14.0, 20.0] if disk else [2.0, 4.0, 6.0]:
        for _ in range(12):
            shoot(disk, a, b, reach, y, None)
            shoot(disk, a + d, b, reach, ya, None)
            if not disk:
                step = (y[1] - 1.0) / ((ya[1] - y[1]) / d)
                a -= step
                if fabs(step) < 1e-14:
                    break
                continue
            shoot(disk, a, b + d, reach, yb, None)
            det = ((ya[0] - y[0]) * (yb[2] - y[2]) - (yb[0] - y[0]) * (ya[2] - y[2])) / (d * d)
            step = (y[0] * (yb[2] - y[2]) - y[2] * (yb[0] - y[0])) / d / det
            turn = (y[2] * (ya[0] - y[0]) - y[0] * (ya[2] - y[2])) / d / det
            a, b = a - step, b - turn
            if fabs(step) + fabs(turn) < 1e-14:
                break
    profile = np.empty((STEPS + 1, 6))
    cdef double[:, ::1] kept = profile
    shoot(disk, a, b, 20.0 if disk else 6.0, y, kept)
    return profile, a, b


@cache
def _disk():
    profile, a, b = solve(True)
    profile.flags.writeable = False
    return profile, VonKarman(a, b, float(profile[-1, 4]))


@cache
def _stagnation():
    profile, a, _b = solve(False)
    profile = profile[: int(6.0 / STEP + 0.5) + 1].copy()
    profile.flags.writeable = False
    return profile, Homann(a, float(6.0 - profile[-1, 0]))


def von_karman():
    """Return the wall values of the flow over an infinite rotating disk."""
    return _disk()[1]


def homann():
    """Return the wall values of the axisymmetric stagnation flow."""
    return _stagnation()[1]


def von_karman_profile(distances):
    """Return F, G and H at distances η = z·√(ω/ν)."""
    return _profile(distances, _disk()[0], (0, 2, 4), (None, None, float(_disk()[1].axial_inflow)))


def homann_profile(distances):
    """Return f and f′ at distances η = z·√(a/ν)."""
    eta = np.asarray(distances, np.float64)
    stream, velocity = _profile(distances, _stagnation()[0], (0, 1), (None, 1.0))
    return np.where(eta > 6.0, eta - _stagnation()[1].displacement, stream), velocity


@cython.wraparound(True)
def _profile(distances, profile, columns, far):
    eta = np.asarray(distances, np.float64)
    if not np.all(eta >= 0.0):
        raise ValueError("distances from the wall must not be negative")
    grid = np.arange(len(profile)) * STEP
    at = np.minimum(eta, grid[-1])
    i = np.minimum((at / STEP).astype(np.int64), len(grid) - 2)
    # Cubic Hermite between steps: slopes from central differences of fourth order
    t, found = (at - grid[i]) / STEP, []
    for column, limit in zip(columns, far, strict=True):
        y = profile[:, column]
        slope = np.gradient(y, STEP, edge_order=2)
        slope[2:-2] = (8.0 * (y[3:-1] - y[1:-3]) - (y[4:] - y[:-4])) / (12.0 * STEP)
        value = (y[i] * (1 + 2 * t) * (1 - t) ** 2 + y[i + 1] * t * t * (3 - 2 * t)
                 + STEP * (slope[i] * t * (1 - t) ** 2 - slope[i + 1] * t * t * (1 - t)))
        found.append(np.where(eta > grid[-1], 0.0 if limit is None else limit, value))
    return tuple(found)


cdef double inside(const double[:, ::1] profile, double eta) noexcept nogil:
    # ∫H from the wall to η: quintic Hermite within one step of the profile
    cdef int i = <int>(eta / STEP)
    if i > profile.shape[0] - 2:
        i = profile.shape[0] - 2
    cdef double t = eta / STEP - i, u = 1.0 - t, t3 = t * t * t, u3 = u * u * u
    return (profile[i, 5] * u3 * (1.0 + t * (3.0 + 6.0 * t)) + profile[i + 1, 5] * t3 * (1.0 + u * (3.0 + 6.0 * u))
            + STEP * (profile[i, 4] * t * u3 * (1.0 + 3.0 * t) - profile[i + 1, 4] * u * t3 * (1.0 + 3.0 * u))
            + 0.5 * STEP * STEP * (second(profile, i) * t * t * u3 + second(profile, i + 1) * u * u * t3))


cdef inline double second(const double[:, ::1] profile, int i) noexcept nogil:
    # dH/dη: −2F over the disk, −2f′ at the stagnation point, whose third column holds no swirl but f″
    return -2.0 * (profile[i, 0] if profile[0, 2] == 1.0 else profile[i, 1])


cdef double transfer(const double[:, ::1] profile, double schmidt) noexcept nogil:
    # −c′(0) = 1 / ∫ exp(Sc·∫H dη) dη
    cdef double[5] node, weight
    node[0], node[1], node[2] = 0.0, 0.5384693101056831, 0.9061798459386640
    weight[0], weight[1], weight[2] = 0.5688888888888889, 0.4786286704993665, 0.2369268850561891
    cdef double end = STEP * (profile.shape[0] - 1), low = 0.0, high = end, total = 0.0, width, middle, part, h
    cdef int i, _i, k, n = 60, last = profile.shape[0] - 1
    if schmidt * profile[last, 5] < -45.0:
        for _i in range(60):
            middle = 0.5 * (low + high)
            if schmidt * inside(profile, middle) < -45.0:
                high = middle
            else:
                low = middle
        end = high
    width = 0.5 * end / n
    for i in range(n):
        middle = width * (2 * i + 1)
        part = weight[0] * exp(schmidt * inside(profile, middle))
        for k in range(1, 3):
            part += weight[k] * (exp(schmidt * inside(profile, middle - width * node[k]))
                                 + exp(schmidt * inside(profile, middle + width * node[k])))
        total += width * part
    if high == STEP * last:
        # Beyond the profile: a constant inflow over the disk, one that grows linearly at the stagnation point
        h = -profile[last, 4]
        part = exp(schmidt * profile[last, 5])
        if profile[0, 2] == 1.0:
            total += part / (schmidt * h)
        else:
            # ∫ exp(−Sc·(h·s + s²)) ds = √(π/Sc)/2·exp(Sc·h²/4)·erfc(√Sc·h/2)
            middle = 0.5 * sqrt(schmidt) * h
            if middle < 5.0:
                total += part * 0.5 * sqrt(PI / schmidt) * exp(middle * middle) * erfc(middle)
            else:
                total += part / (schmidt * h) * (1.0 - 0.5 / (middle * middle))
    return 1.0 / total


cdef double checked(double schmidt) except? -1.0:
    if not (1e-6 <= schmidt <= 1e9):
        raise ValueError(f"schmidt must be 1e-6 … 1e9, is {schmidt:g}")
    return schmidt


def rotating_disk_sherwood(schmidt):
    """Return −c′(0) over a rotating disk."""
    return transfer(_disk()[0], checked(schmidt))


def stagnation_sherwood(schmidt):
    """Return −c′(0) at an axisymmetric stagnation point."""
    return transfer(_stagnation()[0], checked(schmidt))


cdef class TransferTable:
    """−c′(0) over ln Sc for code without the GIL; see similarity.pxd."""

    def __init__(self, flow):
        if flow not in ("rotating disk", "stagnation"):
            raise ValueError(f"flow is 'rotating disk' or 'stagnation', not {flow!r}")
        cdef const double[:, ::1] profile = (_disk() if flow == "rotating disk" else _stagnation())[0]
        cdef int i
        self.curve.low, self.curve.step = log(0.05), log(100.0 / 0.05) / (CURVE - 1)
        for i in range(CURVE):
            self.curve.value[i] = log(transfer(profile, exp(self.curve.low + i * self.curve.step)))

    def __call__(self, double schmidt):
        """Return −c′(0), or NaN outside of Sc 0.05 … 100."""
        return sherwood(&self.curve, schmidt)
