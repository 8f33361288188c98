"""Gains of a pressure loop by its set point, from what the chamber and its butterfly valve are.

V·dp/dt = Q − S(θ)·p with C = C_full·(1 − cos θ) for a valve that throttles: a move of the valve changes the pressure at
the rate √(2·C_full·Q·p)/V for each radian, and the chamber answers with τ = V·p/Q. SIMC (Skogestad, J. Process Control
13 (2003) 291) makes gains of that: kp = 1/(rate·(τc + θ)), ti = min(τ, 4·(τc + θ)).
"""

import math
from collections.abc import Sequence

from chamber_words import Table

TORR_L_S_PER_SCCM = 101325.0 / 60.0e6 * 760.0 / 101.325
"""1 sccm as Torr·l/s at 273.15 K."""
RADIANS_PER_PCT = math.pi / 2.0 / 100.0


def scheduled(
    volume_l: float, full_l_s: float, usual: Sequence[tuple[float, float]], closed_loop_s: float
) -> list[Table]:
    """Rows of a schedule.

    Args:
        volume_l: of the chamber.
        full_l_s: conductance of the open valve.
        usual: set points in Torr, and the flow in sccm that is usual at each.
        closed_loop_s: τc + θ, with θ what manometer, posting and scan delay.
    """
    rows = list[Table]()
    for torr, sccm in usual:
        flow = sccm * TORR_L_S_PER_SCCM
        rate = math.sqrt(2.0 * full_l_s * flow * torr) / volume_l * RADIANS_PER_PCT
        ti_s = min(volume_l * torr / flow, 4.0 * closed_loop_s)
        rows.append({"at": torr, "kp": _short(1.0 / (rate * closed_loop_s)), "ti_s": _short(ti_s)})
    return rows


def _short(number: float) -> float:
    return float(f"{number:.2g}")
