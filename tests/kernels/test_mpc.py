"""The predictor: bit for bit the oracle, near the optimum that SciPy finds, and stories of a group of loops."""

import math
from collections.abc import Callable
from functools import cache
from random import Random
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize

from config.loading import load_tool, shipped_tool
from config.regulation.design import Design, design
from config.regulation.model import LoopGroup
from kernels.mpc import Mpc
from kernels.tables import Command, Event, GroupState, LoopMode, Refusal, Status
from tests.kernels.oracle_mpc import OracleMpc
from tests.kernels.stand import ENGINES, Stand
from tests.kernels.tables_builder import ToolBuilder

Engine = Callable[..., Any]
derandomized = settings(max_examples=60, deadline=None, derandomize=True, database=None)


def any_predictor(rng: Random) -> dict[str, Any]:
    """A small predictor of random numbers."""
    m = rng.randint(1, 3)
    q = rng.randint(m, 4)
    n, points, blocks = q + rng.randint(0, 3), rng.randint(1, 4), rng.randint(1, 4)
    seen, moves = points * m, blocks * m
    size = q + m + n * n + n * m + n * q + seen * (n + m) + moves * seen
    numbers = [rng.uniform(-0.5, 0.5) for _ in range(size)]
    numbers += [float(i == j) + rng.uniform(-0.1, 0.1) for i in range(moves) for j in range(moves)]
    return {
        "states": n, "channels": m, "measured": q, "points": points, "blocks": blocks, "iterations": rng.randint(1, 9),
        "rho": rng.uniform(0.1, 3.0), "sigma": rng.uniform(0.0, 0.1), "relax": rng.uniform(0.5, 1.9),
        "numbers": numbers,
    }  # fmt: skip


@derandomized
@given(seed=st.integers(0, 2**32))
def test_estimates_and_moves_are_those_of_the_oracle_bit_for_bit(seed: int) -> None:
    rng = Random(seed)
    drawn = any_predictor(rng)
    kernel, oracle = Mpc(**drawn), OracleMpc(**drawn)
    m, q, seen = drawn["channels"], drawn["measured"], drawn["points"] * drawn["channels"]

    def row(size: int, scale: float = 10.0) -> list[float]:
        return [rng.uniform(-scale, scale) for _ in range(size)]

    start = row(q)
    kernel.begin(start)
    oracle.begin(start)
    for _ in range(4):
        measured, applied, present = row(q), row(m), row(m)
        kernel.correct(measured, applied, 0.3)
        oracle.correct(measured, applied, 0.3)
        assert kernel.state.tolist() == oracle.state
        assert kernel.innovation.tolist() == oracle.innovation
        bounds = [-5.0] * m, [5.0] * m, [rng.uniform(0.1, 4.0) for _ in range(m)]
        reference = row(seen)
        moves, residual = kernel.find(reference, present, *bounds)
        assert residual == oracle.find(reference, present, *bounds)
        assert moves.ravel().tolist() == oracle.moves


@cache
def furnace() -> tuple[LoopGroup, Design]:
    """The group of the shipped furnace and its predictor."""
    group = load_tool(shipped_tool("lpcvd_furnace")).groups[0]
    return group, design(group)


def optimum(made: Design, slope: np.ndarray, low: np.ndarray, high: np.ndarray, rate: np.ndarray) -> np.ndarray:
    """The moves that SciPy finds for the same program."""
    hessian, sums = made.hessian, made.sums
    blocks = len(made.blocks)
    minimize: Any = optimize.minimize  # its stubs know no constraints as plain dictionaries
    found = minimize(
        lambda x: 0.5 * x @ hessian @ x + slope @ x,
        np.zeros(len(slope)),
        jac=lambda x: hessian @ x + slope,
        bounds=optimize.Bounds(-np.tile(rate, blocks), np.tile(rate, blocks)),
        constraints=[
            {"type": "ineq", "fun": lambda x: sums @ x - np.tile(low, blocks), "jac": lambda _x: sums},
            {"type": "ineq", "fun": lambda x: np.tile(high, blocks) - sums @ x, "jac": lambda _x: -sums},
        ],
        method="SLSQP",
        options={"maxiter": 500, "ftol": 1e-12},
    )
    assert found.success, found.message
    return found.x


