"""Properties of films as proxies with their stated basis: stress, index, roughness, crystallinity. SI units."""

import math

from kernels.physics.constants cimport GAS_CONSTANT
from kernels.physics.demands cimport within

# Young's modulus Pa, Poisson, expansion 1/K: usual values of films (W. D. Nix, Metall. Trans. A 20, 2217 (1989), and
# the handbooks it quotes)
MECHANICS = {
    "poly-Si": (160e9, 0.22, 2.8e-6),
    "SiO2": (70e9, 0.17, 0.55e-6),
    "Si3N4": (250e9, 0.25, 2.8e-6),
    "W": (411e9, 0.28, 4.5e-6),
    "GaAs": (85.9e9, 0.31, 5.7e-6),
    "GaN": (295e9, 0.25, 5.6e-6),
    "diamond": (1050e9, 0.10, 1.0e-6),
    "TiN": (450e9, 0.25, 9.4e-6),
    "Al2O3": (170e9, 0.24, 4.2e-6),
    "Si": (130e9, 0.28, 2.6e-6),
    "sapphire": (400e9, 0.29, 7.5e-6),
}


cdef object known(film):
    if film not in MECHANICS:
        raise ValueError(f"no mechanical data of {film!r}; there are {', '.join(sorted(MECHANICS))}")
    return MECHANICS[film]


def thermal_stress(film, substrate, double deposited_k, double measured_k=298.15):
    """Return the stress from unequal contraction, Pa; above 0 is tensile."""
    modulus, poisson, expansion = known(film)
    within("deposited_k", deposited_k, 1.0, 4000.0)
    within("measured_k", measured_k, 1.0, 4000.0)
    return modulus / (1.0 - poisson) * (expansion - known(substrate)[2]) * (deposited_k - measured_k)


def nitride_plasma_stress(double frequency_hz, double low_frequency_share=0.0):
    """Return the intrinsic stress of a plasma nitride, Pa."""
    within("frequency_hz", frequency_hz, 1e3, 1e9)
    within("low_frequency_share", low_frequency_share, 0.0, 1.0)
    # +400 MPa at 13.56 MHz, −200 MPa at 50 kHz (published pair); between them the bombardment turns over where ions no
    # longer follow the field, 1 … 5 MHz, taken as a logistic curve over ln f about 1.5 MHz

    def curve(f):
        return 1.0 / (1.0 + math.exp(-2.0 * math.log(f / 1.5e6)))

    low, high = curve(50e3), curve(13.56e6)
    tensile = -200e6 + 600e6 * (curve(frequency_hz) - low) / (high - low)
    return (1.0 - low_frequency_share) * tensile - 200e6 * low_frequency_share


def wafer_bow(double stress_pa, double film_m, double wafer_m=725e-6, double radius_m=0.1, substrate="Si"):
    """Return the bow of a wafer by Stoney's formula, m; above 0 is concave on the film's side."""
    within("stress_pa", stress_pa, -1e11, 1e11)
    within("film_m", film_m, 0.0, 1e-3)
    within("wafer_m", wafer_m, 1e-6, 1e-2)
    within("radius_m", radius_m, 1e-3, 1.0)
    modulus, poisson, _ = known(substrate)
    return 3.0 * stress_pa * film_m * (1.0 - poisson) * radius_m ** 2 / (modulus * wafer_m ** 2)


def mixed_index(double first, double second, double share):
    """Return the index of a mixture of two transparent materials (Lorentz–Lorenz)."""
    within("first", first, 1.0, 6.0)
    within("second", second, 1.0, 6.0)
    within("share", share, 0.0, 1.0)
    a, b = ((n * n - 1.0) / (n * n + 2.0) for n in (first, second))
    mixed = (1.0 - share) * a + share * b
    return math.sqrt((1.0 + 2.0 * mixed) / (1.0 - mixed))


def nitride_index(double silicon_over_nitrogen=0.75, double hydrogen=0.0):
    """Return the index of silicon nitride at 632.8 nm from its composition."""
    within("silicon_over_nitrogen", silicon_over_nitrogen, 0.5, 3.0)
    within("hydrogen", hydrogen, 0.0, 0.4)
    # N/Si = 4/3·(3.3 − n)/(n + 3.3 − 2·1.9), solved for n: a-Si 3.3, Si3N4 1.9 (E. Bustarret et al., Phys. Rev. B 38,
    # 8171 (1988)); hydrogen thins it by 0.5 for a share of 1 (usual value)
    x = 1.0 / silicon_over_nitrogen
    return (3.3 + 0.375 * x) / (1.0 + 0.75 * x) - 0.5 * hydrogen


def oxide_index(double excess_silicon=0.0, double porosity=0.0):
    """Return the index of silicon oxide at 632.8 nm."""
    within("excess_silicon", excess_silicon, 0.0, 1.0)
    within("porosity", porosity, 0.0, 0.9)
    return mixed_index(mixed_index(1.457, 3.88, excess_silicon), 1.0, porosity)


def crystalline_fraction(double hydrogen_dilution, double temperature_k=523.15):
    """Return the crystalline share of hydrogenated silicon."""
    within("hydrogen_dilution", hydrogen_dilution, 0.0, 1e4)
    within("temperature_k", temperature_k, 300.0, 1000.0)
    # From amorphous to microcrystalline about R = H2/SiH4 = 15 at 250 °C, sooner when hotter (usual values)
    turn = 15.0 * math.exp(30e3 / GAS_CONSTANT * (1.0 / temperature_k - 1.0 / 523.15))
    return 0.85 / (1.0 + (turn / hydrogen_dilution) ** 4) if hydrogen_dilution > 0.0 else 0.0


def roughness(double thickness_m, double exponent=0.3, double reference_m=0.5e-9, double at_m=100e-9):
    """Return the rms roughness that growth leaves, m."""
    within("thickness_m", thickness_m, 0.0, 1e-2)
    within("exponent", exponent, 0.0, 1.0)
    within("reference_m", reference_m, 0.0, 1e-4)
    if not 1e-12 < at_m < 1e-2:
        raise ValueError(f"at_m must be above 1e-12 and below 0.01, is {at_m:g}")
    return reference_m * math.pow(thickness_m / at_m, exponent)


def grain_size(double thickness_m, double temperature_k, double melting_k=1687.0):
    """Return the grain size of a columnar film, m."""
    within("thickness_m", thickness_m, 0.0, 1e-2)
    within("melting_k", melting_k, 300.0, 5000.0)
    within("temperature_k", temperature_k, 100.0, 5000.0)
    # Columns widen with thickness (exponent ½) and with T/Tm (zones of J. A. Thornton, J. Vac. Sci. Technol. 11, 666)
    return min(thickness_m, 20e-9 * math.sqrt(thickness_m / 100e-9) * math.exp(6.0 * (temperature_k / melting_k - 0.5)))
