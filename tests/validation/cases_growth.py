"""Growth, pulses, alloys, films: laws solved again by SciPy, limits, and points of the literature."""

import math

import numpy as np
from scipy.integrate import solve_ivp

from kernels import alloy, film_properties, growth, pulse, transport, vacuum
from tests.validation.case import Case

GAS = 8.314462618


def energy(film: str, cold: float, hot: float, gases: dict[str, float]) -> float:
    """Apparent activation, kJ/mol."""
    low, high = (growth.film_rate(film, t, gases) for t in (cold, hot))
    return GAS * 1e-3 * math.log(high / low) / (1.0 / cold - 1.0 / hot)


def order(film: str, kelvin: float, gases: dict[str, float], gas: str) -> float:
    """Apparent order in a gas."""
    base = growth.film_rate(film, kelvin, gases)
    return math.log(growth.film_rate(film, kelvin, gases | {gas: 1.01 * gases[gas]}) / base) / math.log(1.01)


def tube(film: str, kelvin: float, inlet: dict[str, float], pressure: float, area: float) -> float:
    """Conversion of the first gas of a law along a tube, by LSODA."""
    uses = growth.FILMS[film].consumed
    names = [*dict.fromkeys([*inlet, *uses])]
    first = next(gas for gas, per in uses.items() if per > 0.0)

    def slope(_a: float, flows: np.ndarray) -> np.ndarray:
        total = flows.sum()
        gases = {g: max(f, 0.0) / total * pressure for g, f in zip(names, flows, strict=True)}
        rate = growth.molar_rate(film, kelvin, gases)
        return np.array([-uses.get(g, 0.0) * rate for g in names])

    start = [inlet.get(g, 0.0) for g in names]
    end = solve_ivp(slope, (0.0, area), start, method="LSODA", rtol=1e-10, atol=1e-18).y[:, -1]
    return float(1.0 - end[names.index(first)] / inlet[first])


TUBES = {
    "poly-Si": (893.15, {"SiH4": vacuum.molar_flow(100.0), "N2": vacuum.molar_flow(200.0)}, 40.0, 3.0),
    "SiO2-TEOS": (973.15, {"TEOS": vacuum.molar_flow(60.0), "N2": vacuum.molar_flow(100.0)}, 60.0, 4.0),
    "Si3N4": (1073.15, {"SiH2Cl2": vacuum.molar_flow(30.0), "NH3": vacuum.molar_flow(120.0)}, 40.0, 4.0),
    "W": (673.15, {"WF6": vacuum.molar_flow(20.0), "H2": vacuum.molar_flow(400.0)}, 100.0, 1.0),
}
SILANE = {"SiH4": 30.0, "H2": 10.0}
TUNGSTEN = {"H2": 100.0, "WF6": 10.0}