@pytest.mark.parametrize(
    ("target", "present", "high", "rate"),
    [(1.0, 30.0, 100.0, 20.0), (20.0, 30.0, 100.0, 5.0), (40.0, 30.0, 45.0, 20.0), (-60.0, 30.0, 100.0, 20.0)],
    ids=["no bound", "rate", "power", "no power"],
)
def test_the_moves_of_the_furnace_are_near_the_optimum_that_scipy_finds(
    target: float, present: float, high: float, rate: float
) -> None:
    group, made = furnace()
    model = group.model
    assert model is not None
    sizes = {"channels": 3, "measured": 6, "iterations": group.iterations, **made.sizes}
    kernel, oracle = Mpc(**sizes), OracleMpc(**sizes)
    shift = np.array([target, 0.5 * target, 0.0])
    reference = np.tile(np.array(model.measured[:3]) + shift, len(made.points))
    now = np.full(3, present)
    for one in (kernel, oracle):
        one.begin(list(model.measured))
    slope = np.array(oracle.slope(reference.tolist(), now.tolist()))
    best = optimum(made, slope, np.zeros(3) - now, np.full(3, high) - now, np.full(3, rate))
    moves, residual = np.zeros((len(made.blocks), 3)), math.inf
    for _ in range(3):  # as in control, where a search begins where the one before ended
        moves, residual = kernel.find(reference, now, np.zeros(3), np.full(3, high), np.full(3, rate))
    assert residual < 0.1  # per cent of power
    assert np.abs(moves[0] - best[:3]).max() < 0.02 * rate
    cost = [float(0.5 * x @ made.hessian @ x + slope @ x) for x in (moves.ravel(), best)]
    assert cost[0] == pytest.approx(cost[1], rel=0.005, abs=1e-3)


@pytest.mark.parametrize("wrong", [{"rho": 0.0}, {"relax": 2.0}, {"states": 1}, {"numbers": [1.0]}, {"points": 0}])
def test_a_predictor_that_cannot_be_is_refused(wrong: dict[str, Any]) -> None:
    drawn = any_predictor(Random(3)) | {"measured": 3, "channels": 2}
    with pytest.raises(ValueError, match=r"at least|above|channels|numbers"):
        Mpc(**(drawn | wrong))


def test_what_is_no_number_is_refused_at_the_door() -> None:
    drawn = any_predictor(Random(4))
    with pytest.raises(ValueError, match="finite"):
        Mpc(**drawn).begin([math.nan] * drawn["measured"])
    endless: dict[str, Any] = {"numbers": [math.inf] * len(drawn["numbers"])}
    with pytest.raises(ValueError, match="finite"):
        Mpc(**(drawn | endless))


# ------------------------------------------------------------------------------------------- gain schedules
class Scheduled:
    """A loop whose proportional gain follows a tag."""

    def __init__(self, engine: Engine) -> None:
        tool = ToolBuilder()
        self.pv, self.by = tool.input(), tool.input()
        self.sp, self.mode, self.out = tool.setpoint(initial=5.0), tool.mode(), tool.output(-1e6, 1e6)
        loop = tool.loop(pv=self.pv, sp=self.sp, out=self.out, mode=self.mode, kp=1.0, ki=0.0)
        tool.schedule(loop, self.by, (0.0, 2.0, 0.1, 0.0), (10.0, 4.0, 0.3, 0.0), (20.0, 4.0, 0.1, 0.0))
        self.stand = Stand(engine, tool.build())
        self.measure(0.0, 0.0)
        self.stand.order(Command.WRITE, self.mode, LoopMode.AUTO)

    def measure(self, pv: float, by: float, status: int = Status.GOOD) -> float:
        """Let the instruments speak and scan; return the output."""
        self.stand.post(self.pv, pv)
        self.stand.post(self.by, by, status)
        self.stand.run()
        return self.stand.value(self.out)


