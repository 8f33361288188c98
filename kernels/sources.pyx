"""Delivery and activation: bubblers, hot wires, photolysis, flames, aerosols, the source zone of HVPE. SI units.

The equations are kernels/physics/sources.pxd; constants say whether they are published or usual values.
"""

import math

from kernels.physics.constants cimport GAS_CONSTANT, PI
from kernels.physics.demands cimport above, nonnegative, share
from kernels.physics.sources cimport (
    antoine,
    approach,
    bubbled,
    droplet_constant,
    droplet_left,
    filament_power,
    filament_step,
    photolysis,
    tungsten_resistivity,
)

# log10 p(Torr) = a − b/T. TMGa: G. B. Stringfellow, Organometallic Vapor-Phase Epitaxy, 1999; water: through 17.535
# Torr at 20 °C and 760 Torr at 100 °C (CRC Handbook); the others are the usual figures of suppliers' sheets.
VAPOUR = {
    "TMGa": (8.07, 1703.0),
    "TEGa": (8.083, 2162.0),
    "TMAl": (8.224, 2134.83),
    "TMIn": (10.520, 3014.0),
    "TEOS": (7.90, 2240.0),
    "TDMAT": (8.60, 2850.0),
    "TiCl4": (7.684, 1964.6),
    "SiCl4": (7.644, 1572.3),
    "H2O": (8.8794, 2238.3),
}


def vapour_pressure(precursor, double temperature_k):
    """Return the vapour pressure of a precursor, Pa."""
    if precursor not in VAPOUR:
        raise ValueError(f"no vapour pressure of {precursor!r}; there are {', '.join(sorted(VAPOUR))}")
    if not 200.0 <= temperature_k <= 600.0:
        raise ValueError(f"temperature_k must be 200 … 600, is {temperature_k:g}")
    a, b = VAPOUR[precursor]
    return antoine(a, b, temperature_k)


def bubbler_flow(precursor, double carrier_mol_s, double temperature_k, double pressure_pa, double efficiency=1.0):
    """Return the flow of precursor out of a bubbler, mol/s."""
    vapour = vapour_pressure(precursor, temperature_k)
    flow = bubbled(nonnegative("carrier_mol_s", carrier_mol_s), vapour, above("pressure_pa", pressure_pa),
                   share("efficiency", efficiency))
    if flow < 0.0:
        raise ValueError(f"{precursor} boils at {temperature_k:g} K under {pressure_pa:g} Pa: its vapour has "
                         f"{vapour:.4g} Pa")
    return flow


def filament_resistivity(double temperature_k):
    """Return the resistivity of tungsten, Ω·m."""
    if not 293.0 <= temperature_k <= 3655.0:
        raise ValueError(f"temperature_k must be 293 … 3655 (tungsten melts at 3695 K), is {temperature_k:g}")
    return tungsten_resistivity(temperature_k)


def filament_temperature(double current_a, double length_m, double diameter_m, double emissivity=0.33,
                         double walls_k=400.0, double gas_w_k=0.0, double reaction_w=0.0, double reaction_k=2273.15,
                         double ageing=1.0):
    """Return the steady temperature of a tungsten filament, K."""
    cdef double surface = PI * above("diameter_m", diameter_m) * above("length_m", length_m), low, high, t
    cdef double ohm = above("ageing", ageing) * length_m / (0.25 * PI * diameter_m * diameter_m), square
    nonnegative("current_a", current_a)
    share("emissivity", above("emissivity", emissivity))
    if not 200.0 <= walls_k <= 2000.0:
        raise ValueError(f"walls_k must be 200 … 2000, is {walls_k:g}")
    nonnegative("gas_w_k", gas_w_k)
    nonnegative("reaction_w", reaction_w)
    above("reaction_k", reaction_k)
    square = current_a * current_a * ohm
    low, high = walls_k, 3655.0
    if square * tungsten_resistivity(high) > filament_power(high, surface, emissivity, walls_k, gas_w_k, reaction_w,
                                                            reaction_k):
        raise ValueError(f"{current_a:g} A melt this filament")
    for _ in range(200):
        t = 0.5 * (low + high)
        if square * tungsten_resistivity(t) > filament_power(t, surface, emissivity, walls_k, gas_w_k, reaction_w,
                                                             reaction_k):
            low = t
        else:
            high = t
    return 0.5 * (low + high)


def filament_after(double temperature_k, double current_a, double seconds, double length_m, double diameter_m,
                   double emissivity=0.33, double walls_k=400.0, double gas_w_k=0.0, double reaction_w=0.0,
                   double reaction_k=2273.15, double ageing=1.0, int parts=1):
    """Return a filament's temperature some time later, K."""
    above("temperature_k", temperature_k, 5000.0)
    nonnegative("current_a", current_a)
    if not 1 <= parts <= 10_000_000:
        raise ValueError(f"parts must be 1 … 10 000 000, is {parts}")
    above("seconds", seconds)
    above("length_m", length_m)
    above("diameter_m", diameter_m)
    share("emissivity", above("emissivity", emissivity))
    above("walls_k", walls_k, 2000.0)
    nonnegative("gas_w_k", gas_w_k)
    nonnegative("reaction_w", reaction_w)
    above("reaction_k", reaction_k)
    above("ageing", ageing)
    cdef int _part
    cdef double t = temperature_k
    with nogil:
        for _part in range(parts):
            t = filament_step(t, current_a, length_m, diameter_m, emissivity, walls_k, gas_w_k, reaction_w, reaction_k,
                              ageing, seconds / parts)
    return t


