"""Plasmas of a process chamber: global model, sheath, matching network. SI units; electron temperature in eV.

Every function raises ValueError for NaN and for what lies outside of its range.
"""

from collections.abc import Mapping
from typing import NamedTuple

class GlobalPlasma(NamedTuple):
    """State of a discharge."""

    electron_density_m3: float
    electron_temperature_ev: float
    ion_flux_m2_s: float
    """On the walls, their mean."""
    sheath_voltage_v: float
    """In front of the electrode: floating potential and bias."""
    dc_bias_v: float
    """From the separate bias power."""
    negative_ion_ratio: float
    """Negative ions over electrons."""
    radical_density_m3: dict[str, float]
    """Oxygen atoms, where there is oxygen."""

class LMatch(NamedTuple):
    """Elements of an L network."""

    shunt_f: float
    """Capacitance, F; below 0: an inductor of that susceptance."""
    series_ohm: float
    """Reactance, above 0: an inductor."""
    shunt_at: str
    """`source` or `load`."""

def wall_loss_time(
    diffusivity_m2_s: float,
    diffusion_length_m: float,
    volume_m3: float,
    area_m2: float,
    speed_m_s: float,
    loss_probability: float,
) -> float:
    """Return how long a radical lives before it is lost to the walls, s: Λ²/D + 2V(2 − β)/(A·v̄·β).

    P. J. Chantry, J. Appl. Phys. 62, 1141 (1987).
    """

def global_model(
    power_w: float,
    pressure_pa: float,
    radius_m: float,
    length_m: float,
    gases: Mapping[str, float] | None = None,
    temperature_k: float = 300.0,
    bias_power_w: float = 0.0,
    electrode_m2: float | None = None,
    loss_probability: float = 0.1,
) -> GlobalPlasma:
    """Return the state of a cylindrical discharge: (K_iz − K_att)·n_g·V = u_B·A_eff, and the balance of power.

    Electron losses by attachment are counted, the change of edge densities by negative ions is not. Data and formulas:
    Lieberman and Lichtenberg, Principles of Plasma Discharges and Materials Processing (2005); cross-sections of ions
    (1e-18 m²) and of atoms (4e-19 m²) are usual values.

    Args:
        power_w: absorbed by electrons.
        gases: shares by formula, of Ar and O2; pure argon when None.
        bias_power_w: accelerates ions onto the electrode.
        electrode_m2: its area; one end of the cylinder when None.
        loss_probability: of oxygen atoms on walls.
    """

def sheath_capacitance(thickness_m: float, area_m2: float) -> float:
    """Return the capacitance of a collisionless radio-frequency sheath, F: 2.452·ε0·A/s_m."""

def child_thickness(voltage_v: float, ion_flux_m2_s: float, ion_mass_kg: float) -> float:
    """Return the thickness of a sheath by Child's law, m."""

def radical_decay(distance_m: float, speed_m_s: float, life_s: float) -> float:
    """Return the share of radicals left behind a tube of remote plasma."""

def capacitive_bias(power_w: float, load_ohm: complex, area_ratio: float = 2.0, exponent: float = 2.5) -> float:
    """Return the dc bias of the smaller electrode of a capacitive discharge, V; it grows as √P.

    Voltages divide by the ratio of areas to this exponent (K. Köhler et al., J. Appl. Phys. 57, 59 (1985), for the
    divider; the exponent is a usual value).
    """

def reflection(load_ohm: complex, source_ohm: float = 50.0) -> complex:
    """Return the reflection coefficient of a load; |Γ|² of the forward power comes back."""

def l_match(load_ohm: complex, frequency_hz: float, source_ohm: float = 50.0) -> LMatch:
    """Return the L network that matches a load of positive resistance: shunt capacitance and series reactance."""