@pytest.mark.parametrize("engine", ENGINES, ids=lambda engine: engine.__name__)
def test_gains_follow_their_tag_and_the_output_does_not_jump_between_rows(engine: Engine) -> None:
    loop = Scheduled(engine)
    before = loop.measure(3.0, 0.0)
    for by in (5.0, 10.0, 15.0, 20.0, 1e6, -1e6):
        after = loop.measure(3.0, by)
        assert abs(after - before) <= 0.3 * 2.0 + 1e-9  # the integral's own step, at most
        before = after


@pytest.mark.parametrize("engine", ENGINES, ids=lambda engine: engine.__name__)
@pytest.mark.parametrize(("by", "gain"), [(0.0, 2.0), (5.0, 3.0), (10.0, 4.0), (15.0, 4.0), (-7.0, 2.0)])
def test_between_two_rows_a_gain_lies_on_a_straight_line(engine: Engine, by: float, gain: float) -> None:
    loop = Scheduled(engine)
    loop.measure(4.0, by)
    first, second = loop.measure(4.0, by), loop.measure(4.5, by)
    third = loop.measure(4.5, by)
    assert (second - first) - (third - second) == pytest.approx(-0.5 * gain - 0.0, abs=0.16)


@pytest.mark.parametrize("engine", ENGINES, ids=lambda engine: engine.__name__)
def test_a_schedule_whose_tag_is_bad_keeps_its_gains(engine: Engine) -> None:
    kept, lost = Scheduled(engine), Scheduled(engine)
    for loop in (kept, lost):
        loop.measure(3.0, 10.0)
    assert kept.measure(4.0, 10.0) == lost.measure(4.0, 0.0, Status.BAD)


@pytest.mark.parametrize("engine", ENGINES, ids=lambda engine: engine.__name__)
def test_a_set_point_that_gains_follow_does_not_wind_the_integral_up(engine: Engine) -> None:
    tool = ToolBuilder()
    pv, sp, mode, out = tool.input(), tool.setpoint(0.0, 1e3, initial=1.0), tool.mode(), tool.output(-1e6, 1e6)
    tool.schedule(tool.loop(pv=pv, sp=sp, out=out, mode=mode), sp, (1.0, 100.0, 0.0, 0.0), (1000.0, 1.0, 0.0, 0.0))
    stand = Stand(engine, tool.build())
    stand.post(pv, 1.0)
    stand.order(Command.WRITE, sp, 1.0)
    stand.order(Command.WRITE, mode, LoopMode.AUTO)
    stand.order(Command.WRITE, sp, 1000.0)
    assert stand.value(out) == 999.0
    stand.post(pv, 1000.0)
    stand.run()
    assert stand.value(out) == 0.0  # where it stood before the step: nothing has integrated in between


@pytest.mark.parametrize("engine", ENGINES, ids=lambda engine: engine.__name__)
def test_gains_that_change_while_the_error_is_large_leave_the_integral_within_the_outputs_range(engine: Engine) -> None:
    tool = ToolBuilder()
    pv, by, mode, out = tool.input(), tool.input(), tool.mode(), tool.output(-1e6, 1e6)
    sp = tool.setpoint(0.0, 1e3, initial=1000.0)
    loop = tool.loop(pv=pv, sp=sp, out=out, mode=mode, low=0.0, high=100.0)
    tool.schedule(loop, by, (0.0, 0.01, 0.0, 0.0), (1.0, 1.0, 0.0, 0.0))
    stand = Stand(engine, tool.build())
    for value, gains in ((0.0, 0.0), (0.0, 1.0), (1000.0, 1.0)):
        stand.post(pv, value)
        stand.post(by, gains)
        stand.order(Command.WRITE, mode, LoopMode.AUTO)
    assert stand.value(out) == 0.0  # not −990, from where only integration would bring it back
    stand.post(pv, 950.0)
    stand.run()
    assert stand.value(out) > 0.0


