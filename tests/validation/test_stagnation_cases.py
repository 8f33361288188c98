"""Stagnation flow with a reacting surface beside Cantera's impinging jet, and beside closed solutions."""

import cantera as ct
import numpy as np
import pytest

from kernels import gas, growth, stagnation, transport
from tests.validation.cantera_stagnation import jet, rate, thermo


@pytest.mark.parametrize(
    ("carrier", "fraction", "surface_k", "pressure", "velocity", "gap", "sticking", "soret"),
    [
        ("He", 1e-3, 1000.0, 101325.0, 0.1, 0.1, 1.0, True),
        ("He", 1e-3, 1000.0, 101325.0, 0.1, 0.1, 1.0, False),
        ("He", 1e-3, 1000.0, 101325.0, 0.1, 0.1, 1e-4, True),
        ("H2", 1e-2, 1200.0, 101325.0, 0.1, 0.1, 1.0, True),
        ("N2", 1e-3, 900.0, 101325.0, 0.3, 0.05, 1.0, True),
        ("He", 1e-3, 1000.0, 1333.0, 1.0, 0.05, 1.0, True),
        ("H2", 0.1, 1200.0, 101325.0, 0.1, 0.1, 1.0, True),
    ],
)
def test_growth_agrees_with_cantera(
    carrier: str, fraction: float, surface_k: float, pressure: float, velocity: float, gap: float, sticking: float,
    soret: bool,
) -> None:  # fmt: skip
    """Within 2 %; Cantera's surface gives the film's mass back to the gas, so `stefan` is off."""
    theirs = rate(*jet(carrier, fraction, surface_k, pressure, velocity, gap, sticking, soret=soret))
    ours = stagnation.stagnation_growth(
        "SiH4", carrier, fraction, surface_k, 300.0, pressure, velocity, gap, sticking=sticking, soret=soret,
        stefan=False,
    )  # fmt: skip
    assert ours.rate_mol_m2_s == pytest.approx(theirs, rel=0.02)


@pytest.mark.parametrize("sticking", [1e-6, 1e-4, 1e-2, 1.0])
def test_thermal_diffusion_costs_silane_in_helium_a_fifth_to_a_third(sticking: float) -> None:
    """From a slow surface to a greedy one: −20 … −36 %."""
    with_it, without = (
        stagnation.stagnation_growth("SiH4", "He", sticking=sticking, soret=s).growth_m_s for s in (True, False)
    )
    assert 0.64 <= with_it / without <= 0.80


def test_nearly_isothermal_dilute_flow_far_from_the_inlet_is_homanns() -> None:
    """A wide gap at one temperature: k from the strain of the potential flow at the surface's layer (2 %)."""
    solved = stagnation.stagnation_growth(
        "SiH4", "Ar", 1e-6, 500.001, 500.0, 101325.0, 2.0, 0.2, sticking=1.0, soret=False, nodes=256
    )
    nu = gas.viscosity("Ar", 500.0) / (101325.0 * 39.948e-3 / (8.314462618 * 500.0))
    diffusivity = gas.diffusivity("SiH4", "Ar", 500.0, 101325.0)
    strain = solved.radial_rate_1_s.max()
    k = diffusivity * np.sqrt(strain / nu) * transport.stagnation_sherwood(nu / diffusivity)
    surface = solved.surface_mole_fraction / 1e-6
    concentration = 101325.0 * 1e-6 / (8.314462618 * 500.0)
    assert solved.rate_mol_m2_s == pytest.approx(k * concentration * (1.0 - surface), rel=0.04)


@pytest.mark.parametrize("gap", [0.02, 0.05])
def test_a_turning_surface_that_is_fed_what_it_draws_is_von_karmans(gap: float) -> None:
    """One temperature, inflow H∞·√(ων): k = D·√(ω/ν)·[−c′(0)] to 1e-4, whatever the gap."""
    hot, pressure, spin = 500.0, 2e4, 100.0
    nu = gas.viscosity("Ar", hot) / (pressure * 39.948e-3 / (8.314462618 * hot))
    diffusivity = gas.diffusivity("SiH4", "Ar", hot, pressure)
    inflow = -transport.von_karman().axial_inflow * np.sqrt(spin * nu)
    solved = stagnation.stagnation_growth(
        "SiH4", "Ar", 1e-6, hot + 1e-3, hot, pressure, inflow, gap, sticking=1.0, soret=False, rotation_rad_s=spin,
        nodes=192,
    )  # fmt: skip
    k = diffusivity * np.sqrt(spin / nu) * transport.rotating_disk_sherwood(nu / diffusivity)
    concentration = pressure * 1e-6 / (8.314462618 * hot)
    taken = k * concentration * (1.0 - solved.surface_mole_fraction / 1e-6)
    assert solved.rate_mol_m2_s == pytest.approx(taken, rel=1e-4)


