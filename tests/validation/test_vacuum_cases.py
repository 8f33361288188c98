"""Vacuum: the published case and closed solutions."""

import math

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from kernels import vacuum


def test_one_sccm_in_moles() -> None:
    """7.4358e-7 mol/s, at any temperature."""
    assert pytest.approx(7.4358e-7, rel=1e-4) == vacuum.MOL_PER_S_PER_SCCM


def test_the_steady_pressure_is_where_the_balance_ends() -> None:
    """dn/dt = F − S·n/V, integrated by SciPy for twenty time constants, ends at steady_pressure."""
    flow, speed, volume, temperature = vacuum.molar_flow(240.0), 0.0073, 0.041, 330.0
    end = solve_ivp(lambda _t, n: flow - speed / volume * n, (0.0, 20 * volume / speed), [0.0], rtol=1e-10, atol=1e-14)
    reached = vacuum.pressure(float(end.y[0, -1]), temperature, volume)
    assert reached == pytest.approx(vacuum.steady_pressure(flow, speed, temperature), rel=1e-6)


def test_pump_down_time_is_that_of_the_integrated_balance() -> None:
    """V·dP/dt = −S0·(P − Pu), from 760 Torr to 1 mTorr."""
    volume, speed, ultimate = 0.041, 0.060, 0.03
    seconds = vacuum.pump_down_time(volume, speed, 101325.0, 0.1333, ultimate)

    def rate(_t: float, p: np.ndarray) -> np.ndarray:
        return np.array([-vacuum.pump_speed(speed, float(p[0]), ultimate) * p[0] / volume])

    end = solve_ivp(rate, (0.0, seconds), [101325.0], rtol=1e-10, atol=1e-9)
    assert end.y[0, -1] == pytest.approx(0.1333, rel=1e-4)
    assert math.isinf(vacuum.pump_down_time(volume, speed, 100.0, 0.02, ultimate))


def test_purges_are_computed() -> None:
    """From 100 % to 1 ppm between 5 and 0.05 Torr: 3 cycles would do, 5 are the least; 12 at a ratio of 3.3."""
    assert vacuum.purge_cycles(1.0, 1e-6, 667.0, 6.67) == 5
    assert vacuum.purge_cycles(1.0, 1e-6, 1000.0, 300.0) == 12
    seconds = vacuum.purge_time(1.0, 1e-6, 133.3, 0.041, vacuum.molar_flow(2000.0), 300.0)
    assert seconds == pytest.approx(133.3 * 0.041 / (vacuum.molar_flow(2000.0) * 8.314462618 * 300.0) * math.log(1e6))
