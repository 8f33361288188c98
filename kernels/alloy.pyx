"""Composition of alloys from the gas: InGaN, AlGaAs, SiGe. SI units; compositions are mole fractions of the solid."""

import math

from kernels.physics.constants cimport GAS_CONSTANT
from kernels.physics.demands cimport nonnegative, within

# Lattice constants a, c (m) and band gaps with bowing (eV), room temperature: I. Vurgaftman, J. R. Meyer and L. R.
# Ram-Mohan, J. Appl. Phys. 89, 5815 (2001); InN 0.7 eV and bowing 1.4: I. Vurgaftman and J. R. Meyer, ibid. 94, 3675
# (2003). SiGe: J. P. Dismukes, L. Ekstrom and R. J. Paff, J. Phys. Chem. 68, 3021 (1964); gap: R. Braunstein et al.
# (1958).


cdef double odds(str one, double first, str other, double second) except? -1.0:
    nonnegative(one, first)
    nonnegative(other, second)
    if first + second == 0.0:
        raise ValueError(f"{one} and {other} must not both be 0")
    return first / (first + second)


def incorporated(double flow_ratio, double selectivity):
    """Return x of the solid from x of the gas and the ratio of incorporation."""
    within("flow_ratio", flow_ratio, 0.0, 1.0)
    if not 0.0 < selectivity < math.inf:
        raise ValueError(f"selectivity must be above 0, is {selectivity:g}")
    return flow_ratio * selectivity / (flow_ratio * selectivity + 1.0 - flow_ratio)


def aluminium_gallium_arsenide(double tmal_mol_s, double tmga_mol_s, double temperature_k=973.15):
    """Return x of Al(x)Ga(1−x)As."""
    within("temperature_k", temperature_k, 800.0, 1200.0)
    # Both limited by transport: the solid takes them as the gas brings them; gallium leaves above 1000 K (~230 kJ/mol)
    lost = 0.02 * math.exp(-230e3 / GAS_CONSTANT * (1.0 / temperature_k - 1.0 / 1023.15))
    return incorporated(odds("tmal_mol_s", 2.0 * tmal_mol_s, "tmga_mol_s", tmga_mol_s), 1.0 + lost)


def indium_gallium_nitride(double tmin_mol_s, double tmga_mol_s, double temperature_k, double growth_m_s=5e-11,
                           double hydrogen_fraction=0.0):
    """Return x of In(x)Ga(1−x)N."""
    within("temperature_k", temperature_k, 850.0, 1250.0)
    within("hydrogen_fraction", hydrogen_fraction, 0.0, 1.0)
    if not 0.0 < growth_m_s < 1e-6:
        raise ValueError(f"growth_m_s must be above 0 and below 1e-6, is {growth_m_s:g}")
    # Indium desorbs before it is buried: a first-order escape of 3.0 eV, half of it kept at 1013 K and 0.18 µm/h,
    # faster with hydrogen (usual values)
    escape = math.exp(-289e3 / GAS_CONSTANT * (1.0 / temperature_k - 1.0 / 1013.15)) * 5e-11 / growth_m_s
    kept = 1.0 / (1.0 + escape * (1.0 + 10.0 * hydrogen_fraction))
    return incorporated(odds("tmin_mol_s", tmin_mol_s, "tmga_mol_s", tmga_mol_s), kept)


def silicon_germanium(double germane_mol_s, double silicon_mol_s, double temperature_k=873.15, source="SiH4"):
    """Return x of Si(1−x)Ge(x)."""
    within("temperature_k", temperature_k, 673.0, 1100.0)
    if source not in ("SiH4", "SiH2Cl2"):
        raise ValueError(f"source is 'SiH4' or 'SiH2Cl2', not {source!r}")
    ratio = nonnegative("germane_mol_s", germane_mol_s)
    silicon = nonnegative("silicon_mol_s", silicon_mol_s)
    odds("germane_mol_s", ratio, "silicon_mol_s", silicon)
    if silicon == 0.0:
        return 1.0
    ratio = ratio / silicon
    if math.isinf(ratio):
        return 1.0
    # x²/(1 − x) = 2.66·ratio for DCS (J. M. Hartmann et al., J. Cryst. Growth 236, 10 (2002)), x/(1 − x) = 4·ratio for
    # silane (usual value)
    if source == "SiH4":
        return 4.0 * ratio / (1.0 + 4.0 * ratio)
    n = 2.66 * math.exp(-12e3 / GAS_CONSTANT * (1.0 / 873.15 - 1.0 / temperature_k)) * ratio
    return 2.0 * n / (n + math.sqrt(n * n + 4.0 * n)) if n > 0.0 else 0.0