CASES = [
    *(Case(f"hot-wall tube, {film}, conversion beside LSODA", tube(film, *given),
           lambda n=film, g=given: transport.hot_wall_tube(n, np.full(40, g[0]), g[3] / 40.0, g[1], g[2]).conversion,
           1e-5) for film, given in TUBES.items()),
    Case("poly-Si at 893 K and 30 Pa by its published law", 1.6e4 * math.exp(-18500.0 / 893.15) * 30.0
         / (1.0 + 0.19 * math.sqrt(10.0) + 21.0), lambda: growth.molar_rate("poly-Si", 893.15, SILANE), 1e-9),
    Case("poly-Si, much silane: order 0 (its adsorption is full), rate × 2 at most 1.02", 1.0, lambda: growth.film_rate(
        "poly-Si", 893.15, {"SiH4": 2000.0}) / growth.film_rate("poly-Si", 893.15, {"SiH4": 1000.0}), 0.02),
    Case("poly-Si, a trace of silane: order 1", 1.0, lambda: order("poly-Si", 893.15, {"SiH4": 1e-4}, "SiH4"), 1e-3),
    *(Case(f"W, {cold:g} → {hot:g} K, kJ/mol of 64 … 73", 68.5, lambda a=cold, b=hot: energy("W", a, b, TUNGSTEN), 0.07)
      for cold, hot in ((573.0, 623.0), (623.0, 673.0), (673.0, 723.0))),
    Case("W, order in H2", 0.5, lambda: order("W", 673.0, TUNGSTEN, "H2"), 1e-3),
    Case("W, order in WF6", 1.0 / 6.0, lambda: order("W", 673.0, TUNGSTEN, "WF6"), 1e-3),
    *(Case(f"W under a laser, H2/WF6 {ratio:g}, kcal/mol", value, lambda r=ratio: energy(
        "W-laser", 650.0, 750.0, {"H2": 10.0 * r, "WF6": 10.0}) / 4.184, tolerance)
      for ratio, value, tolerance in ((100.0, 31.5, 0.05), (1.0, 20.0, 0.1))),
    Case("W without hydrogen: nothing, 1 + G", 1.0, lambda: 1.0 + growth.film_rate("W", 673.0, {"WF6": 10.0}), 1e-12),
    Case("TEOS, order at 15 Pa", 1.0, lambda: order("SiO2-TEOS", 1000.0, {"TEOS": 15.0}, "TEOS"), 0.02),
    Case("TEOS, order at 200 Pa", 1.0, lambda: order("SiO2-TEOS", 1000.0, {"TEOS": 200.0}, "TEOS"), 0.02),
    Case("TEOS, kJ/mol", 190.0, lambda: energy("SiO2-TEOS", 950.0, 1000.0, {"TEOS": 60.0}), 0.05),
    Case("TEOS and ozone below 300 °C, kcal/mol", 17.0, lambda: energy(
        "SiO2-O3TEOS", 500.0, 560.0, {"TEOS": 100.0, "O3": 1e5}) / 4.184, 0.02),
    Case("TEOS and ozone, much of both: order in TEOS falls to ½ at 1000 Pa", 0.5,
         lambda: order("SiO2-O3TEOS", 600.0, {"TEOS": 1000.0, "O3": 1e9}, "TEOS"), 0.02),
    Case("TEOS without ozone below 500 °C: nothing, 1 + G", 1.0,
         lambda: 1.0 + growth.film_rate("SiO2-O3TEOS", 700.0, {"TEOS": 100.0}), 1e-12),
    Case("a mask stays bare half as long at twice the pressure", 0.5, lambda: growth.nucleation_delay(
        1123.0, 200.0) / growth.nucleation_delay(1123.0, 100.0), 1e-9),
    Case("openings of 30 %, transport decides: loading 1/f", 1.0 / 0.3, lambda: growth.loading(1e6, 0.1, 0.3), 1e-4),
    Case("DCS nitride, kJ/mol of 125 … 185", 155.0,
         lambda: energy("Si3N4", 1023.0, 1123.0, {"SiH2Cl2": 10.0, "NH3": 30.0}), 0.19),
    Case("DCS/N2O, 850 → 950 °C: 3 → 10 nm/min", 10.0 / 3.0, lambda: growth.film_rate(
        "SiO2-DCS", 1223.15, {"SiH2Cl2": 20.0, "N2O": 100.0}) / growth.film_rate(
        "SiO2-DCS", 1123.15, {"SiH2Cl2": 20.0, "N2O": 100.0}), 0.05),
    Case("GaAs, first CH3, kcal/mol of 28 ± 2", 28.0,
         lambda: energy("GaAs", 700.0, 740.0, {"TMGa": 2.0, "AsH3": 200.0}) / 4.184, 2.0 / 28.0),
    Case("epi-Si, order in H2 of −½ … −1", -0.75,
         lambda: order("epi-Si", 1123.0, {"SiH2Cl2": 100.0, "H2": 1e4}, "H2"), 0.34),
    Case("GaN-HVPE, order in GaCl", 1.0, lambda: order(
        "GaN-HVPE", 1323.0, {"GaCl": 50.0, "NH3": 2e4, "H2": 1e3, "N2": 7e4}, "GaCl"), 0.02),
    Case("GaN-HVPE, the most at a share of H2 of 0.15", 0.15, lambda: max(
        (0.01 * k for k in range(1, 60)), key=lambda x: growth.film_rate(
            "GaN-HVPE", 1323.0, {"GaCl": 50.0, "NH3": 2e4, "H2": 8e4 * x, "N2": 8e4 * (1.0 - x)})), 0.1),
    Case("Al2O3, a cycle at 250 °C, nm of 0.10 … 0.11", 0.105,
         lambda: growth.growth_per_cycle("Al2O3", 523.15) * 1e9, 0.05),
    Case("Al2O3, the most near 250 °C", 523.15, lambda: float(max(
        range(400, 650), key=lambda t: growth.growth_per_cycle("Al2O3", float(t)))), 0.02),
    *(Case(f"TiN, a cycle at {celsius:g} °C, nm", 0.02,
           lambda c=celsius: growth.growth_per_cycle("TiN", c + 273.15) * 1e9, 0.1)
      for celsius in (350.0, 400.0, 425.0)),
    Case("a dose too small: 1 − e⁻¹ of a cycle", 1.0 - math.exp(-1.0),
         lambda: pulse.cycle("Al2O3", 523.15, 10.0, 1e4, (0.1, 1.0), (0.0, 50.0), 1e-3).first_coverage, 1e-6),
    Case("a purge too short grows more than a cycle", 1.0, lambda: float(pulse.cycle(
        "Al2O3", 523.15, 1e3, 1e3, (1.0, 1.0), (0.01, 0.01), 0.1).growth_m > growth.growth_per_cycle("Al2O3", 523.15)),
        0.0),
    Case("Grove: half way between reaction and transport", 0.05, lambda: growth.grove(0.1, 0.1, 1.0), 1e-12),
    Case("UHV: transport beyond limits leaves the surface alone", 0.1, lambda: growth.grove(0.1, math.inf, 1.0), 1e-12),
    Case("arrhenius, R·T·ln", 2.0, lambda: growth.arrhenius(2.0 * math.exp(20.0), 20.0 * GAS * 900.0, 900.0), 1e-6),
    # Gaps and lattices at both ends and in between: Vurgaftman 2001 and 2003, Adachi 1985, Dismukes 1964
    *(Case(f"{kind}, x {x:g}: gap, eV", value, lambda k=kind, y=x: alloy.band_gap(k, y), tolerance)
      for kind, x, value, tolerance in (
          ("InGaN", 0.0, 3.44, 0.01), ("InGaN", 0.2, 2.66, 0.02), ("InGaN", 1.0, 0.70, 0.03),
          ("AlGaAs", 0.0, 1.424, 1e-3), ("AlGaAs", 0.3, 1.798, 5e-3), ("AlGaAs", 1.0, 2.168, 5e-3),
          ("SiGe", 0.0, 1.12, 5e-3), ("SiGe", 1.0, 0.66, 0.02))),
    *(Case(f"{kind}, x {x:g}: lattice, nm", value, lambda k=kind, y=x: alloy.lattice_constant(k, y) * 1e9, 1e-3)
      for kind, x, value in (("InGaN", 1.0, 0.3545), ("AlGaAs", 1.0, 0.56611), ("SiGe", 0.5, 0.55373),
                             ("SiGe", 1.0, 0.56579))),
    Case("AlGaAs follows the gas: TMAl is a dimer", 0.5,
         lambda: alloy.aluminium_gallium_arsenide(1e-6, 2e-6, 923.0), 0.02),
    *(Case(f"{name} of one source alone", 1.0, got, 1e-9) for name, got in (
        ("InGaN", lambda: alloy.indium_gallium_nitride(1e-6, 0.0, 1013.0)),
        ("AlGaAs", lambda: alloy.aluminium_gallium_arsenide(1e-6, 0.0)),
        ("SiGe", lambda: alloy.silicon_germanium(1e-6, 0.0)))),
    Case("SiGe of DCS: the root of x²/(1 − x) = 2.66·ratio", 0.5 * (math.sqrt(0.266**2 + 4.0 * 0.266) - 0.266),
         lambda: alloy.silicon_germanium(1e-6, 1e-5, 873.15, "SiH2Cl2"), 1e-6),
    Case("Si0.8Ge0.2 on Si: 10 … 20 nm until dislocations pay", 15.0, lambda: 1e9 * alloy.critical_thickness(
        alloy.misfit("SiGe", 0.2, 5.43102e-10)), 0.34),
    Case("plasma nitride at 13.56 MHz, MPa", 400.0, lambda: film_properties.nitride_plasma_stress(13.56e6) / 1e6, 1e-6),
    Case("plasma nitride at 50 kHz, MPa", -200.0, lambda: film_properties.nitride_plasma_stress(50e3) / 1e6, 1e-6),
    Case("nitride's index, Si3N4", 1.90, lambda: film_properties.nitride_index(0.75), 0.01),
    Case("Stoney: 100 MPa of 1 µm on 725 µm of silicon, 300 mm wide, µm", 3.0 * 1e8 * 1e-6 * 0.72 * 0.15**2 / (
        130e9 * 725e-6**2) * 1e6, lambda: film_properties.wafer_bow(1e8, 1e-6, 725e-6, 0.15) * 1e6, 1e-9),
]  # fmt: skip
