"""Plasmas of a process chamber: global model, sheath, matching network. SI units; electron temperature in eV."""

import math
from typing import NamedTuple

from kernels.physics.constants cimport BOLTZMANN, PI
from kernels.physics.discharge cimport (
    CHARGE,
    ELECTRON_MASS,
    VACUUM_PERMITTIVITY,
    bohm_speed,
    effective_area,
    electron_temperature,
    rates,
)

_MASS = {"Ar": 6.6335e-26, "O2": 5.3135e-26}
_ION_CROSS_SECTION = 1e-18
_RECOMBINATION = 5.2e-14


class GlobalPlasma(NamedTuple):
    """State of a discharge."""

    electron_density_m3: float
    electron_temperature_ev: float
    ion_flux_m2_s: float
    sheath_voltage_v: float
    dc_bias_v: float
    negative_ion_ratio: float
    radical_density_m3: dict


class LMatch(NamedTuple):
    """Elements of an L network."""

    shunt_f: float
    series_ohm: float
    shunt_at: str


def _above(**numbers):
    for name, value in numbers.items():
        if not 0.0 < value < 1e30:
            raise ValueError(f"{name} must be above 0 and finite, is {value:g}")


def _not_below(**numbers):
    for name, value in numbers.items():
        if not 0.0 <= value < 1e30:
            raise ValueError(f"{name} must be finite and not negative, is {value:g}")


def wall_loss_time(diffusivity_m2_s, diffusion_length_m, volume_m3, area_m2, speed_m_s, loss_probability):
    """Return how long a radical lives before it is lost to the walls, s."""
    _above(diffusivity_m2_s=diffusivity_m2_s, diffusion_length_m=diffusion_length_m, volume_m3=volume_m3,
           area_m2=area_m2, speed_m_s=speed_m_s)
    if not 0.0 < loss_probability <= 1.0:
        raise ValueError(f"loss_probability must be above 0 and at most 1, is {loss_probability:g}")
    return diffusion_length_m ** 2 / diffusivity_m2_s + 2.0 * volume_m3 * (2.0 - loss_probability) / (
        area_m2 * speed_m_s * loss_probability)


def global_model(power_w, pressure_pa, radius_m, length_m, gases=None, temperature_k=300.0, bias_power_w=0.0,
                 electrode_m2=None, loss_probability=0.1):
    """Return the state of a cylindrical discharge by its particle and power balance."""
    _above(power_w=power_w, pressure_pa=pressure_pa, radius_m=radius_m, length_m=length_m,
           temperature_k=temperature_k)
    _not_below(bias_power_w=bias_power_w)
    shares = {"Ar": 1.0} if gases is None else dict(gases)
    for gas, share in shares.items():
        if gas not in _MASS:
            raise ValueError(f"no collision data of {gas!r}; there are {', '.join(sorted(_MASS))}")
        _not_below(**{gas: share})
    total = sum(shares.values())
    if not total > 0.0:
        raise ValueError("gases must hold a share above 0")
    cdef double argon = shares.get("Ar", 0.0) / total, oxygen = shares.get("O2", 0.0) / total
    cdef double mass = argon * _MASS["Ar"] + oxygen * _MASS["O2"]
    cdef double density = pressure_pa / (BOLTZMANN * temperature_k), volume = PI * radius_m ** 2 * length_m
    cdef double walls = 2.0 * PI * radius_m * (radius_m + length_m)
    cdef double area = effective_area(radius_m, length_m, 1.0 / (density * _ION_CROSS_SECTION))
    cdef double t = electron_temperature(argon, oxygen, density, mass, volume, area)
    if t < 0.0:
        raise ValueError("pressure_pa times size must sustain a discharge of 0.3 … 100 eV; this one does not")
    r = rates(argon, oxygen, t)
    cdef double speed = bohm_speed(t, mass), floating = t * math.log(math.sqrt(mass / (2.0 * PI * ELECTRON_MASS)))
    # Each electron costs r.cost·n_g in the volume, and what it and its ion carry to the walls
    per_electron = CHARGE * (r.cost * density * volume + speed * area * (2.0 * t + floating + 0.5 * t))
    electrons = power_w / per_electron
    flux = electrons * speed * area / walls
    electrode = PI * radius_m ** 2 if electrode_m2 is None else electrode_m2
    _above(electrode_m2=electrode)
    bias = bias_power_w / (CHARGE * flux * electrode)
    ratio = r.attach * density / (_RECOMBINATION * electrons)
    radicals = {}
    if oxygen > 0.0:
        thermal = math.sqrt(8.0 * BOLTZMANN * temperature_k / (PI * 0.5 * _MASS["O2"]))
        across = 1.0 / math.sqrt((PI / length_m) ** 2 + (2.405 / radius_m) ** 2)
        life = wall_loss_time(thermal / (3.0 * density * 4e-19), across, volume, walls, thermal, loss_probability)
        # As much as there is: two atoms from each molecule
        made = 2.0 * r.dissociate * electrons * density * life
        most = 2.0 * oxygen * density
        radicals["O"] = made * most / (made + most)
    return GlobalPlasma(electrons, t, flux, floating + bias, bias, 0.5 * (math.sqrt(1.0 + 4.0 * ratio) - 1.0), radicals)


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
    return math.exp(-distance_m / (speed_m_s * life_s))


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