@pytest.mark.parametrize("engine", ENGINES, ids=lambda engine: engine.__name__)
def test_tuning_multiplies_the_gains_of_rows_and_schedules_without_a_jump(engine: Engine) -> None:
    loop = Scheduled(engine)
    still = loop.measure(3.0, 10.0)
    loop.stand.order(Command.TUNE, 0, 0.5, 0.25)
    after = loop.stand.value(loop.out)
    assert after - still == pytest.approx(0.3 * 0.25 * 2.0, abs=0.3 * 2.0)
    first, second = loop.measure(3.0, 10.0), loop.measure(4.0, 10.0)
    assert second - first == pytest.approx(-1.0 * 4.0 * 0.5 + 0.3 * 0.25 * 2.0, abs=1e-9)
    for target, a, b, refusal in (
        (-1, 1.0, 1.0, Refusal.BAD_TARGET), (1, 1.0, 1.0, Refusal.BAD_TARGET), (0, 0.0, 1.0, Refusal.OUT_OF_LIMITS),
        (0, 1.0, 101.0, Refusal.OUT_OF_LIMITS), (0, math.nan, 1.0, Refusal.OUT_OF_LIMITS),
    ):  # fmt: skip
        assert loop.stand.order(Command.TUNE, target, a, b) == refusal


# ------------------------------------------------------------------------------------------- groups of loops
class Pair:
    """Two rooms that warm one another, two heaters, a predictor over both; it knows them exactly."""

    A, B = np.array([[0.9, 0.05], [0.05, 0.9]]), np.array([[0.1, 0.02], [0.02, 0.1]])

    def __init__(self, engine: Engine) -> None:
        group = LoopGroup.model_validate_json(
            """{"name": "rooms", "select": "a.select", "report": "a.report", "range": [-50, 150], "horizon_s": 20,
            "moves": 3, "move_weight": 0.05, "noise": 0.01, "drift": 0.1, "stale": 2.0,
            "members": [{"outer": "one", "low": 0, "high": 60, "rate_per_s": 4},
                        {"outer": "two", "low": 0, "high": 60, "rate_per_s": 4}],
            "model": {"sample_s": 1.0, "measured": [20, 20], "outputs": [14, 14],
                      "a": [[0.9, 0.05], [0.05, 0.9]], "b": [[0.1, 0.02], [0.02, 0.1]],
                      "provenance": {"identified": "2026-11-24", "tool": "two rooms", "test": "none", "samples": 1,
                                     "one_step": 0, "simulated": 0}}}"""
        )
        made = design(group)
        tool = ToolBuilder()
        self.pv = [tool.input(), tool.input()]
        self.sp = [tool.setpoint(initial=20.0), tool.setpoint(initial=20.0)]
        self.mode, self.out = [tool.mode(), tool.mode()], [tool.output(0.0, 100.0), tool.output(0.0, 100.0)]
        self.select, self.report = tool.setpoint(0.0, 1.0), tool.setpoint(0.0, 5.0)
        loops = [
            tool.loop(
                pv=self.pv[i], sp=self.sp[i], out=self.out[i], mode=self.mode[i], kp=2.0, ki=0.1, low=0.0, high=60.0
            )
            for i in range(2)
        ]
        members = [{"outer": loop, "inner": loop, "low": 0.0, "high": 60.0, "rate": 4.0} for loop in loops]
        tool.group(
            *members, numbers=made.numbers.tolist(), select=self.select, report=self.report, states=made.states,
            points=len(made.points), blocks=len(made.blocks), iterations=60, settle=5, patience=3, every=1,
            rho=made.rho, sigma=made.sigma, relax=1.6, tolerance=0.5, watch=0.2, stale=2.0, low=-50.0, high=150.0,
            margin=1.0,
        )  # fmt: skip
        self.stand = Stand(engine, tool.build())
        self.y, self.away = np.array([20.0, 20.0]), np.zeros(2)
        self.run()
        for tag in (*self.mode, self.select):
            self.stand.order(Command.WRITE, tag, 2.0 if tag in self.mode else 1.0)
        self.run(30)

    def run(self, scans: int = 1, *, bad: int = -1) -> None:
        """Live through scans; a thermometer may be Bad."""
        for _ in range(scans):
            for i in range(2):
                self.stand.post(self.pv[i], float(self.y[i]), Status.BAD if i == bad else Status.GOOD)
            self.stand.run()
            u = np.array([self.stand.value(tag) for tag in self.out])
            self.y = 20.0 + self.A @ (self.y - 20.0) + self.B @ (u - 14.0) + self.away

    @property
    def controls(self) -> list[GroupState]:
        """Who controlled, in order."""
        return [GroupState(int(event["a"])) for event in self.stand.happened(Event.CONTROL)]


