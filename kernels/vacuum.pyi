"""Gas in a vacuum vessel: amounts, pressures, conductances, pumps. SI units; flows are molar.

One sccm is 7.4358e-7 mol/s whatever the temperature (SEMI E12: 0 °C, 101 325 Pa); a number of Torr·L/s per sccm holds
at one temperature only.
"""

from collections.abc import Mapping, Sequence

MOL_PER_S_PER_SCCM: float
PA_PER_TORR: float

def molar_flow(flow_sccm: float) -> float:
    """Return a flow in mol/s."""

def pressure(amount_mol: float, temperature_k: float, volume_m3: float) -> float:
    """Return the pressure of an ideal gas, Pa: n·R·T/V."""

def steady_pressure(
    flow_mol_s: float, speed_m3_s: float, temperature_k: float = 300.0, ultimate_pa: float = 0.0
) -> float:
    """Return the pressure at which a pump takes a flow away, Pa: F·R·T/S + P_ultimate.

    100 sccm at 300 K into 50 L/s: 27.82 mTorr.

    Args:
        flow_mol_s: what flows in.
        speed_m3_s: pump speed at the vessel, conductances included (effective_speed).
        temperature_k: of the gas where the speed holds.
        ultimate_pa: what the pump reaches without flow.

    Raises:
        ValueError: a speed or temperature not above 0, a negative flow.
    """

def residence_time(volume_m3: float, speed_m3_s: float) -> float:
    """Return the time constant V/S of a pumped vessel, s."""

def pump_down_time(
    volume_m3: float, speed_m3_s: float, from_pa: float, to_pa: float, ultimate_pa: float = 0.0
) -> float:
    """Return how long a pump of constant speed takes, s: V/S · ln((P1 − Pu)/(P2 − Pu)); infinite for P2 ≤ Pu."""

def effective_speed(speed_m3_s: float, *conductances_m3_s: float) -> float:
    """Return the speed of a pump behind conductances in series, m³/s: 1/S = 1/S_p + Σ 1/C."""

def throttle_conductance(opening: float, closed_m3_s: float, full_m3_s: float) -> float:
    """Return the conductance of a butterfly valve, m³/s: C_min + C_max·(1 − cos θ), θ = 90° · opening (usual model)."""

def pump_speed(speed_m3_s: float, pressure_pa: float, ultimate_pa: float) -> float:
    """Return the net speed of a pump near its ultimate pressure, m³/s: S0·(1 − P_ultimate/P), 0 below."""

def rate_of_rise(leak_mol_s: float, temperature_k: float, volume_m3: float) -> float:
    """Return how fast the pressure of a closed vessel rises, Pa/s: F·R·T/V."""

def purge_cycles(from_fraction: float, to_fraction: float, high_pa: float, low_pa: float) -> int:
    """Return how many pressure cycles dilute a gas so far: ln(c0/cf)/ln(P_hi/P_lo), never fewer than 5."""

def purge_time(
    from_fraction: float,
    to_fraction: float,
    pressure_pa: float,
    volume_m3: float,
    flow_mol_s: float,
    temperature_k: float = 300.0,
) -> float:
    """Return how long a flow must purge a well-mixed vessel, s: (P·V/Q)·ln(c0/cf), Q = F·R·T."""

def mean_speed(temperature_k: float, molar_mass_kg: float) -> float:
    """Return the mean speed of molecules, m/s."""

def orifice_conductance(area_m2: float, temperature_k: float, molar_mass_kg: float) -> float:
    """Return the molecular conductance of a hole in a thin wall, m³/s."""

def tube_conductance(
    diameter_m: float,
    length_m: float,
    mean_pressure_pa: float,
    viscosity_pa_s: float,
    temperature_k: float,
    molar_mass_kg: float,
) -> float:
    """Return the conductance of a round tube from molecular to viscous flow, m³/s.

    M. Knudsen, Ann. Phys. 333, 75 (1909); molecular part with its entrance within 0.7 % of Clausing at any length
    (D. J. Santeler, J. Vac. Sci. Technol. A 4, 338 (1986)).
    """

class GasNetwork:
    """Volumes joined by lines, with feeds and pumps."""

    def __init__(
        self,
        volumes_m3: Mapping[str, float],
        gases: Sequence[str],
        lines: Sequence[tuple[str, str, float, float]],
        temperature_k: float | Mapping[str, float] = 300.0,
    ) -> None: ...
    def fill(self, volume: str, pressures_pa: Mapping[str, float]) -> None:
        """Put gases into a volume at these partial pressures."""
    def feed(self, volume: str, gas: str, flow_mol_s: float) -> None:
        """Let a gas flow into a volume from now on."""
    def pump(self, volume: str, speed_m3_s: float, ultimate_pa: float = 0.0) -> None:
        """Pump at a volume from now on."""
    def open(self, one: str, other: str, opening: float) -> None:
        """Open the valve in a line, 0 … 1."""
    def step(self, seconds: float, parts: int = 1) -> dict[str, float]:
        """Advance by some time; return the pressures, Pa."""
    def steady(self) -> dict[str, float]:
        """Advance until nothing changes; return the pressures, Pa."""
    @property
    def pressures(self) -> dict[str, float]:
        """Pa by volume."""
    def amounts(self, volume: str) -> dict[str, float]:
        """Return the gas in a volume, mol by gas."""
    def pumped(self, volume: str) -> dict[str, float]:
        """Return what the pump of a volume has taken so far, mol by gas."""
