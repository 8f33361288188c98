"""Gases beside Cantera's gri30, vapours beside boiling points, flames beside equilibrium, flow beside its limits.

Ammonia in hydrogen differs by 1.2 % at 300 K: its dipole is not modelled.
"""

import math
from typing import Any

import cantera as ct

from kernels import conformality, gas, sources, stagnation, transport, vacuum
from tests.validation.case import Case

GRI: Any = ct.Solution("gri30.yaml", transport_model="multicomponent")
NAMES = {"Ar": "AR"}
BOILING = {  # K at 1 atm, CRC Handbook of Chemistry and Physics; TMGa, TMAl: suppliers' sheets
    "TiCl4": (409.6, 0.1), "SiCl4": (330.8, 0.1), "H2O": (373.15, 0.05), "TEOS": (441.9, 0.2), "TMGa": (328.9, 0.15),
    "TMAl": (400.0, 0.1),
}  # fmt: skip


def theirs(name: str, kelvin: float, quantity: str) -> float:
    """Property of a pure gas."""
    GRI.TPX = kelvin, 101325.0, {NAMES.get(name, name): 1.0}
    return float(getattr(GRI, quantity)) * (1e-3 if quantity == "cp_mole" else 1.0)


def diffused(name: str, kelvin: float, pressure: float) -> float:
    """Binary diffusion in hydrogen, m²/s."""
    GRI.TPX = kelvin, pressure, {"H2": 0.5, name: 0.5}
    return float(GRI.binary_diff_coeffs[GRI.species_index(name), GRI.species_index("H2")])


def burned(ratio: float) -> tuple[float, float]:
    """K and share of H of an acetylene flame, equilibrium at constant enthalpy and pressure."""
    GRI.TPX = 298.15, 101325.0, {"C2H2": 1.0, "O2": ratio}
    GRI.equilibrate("HP")
    return float(GRI.T), float(GRI["H"].X[0])


FLAMES = {ratio: burned(ratio) for ratio in (0.8, 0.95, 1.1)}
TOLERANCES = {"viscosity": 0.01, "thermal_conductivity": 0.02, "cp_mole": 0.02}
OURS = {"viscosity": gas.viscosity, "thermal_conductivity": gas.conductivity, "cp_mole": gas.heat_capacity}
SORET_LOW = 0.72, 0.112  # growth × 0.64 … 0.80


def soret(reactant: str, carrier: str, hot: float, cold: float) -> float:
    """Growth with thermal diffusion over growth without, transport-limited."""
    with_it, without = (
        stagnation.stagnation_growth(reactant, carrier, 1e-4, hot, cold, sticking=1.0, soret=s).growth_m_s
        for s in (True, False)
    )
    return with_it / without