def test_the_numerical_error_is_what_it_says() -> None:
    """Extrapolated rates of 32 and 256 nodes differ by less than the error that the coarse one states."""
    coarse, fine = (stagnation.stagnation_growth("SiH4", "H2", 0.05, 1100.0, sticking=0.1, nodes=n) for n in (32, 256))
    assert abs(coarse.rate_mol_m2_s / fine.rate_mol_m2_s - 1.0) < coarse.numerical_error < 1e-3


def test_a_film_and_a_function_are_mechanisms() -> None:
    """The polysilicon law by name, and the same law as a function."""
    named = stagnation.stagnation_growth("SiH4", "H2", 0.01, 950.0, mechanism="poly-Si", pressure_pa=2000.0)
    called = stagnation.stagnation_growth(
        "SiH4", "H2", 0.01, 950.0, pressure_pa=2000.0, mechanism=lambda t, p: growth.molar_rate("poly-Si", t, p)
    )
    assert named.growth_m_s == pytest.approx(called.growth_m_s, rel=1e-9)


@pytest.mark.parametrize(("one", "other"), [("SiH4", "He"), ("SiH4", "H2"), ("NH3", "H2"), ("N2", "He")])
@pytest.mark.parametrize("temperature", [300.0, 700.0, 1300.0])
def test_gas_properties_are_canteras(one: str, other: str, temperature: float) -> None:
    """Binary diffusion 0.3 %, viscosity 1 %, conductivity 1.5 %, thermal diffusion 5 % of Dixon-Lewis."""
    species = []
    for name in (one, other):
        kind = gas.GASES[name]
        made = ct.Species(name, {"SiH4": {"Si": 1, "H": 4}, "He": {"He": 1}, "H2": {"H": 2}, "N2": {"N": 2},
                                 "NH3": {"N": 1, "H": 3}}[name])  # fmt: skip
        made.thermo = next(s for s in ct.Species.list_from_file("nasa_gas.yaml") if s.name == name).thermo
        made.transport = ct.GasTransportData()
        made.transport.set_customary_units(
            ("atom", "linear", "nonlinear")[kind.shape], kind.diameter_m * 1e10, kind.depth_k, 0.0, 0.0, kind.relaxation
        )
        species.append(made)
    theirs = ct.Solution(thermo="ideal-gas", transport_model="multicomponent", species=species)
    theirs.TPX = temperature, 101325.0, {one: 1e-3, other: 1.0 - 1e-3}
    diffusivity = theirs.binary_diff_coeffs[0, 1]
    assert gas.diffusivity(one, other, temperature, 101325.0) == pytest.approx(diffusivity, rel=3e-3)
    assert gas.mixture_viscosity(one, other, 1e-3, temperature) == pytest.approx(theirs.viscosity, rel=0.01)
    assert gas.mixture_conductivity(one, other, 1e-3, temperature) == pytest.approx(
        theirs.thermal_conductivity, rel=0.02
    )
    factor = theirs.thermal_diff_coeffs[0] / (theirs.density * diffusivity * theirs.Y[0] * theirs.Y[1])
    assert gas.thermal_diffusion_factor(one, other, temperature, 1e-3) == pytest.approx(factor, rel=0.05)


def test_cantera_has_the_same_silane() -> None:
    """The fit of its heat capacity keeps 1 %."""
    assert "NASA" in thermo("SiH4")
    silane = next(s for s in ct.Species.list_from_file("nasa_gas.yaml") if s.name == "SiH4").thermo
    for temperature in np.linspace(260.0, 1790.0, 40):
        assert gas.heat_capacity("SiH4", temperature) == pytest.approx(silane.cp(temperature) / 1e3, rel=0.01)


def test_a_turning_surface_that_draws_from_aside_is_refused() -> None:
    with pytest.raises(ArithmeticError, match=r"recirculates|no steady flow"):
        stagnation.stagnation_growth(sticking=1.0, velocity_m_s=1e-3, rotation_rad_s=100.0)
