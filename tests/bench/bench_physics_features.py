"""Conformality beside machball and thin-film optics beside tmm, in one run, with the error of both."""

import time
from collections.abc import Callable

import numpy as np
import tmm
from machball.ballistic import Via, solve_ideal

from kernels import conformality, metrology
from tests.bench.figure import Figure

CASES = ((10.0, 0.01, 20), (100.0, 0.01, 50))  # aspect ratio, sticking, cells of machball
FILMS = [(1.46, 120.0), (2.0 + 0.3j, 35.0), (1.9, 400.0)]
SILICON = 3.8808 + 0.0187j


def timed(action: Callable[[], object], repeats: int) -> float:
    """Least time of some runs, s."""
    taken = list[float]()
    for _ in range(repeats):
        begin = time.perf_counter()
        action()
        taken.append(time.perf_counter() - begin)
    return min(taken)


def saturation(depth: float, sticking: float, cells: int) -> Figure:
    """One saturation of a via; machball by its own steps, first order in time."""
    begin = time.perf_counter()
    times = solve_ideal(Via(depth, cells), sticking, endcov=0.95, verbose=False)[0]
    theirs = time.perf_counter() - begin
    known, got = float(times[-1]), conformality.ald_saturation_exposure(sticking, depth, "via")
    ours = timed(lambda: conformality.ald_saturation_exposure(sticking, depth, "via"), 5)
    name = f"ALD saturation, via AR {depth:g} (machball differs by {100.0 * abs(known / got - 1.0):.2g} %)"
    return Figure(
        name,
        ours * 1e3,
        "ms",
        theirs * 1e3,
        f"machball, {cells} cells, ep 0.05",
        "≥ 10 × at equal accuracy: ratio ≤ 0.1",
    )


def optics() -> Figure:
    """A thousand wavelengths of three films at 70°."""
    waves = np.linspace(300.0, 900.0, 1000)
    indices, lengths = [1.0, *(n for n, _ in FILMS), SILICON], [np.inf, *(d for _, d in FILMS), np.inf]
    angle = np.radians(70.0)

    def reference() -> list[float]:
        return [tmm.coh_tmm("p", indices, lengths, angle, wave)["R"] for wave in waves]

    ours = timed(lambda: metrology.reflectance(waves, FILMS, SILICON, 70.0, "p"), 5) / len(waves)
    theirs = timed(reference, 1) / len(waves)
    apart = float(np.max(np.abs(metrology.reflectance(waves, FILMS, SILICON, 70.0, "p") - np.array(reference()))))
    name = f"reflectance, three films, a point (apart by {apart:.0e})"
    return Figure(name, ours * 1e6, "µs", theirs * 1e6, "tmm", "≥ 10 ×: ratio ≤ 0.1")


def figures() -> list[Figure]:
    """Measure both."""
    return [*(saturation(*case) for case in CASES), optics()]
