"""Dilute gases: viscosity, conductivity, diffusion and thermal diffusion from kinetic theory. SI units.

The equations are those of kernels/physics/molecule.pxd. Lennard-Jones parameters: CHEMKIN's transport data (R. J. Kee
et al., Sandia SAND86-8246) where it has the molecule; the others are marked. Heat capacities are cubics in T/1000 K
fitted to B. J. McBride, M. J. Zehe and S. Gordon, NASA/TP-2002-211556, over 250 … 1800 K (within 4 %).
"""

from dataclasses import dataclass

from kernels.physics.demands cimport above
from kernels.physics.molecule cimport (
    Molecule,
    Pair,
    conductivity as conductivity_of,
    heat_capacity as heat_capacity_of,
    mixed_conductivity,
    pair,
    thermal_diffusion_factor as factor_of,
    translation,
    viscosity as viscosity_of,
    wilke,
)


@dataclass(frozen=True)
class Gas:
    """A kind of molecule."""

    molar_mass_kg: float
    diameter_m: float
    depth_k: float
    heat: tuple
    shape: int = 2
    relaxation: float = 1.0


def _gas(mass, diameter, depth, heat, shape=2, relaxation=1.0):
    return Gas(mass * 1e-3, diameter * 1e-10, depth, tuple(heat), shape, relaxation)


GASES = {
    "He": _gas(4.002602, 2.576, 10.2, (2.5, 0.0, 0.0, 0.0), 0, 0.0),
    "Ar": _gas(39.948, 3.330, 136.5, (2.5, 0.0, 0.0, 0.0), 0, 0.0),
    "H2": _gas(2.01588, 2.920, 38.0, (3.5314, -0.2936, 0.5202, -0.1113), 1, 280.0),
    "N2": _gas(28.0134, 3.621, 97.53, (3.4227, -0.0052, 0.7878, -0.2937), 1, 4.0),
    "O2": _gas(31.9988, 3.458, 107.4, (3.0298, 1.8657, -0.8747, 0.159), 1, 3.8),
    "N2O": _gas(44.0128, 3.828, 232.4, (2.8861, 7.197, -4.444, 1.0068), 1, 1.0),
    "NH3": _gas(17.03052, 2.920, 481.0, (2.9227, 4.7607, -0.9032, -0.0309), 2, 10.0),
    "CH4": _gas(16.04246, 3.746, 141.4, (1.7946, 8.4848, -1.2586, -0.2423), 2, 13.0),
    "HCl": _gas(36.46094, 3.339, 344.7, (3.5821, -0.5997, 1.1745, -0.3623), 1, 1.0),
    "SiH4": _gas(32.11726, 4.084, 207.6, (1.1354, 15.8053, -8.486, 1.6888)),
    "SiH2Cl2": _gas(101.00738, 4.898, 310.0, (3.7488, 15.7406, -10.5821, 2.5243)),  # estimate between SiH4 and SiCl4
    "SiHCl3": _gas(135.45244, 5.050, 340.0, (5.9711, 13.4807, -9.7888, 2.4469)),  # the same
    "SiCl4": _gas(169.8975, 5.080, 390.2, (8.5864, 10.3139, -8.2593, 2.1731)),
    "PH3": _gas(33.99758, 3.981, 251.5, (2.1425, 8.6945, -3.7067, 0.5639)),
    "AsH3": _gas(77.94542, 4.145, 259.8, (2.3, 8.6, -3.7, 0.57)),  # heat: that of PH3, shifted (estimate)
    "GeH4": _gas(76.6618, 4.220, 234.0, (1.6, 15.2, -8.3, 1.7)),  # estimate: near SiH4
    "TiCl4": _gas(189.679, 5.500, 430.0, (9.8523, 7.5088, -6.0813, 1.611)),  # size and depth are estimates
    "BCl3": _gas(117.17, 5.127, 337.7, (5.1275, 10.4545, -7.9594, 2.0291)),
    "WF6": _gas(297.8304, 5.210, 338.0, (11.3, 10.9, -8.9, 2.4)),  # heat: estimate from its vibrations
    "TMGa": _gas(114.8267, 5.520, 378.2, (6.5, 22.0, -9.0, 1.4)),  # heat: estimate
    "TMAl": _gas(72.0858, 5.300, 350.0, (6.5, 22.0, -9.0, 1.4)),  # monomer; size, depth and heat are estimates
    "TMIn": _gas(159.922, 5.620, 400.0, (6.5, 22.0, -9.0, 1.4)),  # the same
    "TEOS": _gas(208.3275, 7.030, 522.7, (12.0, 50.0, -24.0, 4.5)),  # the same
}