CASES = [
    *(Case(f"{name}, {kelvin:g} K, {quantity.replace('_', ' ')}, beside Cantera", theirs(name, kelvin, quantity),
           lambda n=name, t=kelvin, q=quantity: OURS[q](n, t), TOLERANCES[quantity])
      for name in ("H2", "N2", "Ar", "O2", "CH4", "N2O") for kelvin in (300.0, 1300.0) for quantity in OURS),
    *(Case(f"{name} in H2, {kelvin:g} K, {pressure:g} Pa: D beside Cantera", diffused(name, kelvin, pressure),
           lambda n=name, t=kelvin, q=pressure: gas.diffusivity(n, "H2", t, q), 0.02 if name == "NH3" else 5e-3)
      for name in ("N2", "CH4", "NH3") for kelvin, pressure in ((300.0, 101325.0), (1300.0, 13.0))),
    *(Case(f"{name} boils at {kelvin:g} K, Pa", 101325.0, lambda n=name, t=kelvin: sources.vapour_pressure(n, t),
           tolerance) for name, (kelvin, tolerance) in BOILING.items()),
    Case("water at 293.15 K, Pa", 2339.0, lambda: sources.vapour_pressure("H2O", 293.15), 0.02),
    Case("TMGa at 273.15 K by 8.07 − 1703/T, Torr", 10.0 ** (8.07 - 1703.0 / 273.15),
         lambda: sources.vapour_pressure("TMGa", 273.15) / vacuum.PA_PER_TORR, 1e-6),
    *(Case(f"acetylene flame, O2/C2H2 {ratio:g}, K, beside Cantera", value[0],
           lambda r=ratio: sources.flame_temperature(r)[0], 3e-3) for ratio, value in FLAMES.items()),
    *(Case(f"acetylene flame, O2/C2H2 {ratio:g}, H, beside Cantera", value[1],
           lambda r=ratio: sources.flame_temperature(r)[1], 0.05) for ratio, value in FLAMES.items()),
    *(Case(f"Soret, SiH4 in He, 300 → {hot:g} K: growth × 0.64 … 0.80", SORET_LOW[0],
           lambda t=hot: soret("SiH4", "He", t, 300.0), SORET_LOW[1]) for hot in (1000.0, 1300.0)),
    Case("Soret, nothing at one temperature", 1.0, lambda: soret("SiH4", "He", 600.001, 600.0), 1e-3),
    Case("Soret, a light gas goes to the hot side: H2 in N2, gain", 1.0, lambda: float(
        gas.thermal_diffusion_factor("H2", "N2", 600.0, 0.5) < 0.0 < gas.thermal_diffusion_factor(
            "SiH4", "H2", 600.0, 1e-3)), 0.0),
    Case("disk, Sc 1000: Levich with its series", 0.62048 * 10.0 / (1.0 + 0.2980 * 0.1 + 0.14514 * 0.01),
         lambda: transport.rotating_disk_sherwood(1000.0), 2e-3),
    Case("disk, Sc → 0: all that comes in, −H∞·Sc", 0.884474e-4, lambda: transport.rotating_disk_sherwood(1e-4), 2e-3),
    Case("stagnation, Sc → ∞: 0.85002·Sc^⅓", 0.85002 * 100.0, lambda: transport.stagnation_sherwood(1e6), 5e-3),
    *(Case(f"wafer gap, φ {phi:g}: 1/I0", 1.0 / value, lambda x=phi: transport.wafer_gap_ratio(x), 1e-6)
      for phi, value in ((1.0, 1.2660658778), (2.0, 2.2795853023), (5.0, 27.2398718236))),
    *(Case(f"{sccm:g} sccm at {kelvin:g} K into {speed * 1e3:g} L/s, Pa",
           sccm * 7.4358e-7 * 8.314462618 * kelvin / speed,
           lambda f=sccm, s=speed, t=kelvin: vacuum.steady_pressure(vacuum.molar_flow(f), s, t), 1e-4)
      for sccm, speed, kelvin in ((1.0, 1.0, 293.15), (5000.0, 0.02, 300.0), (500.0, 0.1, 1073.15))),
    *(Case(f"tube, L/D {ratio:g}, free molecules: hole × Clausing", conformality.clausing_transmission(2.0 * ratio)
           * vacuum.orifice_conductance(math.pi * 2.5e-5, 300.0, 0.028), lambda r=ratio: vacuum.tube_conductance(
               0.01, 0.01 * r, 1e-6, 1.8e-5, 300.0, 0.028), 0.007) for ratio in (0.01, 0.5, 1.0, 3.0, 30.0, 300.0)),
    Case("long tube, free molecules, πd³v̄/12L", math.pi * 0.01**3 * vacuum.mean_speed(300.0, 0.028) / 120.0,
         lambda: vacuum.tube_conductance(0.01, 10.0, 1e-4, 1.8e-5, 300.0, 0.028), 0.02),
    Case("long tube, Poiseuille, πd⁴P/128ηL", math.pi * 0.01**4 * 1e5 / (128.0 * 1.8e-5),
         lambda: vacuum.tube_conductance(0.01, 1.0, 1e5, 1.8e-5, 300.0, 0.028), 0.01),
    Case("760 → 1e-3 Torr, 30 L and 50 L/s, s", 0.6 * math.log(7.6e5),
         lambda: vacuum.pump_down_time(0.03, 0.05, 101325.0, 101325.0 / 7.6e5), 1e-9),
]  # fmt: skip