def hot_wire_radicals(double filament_k, double area_m2, double pressure_pa, double molar_mass_kg, double gas_k=600.0,
                      double probability=0.3, double activation_j_mol=175e3, double reference_k=2100.0):
    """Return the molecules that a hot filament splits, mol/s."""
    cdef double hit = nonnegative("pressure_pa", pressure_pa) / math.sqrt(
        2.0 * PI * above("molar_mass_kg", molar_mass_kg) * GAS_CONSTANT * above("gas_k", gas_k))
    share("probability", probability)
    if not (0.0 <= activation_j_mol <= 1e6 and 500.0 <= reference_k <= 4000.0):
        raise ValueError("activation_j_mol must be 0 … 1e6, reference_k 500 … 4000")
    cdef double rate = probability * math.exp(-activation_j_mol / GAS_CONSTANT
                                              * (1.0 / above("filament_k", filament_k, 3695.0)
                                                 - 1.0 / above("reference_k", reference_k)))
    return above("area_m2", area_m2) * hit * (rate / (1.0 + rate))


def photolysis_rate(double quantum_yield, double cross_section_m2, double irradiance_w_m2, double wavelength_m,
                    double pressure_pa, double temperature_k):
    """Return the gas that light splits, mol/(m³·s)."""
    if not 50e-9 <= wavelength_m <= 20e-6:
        raise ValueError(f"wavelength_m must be 50e-9 … 20e-6, is {wavelength_m:g}")
    density = nonnegative("pressure_pa", pressure_pa) / (GAS_CONSTANT * above("temperature_k", temperature_k))
    return photolysis(share("quantum_yield", quantum_yield), nonnegative("cross_section_m2", cross_section_m2),
                      nonnegative("irradiance_w_m2", irradiance_w_m2), wavelength_m, density)


def flame_temperature(double oxygen_over_acetylene, double inlet_k=298.15):
    """Return the burned gas of an oxygen–acetylene flame: (temperature K, mole fraction of H)."""
    if not 0.7 <= oxygen_over_acetylene <= 1.3:
        raise ValueError(f"oxygen_over_acetylene must be 0.7 … 1.3, is {oxygen_over_acetylene:g}")
    if not 200.0 <= inlet_k <= 800.0:
        raise ValueError(f"inlet_k must be 200 … 800, is {inlet_k:g}")
    # Parabolas through Cantera's equilibrium at constant enthalpy and pressure (gri30, 1 atm, 0.7 … 1.3), see docs
    cdef double x = oxygen_over_acetylene - 1.0
    return (FLAME_T[0] + x * (FLAME_T[1] + x * (FLAME_T[2] + x * FLAME_T[3])) + 0.2 * (inlet_k - 298.15),
            max(0.0, FLAME_H[0] + x * (FLAME_H[1] + x * (FLAME_H[2] + x * FLAME_H[3]))))


FLAME_T = (3322.747, 687.338, -1003.710, -548.934)
FLAME_H = (0.173772, 0.179934, -0.522017, -0.422772)


def droplet_lifetime(double diameter_m, double diffusivity_m2_s, double vapour_pressure_pa, double molar_mass_kg,
                     double liquid_kg_m3, double temperature_k):
    """Return how long a droplet lives by the d² law, s."""
    return above("diameter_m", diameter_m) ** 2 / _droplet(diffusivity_m2_s, vapour_pressure_pa, molar_mass_kg,
                                                           liquid_kg_m3, temperature_k)


def droplet_evaporated(double diameter_m, double seconds, double diffusivity_m2_s, double vapour_pressure_pa,
                       double molar_mass_kg, double liquid_kg_m3, double temperature_k):
    """Return the share of a droplet that has evaporated after its residence time."""
    constant = _droplet(diffusivity_m2_s, vapour_pressure_pa, molar_mass_kg, liquid_kg_m3, temperature_k)
    return 1.0 - droplet_left(above("diameter_m", diameter_m), constant, nonnegative("seconds", seconds))


cdef double _droplet(double diffusivity, double pressure, double mass, double liquid, double temperature) except? -1.0:
    density = above("vapour_pressure_pa", pressure) * above("molar_mass_kg", mass) / (
        GAS_CONSTANT * above("temperature_k", temperature))
    return droplet_constant(above("diffusivity_m2_s", diffusivity), density, above("liquid_kg_m3", liquid))


def gallium_chloride(double hcl_mol_s, double source_k, double residence_s):
    """Return (GaCl, HCl) behind the source zone of a hydride reactor, mol/s."""
    nonnegative("hcl_mol_s", hcl_mol_s)
    nonnegative("residence_s", residence_s)
    if not 600.0 <= source_k <= 1400.0:
        raise ValueError(f"source_k must be 600 … 1400, is {source_k:g}")
    # Ga(l) + HCl → GaCl + ½ H2: nearly complete (0.99), within about a second at 1123 K; 60 kJ/mol (usual values)
    rate = 3.0 * math.exp(-60e3 / GAS_CONSTANT * (1.0 / source_k - 1.0 / 1123.15))
    made = hcl_mol_s * approach(0.99, rate, residence_s)
    return made, hcl_mol_s - made
