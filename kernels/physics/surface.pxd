"""Rates of surface reactions.

Silane: R = k·p / (1 + K_H·√p_H2 + K_S·p) with k = 1.6e4·exp(−18 500/T) mol/(m²·s·Pa), K_H = 0.19 Pa^−½, K_S =
0.70 Pa⁻¹ (K. F. Roenigk and K. F. Jensen, J. Electrochem. Soc. 132, 448 (1985), in the form of C. R. Kleijn, J.
Electrochem. Soc. 138, 2190 (1991)), for polycrystalline silicon at 580–700 °C.

Oxide from silane and nitrous oxide has no published rate law. It is taken as the same uptake of silane, times the
share of surface sites that an oxidant supply in the ratio x = p_N2O / (2·p_SiH4) covers, x / (1 + x), times one
factor for how much less readily an oxide takes silane up than silicon does. That factor is a calibration, not a
measurement: it makes the demonstration furnace reach its recipe's 100 nm.
"""

from libc.math cimport exp, sqrt

from kernels.physics.constants cimport GAS_CONSTANT

cdef extern from *:
    """
    #define CVD_OXIDE_UPTAKE 8.80e-3               /* calibration of the demonstration furnace, see above */
    #define CVD_SILICON_MOLAR_VOLUME (28.0855e-3 / 2329.0)   /* m3/mol; density: CRC Handbook, crystalline */
    #define CVD_OXIDE_MOLAR_VOLUME (60.084e-3 / 2200.0)      /* m3/mol; density: fused silica, a usual value */
    """
    const double OXIDE_UPTAKE "CVD_OXIDE_UPTAKE"
    const double SILICON_MOLAR_VOLUME "CVD_SILICON_MOLAR_VOLUME"
    const double OXIDE_MOLAR_VOLUME "CVD_OXIDE_MOLAR_VOLUME"


cdef inline double arrhenius_rate(double prefactor, double activation_j_mol, double temperature) noexcept nogil:
    return prefactor * exp(-activation_j_mol / (GAS_CONSTANT * temperature))


cdef inline double silane_constant(double temperature) noexcept nogil:
    # k of the law above, mol/(m2·s·Pa): the only part of it that needs an exponential
    return 1.6e4 * exp(-18500.0 / temperature)


cdef inline double silane_uptake(double constant, double p_sih4, double p_h2) noexcept nogil:
    # mol/(m2·s) of silane, for a constant of silane_constant
    return constant * p_sih4 / (1.0 + 0.19 * sqrt(p_h2) + 0.70 * p_sih4)


cdef inline double oxidant_share(double p_sih4, double p_n2o) noexcept nogil:
    # x/(1 + x) of the law above; without silane all sites are oxidised
    cdef double both = p_n2o + 2.0 * p_sih4
    return p_n2o / both if both > 0.0 else 0.0
