"""Dynamics of equipment: mass flow controllers, valve drives, pumps, matching networks. SI units."""

class FlowController:
    """A mass flow controller that is stepped."""

    def __init__(
        self,
        full_scale_mol_s: float,
        step_s: float,
        dead_time_s: float = 0.1,
        frequency_rad_s: float = 6.0,
        damping: float = 0.8,
        gain: float = 1.0,
        zero_mol_s: float = 0.0,
    ) -> None: ...
    def step(self, setpoint_mol_s: float, supplied: bool = True) -> float:
        """Advance by one step; return the real flow, mol/s."""

def drive(position: float, target: float, speed_1_s: float, seconds: float) -> float:
    """Return where a valve's drive stands after some time."""

def pump_spin(speed: float, powered: bool, seconds: float, up_s: float = 4.0, down_s: float = 2.0) -> float:
    """Return a pump's speed over its nominal one after some time."""

def booster_speed(speed_m3_s: float, backing_m3_s: float, pressure_pa: float, crossover_pa: float) -> float:
    """Return the speed of a booster over its backing pump, m³/s."""

class MatchDrive:
    """A motor-driven L network in front of a load."""

    def __init__(
        self,
        shunt_s: float = 0.0,
        series_ohm: float = 0.0,
        shunt_speed_s_s: float = 0.2,
        series_speed_ohm_s: float = 500.0,
        source_ohm: float = 50.0,
    ) -> None: ...
    def step(self, load_ohm: complex, seconds: float) -> float:
        """Drive towards the match for some time; return the reflected share of the forward power."""
    @property
    def elements(self) -> tuple[float, float]:
        """Present (shunt susceptance in S, series reactance in Ω)."""

def reflected(load_ohm: complex, shunt_s: float = 0.0, series_ohm: float = 0.0, source_ohm: float = 50.0) -> float:
    """Return the reflected share |Γ|² of the forward power."""
