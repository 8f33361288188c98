"""What a process sends to the exhaust: the mass of each gas, and how much of it is hazardous, at its peak and in all.

Amounts are of gas as it is fed: what the film keeps and what the chamber makes of the rest is not told apart. For an
abatement that is the load to be sized for.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from config.gases import is_hazardous, species

STANDARD_CM3_PER_MOL = 22413.97
"""Molar volume of an ideal gas at 273.15 K and 101.325 kPa (CODATA): what a standard cm³ is counted in."""


@dataclass(frozen=True)
class ExhaustLoad:
    """Of one run."""

    mass_g: dict[str, float]
    """Of each gas."""
    peak_slm: float
    """Greatest flow of all gases together."""
    peak_hazardous_slm: float
    """Greatest flow of those that burn, poison or corrode."""
    hazardous_l: float
    """Standard litres of these."""
    peak_fraction: float
    """Greatest share of hazardous gas in the flow; 1: nothing dilutes it."""


def mass_g(gas: str, standard_cm3: float) -> float | None:
    """Mass of a gas; None for one whose molar mass is not known."""
    found = species(gas)
    return None if found is None else standard_cm3 / STANDARD_CM3_PER_MOL * found.molar_mass


def exhaust_load(use_scc: Mapping[str, float], peak_slm: float, peak_hazardous_slm: float, share: float) -> ExhaustLoad:
    """Sum up what was measured or predicted."""
    masses = {gas: mass for gas, used in use_scc.items() if (mass := mass_g(gas, used)) is not None}
    return ExhaustLoad(
        mass_g={gas: round(mass, 4) for gas, mass in masses.items()},
        peak_slm=round(peak_slm, 4),
        peak_hazardous_slm=round(peak_hazardous_slm, 4),
        hazardous_l=round(sum(used for gas, used in use_scc.items() if is_hazardous(gas)) / 1000.0, 4),
        peak_fraction=round(share, 4),
    )
