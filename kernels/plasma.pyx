"""Plasmas of a process chamber: global model, sheath, matching network. SI units; electron temperature in eV."""

import math
from typing import NamedTuple

from kernels.physics.constants cimport BOLTZMANN, GAS_CONSTANT, PI
from kernels.physics.discharge cimport (
    CHARGE,
    COLLIDER_COUNT,
    COLLIDERS,
    Capacitive,
    Discharge,
    Microwave,
    VACUUM_PERMITTIVITY,
    capacitive,
    coefficient,
    decay,
    discharge,
    dissociation,
    floating_potential,
    microwave,
    wall_life,
)

GASES = ("Ar", "O2", "N2", "H2", "NH3", "SiH4", "NF3")
# Radical that a gas gives, how many, its mass over the molecule's, its usual loss in a hit
_RADICALS = {
    "O2": ("O", 2.0, 0.5, 0.1),
    "N2": ("N", 2.0, 0.5, 0.05),
    "H2": ("H", 2.0, 0.5, 0.1),
    "NH3": ("NH2", 1.0, 16.023 / 17.031, 0.3),
    "SiH4": ("SiH3", 1.0, 31.109 / 32.117, 0.3),
    "NF3": ("F", 1.0, 18.998 / 71.002, 0.02),
}
_ION_CROSS_SECTION = 1e-18
_RECOMBINATION = 5.2e-14
if len(GASES) != COLLIDER_COUNT:
    raise ImportError("kernels.plasma and physics/discharge.pxd do not name the same gases")


class GlobalPlasma(NamedTuple):
    """State of a discharge."""

    electron_density_m3: float
    electron_temperature_ev: float
    ion_flux_m2_s: float
    sheath_voltage_v: float
    dc_bias_v: float
    negative_ion_ratio: float
    radical_density_m3: dict


class CapacitiveLoad(NamedTuple):
    """What a generator sees of a capacitive discharge."""

    impedance_ohm: complex
    bulk_ohm: float
    current_a: float
    sheath_voltage_v: float
    sheath_m: float
    dc_bias_v: float
    edge_density_m3: float
    electron_temperature_ev: float


class MicrowavePlasma(NamedTuple):
    """Gas of a microwave discharge in hydrogen."""

    gas_temperature_k: float
    hydrogen_atoms: float


class LMatch(NamedTuple):
    """Elements of an L network."""

    shunt_f: float
    series_ohm: float
    shunt_at: str


def _above(**numbers):
    for name, value in numbers.items():
        if not 1e-60 < value < 1e30:
            raise ValueError(f"{name} must be above 0 and finite, is {value:g}")


def _not_below(**numbers):
    for name, value in numbers.items():
        if not 0.0 <= value < 1e30:
            raise ValueError(f"{name} must be finite and not negative, is {value:g}")


def wall_loss_time(diffusivity_m2_s, diffusion_length_m, volume_m3, area_m2, speed_m_s, loss_probability):
    """Return how long a radical lives before it is lost to the walls, s."""
    _above(diffusivity_m2_s=diffusivity_m2_s, diffusion_length_m=diffusion_length_m, volume_m3=volume_m3,
           area_m2=area_m2, speed_m_s=speed_m_s)
    if not 1e-12 <= loss_probability <= 1.0:
        raise ValueError(f"loss_probability must be 1e-12 … 1, is {loss_probability:g}")
    return wall_life(diffusivity_m2_s, diffusion_length_m, volume_m3, area_m2, speed_m_s, loss_probability)


cdef int _mixture(gases, double* shares) except -1:
    # Shares in the order of COLLIDERS, adding up to 1
    cdef int i
    given = {"Ar": 1.0} if gases is None else dict(gases)
    for gas, share in given.items():
        if gas not in GASES:
            raise ValueError(f"no collision data of {gas!r}; there are {', '.join(sorted(GASES))}")
        _not_below(**{gas: share})
    total = sum(given.values())
    if not total > 0.0:
        raise ValueError("gases must hold a share above 0")
    for i in range(COLLIDER_COUNT):
        shares[i] = given.get(GASES[i], 0.0) / total
    return 0


def rate_coefficients(gas, temperature_ev):
    """Return electron rate coefficients of a gas, m³/s, by process."""
    if gas not in GASES:
        raise ValueError(f"no collision data of {gas!r}; there are {', '.join(sorted(GASES))}")
    if not 0.3 <= temperature_ev <= 100.0:
        raise ValueError(f"temperature_ev must be 0.3 … 100, is {temperature_ev:g}")
    cdef int i = GASES.index(gas)
    cdef double t = temperature_ev
    return {"ionise": coefficient(COLLIDERS[i].ionise, t), "attach": coefficient(COLLIDERS[i].attach, t),
            "dissociate": dissociation(i, t)}


