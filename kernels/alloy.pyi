"""Composition of alloys from the gas: InGaN, AlGaAs, SiGe; their lattice and gap. SI units, gaps in eV."""

def incorporated(flow_ratio: float, selectivity: float) -> float:
    """Return x of the solid from x of the gas and the ratio of incorporation."""

def aluminium_gallium_arsenide(tmal_mol_s: float, tmga_mol_s: float, temperature_k: float = 973.15) -> float:
    """Return x of Al(x)Ga(1−x)As."""

def indium_gallium_nitride(
    tmin_mol_s: float,
    tmga_mol_s: float,
    temperature_k: float,
    growth_m_s: float = 5e-11,
    hydrogen_fraction: float = 0.0,
) -> float:
    """Return x of In(x)Ga(1−x)N."""

def silicon_germanium(
    germane_mol_s: float,
    silicon_mol_s: float,
    temperature_k: float = 873.15,
    source: str = "SiH4",
) -> float:
    """Return x of Si(1−x)Ge(x) from germane and silane or dichlorosilane.

    x²/(1 − x) = 2.66·ratio with SiH2Cl2 at 600 °C (J. M. Hartmann et al., J. Cryst. Growth 236, 10 (2002)); x/(1 −
    x) = 4·ratio with SiH4
    (usual value). 673 … 1100 K.
    """

def lattice_constant(alloy: str, x: float) -> float:
    """Return the lattice constant a of a relaxed alloy, m."""

def band_gap(alloy: str, x: float) -> float:
    """Return the band gap at room temperature, eV."""

def misfit(alloy: str, x: float, substrate_m: float) -> float:
    """Return the strain of an alloy on a substrate of that lattice constant: above 0 is compressed."""

def critical_thickness(misfit: float, burgers_m: float = 3.84e-10, poisson: float = 0.28) -> float:
    """Return the thickness beyond which misfit dislocations pay, m (Matthews and Blakeslee 1974)."""
