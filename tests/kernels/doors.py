"""Every public door of the physics, each with arguments that mean something, and what is tried on it.

`missing()` lists public functions and classes of the built kernels that have no entry here: a new one fails the test.
"""

import dataclasses
import inspect
import math
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

import kernels
from kernels import (
    alloy,
    conformality,
    equipment,
    film_properties,
    gas,
    growth,
    lookup,
    metrology,
    plasma,
    pulse,
    similarity,
    sources,
    stagnation,
    thermal,
    transport,
    vacuum,
)

ROOM = Path(kernels.__file__).parent
CONTROL = frozenset({"fast", "image", "mpc", "realtime", "scan"})
"""Modules of the real-time part, tested against an oracle of their own."""
BAD: tuple[Any, ...] = (math.nan, math.inf, -math.inf, -1.0, 0.0, 1e-300, 1e300, -1e300, 5e-324)
SILICON = 3.8808 + 0.0187j
WIRE = {"length_m": 0.3, "diameter_m": 5e-4, "emissivity": 0.33, "walls_k": 400.0, "gas_w_k": 0.01, "reaction_w": 1.0,
        "reaction_k": 2273.0, "ageing": 1.1}  # fmt: skip
DROPLET = {"diameter_m": 5e-6, "diffusivity_m2_s": 1e-5, "vapour_pressure_pa": 1e4, "molar_mass_kg": 0.2,
           "liquid_kg_m3": 900.0, "temperature_k": 500.0}  # fmt: skip
SPOT = {"power_w": 1.0, "radius_m": 5e-5, "conductivity_w_m_k": 148.0, "absorbed": 0.63}
STACK = {"wavelength_nm": 632.8, "layers": [(1.457, 100.0), (2.0 + 0.1j, 20.0)], "substrate": SILICON}
FEATURE = {"sticking": 0.1, "aspect_ratio": 4.0, "geometry": "via"}
DISCHARGE = {"power_w": 500.0, "pressure_pa": 1.0, "gases": {"Ar": 0.8, "O2": 0.2}, "temperature_k": 300.0}


def controller(full_scale: float, period_s: float, dead_time_s: float, flow: float) -> list[float]:
    """A flow controller that steps three times."""
    made = equipment.FlowController(full_scale, period_s, dead_time_s)
    return [made.step(flow) for _ in range(3)]


def matched(load_ohm: complex, seconds: float) -> list[float]:
    """A matching network that moves once."""
    made = equipment.MatchDrive()
    return [made.step(load_ohm, seconds), *made.elements]


def table(low: float, high: float, at: float) -> dict[str, float]:
    """A table of three values, read at one point."""
    made = lookup.Table([lookup.Axis("t", (low, high, 5.0))], ["rate"], [[1.0], [2.0], [4.0]])
    return made(t=at)


def axis(value: float) -> float:
    """An axis with a value between others."""
    return float(lookup.Axis("t", (1.0, value, 3.0), "log").coordinate(2.0))


def transfer(schmidt: float) -> float:
    """−c′(0) by the plant's table, which says NaN outside of it."""
    found = similarity.TransferTable("stagnation")(schmidt)
    if math.isnan(found):
        raise ArithmeticError("outside of the table")
    return found


def bodies(capacity: float, start: float, conductance: float, area: float, power: float, seconds: float) -> Any:
    """Two bodies that exchange heat."""
    made = thermal.ThermalNetwork(
        {"a": capacity, "b": 100.0}, {"a": start, "b": 300.0}, [("a", "b", conductance, area)]
    )
    return made.step(seconds, {"a": power})


def volumes(volume: float, conductance: float, flow: float, speed: float, seconds: float) -> Any:
    """Two volumes with a feed and a pump."""
    made = vacuum.GasNetwork({"a": volume, "b": 0.01}, ["N2"], [("a", "b", conductance, 0.0)])
    made.feed("a", "N2", flow)
    made.pump("b", speed)
    return made.step(seconds)


