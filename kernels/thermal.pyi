"""Heat: radiation between bodies, time constants, heating by a laser spot. SI units."""

from collections.abc import Mapping, Sequence

def radiative_exchange(effective_area_m2: float, hot_k: float, cold_k: float) -> float:
    """Return the heat from one grey body to another, W: σ·A·(T1⁴ − T2⁴).

    Args:
        effective_area_m2: area × emissivities × view factor, as one number.
        hot_k: temperature of the giving body.
        cold_k: temperature of the taking body; a hotter one makes the result negative.
    """

def radiative_time_constant(heat_capacity_j_k: float, effective_area_m2: float, temperature_k: float) -> float:
    """Return the time constant of a body that follows its surroundings by radiation, s: C / (4·σ·A·T³).

    The exchange, linearised about T. Raises ValueError for an area or temperature not above 0.
    """

def laser_peak_rise(power_w: float, radius_m: float, conductivity_w_m_k: float, absorbed: float = 1.0) -> float:
    """Return the peak rise under a resting Gaussian spot on a half space, K: A·P / (2·√π·k·w).

    w is the 1/e radius of the intensity (M. Lax, J. Appl. Phys. 48, 3919 (1977)).
    """

def grey_exchange_area(inner_m2: float, inner_emissivity: float, outer_m2: float, outer_emissivity: float) -> float:
    """Return the effective area between a body and what encloses it, m²: A1 / (1/ε1 + A1/A2·(1/ε2 − 1))."""

def laser_transient_rise(
    power_w: float,
    radius_m: float,
    conductivity_w_m_k: float,
    diffusivity_m2_s: float,
    seconds: float,
    absorbed: float = 1.0,
) -> float:
    """Return the rise in the middle of a resting spot after some time, K: peak · (2/π)·arctan(2·√(D·t)/w)."""

def laser_scan_rise(
    power_w: float,
    radius_m: float,
    conductivity_w_m_k: float,
    diffusivity_m2_s: float,
    speed_m_s: float,
    ahead_m: float = 0.0,
    aside_m: float = 0.0,
    absorbed: float = 1.0,
) -> float:
    """Return the surface's rise under a Gaussian spot that moves steadily, K.

    The moving heat source integrated over time (Y. I. Nissim et al., J. Appl. Phys. 51, 274 (1980)); `ahead_m` and
    `aside_m` from the
    middle of the spot.
    """

class ThermalNetwork:
    """Bodies that exchange heat by conduction and radiation."""

    def __init__(
        self,
        capacities_j_k: Mapping[str, float],
        temperature_k: float | Mapping[str, float],
        edges: Sequence[tuple[str, str, float, float]],
    ) -> None: ...
    def step(self, seconds: float, powers_w: Mapping[str, float] | None = None, parts: int = 1) -> dict[str, float]:
        """Advance by some time with these powers; return the temperatures."""
    def steady(self, powers_w: Mapping[str, float] | None = None) -> dict[str, float]:
        """Advance until nothing changes; return the temperatures."""
    @property
    def temperatures(self) -> dict[str, float]:
        """K by body."""
    def flows(self) -> dict[str, float]:
        """Return the net heat into each body at present, W."""
    @property
    def energy_j(self) -> float:
        """Heat held by the bodies with a finite capacity, over 0 K."""

def multi_zone_furnace(
    zones: int = 3,
    element_capacity_j_k: float = 7000.0,
    tube_capacity_j_k: float = 2400.0,
    load_capacity_j_k: float = 1600.0,
    element_tube_m2: float = 0.16,
    tube_load_m2: float = 0.12,
    coupling: float = 0.2,
    loss_w_k: float = 3.6,
    room_k: float = 298.15,
    start_k: float = 298.15,
) -> ThermalNetwork:
    """Return the network of a resistance furnace: element, tube and load of each zone, and the room."""

def lamp_heated_wafer(
    filament_j_k: float = 15.0,
    quartz_j_k: float = 900.0,
    wafer_j_k: float = 70.0,
    filament_wafer_m2: float = 0.002,
    filament_quartz_m2: float = 0.0004,
    wafer_wall_m2: float = 0.05,
    wall_k: float = 320.0,
    quartz_w_k: float = 15.0,
    start_k: float = 320.0,
) -> ThermalNetwork:
    """Return the network of a wafer under lamps: filaments, quartz window, wafer, cooled wall."""

def heated_susceptor(
    heater_j_k: float = 300.0,
    susceptor_j_k: float = 2500.0,
    wafer_j_k: float = 70.0,
    heater_susceptor_m2: float = 0.03,
    susceptor_wall_m2: float = 0.03,
    wafer_wall_m2: float = 0.025,
    contact_w_k: float = 20.0,
    gas_w_k: float = 0.5,
    wall_k: float = 300.0,
    start_k: float = 300.0,
) -> ThermalNetwork:
    """Return the network of a wafer on a susceptor, resistively or inductively heated, in a cold-walled chamber."""
