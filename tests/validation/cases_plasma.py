"""Plasma: the published match and circuits built up again, Bohm and Child by hand, balances solved again by SciPy."""

import math

from scipy import constants, optimize

from kernels import plasma as p
from tests.validation.case import Case

ARGON = 39.948e-3 / constants.N_A
RADIUS, LENGTH = 0.15, 0.1
VOLUME, WALLS = math.pi * RADIUS**2 * LENGTH, 2.0 * math.pi * RADIUS * (RADIUS + LENGTH)


def temperature(pressure: float) -> float:
    """Te of argon in eV: K_iz·n·V = u_B·A_eff, edge densities of Lieberman and Lichtenberg eq. 10.2."""
    density = pressure / (constants.k * 300.0)
    path = 1.0 / (density * 1e-18)
    area = 2.0 * math.pi * RADIUS * (RADIUS * 0.86 / math.sqrt(3.0 + 0.5 * LENGTH / path)
                                     + LENGTH * 0.80 / math.sqrt(4.0 + RADIUS / path))  # fmt: skip

    def gain(t: float) -> float:
        made = 2.34e-14 * t**0.59 * math.exp(-17.44 / t) * density * VOLUME
        return made - math.sqrt(constants.e * t / ARGON) * area

    return float(optimize.brentq(gain, 0.5, 50.0, xtol=1e-12))


def paid(pressure: float) -> float:
    """Power that electrons and ions of an argon discharge of 500 W take, W."""
    got = p.global_model(500.0, pressure, RADIUS, LENGTH)
    t, density = got.electron_temperature_ev, pressure / (constants.k * 300.0)
    ionise = 2.34e-14 * t**0.59 * math.exp(-17.44 / t)
    excite = 2.48e-14 * t**0.33 * math.exp(-12.78 / t)
    log = math.log(t)
    elastic = 2.336e-14 * t**1.609 * math.exp(0.0618 * log**2 - 0.1171 * log**3)
    volume = 15.76 * ionise + 12.14 * excite + 3.0 * constants.m_e / ARGON * t * elastic
    walls = got.ion_flux_m2_s * WALLS * (2.5 * t + t * math.log(math.sqrt(ARGON / (2.0 * math.pi * constants.m_e))))
    return constants.e * (got.electron_density_m3 * density * VOLUME * volume + walls)


def floating() -> float:
    """Voltage of a floating sheath in argon over Te."""
    got = p.global_model(500.0, 0.67, RADIUS, LENGTH)
    return got.sheath_voltage_v / got.electron_temperature_ev


def biased(watts: float) -> float:
    """Power that ions take up on a biased electrode, W."""
    got = p.global_model(500.0, 1.0, RADIUS, LENGTH, bias_power_w=watts)
    return got.dc_bias_v * constants.e * got.ion_flux_m2_s * math.pi * RADIUS**2


def seen(load: complex, frequency: float) -> float:
    """What a generator sees of a matched load, Ω, the network built up from its elements."""
    match = p.l_match(load, frequency)
    shunt = 2j * math.pi * frequency * match.shunt_f
    series = 1j * match.series_ohm
    if match.shunt_at == "source":
        return abs(1.0 / (1.0 / (load + series) + shunt))
    return abs(1.0 / (1.0 / load + shunt) + series)


CASES = [
    Case("L-match to 5 − j100 Ω, shunt in pF", 704.0, lambda: p.l_match(5 - 100j, 13.56e6).shunt_f * 1e12, 5e-3),
    Case("L-match to 5 − j100 Ω, series in Ω", 115.0, lambda: p.l_match(5 - 100j, 13.56e6).series_ohm, 5e-3),
    *(Case(f"L-match, {load} Ω at {frequency:g} Hz: 50 Ω are seen", 50.0, lambda z=load, f=frequency: seen(z, f), 1e-9)
      for load, frequency in ((2 - 500j, 13.56e6), (20 - 50j, 13.56e6), (5 - 100j, 400e3), (0.5 - 30j, 60e6),
                              (900 - 400j, 2e6), (50 + 0j, 13.56e6))),
    Case("reflected of 100 W, 5 − j100 Ω", 100.0 * abs((-45 - 100j) / (55 - 100j)) ** 2,
         lambda: p.reflected_power(100.0, 5 - 100j), 1e-12),
    Case("reflected of 100 W, an open end", 100.0, lambda: p.reflected_power(100.0, 1e9 + 0j), 1e-6),
    *(Case(f"argon, {pressure:g} Pa: Te beside SciPy, eV", temperature(pressure),
           lambda x=pressure: p.global_model(500.0, x, RADIUS, LENGTH).electron_temperature_ev, 1e-5)
      for pressure in (0.05, 0.67, 10.0, 300.0)),
    *(Case(f"argon, {pressure:g} Pa: 500 W are spent", 500.0, lambda x=pressure: paid(x), 1e-5)
      for pressure in (0.05, 0.67, 10.0, 300.0)),
    Case("argon: floating sheath over Te, ln√(M/2πm)", 4.679, floating, 1e-3),
    *(Case(f"bias {watts:g} W: e·Γ·A·V", watts, lambda w=watts: biased(w), 1e-9) for watts in (10.0, 2000.0)),
    *(Case(f"Child's law, {volts:g} V: J carried, A/m²", 10.0, lambda v=volts: (
        4.0 / 9.0 * constants.epsilon_0 * math.sqrt(2.0 * constants.e / ARGON) * v**1.5
        / p.child_thickness(v, 10.0 / constants.e, ARGON) ** 2), 1e-9) for volts in (20.0, 1000.0)),
    Case("sheath 2.452·ε0·A/s, pF", 2.452 * 8.8541878128e-12 * 0.07 / 2e-3 * 1e12,
         lambda: p.sheath_capacitance(2e-3, 0.07) * 1e12, 1e-9),
    *(Case(f"radical, β {loss:g}: Λ²/D + 2V(2 − β)/(A·v̄·β), s",
           0.01**2 / 0.05 + 2e-3 * (2.0 - loss) / (0.2 * 450.0 * loss),
           lambda b=loss: p.wall_loss_time(0.05, 0.01, 1e-3, 0.2, 450.0, b), 1e-12) for loss in (1e-4, 0.3, 1.0)),
    Case("bias ∝ √P, 16 times the power", 4.0, lambda: p.capacitive_bias(1600.0, 5 - 100j)
         / p.capacitive_bias(100.0, 5 - 100j), 1e-9),
    Case("remote plasma: 1/e after its life", math.exp(-1.0), lambda: p.radical_decay(0.5, 10.0, 0.05), 1e-12),
]  # fmt: skip
