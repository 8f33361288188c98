"""Dilute gases: viscosity, conductivity, diffusion and thermal diffusion from kinetic theory. SI units."""

from dataclasses import dataclass

@dataclass(frozen=True)
class Gas:
    """A kind of molecule."""

    molar_mass_kg: float
    """kg/mol."""
    diameter_m: float
    """Lennard-Jones σ."""
    depth_k: float
    """Lennard-Jones ε/k."""
    heat: tuple[float, float, float, float]
    """cp/R = Σ heat[n]·(T/1000 K)^n, 250 … 1800 K."""
    shape: int = 2
    """0 an atom, 1 linear, 2 any other."""
    relaxation: float = 1.0
    """Collisions until rotation follows, at 298 K."""

GASES: dict[str, Gas]
"""Molecules by formula."""

def viscosity(gas: str | Gas, temperature_k: float) -> float:
    """Return the viscosity of a pure gas, Pa·s."""

def conductivity(gas: str | Gas, temperature_k: float) -> float:
    """Return the thermal conductivity of a pure gas, W/(m·K)."""

def heat_capacity(gas: str | Gas, temperature_k: float) -> float:
    """Return cp of a gas, J/(mol·K)."""

def diffusivity(gas: str | Gas, other: str | Gas, temperature_k: float, pressure_pa: float) -> float:
    """Return the binary diffusion coefficient, m²/s."""

def thermal_diffusion_factor(
    gas: str | Gas,
    other: str | Gas,
    temperature_k: float,
    mole_fraction: float = 0.0,
) -> float:
    """Return α of a gas in another: above 0 it goes to the cold side."""

def mixture_viscosity(gas: str | Gas, other: str | Gas, mole_fraction: float, temperature_k: float) -> float:
    """Return the viscosity of two gases together, Pa·s."""

def mixture_conductivity(gas: str | Gas, other: str | Gas, mole_fraction: float, temperature_k: float) -> float:
    """Return the thermal conductivity of two gases together, W/(m·K)."""
