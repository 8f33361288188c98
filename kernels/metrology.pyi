"""What instruments on the chamber see: thin-film optics, quartz crystals, pyrometers, residual gas.

Films are (index, thickness in nm) from the gas side down; indices n + ik, k not negative where light is absorbed, one
number or one for each wavelength. Every function raises ValueError for NaN and for what lies outside of its range.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

QUARTZ_DENSITY: float
"""kg/m³ (G. Sauerbrey's AT-cut crystals; usual value)."""
QUARTZ_SHEAR: float
"""Pa, AT cut (usual value)."""
CRACKING: dict[str, dict[int, float]]
"""Ion currents by mass, % of the parent peak: usual values at 70 eV, unverified; calibrate for an instrument."""

LINES: dict[str, tuple[float, bool]]
"""Wavelength in nm by species, and whether it is the head or middle of a band. F 703.7, H 656.3 and 486.1, Si 288.2,
SiH 409 … 422, Ar 496.5, H2 570 … 640: checked against EPJ Photovoltaics 5 (2014), table 1 of the article pv130015; the
others are usual values."""

def index(material: str, wavelength_nm: ArrayLike) -> complex | NDArray[np.complex128]:
    """Return the index n + ik of a material of kernels.index_data.MATERIALS: Si, a-Si, SiO2, Si3N4, Al2O3, …

    Raises:
        ValueError: an unknown material, a wavelength outside of its data.
    """

def oes_intensity(species: str, electron_density_m3: float, density_m3: float, factor: float = 1.0) -> float:
    """Return the proxy of a line's intensity, factor·n_e·n; the factor is an instrument's calibration."""

def reflectance(
    wavelength_nm: ArrayLike,
    layers: Sequence[tuple[ArrayLike, float]],
    substrate: ArrayLike,
    angle_deg: float = 0.0,
    polarisation: str = "unpolarised",
    ambient: float = 1.0,
) -> float | NDArray[np.float64]:
    """Return the share of the power that a stack reflects: `s`, `p` or `unpolarised`; shaped as the wavelengths.

    Characteristic matrix (M. Born and E. Wolf, Principles of Optics, 1.6) in its recursive form.
    """

def psi_delta(
    wavelength_nm: ArrayLike,
    layers: Sequence[tuple[ArrayLike, float]],
    substrate: ArrayLike,
    angle_deg: float,
    ambient: float = 1.0,
) -> tuple[float, float] | tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return Ψ and Δ in degrees, tan Ψ·exp(iΔ) = r_p/r_s with time as exp(+iωt) (Nebraska convention).

    Δ is 0 … 360 and near 180 for bare silicon at 70°; an oxide on it makes it less.
    """

def sauerbrey(f0_hz: float) -> float:
    """Return the mass per area that lowers a crystal's frequency by 1 Hz, kg/(m²·Hz): √(ρ·µ)/(2·f0²).

    1 kg/m² is 1e8 ng/cm² (G. Sauerbrey, Z. Phys. 155, 206 (1959)).
    """

def z_match(f0_hz: float, f_hz: float, z_ratio: float = 1.0) -> float:
    """Return the mass per area on a loaded crystal, kg/m² (C.-S. Lu and O. Lewis, J. Appl. Phys. 43, 4385 (1972)).

    Args:
        f0_hz: without a film.
        f_hz: now, above 0 and below 2·f0.
        z_ratio: √(ρ·µ of quartz / ρ·µ of the film).
    """

def planck_radiance(wavelength_nm: float, temperature_k: float, emissivity: float = 1.0) -> float:
    """Return the spectral radiance of a grey body, W/(m²·sr·m)."""

def pyrometer_reading(wavelength_nm: float, temperature_k: float, emissivity: float, assumed: float = 1.0) -> float:
    """Return what a pyrometer reads that is set to emissivity `assumed`, K; by Planck's law."""

def fringe_rate(period_s: float, wavelength_nm: float, index: float, angle_deg: float = 0.0) -> float:
    """Return the growth rate whose reflectance swings once in a period, m/s: λ/(2·√(n² − sin²θ)·period)."""

def rga_spectrum(partial_pressures_pa: Mapping[str, float]) -> dict[int, float]:
    """Return ion currents by mass: cracking pattern × partial pressure, parent peak of 1 Pa = 1."""

def silica_index(wavelength_nm: float) -> float:
    """Return the index of fused silica, 210 … 3710 nm (I. H. Malitson, J. Opt. Soc. Am. 55, 1205 (1965))."""