cdef Molecule molecule_of(kind) except *:
    cdef Molecule m
    cdef int i
    if isinstance(kind, str):
        if kind not in GASES:
            raise ValueError(f"no molecule {kind!r}; there are {', '.join(sorted(GASES))}, or give a kernels.gas.Gas")
        kind = GASES[kind]
    m.mass, m.diameter, m.depth = kind.molar_mass_kg, kind.diameter_m, kind.depth_k
    m.shape, m.relaxation = kind.shape, kind.relaxation
    if len(kind.heat) != 4 or m.shape not in (0, 1, 2):
        raise ValueError("a gas has 4 coefficients of its heat capacity and the shape 0, 1 or 2")
    for i in range(4):
        m.heat[i] = kind.heat[i]
    if not (1e-4 < m.mass < 10.0 and 1e-11 < m.diameter < 1e-8 and 1.0 < m.depth < 1e4 and m.relaxation >= 0.0):
        raise ValueError("a gas has molar_mass_kg in kg/mol, diameter_m in m, depth_k in K, relaxation from 0 on")
    return m


cdef double warm(double temperature_k) except? -1.0:
    if not 20.0 <= temperature_k <= 6000.0:
        raise ValueError(f"temperature_k must be 20 … 6000, is {temperature_k:g}")
    return temperature_k


cdef double fraction(double value) except? -1.0:
    if not 0.0 <= value <= 1.0:
        raise ValueError(f"mole_fraction must be 0 … 1, is {value:g}")
    return value


def viscosity(gas, double temperature_k):
    """Return the viscosity of a pure gas, Pa·s."""
    cdef Molecule m = molecule_of(gas)
    return viscosity_of(&m, warm(temperature_k))


def conductivity(gas, double temperature_k):
    """Return the thermal conductivity of a pure gas, W/(m·K)."""
    cdef Molecule m = molecule_of(gas)
    return conductivity_of(&m, warm(temperature_k))


def heat_capacity(gas, double temperature_k):
    """Return cp of a gas, J/(mol·K)."""
    cdef Molecule m = molecule_of(gas)
    return heat_capacity_of(&m, warm(temperature_k))


def diffusivity(gas, other, double temperature_k, double pressure_pa):
    """Return the binary diffusion coefficient, m²/s."""
    cdef Molecule one = molecule_of(gas), two = molecule_of(other)
    return pair(&one, &two, warm(temperature_k)).diffusion / above("pressure_pa", pressure_pa)


def thermal_diffusion_factor(gas, other, double temperature_k, double mole_fraction=0.0):
    """Return α of a gas in another: above 0 it goes to the cold side."""
    cdef Molecule one = molecule_of(gas), two = molecule_of(other)
    cdef Pair p = pair(&one, &two, warm(temperature_k))
    return factor_of(&p, one.mass, two.mass, translation(viscosity_of(&one, temperature_k), one.mass),
                     translation(viscosity_of(&two, temperature_k), two.mass), fraction(mole_fraction))


def mixture_viscosity(gas, other, double mole_fraction, double temperature_k):
    """Return the viscosity of two gases together, Pa·s."""
    cdef Molecule one = molecule_of(gas), two = molecule_of(other)
    return wilke(fraction(mole_fraction), one.mass, two.mass, viscosity_of(&one, warm(temperature_k)),
                 viscosity_of(&two, temperature_k))


def mixture_conductivity(gas, other, double mole_fraction, double temperature_k):
    """Return the thermal conductivity of two gases together, W/(m·K)."""
    cdef Molecule one = molecule_of(gas), two = molecule_of(other)
    return mixed_conductivity(fraction(mole_fraction), conductivity_of(&one, warm(temperature_k)),
                              conductivity_of(&two, temperature_k))
