"""Conformality: published numbers, closed limits, and machball's ballistic solver (its own cells and Markov chain)."""

import math
from functools import cache

import numpy as np
from machball.ballistic import Trench, Via, solve_constant, solve_ideal

from kernels import conformality as c
from tests.validation.case import Case

SHAPES = {"trench": Trench, "via": Via}


def unshadowed(geometry: str, depth: float) -> float:
    """Mean flux on the bottom without re-emission: the view factor of opposite strips or discs (J. R. Howell)."""
    if geometry == "trench":
        return math.sqrt(1.0 + depth * depth) - depth
    both = 2.0 + 4.0 * depth * depth
    return 2.0 / (both + math.sqrt(both * both - 4.0))


@cache
def steady(geometry: str, sticking: float, depth: float) -> tuple[float, float]:
    """Flux on the bottom, and what of the molecules that enter stays, by machball with 100 cells."""
    grown, kept = solve_constant(SHAPES[geometry](depth, 100), sticking)
    return float(grown[-1]) / sticking, float(kept)


def kept(geometry: str, sticking: float, depth: float) -> float:
    """What stays of the molecules that enter, from our profile over wall and bottom."""
    profile = c.ballistic_profile(sticking, depth, geometry, 4000)
    wall = (2.0 if geometry == "trench" else 4.0) * depth
    return sticking * (wall * float(np.mean(profile.flux[:-1])) + float(profile.flux[-1]))


def saturating(geometry: str, sticking: float, depth: float) -> float:
    """Exposure to 95 % coverage by machball, 40 cells and steps of 1 %."""
    return float(solve_ideal(SHAPES[geometry](depth, 40), sticking, endcov=0.95, ep=0.01, verbose=False)[0][-1])


def fick(sticking: float, depth: float, ratio: float) -> float:
    """Bottom over top by the closed formula in a via, with collisions in the gas between the walls."""
    phi = math.sqrt(3.0 * sticking * (1.0 + ratio)) * depth
    sink = 0.75 * sticking * depth * (1.0 + ratio)
    return 1.0 / (math.cosh(phi) + sink / phi * math.sinh(phi))


CASES = [
    *(Case(f"feature, β 1, AR {depth:g}, {shape}", unshadowed(shape, depth),
           lambda s=shape, a=depth: c.bottom_flux(1.0, a, s), 1e-5)
      for shape in SHAPES for depth in (0.1, 1.0, 5.0, 20.0, 50.0)),
    *(Case(f"feature, β 1e-9, AR {depth:g}, {shape}: no shadow", 1.0,
           lambda s=shape, a=depth: c.bottom_flux(1e-9, a, s), 1e-4) for shape in SHAPES for depth in (1.0, 50.0)),
    *(Case(f"{shape}, β {sticking:g}, AR {depth:g}, bottom beside machball", steady(shape, sticking, depth)[0],
           lambda s=shape, b=sticking, a=depth: c.bottom_flux(b, a, s), 0.02)
      for shape, sticking, depth in (("trench", 0.1, 10.0), ("trench", 0.01, 50.0), ("via", 0.1, 10.0),
                                     ("via", 0.001, 20.0))),
    *(Case(f"{shape}, β {sticking:g}, AR {depth:g}, all that stays beside machball", steady(shape, sticking, depth)[1],
           lambda s=shape, b=sticking, a=depth: kept(s, b, a), 0.01)
      for shape, sticking, depth in (("trench", 0.1, 10.0), ("via", 0.1, 10.0), ("via", 0.001, 20.0))),
    *(Case(f"Clausing tube, L/R {length:g}", value, lambda x=length: c.clausing_transmission(x), 1e-3)
      for length, value in ((0.1, 0.952399), (0.5, 0.801271), (1.0, 0.67198), (2.0, 0.51423), (5.0, 0.310525),
                            (10.0, 0.190941), (100.0, 0.0252763))),
    Case("Clausing tube, L/R 1e4: 8R/3L", 8e-4 / 3.0, lambda: c.clausing_transmission(1e4), 2e-3),
    *(Case(f"Clausing slot, L/w {length:g}", value, lambda x=length: c.clausing_transmission_slot(x), 1e-3)
      for length, value in ((0.1, 0.9525), (0.5, 0.8048), (1.0, 0.6848), (2.0, 0.5417))),
    *(Case(f"ALD to 95 %, β {sticking:g}, AR {depth:g}, {shape}, beside machball", saturating(shape, sticking, depth),
           lambda s=shape, b=sticking, a=depth: c.ald_saturation_exposure(b, a, s), 0.02)
      for shape, sticking, depth in (("trench", 0.1, 5.0), ("via", 0.1, 5.0), ("via", 0.01, 10.0))),
    *(Case(f"ALD, β 1, AR {depth:g}, via, by Gordon", 1.0 + 4.75 * depth + 1.5 * depth**2,
           lambda a=depth: c.ald_saturation_exposure(1.0, a, "via"), 0.02) for depth in (50.0, 200.0)),
    Case("ALD, flat: −ln(1 − θ)/β", -math.log(0.05) / 1e-3,
         lambda: c.ald_saturation_exposure(1e-3, 1e-6, "trench"), 1e-3),
    Case("ALD, too small a dose on a flat surface: 1 − exp(−β·E)", 1.0 - math.exp(-0.3),
         lambda: float(c.ald_coverage(1e-3, 1e-6, 300.0, "via").flux[-1]), 1e-3),
    *(Case(f"diffusion, β {sticking:g}, AR {depth:g}, w/λ {ratio:g}", fick(sticking, depth, ratio),
           lambda b=sticking, a=depth, r=ratio: float(c.diffusion_profile(b, a, "via", 100, r).flux[-1]), 1e-9)
      for sticking, depth, ratio in ((0.01, 10.0, 0.0), (1.0, 1.0, 0.0), (0.01, 10.0, 3.0), (1e-4, 50.0, 100.0))),
]  # fmt: skip
