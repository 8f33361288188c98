# cython: wraparound=True
"""How well a film follows a trench or a via, and how much gas passes a tube or a slot. Lengths in widths."""

import math
from typing import NamedTuple

import numpy as np

from kernels.physics.feature cimport (
    BOTTOM,
    MOST_NODES,
    OPENING,
    Panels,
    QUADRATURE,
    TRENCH,
    VIA,
    WALL,
    assemble,
    basis,
    exposed,
    parallel,
    steady_flux,
    weigh,
)

LONGEST = 1e4
SHORTEST = 1e-9
_SHAPES = {"trench": TRENCH, "via": VIA}
_POINTS, _WEIGHTS = (0.5 * a for a in np.polynomial.legendre.leggauss(QUADRATURE))
_POINTS += 0.5


class Profile(NamedTuple):
    """A quantity along the wall of a feature, the bottom last."""

    depth: np.ndarray
    flux: np.ndarray


def _graded(double length, double first, double widest=math.inf):
    # panels that double in length from 0 on, none wider than `widest`
    edges = [0.0]
    cdef double step = first
    while edges[-1] + 1.5 * step < length:
        edges.append(edges[-1] + step)
        step = min(2.0 * step, widest)
    return [*edges, length]


cdef class _Feature:
    """Panels of one feature, and the weights of its integral equation."""

    cdef Panels panels
    cdef readonly object direct, factors
    cdef object _kept
    cdef public int size

    def __init__(self, str geometry, double depth, bint closed, int nodes, double first, double widest=math.inf):
        cdef double small = min(1.0, depth)
        half = 0.5 * depth
        low = _graded(half, first * small if closed else 0.25 * small, widest)
        high = [depth - edge for edge in _graded(half, 0.25 * small, widest)][::-1]
        floor = _graded(0.5, first * small) if closed else [0.0]
        edges = [*low, *high[1:]]
        start = np.array([*edges[:-1], *floor[:-1]])
        length = np.array([*np.diff(edges), *np.diff(floor)])
        surface = np.array([WALL] * (len(edges) - 1) + [BOTTOM] * (len(floor) - 1), np.int32)
        gauss = 0.5 + 0.5 * np.polynomial.legendre.leggauss(nodes)[0]
        barycentric = np.array([1.0 / np.prod(g - np.delete(gauss, i)) for i, g in enumerate(gauss)])
        self._kept = [start, length, surface, gauss, barycentric]
        cdef double[::1] starts = start, lengths = length, gausses = gauss, bary = barycentric
        cdef double[::1] points = _POINTS, weights = _WEIGHTS
        cdef int[::1] surfaces = surface
        self.panels = Panels(
            _SHAPES[geometry], depth, nodes, len(start), &starts[0], &lengths[0], &surfaces[0], &gausses[0], &bary[0],
            &points[0], &weights[0],
        )
        self.size = len(start) * nodes
        self.direct, self.factors = np.empty(self.size), np.empty((self.size, self.size))
        cdef double[::1] direct = self.direct
        cdef double[:, ::1] factors = self.factors
        with nogil:
            assemble(&self.panels, closed, &direct[0], &factors[0, 0])

    def steady(self, double sticking):
        """Flux at the nodes for one sticking everywhere."""
        flux, matrix, order = np.empty(self.size), np.empty((self.size, self.size)), np.empty(self.size, np.int32)
        cdef double[::1] out = flux, direct = self.direct
        cdef double[:, ::1] work = matrix, factors = self.factors
        cdef int[::1] pivots = order
        cdef int failed
        with nogil:
            failed = steady_flux(self.size, &direct[0], &factors[0, 0], 1.0 - sticking, &out[0], &work[0, 0],
                                 &pivots[0])
        if failed:
            raise ArithmeticError("the flux in this feature has no finite solution")
        return flux

    def doses(self, double sticking, double wanted, double exposure):
        """Impingements per site at the nodes, and the exposure of a flat surface that it takes."""
        dose, matrix, order = np.empty(self.size), np.empty((self.size, self.size)), np.empty(self.size, np.int32)
        cdef double[::1] out = dose, direct = self.direct, spare = np.empty(3 * self.size)
        cdef double[:, ::1] work = matrix, factors = self.factors
        cdef int[::1] pivots = order
        cdef int iterations
        with nogil:
            iterations = exposed(self.size, &direct[0], &factors[0, 0], sticking, wanted, &out[0], &exposure,
                                 &spare[0], &work[0, 0], &pivots[0])
        if iterations < 0:
            raise ArithmeticError("the coverage in this feature could not be solved")
        return dose, exposure

    def most(self):
        """Exposure that walls which take every molecule up once withhold from the least reached place."""
        return float(np.linalg.solve(np.eye(self.size) - self.factors, 1.0 - self.direct).max())

    def through(self, emitted):
        """Mean flux on the far end: from the opening, and from walls that emit this at the nodes."""
        row = np.empty(self.size)
        cdef double[::1] out = row
        weigh(&self.panels, OPENING, 0.0, &out[0])
        return parallel(self.panels.shape, self.panels.depth) + float(row @ emitted)

    def over_bottom(self, values):
        """Mean of values over the area of the bottom."""
        x, weights = [], []
        gauss, share = np.polynomial.legendre.leggauss(self.panels.nodes)
        for k in range(self.panels.count):
            if self.panels.surface[k] == BOTTOM:
                x.append(self.panels.start[k] + 0.5 * self.panels.length[k] * (1.0 + gauss))
                weights.append(share * self.panels.length[k])
        x, weights = np.concatenate(x), np.concatenate(weights)
        # x is the distance from the wall: rings of a disc have the radius ½ − x
        weights = weights if self.panels.shape == TRENCH else weights * (0.5 - x)
        return float(values[-len(x):] @ weights / weights.sum())

    def along(self, values, heights):
        """Values of the wall at heights, by the polynomials of their panels."""
        cdef double held[MOST_NODES]
        cdef const double[::1] at = heights, known = values
        cdef double total
        cdef int k = 0, i, j
        found = np.empty(len(heights))
        cdef double[::1] out = found
        for i in range(at.shape[0]):
            k = 0
            while k + 1 < self.panels.count and self.panels.surface[k + 1] == WALL and (
                at[i] > self.panels.start[k] + self.panels.length[k]
            ):
                k += 1
            basis(&self.panels, (at[i] - self.panels.start[k]) / self.panels.length[k], held)
            total = 0.0
            for j in range(self.panels.nodes):
                total += held[j] * known[k * self.panels.nodes + j]
            out[i] = total
        return found


