"""Gains of one loop from the record of a relay or a step test: proposals, which act only once in a tool file.

* Relay (Åström and Hägglund, Automatica 20 (1984) 645): an output that switches between two values makes the process
  value swing; its gain 4·d / (π·a) and period give a PI controller by Tyreus and Luyben, Ind. Eng. Chem. Res. 31
  (1992) 2625: kp = Ku / 3.2, ti = 2.2·Tu. A relay with hysteresis swings more slowly and further than at the ultimate
  point, so gains are lower than without: on the safe side.
* Step: gain, dead time and lag from the moments of 28.3 and 63.2 % (Smith, Digital Computer Process Control, 1972), and
  SIMC (Skogestad, J. Process Control 13 (2003) 291): kp = τ / (k·(τc + θ)), ti = min(τ, 4·(τc + θ)).
"""

import math
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any, Literal

import numpy as np

from config.regulation.record import Column, LoopTest, RecordError
from config.tool import Loop

RULES = {
    "relay": "Tyreus and Luyben (1992) from a relay test (Åström and Hägglund 1984)",
    "step": "SIMC (Skogestad 2003) from a step test",
}
LEAST_CYCLES = 3
SPREAD = 0.3
"""Periods of a relay test differ by this share at most; else something else moved the process value."""
LEAST_SWING = 4.0
"""A swing or a step of the process value is this many times its noise at least."""
MOST_SHARE = 100.0
"""Tuned gains are within this factor of the tool file's."""
LEAST_STEP_SHARE = 0.05
"""The last tenth of a step test moves by this share of the whole at most: it has come to rest."""


@dataclass(frozen=True)
class Proposal:
    """Gains that somebody may put into a tool file, with what they rest on."""

    loop: str
    method: Literal["relay", "step"]
    rule: str
    kp: float
    ti_s: float
    found: dict[str, float]
    """What was found of the process."""
    present: dict[str, float]
    """Gains that the tool file has there."""
    at: float | None = None
    """Where the tag of the loop's schedule stood; None without one."""
    status: Literal["proposed"] = "proposed"
    """Nothing follows from a proposal: somebody approves it, or puts it into the tool file."""

    def to_json(self) -> dict[str, Any]:
        """Return it as plain data."""
        return asdict(self)


def propose(loop: Loop, test: LoopTest, method: str, closed_loop_s: float | None = None) -> Proposal:
    """Work out gains of a loop from a test.

    Args:
        loop: as the tool file has it.
        test: the stretch in which it was in manual.
        method: a key of RULES.
        closed_loop_s: step: wanted time constant of the closed loop; None for tight control.

    Raises:
        RecordError: the record tells no gains.
    """
    if method == "relay":
        kp, ti_s, found = relay_gains(test.time_s, test.pv, test.out)
    else:
        kp, ti_s, found = step_gains(test.time_s, test.pv, test.out, closed_loop_s=closed_loop_s)
    known = gains_at(loop, test.at)
    return Proposal(
        loop.name,
        "relay" if method == "relay" else "step",
        RULES[method],
        float(f"{kp:.3g}"),
        float(f"{ti_s:.3g}"),
        {name: float(f"{value:.4g}") for name, value in found.items()},
        {"kp": float(f"{known[0]:.4g}"), "ti_s": float(f"{known[1]:.4g}"), "td_s": loop.td_s},
        test.at,
    )


def gains_at(loop: Loop, at: float | None) -> tuple[float, float]:
    """Return kp and ti_s that the tool file gives a loop, where the tag of its schedule stands at `at`.

    Raises:
        RecordError: a loop with a schedule, and nobody says where.
    """
    if loop.schedule is None:
        return loop.kp, loop.ti_s
    if at is None:
        raise RecordError(f"loop {loop.name} has a schedule: where did '{loop.schedule.tag}' stand in the test?")
    rows = loop.schedule.rows
    places = [row.at for row in rows]
    kp = float(np.interp(at, places, [row.kp for row in rows]))
    return kp, kp / float(np.interp(at, places, [row.kp / row.ti_s for row in rows]))


def shares(loop: Loop, kp: float, ti_s: float, at: float | None) -> tuple[float, float]:
    """Return what new gains are of the tool file's, as shares of kp and of kp / ti (the scan's TUNE).

    Raises:
        RecordError: they are more than a hundred times apart, or as `gains_at`.
    """
    known, known_s = gains_at(loop, at)
    found = kp / known, (kp / ti_s) / (known / known_s)
    if not all(1.0 / MOST_SHARE <= share <= MOST_SHARE for share in found):
        raise RecordError(
            f"kp {kp:g} and ti {ti_s:g} s are more than {MOST_SHARE:g} times away from the tool file's {known:g} and "
            f"{known_s:g} s: nobody tunes that far, look at the test"
        )
    return found


