"""Control of the simulated tools: the predictor beside the loops on one furnace, pressure after a step and a fault."""

from tests.bench.figure import Figure
from tests.hil.regulated import DECADES, FLOW_SCCM, pressure, ramp, throttling

TARGET = "MPC beside tuned PID on the same plant"


def figures() -> list[Figure]:
    """Run the stories."""
    predictor, loops = ramp("mpc"), ramp("pid")
    pid = "the tool's own PID cascade"
    chambers = {
        name: pressure(throttling(tool), 0.5, 0.5, FLOW_SCCM)
        for name, tool in (("furnace", "lpcvd_furnace"), ("PECVD", "pecvd_showerhead"))
    }
    wide = throttling("lcvd_tungsten")
    decades = {torr: pressure(wide, torr, 0.2 * torr, sccm) for torr, sccm in DECADES}
    span = f"{DECADES[0][0]:g} … {DECADES[-1][0]:g} Torr on one tool"
    steps = [
        Figure(f"{name}: {what}", value, "s", target="≤ 5 s")
        for name, one in chambers.items()
        for what, value in (
            ("0.5 → 1 Torr, within 1 %", one.up_s),
            ("1 → 0.5 Torr, within 1 %", one.down_s),
            ("flow 1 → 0.8 slm at 1 Torr, within 1 %", one.disturbed_s),
        )
    ]
    errors = [
        Figure(f"{name}: error at rest", 100.0 * one.error, "%", target="≤ 1 %") for name, one in chambers.items()
    ]
    return (
        steps
        + errors
        + [
            Figure(
                f"{span}: slowest of steps by 20 % and flow −20 %",
                max(one.slowest_s for one in decades.values()),
                "s",
                target="≤ 5 s",
            ),
            Figure(
                f"{span}: true error at rest",
                100.0 * max(one.true_error for one in decades.values()),
                "%",
                target="≤ 1 %",
            ),
            Figure("ramp to 800 °C at 10 K/min: overshoot", predictor.overshoot, "K", loops.overshoot, pid, TARGET),
            Figure("… until within 1 K", predictor.settling_s, "s", loops.settling_s, pid, TARGET),
            Figure("… spread between zones at rest", predictor.spread, "K", loops.spread, pid, "≤ 1 K"),
            Figure("15 % of a zone's power lost: error", predictor.disturbed, "K", loops.disturbed, pid, TARGET),
            Figure("… until within 0.5 K", predictor.recovered_s, "s", loops.recovered_s, pid, TARGET),
            Figure("movement of power at rest", predictor.power_noise, "%", loops.power_noise, pid),
        ]
    )
