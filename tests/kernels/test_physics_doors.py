"""Every door of the physics: arguments that are no numbers, zero, negative, extreme: a number or an error."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kernels import (
    alloy,
    equipment,
    film_properties,
    gas,
    growth,
    pulse,
    sources,
    stagnation,
    thermal,
    transport,
    vacuum,
)

# Each with arguments that mean something; the numbers among them are replaced one at a time.
DOORS: list[tuple[Callable[..., Any], dict[str, Any]]] = [
    (alloy.aluminium_gallium_arsenide, {"tmal_mol_s": 1e-6, "tmga_mol_s": 1e-6, "temperature_k": 973.0}),
    (alloy.indium_gallium_nitride, {"tmin_mol_s": 1e-6, "tmga_mol_s": 1e-6, "temperature_k": 1000.0,
                                    "growth_m_s": 1e-10, "hydrogen_fraction": 0.1}),
    (alloy.silicon_germanium, {"germane_mol_s": 1e-6, "silicon_mol_s": 1e-5, "temperature_k": 873.0}),
    (alloy.incorporated, {"flow_ratio": 0.5, "selectivity": 2.0}),
    (alloy.lattice_constant, {"alloy": "SiGe", "x": 0.3}),
    (alloy.band_gap, {"alloy": "InGaN", "x": 0.3}),
    (alloy.misfit, {"alloy": "SiGe", "x": 0.3, "substrate_m": 5.431e-10}),
    (alloy.critical_thickness, {"misfit": 0.01, "burgers_m": 3.84e-10, "poisson": 0.28}),
    (equipment.drive, {"position": 0.5, "target": 0.7, "speed_1_s": 1.0, "seconds": 0.1}),
    (equipment.pump_spin, {"speed": 0.5, "powered": True, "seconds": 1.0, "up_s": 4.0, "down_s": 2.0}),
    (equipment.booster_speed, {"speed_m3_s": 0.1, "backing_m3_s": 0.02, "pressure_pa": 10.0, "crossover_pa": 100.0}),
    (equipment.reflected, {"load_ohm": 5 - 100j, "shunt_s": 0.06, "series_ohm": 115.0, "source_ohm": 50.0}),
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
    (growth.arrhenius, {"prefactor": 1.0, "activation_j_mol": 1e5, "temperature_k": 900.0}),
    (growth.grove, {"surface_m_s": 0.1, "transfer_m_s": 0.1, "concentration_mol_m3": 1.0}),
    (growth.growth_per_cycle, {"film": "Al2O3", "temperature_k": 523.0}),
    (growth.growth_per_cycle, {"film": "TiN", "temperature_k": 673.0}),
    (pulse.adsorption_rate, {"pressure_pa": 10.0, "molar_mass_kg": 0.07, "temperature_k": 500.0, "sticking": 0.01,
                             "site_area_m2": 2e-19}),
    (pulse.coverage, {"start": 0.1, "rate_1_s": 100.0, "seconds": 0.1}),
    (pulse.saturation_time, {"rate_1_s": 100.0, "coverage": 0.95}),
    (pulse.residual, {"pressure_pa": 10.0, "seconds": 1.0, "tau_s": 0.1}),
    (sources.vapour_pressure, {"precursor": "TMGa", "temperature_k": 273.0}),
    (sources.bubbler_flow, {"precursor": "TMGa", "carrier_mol_s": 1e-5, "temperature_k": 273.0, "pressure_pa": 1e5,
                            "efficiency": 0.9}),
    (sources.filament_resistivity, {"temperature_k": 2300.0}),
    (sources.filament_temperature, {"current_a": 15.0, "length_m": 0.3, "diameter_m": 5e-4, "emissivity": 0.33,
                                    "walls_k": 400.0, "gas_w_k": 0.01, "reaction_w": 1.0, "reaction_k": 2273.0,
                                    "ageing": 1.1}),
    (sources.filament_after, {"temperature_k": 300.0, "current_a": 15.0, "seconds": 1.0, "length_m": 0.3,
                              "diameter_m": 5e-4, "emissivity": 0.33, "walls_k": 400.0, "gas_w_k": 0.01,
                              "reaction_w": 1.0, "reaction_k": 2273.0, "ageing": 1.1}),
    (sources.hot_wire_radicals, {"filament_k": 2100.0, "area_m2": 1e-3, "pressure_pa": 5.0, "molar_mass_kg": 0.032,
                                 "gas_k": 600.0, "probability": 0.3, "reference_k": 2100.0}),
    (sources.photolysis_rate, {"quantum_yield": 1.0, "cross_section_m2": 1e-22, "irradiance_w_m2": 100.0,
                               "wavelength_m": 193e-9, "pressure_pa": 100.0, "temperature_k": 300.0}),
    (sources.flame_temperature, {"oxygen_over_acetylene": 0.95, "inlet_k": 298.0}),
    (sources.droplet_lifetime, {"diameter_m": 5e-6, "diffusivity_m2_s": 1e-5, "vapour_pressure_pa": 1e4,
                                "molar_mass_kg": 0.2, "liquid_kg_m3": 900.0, "temperature_k": 500.0}),
    (sources.droplet_evaporated, {"diameter_m": 5e-6, "seconds": 1e-3, "diffusivity_m2_s": 1e-5,
                                  "vapour_pressure_pa": 1e4, "molar_mass_kg": 0.2, "liquid_kg_m3": 900.0,
                                  "temperature_k": 500.0}),
    (sources.gallium_chloride, {"hcl_mol_s": 1e-5, "source_k": 1123.0, "residence_s": 1.0}),
    (thermal.radiative_exchange, {"effective_area_m2": 0.1, "hot_k": 1000.0, "cold_k": 300.0}),
    (thermal.grey_exchange_area, {"inner_m2": 0.1, "inner_emissivity": 0.7, "outer_m2": 0.2, "outer_emissivity": 0.5}),
    (thermal.laser_peak_rise, {"power_w": 1.0, "radius_m": 5e-5, "conductivity_w_m_k": 148.0, "absorbed": 0.63}),
    (thermal.laser_transient_rise, {"power_w": 1.0, "radius_m": 5e-5, "conductivity_w_m_k": 148.0,
                                    "diffusivity_m2_s": 8e-5, "seconds": 1e-3, "absorbed": 0.63}),
    (thermal.laser_scan_rise, {"power_w": 1.0, "radius_m": 5e-5, "conductivity_w_m_k": 148.0, "diffusivity_m2_s": 8e-5,
                               "speed_m_s": 1.0, "ahead_m": 1e-5, "aside_m": 1e-5, "absorbed": 0.63}),
    (transport.wafer_gap_ratio, {"phi": 0.5}),
    (transport.wafer_gap_modulus, {"surface_m_s": 0.1, "radius_m": 0.1, "diffusivity_m2_s": 0.1, "gap_m": 0.01}),
    (transport.rotating_disk_sherwood, {"schmidt": 1.0}),
    (transport.stagnation_sherwood, {"schmidt": 1.0}),
    (vacuum.pressure, {"amount_mol": 1.0, "temperature_k": 300.0, "volume_m3": 1.0}),
    (vacuum.steady_pressure, {"flow_mol_s": 1e-5, "speed_m3_s": 0.1, "temperature_k": 300.0, "ultimate_pa": 0.1}),
    (vacuum.residence_time, {"volume_m3": 0.1, "speed_m3_s": 0.1}),
    (vacuum.effective_speed, {"speed_m3_s": 0.1}),
    (vacuum.throttle_conductance, {"opening": 0.5, "closed_m3_s": 1e-4, "full_m3_s": 0.1}),
    (vacuum.pump_speed, {"speed_m3_s": 0.1, "pressure_pa": 1.0, "ultimate_pa": 0.1}),
    (vacuum.rate_of_rise, {"leak_mol_s": 1e-8, "temperature_k": 300.0, "volume_m3": 0.1}),
    (vacuum.mean_speed, {"temperature_k": 300.0, "molar_mass_kg": 0.028}),
    (vacuum.orifice_conductance, {"area_m2": 1e-3, "temperature_k": 300.0, "molar_mass_kg": 0.028}),
    (vacuum.tube_conductance, {"diameter_m": 0.04, "length_m": 1.0, "mean_pressure_pa": 10.0, "viscosity_pa_s": 1.8e-5,
                               "temperature_k": 300.0, "molar_mass_kg": 0.028}),
]  # fmt: skip
BAD = [float("nan"), float("inf"), -float("inf"), -1.0, 0.0, 1e-300, 1e300, -1e300, 5e-324]


def plain(value: object) -> list[float]:
    if isinstance(value, tuple):
        return [float(part) for part in value]
    return [float(value)]  # type: ignore[arg-type]


@pytest.mark.parametrize(("door", "arguments"), DOORS, ids=[f"{d.__name__}-{i}" for i, (d, _) in enumerate(DOORS)])
def test_a_door_answers_with_a_number_or_an_error(door: Callable[..., Any], arguments: dict[str, Any]) -> None:
    """Sound arguments make a finite number; each is then replaced by what is none, too small, too large."""
    assert all(math.isfinite(part) for part in plain(door(**arguments)))
    for name, value in arguments.items():
        if isinstance(value, (str, bool)):
            continue
        for bad in BAD:
            try:
                found = door(**arguments | {name: bad})
            except (ValueError, OverflowError):
                continue
            assert not any(math.isnan(part) for part in plain(found)), f"{name}={bad}"
            assert not math.isnan(bad), f"{name}=NaN was taken"


@pytest.mark.parametrize("name", ["mole_fraction", "surface_k", "inlet_k", "pressure_pa", "velocity_m_s", "gap_m",
                                  "sticking", "rotation_rad_s"])  # fmt: skip
def test_a_stagnation_flow_refuses_what_is_none(name: str) -> None:
    for bad in BAD:
        given: dict[str, Any] = {"sticking": 0.1, name: bad}
        try:
            found = stagnation.stagnation_growth(**given)
        except (ValueError, ArithmeticError):
            continue
        assert math.isfinite(found.growth_m_s)
        assert found.growth_m_s >= 0.0


@given(
    st.sampled_from(["He", "H2", "N2", "Ar"]), st.floats(1e-6, 0.9), st.floats(400.0, 1600.0), st.floats(1.0, 2e5),
    st.floats(1e-3, 10.0), st.floats(0.005, 0.3), st.floats(1e-8, 1.0), st.booleans(),
)  # fmt: skip
@settings(max_examples=60, deadline=None)
def test_no_more_grows_than_comes_in(
    carrier: str,
    fraction: float,
    hot: float,
    pressure: float,
    velocity: float,
    gap: float,
    sticking: float,
    soret: bool,
) -> None:
    """Over all conditions: finite, not negative, at most the feed."""
    try:
        solved = stagnation.stagnation_growth(
            "SiH4", carrier, fraction, hot, 300.0, pressure, velocity, gap, sticking=sticking, soret=soret, nodes=48
        )
    except ArithmeticError:
        return  # no steady flow: said, not hidden
    feed = velocity * fraction * pressure / (8.314462618 * 300.0)
    assert 0.0 <= solved.rate_mol_m2_s <= feed * 1.02


@pytest.mark.parametrize("film", sorted(growth.FILMS))
def test_a_tube_conserves_what_it_is_fed(film: str) -> None:
    """Every film: moles of each gas that the film takes are those that are missing at the end; never below 0."""
    inlet = {gas_: 1e-5 for gas_, per in growth.FILMS[film].consumed.items() if per > 0.0} | {"H2": 1e-4, "N2": 1e-4}
    temperature = {"W": 700.0, "SiO2-TEOS": 980.0}.get(film, 900.0)
    areas = np.full(12, 0.05)
    tube = transport.hot_wall_tube(film, np.full(12, temperature), areas, inlet, 100.0)
    made = float(tube.growth_m_s @ areas) / growth.MOLAR_VOLUME[film]
    assert np.all(np.isfinite(tube.growth_m_s))
    assert 0.0 <= tube.conversion <= 1.0
    for name, per in growth.FILMS[film].consumed.items():
        if name in inlet and name in tube.outlet_mol_s:
            assert inlet[name] - tube.outlet_mol_s[name] == pytest.approx(per * made, rel=1e-6, abs=1e-17)
