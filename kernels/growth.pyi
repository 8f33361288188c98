"""Growth of films from gas: rate laws and the competition of transport and reaction. SI units."""

from collections.abc import Mapping

SIO2_UPTAKE: float
"""How much less readily an oxide takes silane up than silicon: the one calibration factor of the oxide's law, fitted so
that the demonstration furnace reaches 100 nm in 1200 s at 800 °C; no published value exists."""

MOLAR_VOLUME: dict[str, float]
"""m³ of film per mol of its silicon, by film: poly-Si 2329 kg/m³ (CRC Handbook), SiO2 2200 kg/m³ (usual value)."""

def arrhenius(prefactor: float, activation_j_mol: float, temperature_k: float) -> float:
    """Return prefactor · exp(−E / (R·T)), in the unit of the prefactor.

    Raises:
        ValueError: temperature_k is not above 0.
    """

def grove(surface_m_s: float, transfer_m_s: float, concentration_mol_m3: float) -> float:
    """Return the flux into a surface behind a gas film, mol/(m²·s): ks·hg·C / (ks + hg).

    Transport in series with a first-order reaction (A. S. Grove, Physics and Technology of Semiconductor Devices,
    1967). An infinite transfer coefficient leaves the reaction alone (UHV).

    Args:
        surface_m_s: rate constant ks of the reaction, m/s.
        transfer_m_s: mass transfer coefficient hg, m/s.
        concentration_mol_m3: concentration C in the gas, mol/m³.
    """

def molar_rate(film: str, temperature_k: float, partial_pressures_pa: Mapping[str, float]) -> float:
    """Return the rate of a film over a surface, mol/(m²·s).

    `poly-Si` from SiH4: 1.6e4·exp(−18 500/T)·p / (1 + 0.19·√p_H2 + 0.70·p), p in Pa (Roenigk and Jensen, J.
    Electrochem. Soc. 132, 448 (1985); Kleijn, ibid. 138, 2190 (1991)), for 580–700 °C.
    `SiO2` from SiH4 and N2O: the same uptake of silane × SIO2_UPTAKE × x/(1 + x) with x = p_N2O / (2·p_SiH4). Its
    temperature and pressure dependence are the silane law's; its magnitude is a calibration.

    Args:
        film: `poly-Si` or `SiO2`.
        temperature_k: temperature of the surface.
        partial_pressures_pa: by formula; gases that the law does not know are ignored, missing ones are 0.

    Raises:
        ValueError: an unknown film, a temperature not above 0, a negative pressure.
    """

def film_rate(film: str, temperature_k: float, partial_pressures_pa: Mapping[str, float]) -> float:
    """Return how fast a film grows, m/s: molar_rate × MOLAR_VOLUME. Arguments and errors are molar_rate's."""
