"""Pulsed and atomic-layer growth: coverage in a pulse, purge, a whole cycle. SI units."""

from dataclasses import dataclass

@dataclass(frozen=True)
class Cycle:
    """What one cycle of two half-reactions leaves."""

    growth_m: float
    first_coverage: float
    second_coverage: float
    overlap: float
    """Growth without limit by what the first precursor left in the second's pulse, in cycles."""

def adsorption_rate(
    pressure_pa: float,
    molar_mass_kg: float,
    temperature_k: float,
    sticking: float,
    site_area_m2: float,
) -> float:
    """Return how fast bare sites react, 1/s: s0·P/√(2πmkT)·a0 with a0 the area of a site."""

def coverage(start: float, rate_1_s: float, seconds: float) -> float:
    """Return the coverage after a pulse."""

def saturation_time(rate_1_s: float, coverage: float = 0.95) -> float:
    """Return how long a pulse must last to cover a flat surface so far, s."""

def residual(pressure_pa: float, seconds: float, tau_s: float) -> float:
    """Return what a purge leaves of a pressure, Pa."""

def cycle(
    film: str,
    temperature_k: float,
    first_rate_1_s: float,
    second_rate_1_s: float,
    pulses_s: tuple[float, float],
    purges_s: tuple[float, float],
    tau_s: float,
    start: float = 0.0,
) -> Cycle:
    """Carry one cycle out: pulse and purge of each of two precursors.

    Both half-reactions are Langmuir's in closed form; a purge goes on dosing as exp(−t/τ). What the first leaves
    in the second's
    pulse grows without limiting itself and is added.

    Args:
        film: one that kernels.growth grows in cycles.
        temperature_k: of the surface.
        first_rate_1_s: of the first precursor, adsorption_rate.
        second_rate_1_s: of the second.
        pulses_s: length of both pulses.
        purges_s: of both purges.
        tau_s: time constant of the purge.
        start: sites that the first precursor already holds.
    """
