"""Heat: radiation between bodies, time constants, heating by a laser spot. SI units."""

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