@pytest.fixture(params=ENGINES, ids=lambda engine: engine.__name__)
def rooms(request: pytest.FixtureRequest) -> Pair:
    """Two rooms on either engine, the predictor in control."""
    pair = Pair(request.param)
    assert pair.controls[-1] == GroupState.MPC
    return pair


def test_set_points_are_reached_without_offset_though_something_disturbs(rooms: Pair) -> None:
    rooms.away = np.array([0.7, -0.4])  # nothing of this is in the model
    rooms.stand.order(Command.WRITE, rooms.sp[0], 25.0)
    rooms.run(250)
    assert rooms.y == pytest.approx([25.0, 20.0], abs=0.01)
    assert rooms.controls[-1] == GroupState.MPC


def test_outputs_never_leave_their_bounds_nor_change_faster_than_they_may(rooms: Pair) -> None:
    rooms.stand.order(Command.WRITE, rooms.sp[0], 140.0)
    before = np.array([rooms.stand.value(tag) for tag in rooms.out])
    for _ in range(60):
        rooms.run()
        now = np.array([rooms.stand.value(tag) for tag in rooms.out])
        assert (now >= 0.0).all()
        assert (now <= 60.0).all()
        assert (np.abs(now - before) <= 4.0 + 1e-9).all()
        before = now


def test_a_bad_thermometer_ends_prediction_until_somebody_chooses_it_again(rooms: Pair) -> None:
    rooms.run(1, bad=0)
    assert rooms.controls[-1] == GroupState.BAD_SENSOR
    assert rooms.stand.value(rooms.select) == 0.0
    rooms.run(40)
    assert rooms.controls[-1] == GroupState.BAD_SENSOR
    for tag, value in ((rooms.mode[0], 2.0), (rooms.select, 1.0)):
        rooms.stand.order(Command.WRITE, tag, value)
    rooms.run(20)
    assert rooms.controls[-1] == GroupState.MPC


def test_rooms_that_behave_otherwise_than_the_model_are_told(rooms: Pair) -> None:
    for turn in range(60):
        rooms.away = np.array([6.0, 0.0]) * (-1) ** turn
        rooms.run()
    assert GroupState.STALE in rooms.controls


def test_a_state_taken_and_restored_goes_on_bit_for_bit() -> None:
    pair = Pair(ENGINES[0])
    first = pair.stand.scan
    second = ENGINES[0](pair.stand.tables)
    second.restore(first.state())
    for scan in (first, second):
        scan.command(Command.WRITE, pair.sp[1], 40.0)
        scan.advance(50)
    assert first.digest == second.digest
    assert first.values()[0].tobytes() == second.values()[0].tobytes()