def relay_gains(time_s: Column, pv: Column, out: Column) -> tuple[float, float, dict[str, float]]:
    """Return kp, ti_s and what was found, from a record in which an output switched between two values.

    Raises:
        RecordError: fewer than three whole cycles, swings too small or too unlike one another.
    """
    _finite(time_s, pv, out)
    high, low = float(out.max()), float(out.min())
    if high <= low:
        raise RecordError("the output did not switch")
    above = out > (high + low) / 2.0
    rises = np.flatnonzero(above[1:] & ~above[:-1]) + 1
    falls = np.flatnonzero(~above[1:] & above[:-1]) + 1
    if len(rises) < LEAST_CYCLES + 1:
        raise RecordError(f"{max(0, len(rises) - 1)} whole cycles: at least {LEAST_CYCLES} are needed")
    rises = rises[-LEAST_CYCLES - 1 :]
    periods = np.diff(time_s[rises])
    swings = np.array([np.ptp(pv[a:b]) for a, b in pairwise(rises)]) / 2.0
    tu, a = float(periods.mean()), float(swings.mean())
    if float(np.ptp(periods)) > SPREAD * tu or float(np.ptp(swings)) > SPREAD * a:
        raise RecordError(
            "the cycles are too unlike one another: repeat the test when nothing else moves the process value"
        )
    # Where the process value stood when the output switched: half the distance is the relay's hysteresis.
    down = falls[(falls > rises[0]) & (falls < rises[-1])]
    h = abs(float(pv[down].mean() - pv[rises[1:]].mean())) / 2.0
    d = (high - low) / 2.0
    if a <= 0.0:
        raise RecordError("the process value did not swing: raise the relay's amplitude")
    ku = 4.0 * d / (math.pi * a)
    found = {"ultimate_gain": ku, "ultimate_period_s": tu, "amplitude": a, "hysteresis": h, "relay": d}
    return ku / 3.2, 2.2 * tu, found


def step_gains(
    time_s: Column, pv: Column, out: Column, *, closed_loop_s: float | None = None
) -> tuple[float, float, dict[str, float]]:
    """Return kp, ti_s and what was found, from a record in which an output made one step.

    Args:
        time_s: of each row.
        pv: process value, at rest before the step and at the end.
        out: output.
        closed_loop_s: wanted time constant τc; the dead time unless given (tight control), at least a sample.

    Raises:
        RecordError: no step or several, a process value that does not answer or has not come to rest.
    """
    _finite(time_s, pv, out)
    changes = np.flatnonzero(np.diff(out) != 0.0) + 1
    if len(changes) != 1 or changes[0] < LEAST_CYCLES:
        raise RecordError(f"the output changed {len(changes)} times: a step test has one step, after some time at rest")
    at = int(changes[0])
    before, after = pv[:at], pv[at:]
    tail = after[-max(3, len(after) // 10) :]
    start, end, noise = float(before.mean()), float(tail.mean()), float(before.std())
    if abs(end - start) <= LEAST_SWING * noise or end == start:
        raise RecordError("the process value did not answer beyond its noise: make the step larger")
    share = (after - start) / (end - start)
    if abs(float(share[-1] - share[-len(tail)])) > LEAST_STEP_SHARE + 2.0 * noise / abs(end - start):
        raise RecordError("the process value has not come to rest at the end of the record: record for longer")
    clock = time_s[at:] - time_s[at - 1]
    t28, t63 = (float(clock[int(np.argmax(share >= level))]) for level in (0.283, 0.632))
    sample = float(np.median(np.diff(time_s)))
    lag = max(1.5 * (t63 - t28), sample)
    dead = max(t63 - lag, 0.0)
    gain = (end - start) / float(out[at] - out[at - 1])
    wanted = max(dead, sample) if closed_loop_s is None else closed_loop_s
    kp, ti = lag / (abs(gain) * (wanted + dead)), min(lag, 4.0 * (wanted + dead))
    return kp, ti, {"gain": gain, "dead_time_s": dead, "lag_s": lag, "closed_loop_s": wanted}


def _finite(*columns: Column) -> None:
    if not all(np.isfinite(column).all() for column in columns):
        raise RecordError("the record has values that are no numbers: repeat the test with working instruments")
    if len(columns[0]) < 10 or not (np.diff(columns[0]) > 0).all():
        raise RecordError("the record is too short, or its times do not rise")
