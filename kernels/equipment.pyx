"""Dynamics of equipment: mass flow controllers, valve drives, pumps, matching networks. SI units; steps in seconds.

The equations are kernels/physics/equipment.pxd, which a simulated plant calls without the GIL.
"""

import math

from kernels.physics.demands cimport above
from kernels.physics.equipment cimport (
    DELAY_LINE,
    MassFlowController,
    Match,
    controller_step,
    match_step,
    reflected_share,
    roots_speed,
    spin_up,
    valve_stroke,
)


cdef class FlowController:
    """A mass flow controller that is stepped."""

    cdef MassFlowController state
    cdef double dt

    def __init__(self, double full_scale_mol_s, double step_s, double dead_time_s=0.1, double frequency_rad_s=6.0,
                 double damping=0.8, double gain=1.0, double zero_mol_s=0.0):
        cdef int i
        self.dt = above("step_s", step_s)
        self.state.full_scale = above("full_scale_mol_s", full_scale_mol_s)
        self.state.frequency, self.state.damping = above("frequency_rad_s", frequency_rad_s), above("damping", damping)
        self.state.gain = above("gain", gain)
        if not math.isfinite(zero_mol_s):
            raise ValueError("zero_mol_s must be finite")
        self.state.zero = zero_mol_s
        if not 0.0 <= dead_time_s <= (DELAY_LINE - 1) * step_s:
            most = (DELAY_LINE - 1) * step_s
            raise ValueError(f"dead_time_s must be 0 … {most:g} at this step_s, is {dead_time_s:g}")
        self.state.dead_steps = round(dead_time_s / step_s)
        self.state.at = 0
        self.state.flow = self.state.slope = 0.0
        for i in range(DELAY_LINE):
            self.state.asked[i] = 0.0

    def step(self, double setpoint_mol_s, supplied=True):
        """Advance by one step; return the real flow, mol/s."""
        if not math.isfinite(setpoint_mol_s):
            raise ValueError("setpoint_mol_s must be a finite number")
        return controller_step(&self.state, setpoint_mol_s, supplied, self.dt)


def drive(double position, double target, double speed_1_s, double seconds):
    """Return where a valve's drive stands after some time."""
    if not (0.0 <= position <= 1.0 and 0.0 <= target <= 1.0):
        raise ValueError("position and target must be 0 … 1")
    return valve_stroke(position, target, above("speed_1_s", speed_1_s), above("seconds", seconds))


def pump_spin(double speed, powered, double seconds, double up_s=4.0, double down_s=2.0):
    """Return a pump's speed over its nominal one after some time."""
    if not 0.0 <= speed <= 1.0:
        raise ValueError(f"speed must be 0 … 1, is {speed:g}")
    return spin_up(speed, powered, above("seconds", seconds), above("up_s", up_s), above("down_s", down_s))


def booster_speed(double speed_m3_s, double backing_m3_s, double pressure_pa, double crossover_pa):
    """Return the speed of a booster over its backing pump, m³/s."""
    if not pressure_pa >= 0.0:
        raise ValueError(f"pressure_pa must not be negative, is {pressure_pa:g}")
    return roots_speed(above("speed_m3_s", speed_m3_s), above("backing_m3_s", backing_m3_s), pressure_pa,
                       above("crossover_pa", crossover_pa))


cdef class MatchDrive:
    """A motor-driven L network in front of a load."""

    cdef Match state
    cdef double source

    def __init__(self, double shunt_s=0.0, double series_ohm=0.0, double shunt_speed_s_s=0.2,
                 double series_speed_ohm_s=500.0, double source_ohm=50.0):
        if not (math.isfinite(shunt_s) and math.isfinite(series_ohm)):
            raise ValueError("shunt_s and series_ohm must be finite")
        self.state.shunt, self.state.series = shunt_s, series_ohm
        self.state.shunt_speed = above("shunt_speed_s_s", shunt_speed_s_s)
        self.state.series_speed = above("series_speed_ohm_s", series_speed_ohm_s)
        self.source = above("source_ohm", source_ohm)

    def step(self, load_ohm, double seconds):
        """Drive towards the match for some time; return the reflected share of the forward power."""
        load = complex(load_ohm)
        if not (math.isfinite(load.real) and math.isfinite(load.imag) and load.real >= 0.0):
            raise ValueError(f"load_ohm must be finite with a resistance that is not negative, is {load}")
        return match_step(&self.state, load.real, load.imag, self.source, above("seconds", seconds))

    @property
    def elements(self):
        """Present (shunt susceptance in S, series reactance in Ω)."""
        return self.state.shunt, self.state.series


def reflected(load_ohm, double shunt_s=0.0, double series_ohm=0.0, double source_ohm=50.0):
    """Return the reflected share |Γ|² of the forward power."""
    load = complex(load_ohm)
    if not (math.isfinite(load.real) and math.isfinite(load.imag) and load.real >= 0.0):
        raise ValueError(f"load_ohm must be finite with a resistance that is not negative, is {load}")
    if not (math.isfinite(shunt_s) and math.isfinite(series_ohm)):
        raise ValueError("shunt_s and series_ohm must be finite")
    return reflected_share(shunt_s, series_ohm, load.real, load.imag, above("source_ohm", source_ohm))
