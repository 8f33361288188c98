"""Control of the simulated tools: the predictor beside the loops on one furnace, pressure after a step and a fault."""

from tests.bench.figure import Figure
from tests.hil.regulated import ramp

TARGET = "MPC beside tuned PID on the same plant"


def figures() -> list[Figure]:
    """Run the stories."""
    predictor, loops = ramp("mpc"), ramp("pid")
    pid = "the tool's own PID cascade"
    return [
        Figure("ramp to 800 °C at 10 K/min: overshoot", predictor.overshoot, "K", loops.overshoot, pid, TARGET),
        Figure("… until within 1 K", predictor.settling_s, "s", loops.settling_s, pid, TARGET),
        Figure("… spread between zones at rest", predictor.spread, "K", loops.spread, pid, "≤ 1 K"),
        Figure("15 % of a zone's power lost: error", predictor.disturbed, "K", loops.disturbed, pid, TARGET),
        Figure("… until within 0.5 K", predictor.recovered_s, "s", loops.recovered_s, pid, TARGET),
        Figure("movement of power at rest", predictor.power_noise, "%", loops.power_noise, pid),
    ]