DOORS: list[tuple[Callable[..., Any], dict[str, Any]]] = [
    (alloy.aluminium_gallium_arsenide, {"tmal_mol_s": 1e-6, "tmga_mol_s": 1e-6, "temperature_k": 973.0}),
    (alloy.indium_gallium_nitride, {"tmin_mol_s": 1e-6, "tmga_mol_s": 1e-6, "temperature_k": 1000.0,
                                    "growth_m_s": 1e-10, "hydrogen_fraction": 0.1}),
    (alloy.silicon_germanium, {"germane_mol_s": 1e-6, "silicon_mol_s": 1e-5, "temperature_k": 873.0}),
    (alloy.silicon_germanium, {"germane_mol_s": 1e-6, "silicon_mol_s": 1e-5, "source": "SiH2Cl2"}),
    (alloy.incorporated, {"flow_ratio": 0.5, "selectivity": 2.0}),
    (alloy.lattice_constant, {"alloy": "SiGe", "x": 0.3}),
    (alloy.band_gap, {"alloy": "InGaN", "x": 0.3}),
    (alloy.misfit, {"alloy": "SiGe", "x": 0.3, "substrate_m": 5.431e-10}),
    (alloy.critical_thickness, {"misfit": 0.01, "burgers_m": 3.84e-10, "poisson": 0.28}),
    (conformality.clausing_transmission, {"length_over_radius": 2.0}),
    (conformality.clausing_transmission_slot, {"length_over_width": 2.0}),
    (conformality.ballistic_profile, FEATURE | {"cells": 20}),
    (conformality.bottom_flux, FEATURE),
    (conformality.diffusion_profile, FEATURE | {"cells": 20, "width_over_mean_free_path": 1.0}),
    (conformality.ald_saturation_exposure, FEATURE | {"coverage": 0.95}),
    (conformality.ald_coverage, FEATURE | {"exposure": 30.0, "cells": 20}),
    (conformality.film_coverage, FEATURE | {"growth": 0.1, "cells": 20, "steps": 3}),
    (equipment.drive, {"position": 0.5, "target": 0.7, "speed_1_s": 1.0, "seconds": 0.1}),
    (equipment.pump_spin, {"speed": 0.5, "powered": True, "seconds": 1.0, "up_s": 4.0, "down_s": 2.0}),
    (equipment.booster_speed, {"speed_m3_s": 0.1, "backing_m3_s": 0.02, "pressure_pa": 10.0, "crossover_pa": 100.0}),
    (equipment.reflected, {"load_ohm": 5 - 100j, "shunt_s": 0.06, "series_ohm": 115.0, "source_ohm": 50.0}),
    (controller, {"full_scale": 1e-4, "period_s": 0.01, "dead_time_s": 0.01, "flow": 5e-5}),
    (matched, {"load_ohm": 5 - 100j, "seconds": 0.1}),
    (film_properties.thermal_stress, {"film": "W", "substrate": "Si", "deposited_k": 700.0, "measured_k": 300.0}),
    (film_properties.nitride_plasma_stress, {"frequency_hz": 13.56e6, "low_frequency_share": 0.2}),
    (film_properties.wafer_bow, {"stress_pa": 3e8, "film_m": 1e-7, "wafer_m": 7e-4, "radius_m": 0.1}),
    (film_properties.mixed_index, {"first": 1.457, "second": 3.88, "share": 0.1}),
    (film_properties.nitride_index, {"silicon_over_nitrogen": 0.8, "hydrogen": 0.1}),
    (film_properties.oxide_index, {"excess_silicon": 0.02, "porosity": 0.1}),
    (film_properties.crystalline_fraction, {"hydrogen_dilution": 20.0, "temperature_k": 523.0}),
    (film_properties.roughness, {"thickness_m": 1e-7, "exponent": 0.3, "reference_m": 5e-10, "at_m": 1e-7}),
    (film_properties.grain_size, {"thickness_m": 1e-7, "temperature_k": 900.0, "melting_k": 1687.0}),
    (gas.viscosity, {"gas": "N2", "temperature_k": 300.0}),
    (gas.conductivity, {"gas": "H2", "temperature_k": 300.0}),
    (gas.heat_capacity, {"gas": "SiH4", "temperature_k": 300.0}),
    (gas.diffusivity, {"gas": "SiH4", "other": "H2", "temperature_k": 300.0, "pressure_pa": 100.0}),
    (gas.thermal_diffusion_factor, {"gas": "SiH4", "other": "H2", "temperature_k": 300.0, "mole_fraction": 0.1}),
    (gas.mixture_viscosity, {"gas": "SiH4", "other": "H2", "mole_fraction": 0.1, "temperature_k": 300.0}),
    (gas.mixture_conductivity, {"gas": "SiH4", "other": "H2", "mole_fraction": 0.1, "temperature_k": 300.0}),
    (growth.film, {"name": "W"}),
    (growth.consumed, {"name": "W", "gas": "WF6"}),
    (growth.arrhenius, {"prefactor": 1.0, "activation_j_mol": 1e5, "temperature_k": 900.0}),
    (growth.grove, {"surface_m_s": 0.1, "transfer_m_s": 0.1, "concentration_mol_m3": 1.0}),
    (growth.growth_per_cycle, {"film": "Al2O3", "temperature_k": 523.0}),
    (growth.growth_per_cycle, {"film": "TiN", "temperature_k": 673.0}),
    (growth.nucleation_delay, {"temperature_k": 1123.0, "source_pa": 100.0, "etchant_pa": 20.0}),
    (growth.loading, {"surface_m_s": 0.1, "transfer_m_s": 0.05, "open_share": 0.3}),
    (growth.combustion_growth, {"oxygen_over_acetylene": 0.95, "strain_1_s": 1000.0, "surface_k": 1200.0,
                                "methyl": 5e-5, "recombination": 0.1, "pressure_pa": 101325.0}),
    (growth.graphene_carbon, {"temperature_k": 1273.0, "methane_pa": 60.0, "hydrogen_pa": 1000.0}),
    *((law, {"film": film, "temperature_k": 900.0, "partial_pressures_pa": {
        gas_: 10.0 for gas_, per in kind.consumed.items() if per > 0.0} | {"H2": 100.0, "N2": 100.0}})
      for film, kind in growth.FILMS.items() for law in (growth.film_rate, growth.molar_rate)),
    (table, {"low": 1.0, "high": 3.0, "at": 2.0}),
    (axis, {"value": 2.0}),
    (metrology.reflectance, STACK | {"angle_deg": 30.0, "polarisation": "p", "ambient": 1.0}),
    (metrology.psi_delta, STACK | {"angle_deg": 70.0, "ambient": 1.0}),
    (metrology.sauerbrey, {"f0_hz": 6e6}),
    (metrology.z_match, {"f0_hz": 6e6, "f_hz": 5.9e6, "z_ratio": 0.5}),
    (metrology.planck_radiance, {"wavelength_nm": 950.0, "temperature_k": 1000.0, "emissivity": 0.6}),
    (metrology.pyrometer_reading, {"wavelength_nm": 950.0, "temperature_k": 1000.0, "emissivity": 0.6, "assumed": 0.9}),
    (metrology.fringe_rate, {"period_s": 60.0, "wavelength_nm": 632.8, "index": 2.0, "angle_deg": 10.0}),
    (metrology.rga_spectrum, {"partial_pressures_pa": {"SiH4": 1.0, "H2": 2.0}}),
    (metrology.oes_intensity, {"species": "Ar", "electron_density_m3": 1e17, "density_m3": 1e20, "factor": 1e-30}),
    (metrology.index, {"material": "SiO2", "wavelength_nm": 632.8}),
    (metrology.silica_index, {"wavelength_nm": 632.8}),
    (plasma.global_model, DISCHARGE | {"radius_m": 0.15, "length_m": 0.1, "bias_power_w": 100.0, "electrode_m2": 0.07,
                                       "loss_probability": 0.1}),
    (plasma.capacitive_load, DISCHARGE | {"area_m2": 0.07, "gap_m": 0.03, "pressure_pa": 20.0, "frequency_hz": 13.56e6,
                                          "area_ratio": 1.5, "exponent": 2.5}),
    (plasma.capacitive_bias, {"power_w": 300.0, "load_ohm": 5 - 100j, "area_ratio": 2.0, "exponent": 2.5}),
    (plasma.microwave_plasma, {"power_density_w_m3": 1e7, "pressure_pa": 5e3, "diffusion_length_m": 0.01,
                               "wall_k": 1100.0, "electron_share": 0.05}),
    (plasma.methyl_fraction, {"methane": 0.01, "hydrogen_atoms": 0.05, "temperature_k": 2000.0}),
    (plasma.sheath_capacitance, {"thickness_m": 1e-3, "area_m2": 0.07}),
    (plasma.child_thickness, {"voltage_v": 100.0, "ion_flux_m2_s": 1e20, "ion_mass_kg": 6.6e-26}),
    (plasma.radical_decay, {"distance_m": 0.3, "speed_m_s": 10.0, "life_s": 0.1}),
    (plasma.wall_loss_time, {"diffusivity_m2_s": 0.05, "diffusion_length_m": 0.01, "volume_m3": 1e-3, "area_m2": 0.2,
                             "speed_m_s": 450.0, "loss_probability": 0.3}),
    (plasma.rate_coefficients, {"gas": "Ar", "temperature_ev": 3.0}),
    (plasma.reflection, {"load_ohm": 5 - 100j, "source_ohm": 50.0}),
    (plasma.reflected_power, {"power_w": 100.0, "load_ohm": 5 - 100j, "source_ohm": 50.0}),
    (plasma.l_match, {"load_ohm": 5 - 100j, "frequency_hz": 13.56e6, "source_ohm": 50.0}),
    (plasma.l_match, {"load_ohm": 500 - 100j, "frequency_hz": 13.56e6, "source_ohm": 50.0}),
    (pulse.adsorption_rate, {"pressure_pa": 10.0, "molar_mass_kg": 0.07, "temperature_k": 500.0, "sticking": 0.01,
                             "site_area_m2": 2e-19}),
    (pulse.coverage, {"start": 0.1, "rate_1_s": 100.0, "seconds": 0.1}),
    (pulse.saturation_time, {"rate_1_s": 100.0, "coverage": 0.95}),
    (pulse.residual, {"pressure_pa": 10.0, "seconds": 1.0, "tau_s": 0.1}),
    (pulse.cycle, {"film": "Al2O3", "temperature_k": 523.0, "first_rate_1_s": 100.0, "second_rate_1_s": 100.0,
                   "pulses_s": (0.1, 0.1), "purges_s": (1.0, 1.0), "tau_s": 0.1, "start": 0.1}),
    (similarity.von_karman, {}),
    (similarity.homann, {}),
    (similarity.von_karman_profile, {"distances": [0.0, 1.0, 30.0]}),
    (similarity.homann_profile, {"distances": [0.0, 1.0, 30.0]}),
    (similarity.rotating_disk_sherwood, {"schmidt": 1.0}),
    (similarity.stagnation_sherwood, {"schmidt": 1.0}),
    (transfer, {"schmidt": 1.0}),
    (sources.vapour_pressure, {"precursor": "TMGa", "temperature_k": 273.0}),
    (sources.bubbler_flow, {"precursor": "TMGa", "carrier_mol_s": 1e-5, "temperature_k": 273.0, "pressure_pa": 1e5,
                            "efficiency": 0.9}),
    (sources.filament_resistivity, {"temperature_k": 2300.0}),
    (sources.filament_temperature, WIRE | {"current_a": 15.0}),
    (sources.filament_after, WIRE | {"temperature_k": 300.0, "current_a": 15.0, "seconds": 1.0, "parts": 3}),
    (sources.hot_wire_radicals, {"filament_k": 2100.0, "area_m2": 1e-3, "pressure_pa": 5.0, "molar_mass_kg": 0.032,
                                 "gas_k": 600.0, "probability": 0.3, "reference_k": 2100.0}),
    (sources.photolysis_rate, {"quantum_yield": 1.0, "cross_section_m2": 1e-22, "irradiance_w_m2": 100.0,
                               "wavelength_m": 193e-9, "pressure_pa": 100.0, "temperature_k": 300.0}),
    (sources.flame_temperature, {"oxygen_over_acetylene": 0.95, "inlet_k": 298.0}),
    (sources.droplet_lifetime, DROPLET),
    (sources.droplet_evaporated, DROPLET | {"seconds": 1e-3}),
    (sources.gallium_chloride, {"hcl_mol_s": 1e-5, "source_k": 1123.0, "residence_s": 1.0}),
    (stagnation.stagnation_growth, {"mole_fraction": 1e-3, "surface_k": 1000.0, "inlet_k": 300.0, "pressure_pa": 1e5,
                                    "velocity_m_s": 0.1, "gap_m": 0.1, "sticking": 0.1, "nodes": 24}),
    (thermal.radiative_exchange, {"effective_area_m2": 0.1, "hot_k": 1000.0, "cold_k": 300.0}),
    (thermal.radiative_time_constant, {"heat_capacity_j_k": 100.0, "effective_area_m2": 0.1, "temperature_k": 1000.0}),
    (thermal.grey_exchange_area, {"inner_m2": 0.1, "inner_emissivity": 0.7, "outer_m2": 0.2, "outer_emissivity": 0.5}),
    (thermal.laser_peak_rise, SPOT),
    (thermal.laser_transient_rise, SPOT | {"diffusivity_m2_s": 8e-5, "seconds": 1e-3}),
    (thermal.laser_scan_rise, SPOT | {"diffusivity_m2_s": 8e-5, "speed_m_s": 1.0, "ahead_m": 1e-5, "aside_m": 1e-5}),
    (bodies, {"capacity": 100.0, "start": 900.0, "conductance": 1.0, "area": 0.01, "power": 50.0, "seconds": 1.0}),
    (thermal.multi_zone_furnace, {"zones": 3, "element_capacity_j_k": 7000.0, "coupling": 0.2, "start_k": 298.0}),
    (thermal.lamp_heated_wafer, {"filament_j_k": 15.0, "wall_k": 320.0, "filament_wafer_m2": 0.002}),
    (thermal.heated_susceptor, {"heater_j_k": 300.0, "contact_w_k": 20.0, "wall_k": 300.0}),
    (transport.wafer_gap_ratio, {"phi": 0.5}),
    (transport.wafer_gap_profile, {"phi": 0.5, "relative_radii": [0.0, 0.5, 1.0]}),
    (transport.wafer_gap_modulus, {"surface_m_s": 0.1, "radius_m": 0.1, "diffusivity_m2_s": 0.1, "gap_m": 0.01}),
    (transport.hot_wall_tube, {"film": "poly-Si", "temperatures_k": [890.0, 900.0], "areas_m2": [0.1, 0.1],
                               "inlet_mol_s": {"SiH4": 1e-5, "N2": 1e-4}, "pressure_pa": 40.0, "parts": 2}),
    (transport.hot_wall_tube, {"film": "W", "temperatures_k": [690.0, 700.0], "areas_m2": [0.1, 0.1],
                               "inlet_mol_s": {"WF6": 1e-5, "H2": 1e-4}, "pressure_pa": 40.0, "parts": 2}),
    (volumes, {"volume": 0.1, "conductance": 0.01, "flow": 1e-5, "speed": 0.05, "seconds": 1.0}),
    (vacuum.molar_flow, {"flow_sccm": 100.0}),
    (vacuum.pressure, {"amount_mol": 1.0, "temperature_k": 300.0, "volume_m3": 1.0}),
    (vacuum.steady_pressure, {"flow_mol_s": 1e-5, "speed_m3_s": 0.1, "temperature_k": 300.0, "ultimate_pa": 0.1}),
    (vacuum.residence_time, {"volume_m3": 0.1, "speed_m3_s": 0.1}),
    (vacuum.pump_down_time, {"volume_m3": 0.1, "speed_m3_s": 0.1, "from_pa": 1e5, "to_pa": 10.0, "ultimate_pa": 0.1}),
    (vacuum.effective_speed, {"speed_m3_s": 0.1}),
    (vacuum.throttle_conductance, {"opening": 0.5, "closed_m3_s": 1e-4, "full_m3_s": 0.1}),
    (vacuum.pump_speed, {"speed_m3_s": 0.1, "pressure_pa": 1.0, "ultimate_pa": 0.1}),
    (vacuum.rate_of_rise, {"leak_mol_s": 1e-8, "temperature_k": 300.0, "volume_m3": 0.1}),
    (vacuum.purge_cycles, {"from_fraction": 1.0, "to_fraction": 1e-6, "high_pa": 1000.0, "low_pa": 10.0}),
    (vacuum.purge_time, {"from_fraction": 1.0, "to_fraction": 1e-6, "pressure_pa": 100.0, "volume_m3": 0.1,
                         "flow_mol_s": 1e-3, "temperature_k": 300.0}),
    (vacuum.mean_speed, {"temperature_k": 300.0, "molar_mass_kg": 0.028}),
    (vacuum.orifice_conductance, {"area_m2": 1e-3, "temperature_k": 300.0, "molar_mass_kg": 0.028}),
    (vacuum.tube_conductance, {"diameter_m": 0.04, "length_m": 1.0, "mean_pressure_pa": 10.0, "viscosity_pa_s": 1.8e-5,
                               "temperature_k": 300.0, "molar_mass_kg": 0.028}),
]  # fmt: skip
BUILT = {
    equipment.FlowController, equipment.MatchDrive, lookup.Table, lookup.Axis, lookup.load, similarity.TransferTable,
    thermal.ThermalNetwork, vacuum.GasNetwork,
}  # fmt: skip
"""Classes that the functions above make, or that have tests of their own."""