def global_model(power_w, pressure_pa, radius_m, length_m, gases=None, temperature_k=300.0, bias_power_w=0.0,
                 electrode_m2=None, loss_probability=None):
    """Return the state of a cylindrical discharge by its particle and power balance."""
    cdef double shares[COLLIDER_COUNT]
    cdef Discharge d
    cdef int i
    _above(power_w=power_w, pressure_pa=pressure_pa, radius_m=radius_m, length_m=length_m,
           temperature_k=temperature_k)
    _not_below(bias_power_w=bias_power_w)
    if loss_probability is not None and not 1e-12 <= loss_probability <= 1.0:
        raise ValueError(f"loss_probability must be 1e-12 … 1, is {loss_probability:g}")
    _mixture(gases, shares)
    cdef double density = pressure_pa / (BOLTZMANN * temperature_k), volume = PI * radius_m ** 2 * length_m
    cdef double walls = 2.0 * PI * radius_m * (radius_m + length_m)
    _above(density=density, volume=volume, walls=walls)
    d = discharge(shares, power_w, density, radius_m, length_m, _ION_CROSS_SECTION)
    if d.temperature < 0.0:
        raise ValueError("pressure_pa times size must sustain a discharge of 0.3 … 100 eV; this one does not")
    electrode = PI * radius_m ** 2 if electrode_m2 is None else electrode_m2
    _above(electrode_m2=electrode, electrons=d.electrons, ions=d.ions)
    bias = bias_power_w / (CHARGE * d.ions * electrode)
    ratio, radicals = 0.0, {}
    across = 1.0 / math.sqrt((PI / length_m) ** 2 + (2.405 / radius_m) ** 2)
    for i in range(COLLIDER_COUNT):
        ratio += shares[i] * coefficient(COLLIDERS[i].attach, d.temperature) * density / (_RECOMBINATION * d.electrons)
        if shares[i] > 0.0 and GASES[i] in _RADICALS:
            radical, number, part, usual = _RADICALS[GASES[i]]
            thermal = math.sqrt(8.0 * BOLTZMANN * temperature_k / (PI * part * COLLIDERS[i].mass))
            life = wall_life(thermal / (3.0 * density * 4e-19), across, volume, walls, thermal,
                             usual if loss_probability is None else loss_probability)
            # As much as there is: so many from each molecule
            made = number * shares[i] * dissociation(i, d.temperature) * d.electrons * density * life
            most = number * shares[i] * density
            radicals[radical] = made * (most / (made + most)) if made > 0.0 else 0.0
    return GlobalPlasma(d.electrons, d.temperature, d.ions, floating_potential(d.temperature, d.mass) + bias, bias,
                        0.5 * (math.sqrt(1.0 + 4.0 * ratio) - 1.0), radicals)


def capacitive_load(power_w, pressure_pa, area_m2, gap_m, frequency_hz=13.56e6, gases=None, temperature_k=300.0,
                    area_ratio=1.5, exponent=2.5):
    """Return the impedance and the dc bias of a capacitive discharge that absorbs this power."""
    cdef double shares[COLLIDER_COUNT]
    cdef Capacitive c
    _above(power_w=power_w, pressure_pa=pressure_pa, area_m2=area_m2, gap_m=gap_m, frequency_hz=frequency_hz,
           temperature_k=temperature_k)
    if not 1.0 <= area_ratio <= 100.0:
        raise ValueError(f"area_ratio must be 1 … 100, is {area_ratio:g}")
    if not 0.0 < exponent <= 4.0:
        raise ValueError(f"exponent must be above 0 and at most 4, is {exponent:g}")
    _mixture(gases, shares)
    c = capacitive(shares, power_w, pressure_pa / (BOLTZMANN * temperature_k), area_m2, gap_m, frequency_hz, area_ratio,
                   exponent, _ION_CROSS_SECTION)
    if c.sheath_v < 0.0:
        raise ValueError("pressure_pa times size must sustain a discharge of 0.3 … 100 eV; this one does not")
    if not abs(0.5 * c.current_a ** 2 * c.resistance / power_w - 1.0) < 1e-6:
        raise ValueError("power_w must make sheaths of 1 mV … 1 MV in this discharge; it does not")
    return CapacitiveLoad(complex(c.resistance, c.reactance), c.bulk_ohm, c.current_a, c.sheath_v, c.sheath_m, c.bias_v,
                          c.edge_m3, c.temperature)


