"""Transport kernels beside Cantera and SciPy, in the same run and at a stated accuracy of both."""

import time
from collections.abc import Callable

import cantera as ct
import numpy as np
from scipy.integrate import solve_ivp

from config.kinetics import Grid, Plan, tabulate
from config.kinetics.mechanism import Mechanism
from kernels import growth, stagnation, thermal, transport, vacuum
from tests.bench.figure import Figure
from tests.validation.cantera_stagnation import jet, rate

TARGET = "≤ 0.1 × the reference (10 × as fast)"


def best(action: Callable[[], object], repeats: int = 5) -> float:
    """Least time of some runs, ms."""
    taken = list[float]()
    for _ in range(repeats):
        begin = time.perf_counter()
        action()
        taken.append(time.perf_counter() - begin)
    return 1e3 * min(taken)


def stagnation_figure() -> Figure:
    """SiH4 in He with Soret: both against their own finest grid."""
    arguments = ("He", 1e-3, 1000.0, 101325.0, 0.1, 0.1, 1.0)

    def ours(nodes: int = 32) -> float:
        return stagnation.stagnation_growth(
            "SiH4", "He", 1e-3, 1000.0, sticking=1.0, stefan=False, nodes=nodes
        ).rate_mol_m2_s

    theirs: list[float] = []
    runs = list[float]()
    for _ in range(3):
        sim, surface = jet(*arguments, soret=True)
        begin = time.perf_counter()
        theirs.append(rate(sim, surface))
        runs.append(1e3 * (time.perf_counter() - begin))
    sim, surface = jet(*arguments, soret=True)
    sim.set_refine_criteria(ratio=2, slope=0.02, curve=0.03, prune=0.003)
    sim.set_max_grid_points(sim.flame, 5000)
    finest = rate(sim, surface)
    error, reference_error = abs(ours() / ours(512) - 1.0), abs(theirs[0] / finest - 1.0)
    return Figure(
        f"stagnation flow with Soret, grid error {error:.0e}", best(ours), "ms", min(runs),
        f"Cantera impinging jet, grid error {reference_error:.0e}", TARGET,
    )  # fmt: skip


def nitride_tube_figure() -> Figure:
    """Any film's march along 50 wafers."""
    temperatures, area, pressure = np.linspace(1053.0, 1063.0, 50), 0.05, 40.0
    inlet = {"SiH2Cl2": vacuum.molar_flow(60.0), "NH3": vacuum.molar_flow(180.0)}

    def ours(parts: int = 2) -> transport.HotWallTube:
        return transport.hot_wall_tube("Si3N4", temperatures, area, inlet, pressure, parts)

    def theirs(rtol: float = 1e-6) -> float:
        def change(a: float, f: np.ndarray) -> np.ndarray:
            t = temperatures[min(49, int(a / area))]
            p: dict[str, float] = dict(zip(("SiH2Cl2", "NH3"), pressure * f[:2] / f.sum(), strict=True))
            r = growth.molar_rate("Si3N4", t, p)
            return np.array([-3.0 * r, -4.0 * r, 12.0 * r])

        start = [inlet["SiH2Cl2"], inlet["NH3"], 0.0]
        end = solve_ivp(change, (0.0, 50 * area), start, method="LSODA", rtol=rtol, atol=1e-14, max_step=5 * area)
        return 1.0 - float(end.y[0, -1]) / inlet["SiH2Cl2"]

    exact = ours(200).conversion
    return Figure(
        f"nitride tube, 50 wafers, error {abs(ours().conversion / exact - 1.0):.0e}", best(ours), "ms", best(theirs, 3),
        f"SciPy LSODA, same law, error {abs(theirs() / exact - 1.0):.0e}", TARGET,
    )  # fmt: skip


def furnace_figure() -> Figure:
    """Ten minutes of a three-zone furnace."""
    powers = {f"element{z}": 2500.0 for z in (1, 2, 3)}
    exact = thermal.multi_zone_furnace().step(600.0, powers, parts=20_000)["load2"]

    def ours() -> float:
        return thermal.multi_zone_furnace().step(600.0, powers, parts=100)["load2"]

    def theirs() -> float:
        def change(_t: float, y: np.ndarray) -> np.ndarray:
            e, w, b = y[0:3], y[3:6], y[6:9]
            ew, wb = 5.670374419e-8 * 0.16 * (e**4 - w**4), 5.670374419e-8 * 0.12 * (w**4 - b**4)
            return np.concatenate([(2500.0 - ew - 3.6 * (e - 298.15)) / 7e3, (ew - wb) / 2.4e3, wb / 1.6e3])

        return float(solve_ivp(change, (0.0, 600.0), [298.15] * 9, method="LSODA", rtol=1e-6).y[7, -1])

    return Figure(
        f"furnace, 10 min of heat, error {abs(ours() - exact):.0e} K", best(ours), "ms", best(theirs),
        f"SciPy LSODA, error {abs(theirs() - exact):.0e} K", "",
    )  # fmt: skip


def chemistry_figures() -> list[Figure]:
    """Diamond by table beside the mechanism itself, and plug flow of a gas mechanism beside its table."""
    plan = Plan("diamond.yaml", Grid(1100.0, 1300.0, 5), Grid(2000.0, 4000.0, 4), {"H": Grid(5e-4, 3e-3, 6)},
                surface="diamond_100", tolerance=0.005)  # fmt: skip
    table, mechanism = tabulate(plan), Mechanism(plan)
    point = {"temperature": 1212.0, "pressure": 2700.0, "H": 1.3e-3}
    surface = Figure(
        f"diamond by table, error ≤ {max(table.about['error'].values()):.0e}", best(lambda: table(**point)), "ms",
        best(lambda: mechanism.evaluate(point)), f"Cantera {ct.__version__}, surface to its steady state", TARGET,
    )  # fmt: skip
    plan = Plan("h2o2.yaml", Grid(1000.0, 1100.0, 3), Grid(101325.0, 101325.0, 1), {"H2": Grid(0.01, 0.02, 3)},
                base={"O2": 1.0, "N2": 4.0}, residence_s=1e-5, tolerance=0.01)  # fmt: skip
    table, reactor = tabulate(plan), Mechanism(plan)
    at = {"temperature": 1025.0, "pressure": 101325.0, "H2": 0.015}
    batch = Figure(
        f"hydrogen and oxygen by table, error ≤ {max(table.about['error'].values()):.0e}",
        best(lambda: table(**at)), "ms", best(lambda: reactor.evaluate(at)), "Cantera batch reactor, 10 µs", TARGET,
    )  # fmt: skip
    return [surface, batch]


def figures() -> list[Figure]:
    """Measure."""
    return [stagnation_figure(), nitride_tube_figure(), furnace_figure(), *chemistry_figures()]
