"""Delivery and activation: bubblers, hot wires, photolysis, flames, aerosols, the source zone of HVPE. SI units."""

VAPOUR: dict[str, tuple[float, float]]
"""a and b of log10 p(Torr) = a − b/T by precursor."""
FLAME_T: tuple[float, float, float, float]
FLAME_H: tuple[float, float, float, float]

def vapour_pressure(precursor: str, temperature_k: float) -> float:
    """Return the vapour pressure of a precursor, Pa: log10 p(Torr) = a − b/T with VAPOUR, 200 … 600 K."""

def bubbler_flow(
    precursor: str,
    carrier_mol_s: float,
    temperature_k: float,
    pressure_pa: float,
    efficiency: float = 1.0,
) -> float:
    """Return the flow of precursor out of a bubbler, mol/s: F_c·p_v/(P − p_v), p_v times the efficiency of saturation.

    Raises:
        ValueError: a precursor without vapour pressure, one that boils at this pressure, an argument out of range.
    """

def filament_resistivity(temperature_k: float) -> float:
    """Return the resistivity of tungsten, Ω·m: 56.7, 73.9, 92.0 µΩ·cm at 2000, 2500, 3000 K (usual values)."""

def filament_temperature(
    current_a: float,
    length_m: float,
    diameter_m: float,
    emissivity: float = 0.33,
    walls_k: float = 400.0,
    gas_w_k: float = 0.0,
    reaction_w: float = 0.0,
    reaction_k: float = 2273.15,
    ageing: float = 1.0,
) -> float:
    """Return the steady temperature of a tungsten filament, K: I²R = εσA(T⁴ − T0⁴) + gas + dissociation.

    Args:
        current_a: current I.
        length_m: of the wire; diameter_m: of it.
        emissivity: total hemispherical, 0.33 near 2300 K (usual).
        walls_k: temperature T0 of what it sees.
        gas_w_k: conduction into the gas, W/K.
        reaction_w: power of dissociation at reaction_k, W; 209 kJ/mol.
        ageing: resistance over that of a new wire (carbide, silicide).

    Raises:
        ValueError: an argument out of range, a current that melts the wire.
    """

def filament_after(
    temperature_k: float,
    current_a: float,
    seconds: float,
    length_m: float,
    diameter_m: float,
    emissivity: float = 0.33,
    walls_k: float = 400.0,
    gas_w_k: float = 0.0,
    reaction_w: float = 0.0,
    reaction_k: float = 2273.15,
    ageing: float = 1.0,
    parts: int = 1,
) -> float:
    """Return a filament's temperature some time later, K, in `parts` linearly implicit steps."""

def hot_wire_radicals(
    filament_k: float,
    area_m2: float,
    pressure_pa: float,
    molar_mass_kg: float,
    gas_k: float = 600.0,
    probability: float = 0.3,
    activation_j_mol: float = 175e3,
    reference_k: float = 2100.0,
) -> float:
    """Return the molecules that a hot filament splits, mol/s."""

def photolysis_rate(
    quantum_yield: float,
    cross_section_m2: float,
    irradiance_w_m2: float,
    wavelength_m: float,
    pressure_pa: float,
    temperature_k: float,
) -> float:
    """Return the gas that light splits, mol/(m³·s)."""

def flame_temperature(oxygen_over_acetylene: float, inlet_k: float = 298.15) -> tuple[float, float]:
    """Return the burned gas of an oxygen–acetylene flame: (temperature K, mole fraction of H)."""

def droplet_lifetime(
    diameter_m: float,
    diffusivity_m2_s: float,
    vapour_pressure_pa: float,
    molar_mass_kg: float,
    liquid_kg_m3: float,
    temperature_k: float,
) -> float:
    """Return how long a droplet lives by the d² law, s."""

def droplet_evaporated(
    diameter_m: float,
    seconds: float,
    diffusivity_m2_s: float,
    vapour_pressure_pa: float,
    molar_mass_kg: float,
    liquid_kg_m3: float,
    temperature_k: float,
) -> float:
    """Return the share of a droplet that has evaporated after its residence time."""

def gallium_chloride(hcl_mol_s: float, source_k: float, residence_s: float) -> tuple[float, float]:
    """Return (GaCl, HCl) behind the source zone of a hydride reactor, mol/s."""