def _ratio(name, value):
    number = float(value)
    if not SHORTEST <= number <= LONGEST:
        raise ValueError(f"{name} must be {SHORTEST:g} … {LONGEST:g}, is {number:g}")
    return number


def _share(name, value, low):
    number = float(value)
    if not low <= number <= 1.0:
        raise ValueError(f"{name} must be {low:g} … 1, is {number:g}")
    return number


def _shape(geometry):
    if geometry not in _SHAPES:
        raise ValueError(f"geometry must be trench or via, is {geometry!r}")
    return geometry


def _grid(cells):
    if not 1 <= int(cells) <= 100_000 or int(cells) != cells:
        raise ValueError(f"cells must be a whole number 1 … 100000, is {cells!r}")
    return int(cells)


def _transmission(shape, length):
    if length < SHORTEST:
        return 1.0 - length / (2.0 if shape == "trench" else 1.0)
    # Long tubes need panels of a share of their length: without a limit the error is 3e-6 at 1e4 radii
    feature = _Feature(shape, length, False, 8, 0.25, max(1.0, length / 50.0))
    return feature.through(feature.steady(0.0))


def clausing_transmission(length_over_radius):
    """Return the share of molecules that passes a round tube in free molecular flow."""
    cdef double ratio = length_over_radius
    if not 0.0 <= ratio <= LONGEST:
        raise ValueError(f"length_over_radius must be 0 … {LONGEST:g}, is {ratio:g}")
    return _transmission("via", 0.5 * ratio)


def clausing_transmission_slot(length_over_width):
    """Return the share of molecules that passes an endless slot in free molecular flow."""
    cdef double ratio = length_over_width
    if not 0.0 <= ratio <= LONGEST:
        raise ValueError(f"length_over_width must be 0 … {LONGEST:g}, is {ratio:g}")
    return _transmission("trench", ratio)


def ballistic_profile(sticking, aspect_ratio, geometry="trench", cells=100):
    """Return the flux along the wall of a feature, the mean over its bottom last, by free flight."""
    cdef double beta = _share("sticking", sticking, 0.0), depth = _ratio("aspect_ratio", aspect_ratio)
    number = _grid(cells)
    middles = (np.arange(number) + 0.5) / number
    feature = _Feature(_shape(geometry), depth, True, 8, 0.02)
    flux = feature.steady(beta)
    wall = feature.along(flux, depth * (1.0 - middles))
    return Profile(np.append(middles, 1.0), np.append(wall, feature.through((1.0 - beta) * flux)))


def bottom_flux(sticking, aspect_ratio, geometry="trench"):
    """Return the mean flux on the bottom of a feature over that on its opening, by free flight."""
    cdef double beta = _share("sticking", sticking, 0.0), depth = _ratio("aspect_ratio", aspect_ratio)
    feature = _Feature(_shape(geometry), depth, True, 8, 0.02)
    return feature.through((1.0 - beta) * feature.steady(beta))