_ALLOYS = {
    "AlGaAs": ((5.65325e-10, 0.0, 5.6611e-10, 0.0), (1.424, 2.163, 0.37), 0.53),
    "InGaN": ((3.189e-10, 5.185e-10, 3.545e-10, 5.703e-10), (3.44, 0.70, 1.4), 0.35),
    "SiGe": ((5.43102e-10, 0.0, 5.6579e-10, 0.0), (1.12, 0.66, 0.206), 0.55),
}


def lattice_constant(alloy, double x):
    """Return the lattice constant a of a relaxed alloy, m."""
    within("x", x, 0.0, 1.0)
    if alloy not in _ALLOYS:
        raise ValueError(f"no alloy {alloy!r}; there are {', '.join(sorted(_ALLOYS))}")
    low, _, high, _ = _ALLOYS[alloy][0]
    # Vegard's law; SiGe bends by −0.0273 Å (Dismukes)
    return low + (high - low) * x - (2.73e-12 * x * (1.0 - x) if alloy == "SiGe" else 0.0)


def band_gap(alloy, double x):
    """Return the band gap at room temperature, eV."""
    within("x", x, 0.0, 1.0)
    if alloy not in _ALLOYS:
        raise ValueError(f"no alloy {alloy!r}; there are {', '.join(sorted(_ALLOYS))}")
    low, high, bowing = _ALLOYS[alloy][1]
    if alloy == "AlGaAs":
        # Direct below x = 0.45, indirect (X) above; S. Adachi, J. Appl. Phys. 58, R1 (1985)
        direct = 1.424 + 1.247 * x + (1.147 * (x - 0.45) ** 2 if x > 0.45 else 0.0)
        return min(direct, 1.900 + 0.125 * x + 0.143 * x * x)
    return low * (1.0 - x) + high * x - bowing * x * (1.0 - x)


def misfit(alloy, double x, double substrate_m):
    """Return the strain of an alloy on a substrate of that lattice constant: above 0 is compressed."""
    if not 1e-10 < substrate_m < 2e-9:
        raise ValueError(f"substrate_m must be a lattice constant in m, is {substrate_m:g}")
    return lattice_constant(alloy, x) / substrate_m - 1.0


def critical_thickness(double misfit, double burgers_m=3.84e-10, double poisson=0.28):
    """Return the thickness beyond which misfit dislocations pay, m."""
    cdef double f = abs(misfit), h
    if not 1e-9 < f < 0.2:
        raise ValueError(f"misfit must be above 1e-9 and below 0.2, is {misfit:g}")
    within("poisson", poisson, 0.0, 0.5)
    if not 0.0 < burgers_m < 1e-8:
        raise ValueError(f"burgers_m must be above 0 and below 1e-8, is {burgers_m:g}")
    # h = b·(1 − ν·cos²α)/(8π·(1 + ν)·f·cos λ)·ln(h/b + 1 in the logarithm), both angles 60°
    # (J. W. Matthews and A. E. Blakeslee, J. Cryst. Growth 27, 118 (1974)); the larger root by iteration from above
    scale = burgers_m * (1.0 - 0.25 * poisson) / (8.0 * math.pi * (1.0 + poisson) * f * 0.5)
    h = max(100.0 * burgers_m, scale * 50.0)
    for _ in range(500):
        now = scale * (math.log(h / burgers_m) + 1.0) if h > burgers_m else 0.0
        if not now > burgers_m:
            return burgers_m
        if abs(now - h) <= 1e-14 * h:
            break
        h = now
    return h
