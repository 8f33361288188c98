"""Rate laws of films over the partial pressures of the gases at the surface, in mol of film per m² and s.

Each law is one short block below; kernels/growth.pyx names films and gases and docs/reference/physics-growth.md gives
range and source of each constant: [S] published law, [K] usual value that fixes the magnitude. No law exceeds what the
kinetic theory lets hit the surface: a law in series with the impingement of its limiting gas.
"""

from libc.math cimport exp, pow, sqrt

from kernels.physics.constants cimport GAS_CONSTANT, PI
from kernels.physics.surface cimport OXIDE_UPTAKE, oxidant_share, silane_constant, silane_uptake

cdef enum:
    SIH4, SIH2CL2, SIHCL3, SICL4, TEOS, NH3, N2O, O2, H2, HCL, WF6, TMGA, ASH3, GACL, TMAL, H2O, TICL4, TDMAT, CH4
    CH3, HYDROGEN, SIH3, N2, GEH4, C2H2, O3
    GASES
    # Films, in the order of kernels.growth.FILMS
    POLY_SI = 0
    OXIDE, OXIDE_LTO, OXIDE_TEOS, OXIDE_DCS, OXIDE_PLASMA, NITRIDE, NITRIDE_PLASMA, TUNGSTEN, GALLIUM_ARSENIDE, DIAMOND
    AMORPHOUS_SI, MICRO_SI, GRAPHENE, TIN_ALD, TIN_TDMAT, ALUMINA_ALD, EPI_DCS, EPI_TCS, EPI_TET, GAN_MOCVD, GAN_HVPE
    OXIDE_OZONE, TUNGSTEN_LASER
    FILMS


cdef inline double impinging(double pressure, double mass, double temperature) noexcept nogil:
    # mol/(m2·s) of molecules of that molar mass (kg/mol)
    return pressure / sqrt(2.0 * PI * mass * GAS_CONSTANT * temperature)


cdef inline double both(double a, double b) noexcept nogil:
    # Two steps in series; the smaller one over a share of at most 1: no product that could overflow
    if a <= 0.0 or b <= 0.0:
        return 0.0
    return a / (1.0 + a / b) if a < b else b / (1.0 + b / a)


cdef inline double activated(double at, double energy, double reference, double temperature) noexcept nogil:
    # at·exp(−E/R·(1/T − 1/T0))
    return at * exp(-energy / GAS_CONSTANT * (1.0 / temperature - 1.0 / reference))


cdef inline double saturating(double pressure, double half) noexcept nogil:
    return pressure / (pressure + half) if pressure > 0.0 else 0.0