def diffusion_profile(sticking, aspect_ratio, geometry="trench", cells=100, width_over_mean_free_path=0.0):
    """Return the concentration along a feature over that at its opening, by Knudsen diffusion."""
    cdef double beta = _share("sticking", sticking, 0.0), depth = _ratio("aspect_ratio", aspect_ratio)
    cdef double gas = width_over_mean_free_path
    if not 0.0 <= gas < math.inf:
        raise ValueError(f"width_over_mean_free_path must be finite and not negative, is {gas:g}")
    if _shape(geometry) == "trench":
        # of the hydraulic diameter, 4·area/perimeter: two widths
        depth *= 0.5
        gas *= 2.0
    places = np.linspace(0.0, 1.0, _grid(cells) + 1)
    phi = math.sqrt(3.0 * beta * (1.0 + gas)) * depth
    sink = 0.75 * beta * (1.0 + gas) * depth
    left = phi * (1.0 - places)
    slope = sink / phi if phi > 0.0 else 0.0
    # cosh and sinh over exp(φ), which overflows in deep features
    up, down = np.exp(left - phi), np.exp(-left - phi)
    above = (up + down) + slope * (up - down)
    below = (1.0 + math.exp(-2.0 * phi)) + slope * (1.0 - math.exp(-2.0 * phi))
    return Profile(places, above / below)


def ald_saturation_exposure(sticking, aspect_ratio, geometry="trench", coverage=0.95):
    """Return the exposure after which every place of a feature is covered so far."""
    cdef double beta = _share("sticking", sticking, 1e-9), depth = _ratio("aspect_ratio", aspect_ratio)
    cdef double share = coverage
    if not 0.0 < share < 1.0:
        raise ValueError(f"coverage must be above 0 and below 1, is {share:g}")
    feature = _Feature(_shape(geometry), depth, True, 6 if depth < 300.0 else 8, 0.02)
    wanted = -math.log1p(-share) / beta
    try:
        return feature.doses(beta, wanted, 0.0)[1]
    except ArithmeticError:
        return _bracketed(feature, beta, wanted)


def _bracketed(feature, double beta, double wanted):
    # By halving, where Newton's iteration on both exposure and coverage circles: low coverage of deep features, whose
    # front is thin. At full coverage everywhere a feature needs the most.
    low, high = wanted, wanted + feature.most()
    while high - low > 1e-7 * high:
        middle = 0.5 * (low + high)
        if feature.doses(beta, 0.0, middle)[0].min() < wanted:
            low = middle
        else:
            high = middle
    return 0.5 * (low + high)


def ald_coverage(sticking, aspect_ratio, exposure, geometry="trench", cells=100):
    """Return the coverage along the wall of a feature after an exposure, that of the bottom last."""
    cdef double beta = _share("sticking", sticking, 1e-9), depth = _ratio("aspect_ratio", aspect_ratio)
    cdef double dose = exposure
    if depth > 1000.0:
        raise ValueError(f"aspect_ratio must be at most 1000 for a profile of coverage, is {depth:g}")
    if not 0.0 <= dose < 1e15:
        raise ValueError(f"exposure must be 0 … 1e15, is {dose:g}")
    number = _grid(cells)
    middles = (np.arange(number) + 0.5) / number
    # Panels no wider than the front where the time allows it: some 1000 nodes at most
    feature = _Feature(_shape(geometry), depth, True, 4, 0.02, max(1.0, depth / 200.0))
    covered = -np.expm1(-beta * feature.doses(beta, 0.0, dose)[0])
    wall = feature.along(covered, depth * (1.0 - middles))
    return Profile(np.append(middles, 1.0), np.clip(np.append(wall, feature.over_bottom(covered)), 0.0, 1.0))


def film_coverage(sticking, aspect_ratio, growth, geometry="trench", cells=100, model="ballistic", steps=20):
    """Return the thickness along a feature of finite growth over that on the flat surface, the bottom last."""
    cdef double beta = _share("sticking", sticking, 1e-9), depth = _ratio("aspect_ratio", aspect_ratio)
    cdef double total = growth, width = 1.0, grown = 0.0, tall = depth, each, step
    _shape(geometry)
    if not 1e-9 <= total < 0.5:
        raise ValueError(f"growth must be 1e-9 … below 0.5 (widths; the opening closes), is {total:g}")
    if model not in {"ballistic", "diffusion"}:
        raise ValueError(f"model must be ballistic or diffusion, is {model!r}")
    if not 1 <= int(steps) <= 1000 or int(steps) != steps:
        raise ValueError(f"steps must be a whole number 1 … 1000, is {steps!r}")
    number, each = _grid(cells), total / int(steps)
    profile = ballistic_profile if model == "ballistic" else diffusion_profile
    middles = (np.arange(number) + 0.5) / number
    film = np.zeros(number + 1)
    for _ in range(int(steps)):
        ratio = tall / width
        if not SHORTEST <= ratio <= LONGEST:
            raise ValueError("growth must leave the opening wider than the feature's depth over 10 000")
        got = profile(beta, ratio, geometry, number)
        wall = got.flux[:-1] if model == "ballistic" else 0.5 * (got.flux[1:] + got.flux[:-1])
        film += each * np.append(wall, got.flux[-1])
        grown += each
        # The opening is narrowed by the film on its rim, the depth changes by top against bottom
        step = film[0]
        width, tall = 1.0 - 2.0 * step, depth + grown - film[number]
        if width <= 0.0:
            raise ValueError("growth must not close the opening")
    return Profile(np.append(middles, 1.0), film / grown)