def physics() -> Iterator[Any]:
    """Every built module of the physics."""
    for path in sorted(ROOM.glob("*.pyx")):
        if path.stem not in CONTROL:
            yield import_module(f"kernels.{path.stem}")


def is_result(thing: object) -> bool:
    """Whether a class is a plain record."""
    return inspect.isclass(thing) and (dataclasses.is_dataclass(thing) or hasattr(thing, "_fields"))


def missing() -> list[str]:
    """Public functions and classes without a door."""
    known = {door for door, _ in DOORS} | BUILT
    return [
        f"{module.__name__}.{name}"
        for module in physics()
        for name, thing in vars(module).items()
        if not name.startswith("_") and callable(thing) and getattr(thing, "__module__", "") == module.__name__
        and thing not in known and not is_result(thing)
    ]  # fmt: skip


def replaced(value: Any, bad: Any) -> Iterator[Any]:
    """Yield a value with each of its numbers replaced in turn."""
    if isinstance(value, bool | str) or value is None:
        return
    if isinstance(value, dict):
        for name, inner in value.items():
            for changed in replaced(inner, bad):
                yield value | {name: changed}
    elif isinstance(value, list | tuple):
        for i, inner in enumerate(value):
            for changed in replaced(inner, bad):
                yield type(value)([*value[:i], changed, *value[i + 1 :]])
    elif isinstance(value, complex):
        yield complex(bad, value.imag)
        yield complex(value.real, bad)
    elif isinstance(value, int) and math.isfinite(bad):
        yield int(bad)
    else:
        yield bad


def numbers(found: Any) -> Iterator[float]:
    """Yield every number of a result."""
    if found is None or isinstance(found, str | thermal.ThermalNetwork):
        return
    if isinstance(found, dict):
        for inner in found.values():
            yield from numbers(inner)
    elif dataclasses.is_dataclass(found):
        for field in dataclasses.fields(found):
            yield from numbers(getattr(found, field.name))
    elif isinstance(found, list | tuple):
        for inner in found:
            yield from numbers(inner)
    else:
        flat: Any = np.atleast_1d(np.asarray(found)).ravel()
        yield from flat.real.tolist()
        yield from flat.imag.tolist()