cdef inline double film_molar_rate(int film, double t, const double* p) noexcept nogil:
    cdef double r, radicals, h, c
    if film == POLY_SI:
        return silane_uptake(silane_constant(t), p[SIH4], p[H2])
    if film == OXIDE:
        return silane_uptake(silane_constant(t), p[SIH4], p[H2]) * OXIDE_UPTAKE * oxidant_share(p[SIH4], p[N2O])
    if film == OXIDE_LTO:
        # 10 nm/min at 683.15 K with 10 Pa of silane and O2 in excess [K]; apparent 40 kJ/mol [K]; first order
        r = activated(6.103e-7, 40e3, 683.15, t) * p[SIH4] * saturating(p[O2], 0.5 * p[SIH4])
        return both(r, impinging(p[SIH4], 32.117e-3, t))
    if film == OXIDE_TEOS:
        # 15 nm/min at 1000 K with 40 Pa [K]; first order up to 200 Pa, 190 kJ/mol
        return both(activated(2.289e-7, 190e3, 1000.0, t) * p[TEOS], impinging(p[TEOS], 208.33e-3, t))
    if film == OXIDE_DCS:
        # 3 nm/min at 850 °C, 10 nm/min at 950 °C (137.5 kJ/mol) with 20 Pa of DCS and five times the N2O [K]
        r = activated(1.2815e-7, 137.5e3, 1123.15, t) * p[SIH2CL2] * oxidant_share(p[SIH2CL2], p[N2O])
        return both(r, impinging(p[SIH2CL2], 101.007e-3, t))
    if film == OXIDE_PLASMA:
        # 55 nm/min at 573.15 K from SiH3 with a sticking of 0.15; without SiH3 given, the reference plasma's share of
        # radicals for 3 Pa of silane in 60 Pa of N2O [K]
        radicals = p[SIH3] if p[SIH3] > 0.0 else 2.504e-3 * p[SIH4]
        return 0.15 * impinging(radicals, 31.109e-3, t) * saturating(p[N2O], 2.0 * p[SIH4])
    if film == NITRIDE:
        # 4 nm/min at 1073.15 K with 10 Pa of DCS and thrice the NH3 [K]; 155 kJ/mol, middle of 125 … 185; half order
        # in DCS, saturating in ammonia
        r = activated(1.9643e-6, 155e3, 1073.15, t) * sqrt(p[SIH2CL2] * 0.1) * saturating(p[NH3], p[SIH2CL2])
        return both(r, impinging(p[SIH2CL2], 101.007e-3, t) / 3.0)
    if film == NITRIDE_PLASMA:
        # 32 nm/min at 573.15 K, as the plasma oxide
        radicals = p[SIH3] if p[SIH3] > 0.0 else 2.638e-3 * p[SIH4]
        return 0.15 / 3.0 * impinging(radicals, 31.109e-3, t) * saturating(p[NH3] + 0.05 * p[N2], p[SIH4])
    if film == TUNGSTEN:
        # p_H2^½·p_WF6^⅙, 64 kJ/mol; magnitude of Kleijn et al. 1991 at 673 K with 10 Pa of WF6
        if p[WF6] <= 0.0:
            return 0.0
        r = activated(2.5005e-6, 64e3, 673.0, t) * sqrt(p[H2]) * pow(p[WF6], 1.0 / 6.0)
        return r
    if film == GALLIUM_ARSENIDE:
        # Loss of the first CH3: 28 kcal/mol [S]; 2 µm/h at 823.15 K with 2 Pa of TMGa [K]
        r = activated(1.0218e-5, 117.15e3, 823.15, t) * p[TMGA]
        return both(r, impinging(p[TMGA], 114.83e-3, t)) * saturating(p[ASH3], p[TMGA])
    if film == DIAMOND:
        # Goodwin 1993: G(100) = 1.8e11·[CH3]·[H]/(5e-9 + [H]) µm/h, mol/cm3, at 1200 K; 96 kJ/mol below [K]
        h, c = 1e-6 * p[HYDROGEN] / (GAS_CONSTANT * t), 1e-6 * p[CH3] / (GAS_CONSTANT * t)
        r = 1.8e11 * c * h / (5e-9 + h) * 1e-6 / 3600.0 / 3.412e-6
        return both(activated(r, 96e3, 1200.0, t), impinging(p[CH3], 15.035e-3, t))
    if film == AMORPHOUS_SI or film == MICRO_SI:
        # SiH3 with a sticking of 0.15 (reaction 0.26 … 0.47 less recombination)
        radicals = p[SIH3] if p[SIH3] > 0.0 else 1e-3 * p[SIH4]
        r = 0.15 * impinging(radicals, 31.109e-3, t)
        # Atomic hydrogen etches the disordered network: microcrystalline growth is about half as fast [K]
        return r if film == AMORPHOUS_SI else r * 0.5
    if film == GRAPHENE:
        # First order in CH4 over √p_H2; 2.5 eV [S]; a layer in 10 min at 1273.15 K with 60 Pa CH4 in 4 Pa of H2 [K]
        if p[CH4] <= 0.0:
            return 0.0
        return both(activated(3.52e-9, 241e3, 1273.15, t) * p[CH4] / sqrt(p[H2] if p[H2] > 0.1 else 0.1),
                    impinging(p[CH4], 16.043e-3, t))
    if film == TIN_ALD:
        # While chloride meets a bare surface
        return 0.01 * impinging(p[TICL4], 189.679e-3, t) if p[TICL4] > 0.0 else 0.0
    if film == TIN_TDMAT:
        # 20 nm/min at 623.15 K with 10 Pa [K]; 50 kJ/mol [K]
        return both(activated(2.807e-6, 50e3, 623.15, t) * p[TDMAT], impinging(p[TDMAT], 224.18e-3, t))
    if film == ALUMINA_ALD:
        # While trimethylaluminium meets a bare surface, mol of Al2O3
        return 0.5 * 0.01 * impinging(p[TMAL], 72.086e-3, t) if p[TMAL] > 0.0 else 0.0
    if EPI_DCS <= film <= EPI_TET:
        return chlorosilane(film, t, p)
    if film == GAN_MOCVD:
        # Every TMGa that arrives, once ammonia is decomposed enough: transport decides
        return 0.3 * impinging(p[TMGA], 114.83e-3, t) * saturating(p[NH3], 10.0 * p[TMGA]) * (
            1.0 / (1.0 + activated(0.05, -200e3, 1123.15, t)))
    if film == GAN_HVPE:
        # Linear in GaCl; HCl that is set free, and hydrogen beyond a fraction of 0.15, push the reaction back
        h = p[H2] / (p[H2] + p[N2]) if p[H2] > 0.0 else 0.0
        return (0.05 * impinging(p[GACL], 105.18e-3, t) * saturating(p[NH3], p[GACL] + p[HCL])
                * (0.6 + 0.4 * h / 0.15 * exp(1.0 - h / 0.15)))
    if film == TUNGSTEN_LASER:
        # 30 … 33 kcal/mol with much hydrogen, 18 … 22 with little [S]; orders of the thermal law; where it turns, ten
        # H2 for a WF6, and the magnitude, the thermal law's at 700 K, are usual [K]
        if p[WF6] <= 0.0 or p[H2] <= 0.0:
            return 0.0
        h = p[H2] / p[WF6]
        h = 1.0 / (1.0 + 100.0 / h / h)
        return activated(3.8871e-6, 83.7e3 + 48.1e3 * h, 700.0, t) * sqrt(p[H2]) * pow(p[WF6], 1.0 / 6.0)
    if film == OXIDE_OZONE:
        # 17 kcal/mol below 300 °C, transport beyond; first order, towards none with much gas; limited by ozone, 5 … 10
        # molecules of which go for each ("Chemical vapor deposition of SiO2 from ozone-organosilane mixtures near
        # atmospheric pressure", Mater. Res. Soc. Symp. Proc., 1993) [S]; 100 nm/min at 673.15 K with 100 Pa of TEOS and
        # ozone in excess, half of the order lost at 1000 Pa [K]
        r = activated(6.714e-7, 71.1e3, 673.15, t) * p[TEOS] / (1.0 + p[TEOS] / 1000.0)
        return both(r * saturating(p[O3], 5.0 * p[TEOS]), impinging(p[TEOS], 208.33e-3, t))
    return 0.0


cdef inline double chlorosilane(int film, double t, const double* p) noexcept nogil:
    # p·p_H2^(−½), 160 kJ/mol; 0.2, 0.1 and 0.05 µm/min at 1273.15 K with 100 Pa in 1e4 Pa of H2 [K]
    cdef double pressure, mass, at
    if film == EPI_DCS:
        pressure, mass, at = p[SIH2CL2], 101.007e-3, 2.764e-4
    elif film == EPI_TCS:
        pressure, mass, at = p[SIHCL3], 135.452e-3, 1.382e-4
    else:
        pressure, mass, at = p[SICL4], 169.898e-3, 6.91e-5
    return both(activated(at, 160e3, 1273.15, t) * pressure / sqrt(p[H2] if p[H2] > 1.0 else 1.0),
                impinging(pressure, mass, t))