def microwave_plasma(power_density_w_m3, pressure_pa, diffusion_length_m=0.01, wall_k=1100.0, electron_share=0.05):
    """Return the gas temperature and the share of hydrogen atoms of a microwave discharge in hydrogen."""
    cdef Microwave m
    _above(power_density_w_m3=power_density_w_m3, pressure_pa=pressure_pa, diffusion_length_m=diffusion_length_m)
    if not 250.0 <= wall_k <= 2000.0:
        raise ValueError(f"wall_k must be 250 … 2000, is {wall_k:g}")
    if not 0.0 <= electron_share <= 1.0:
        raise ValueError(f"electron_share must be 0 … 1, is {electron_share:g}")
    m = microwave(power_density_w_m3, pressure_pa, diffusion_length_m, wall_k, electron_share)
    if m.gas_k < 0.0:
        raise ValueError(f"power_density_w_m3 must leave the gas below 6000 K, is {power_density_w_m3:g}")
    return MicrowavePlasma(m.gas_k, m.hydrogen)


def methyl_fraction(methane, hydrogen_atoms, temperature_k):
    """Return the mole fraction of CH3 in partial equilibrium, CH4 + H = CH3 + H2."""
    for name, value in (("methane", methane), ("hydrogen_atoms", hydrogen_atoms)):
        if not 0.0 <= value < 1.0:
            raise ValueError(f"{name} must be 0 … below 1, is {value:g}")
    if methane + hydrogen_atoms >= 1.0:
        raise ValueError("methane and hydrogen_atoms must leave hydrogen molecules: their sum must be below 1")
    if not 250.0 <= temperature_k <= 6000.0:
        raise ValueError(f"temperature_k must be 250 … 6000, is {temperature_k:g}")
    ratio = math.exp(23.9 / GAS_CONSTANT - 3.1e3 / (GAS_CONSTANT * temperature_k)) * hydrogen_atoms / (
        1.0 - methane - hydrogen_atoms)
    return methane * ratio / (1.0 + ratio)


def sheath_capacitance(thickness_m, area_m2):
    """Return the capacitance of a collisionless radio-frequency sheath, F."""
    _above(thickness_m=thickness_m, area_m2=area_m2)
    return 2.452 * VACUUM_PERMITTIVITY * area_m2 / thickness_m


def child_thickness(voltage_v, ion_flux_m2_s, ion_mass_kg):
    """Return the thickness of a sheath by Child's law, m."""
    _above(voltage_v=voltage_v, ion_flux_m2_s=ion_flux_m2_s, ion_mass_kg=ion_mass_kg)
    return math.sqrt(4.0 / 9.0 * VACUUM_PERMITTIVITY * math.sqrt(2.0 * CHARGE / ion_mass_kg) * voltage_v ** 1.5
                     / (CHARGE * ion_flux_m2_s))


def radical_decay(distance_m, speed_m_s, life_s):
    """Return the share of radicals left behind a tube of remote plasma."""
    _not_below(distance_m=distance_m)
    _above(speed_m_s=speed_m_s, life_s=life_s)
    return decay(distance_m, speed_m_s, life_s)


def capacitive_bias(power_w, load_ohm, area_ratio=2.0, exponent=2.5):
    """Return the dc bias of the smaller electrode of a capacitive discharge, V; it grows as √P."""
    load = complex(load_ohm)
    _not_below(power_w=power_w)
    _above(resistance=load.real, area_ratio=area_ratio, exponent=exponent)
    _not_below(reactance=abs(load.imag))
    share = area_ratio ** exponent
    return abs(load) * math.sqrt(2.0 * power_w / load.real) * (share - 1.0) / (share + 1.0)


def reflection(load_ohm, source_ohm=50.0):
    """Return the complex reflection coefficient of a load; |Γ|² of the forward power comes back."""
    load = complex(load_ohm)
    _above(source_ohm=source_ohm)
    _not_below(resistance=load.real, reactance=abs(load.imag))
    return (load - source_ohm) / (load + source_ohm)


def reflected_power(power_w, load_ohm, source_ohm=50.0):
    """Return what comes back of a forward power, W: |Γ|²·P."""
    _not_below(power_w=power_w)
    return abs(reflection(load_ohm, source_ohm)) ** 2 * power_w


def l_match(load_ohm, frequency_hz, source_ohm=50.0):
    """Return the L network that matches a load: shunt capacitance and series reactance."""
    load = complex(load_ohm)
    _above(frequency_hz=frequency_hz, source_ohm=source_ohm, resistance=load.real)
    _not_below(reactance=abs(load.imag))
    turn = 2.0 * math.pi * frequency_hz
    if load.real <= source_ohm:
        q = math.sqrt(source_ohm / load.real - 1.0)
        return LMatch(q / (source_ohm * turn), q * load.real - load.imag, "source")
    admittance = 1.0 / load
    q = math.sqrt(1.0 / (admittance.real * source_ohm) - 1.0)
    return LMatch((q * admittance.real - admittance.imag) / turn, q * source_ohm, "load")
