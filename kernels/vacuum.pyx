"""Gas in a vacuum vessel: amounts, pressures, conductances, pumps. SI units; flows are molar."""

import math

from kernels.physics.constants cimport GAS_CONSTANT, SCCM, TORR
from kernels.physics.flow cimport butterfly, displacement, ideal_pressure, in_series, steady

MOL_PER_S_PER_SCCM = SCCM
PA_PER_TORR = TORR


def molar_flow(double flow_sccm):
    """Return a flow in mol/s."""
    return flow_sccm * SCCM


def pressure(double amount_mol, double temperature_k, double volume_m3):
    """Return the pressure of an ideal gas, Pa."""
    return ideal_pressure(amount_mol, temperature_k, volume_m3)


def steady_pressure(double flow_mol_s, double speed_m3_s, double temperature_k=300.0, double ultimate_pa=0.0):
    """Return the pressure at which a pump takes a flow away, Pa."""
    if not speed_m3_s > 0.0:
        raise ValueError(f"speed_m3_s must be above 0, is {speed_m3_s:g}")
    if flow_mol_s < 0.0 or ultimate_pa < 0.0 or not temperature_k > 0.0:
        raise ValueError("flow_mol_s and ultimate_pa must not be negative, temperature_k must be above 0")
    return steady(flow_mol_s, temperature_k, speed_m3_s) + ultimate_pa


def residence_time(double volume_m3, double speed_m3_s):
    """Return the time constant of a pumped vessel, s."""
    if not speed_m3_s > 0.0:
        raise ValueError(f"speed_m3_s must be above 0, is {speed_m3_s:g}")
    return volume_m3 / speed_m3_s


def pump_down_time(double volume_m3, double speed_m3_s, double from_pa, double to_pa, double ultimate_pa=0.0):
    """Return how long a pump takes from one pressure to another, s; infinite for one that it cannot reach."""
    if to_pa <= ultimate_pa:
        return math.inf
    return residence_time(volume_m3, speed_m3_s) * math.log((from_pa - ultimate_pa) / (to_pa - ultimate_pa))


def effective_speed(double speed_m3_s, *conductances_m3_s):
    """Return the speed of a pump behind conductances in series, m³/s."""
    for conductance in conductances_m3_s:
        speed_m3_s = in_series(speed_m3_s, conductance)
    return speed_m3_s


def throttle_conductance(double opening, double closed_m3_s, double full_m3_s):
    """Return the conductance of a butterfly valve, m³/s."""
    if not 0.0 <= opening <= 1.0:
        raise ValueError(f"opening must be 0 … 1, is {opening:g}")
    return butterfly(opening, closed_m3_s, full_m3_s)


def pump_speed(double speed_m3_s, double pressure_pa, double ultimate_pa):
    """Return the net speed of a pump near its ultimate pressure, m³/s."""
    return displacement(speed_m3_s, pressure_pa, ultimate_pa)


def rate_of_rise(double leak_mol_s, double temperature_k, double volume_m3):
    """Return how fast the pressure of a closed vessel rises, Pa/s."""
    return leak_mol_s * GAS_CONSTANT * temperature_k / volume_m3


def purge_cycles(double from_fraction, double to_fraction, double high_pa, double low_pa):
    """Return how many pressure cycles dilute a gas so far; never fewer than 5."""
    if not high_pa > low_pa > 0.0 or not from_fraction > to_fraction > 0.0:
        raise ValueError("a purge cycle needs high_pa above low_pa and from_fraction above to_fraction, all above 0")
    return max(5, math.ceil(math.log(from_fraction / to_fraction) / math.log(high_pa / low_pa) - 1e-9))


def purge_time(double from_fraction, double to_fraction, double pressure_pa, double volume_m3, double flow_mol_s,
               double temperature_k=300.0):
    """Return how long a flow must purge a well-mixed vessel, s."""
    return ideal_time(pressure_pa, volume_m3, flow_mol_s, temperature_k) * math.log(from_fraction / to_fraction)


cdef double ideal_time(double pressure_pa, double volume_m3, double flow_mol_s, double temperature_k) except? -1.0:
    if not flow_mol_s > 0.0:
        raise ValueError(f"flow_mol_s must be above 0, is {flow_mol_s:g}")
    return pressure_pa * volume_m3 / (flow_mol_s * GAS_CONSTANT * temperature_k)
