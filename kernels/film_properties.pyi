"""Properties of films as proxies with their stated basis: stress, index, roughness, crystallinity. SI units."""

MECHANICS: dict[str, tuple[float, float, float]]
"""Young's modulus Pa, Poisson's ratio, expansion 1/K by material (usual values of films)."""

def thermal_stress(film: str, substrate: str, deposited_k: float, measured_k: float = 298.15) -> float:
    """Return the stress from unequal contraction, Pa; above 0 is tensile."""

def nitride_plasma_stress(frequency_hz: float, low_frequency_share: float = 0.0) -> float:
    """Return the intrinsic stress of a plasma nitride, Pa."""

def wafer_bow(
    stress_pa: float,
    film_m: float,
    wafer_m: float = 725e-6,
    radius_m: float = 0.1,
    substrate: str = "Si",
) -> float:
    """Return the bow of a wafer by Stoney's formula, m; above 0 is concave on the film's side."""

def mixed_index(first: float, second: float, share: float) -> float:
    """Return the index of a mixture of two transparent materials (Lorentz–Lorenz)."""

def nitride_index(silicon_over_nitrogen: float = 0.75, hydrogen: float = 0.0) -> float:
    """Return the index of silicon nitride at 632.8 nm from its composition."""

def oxide_index(excess_silicon: float = 0.0, porosity: float = 0.0) -> float:
    """Return the index of silicon oxide at 632.8 nm."""

def crystalline_fraction(hydrogen_dilution: float, temperature_k: float = 523.15) -> float:
    """Return the crystalline share of hydrogenated silicon."""

def roughness(thickness_m: float, exponent: float = 0.3, reference_m: float = 0.5e-9, at_m: float = 100e-9) -> float:
    """Return the rms roughness that growth leaves, m."""

def grain_size(thickness_m: float, temperature_k: float, melting_k: float = 1687.0) -> float:
    """Return the grain size of a columnar film, m."""
