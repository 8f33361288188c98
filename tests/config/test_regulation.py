"""Models and gains from records of tests: what is found of a process that is known, and records that tell nothing."""

import math
from datetime import date

import numpy as np
import pytest

from config.checks import check_tool
from config.loading import load_tool, shipped_tool
from config.regulation.design import augmented, design
from config.regulation.identify import identify
from config.regulation.record import Record, RecordError, record_of, tags_of
from config.regulation.tuning import relay_gains, step_gains
from config.tool import Schedule, Tool

A = np.array([[0.95, 0.02], [0.01, 0.93]])
B = np.array([[0.06, 0.01], [0.0, 0.08]])


def heated(samples: int = 400, noise: float = 0.0, *, together: bool = False) -> Record:
    """A test of two heaters that act on two temperatures."""
    rng = np.random.default_rng(5)
    u = 30.0 + 5.0 * np.sign(rng.standard_normal((samples // 8, 2))).repeat(8, axis=0)
    if together:
        u[:, 1] = u[:, 0]
    y = [np.array([500.0, 510.0])]
    for row in u[:-1]:
        y.append(np.array([500.0, 510.0]) + A @ (y[-1] - [500.0, 510.0]) + B @ (row - 30.0))
    return Record(2.0, np.array(y) + noise * rng.standard_normal((len(u), 2)), u)


def test_the_model_of_a_known_process_is_that_process() -> None:
    model = identify(heated(), tool="T", test="known", on=date(2026, 11, 24))
    assert np.array(model.a) == pytest.approx(A, abs=1e-5)
    assert np.array(model.b) == pytest.approx(B, abs=1e-5)
    assert model.provenance.one_step < 1e-9
    assert (model.sample_s, model.order, model.provenance.samples) == (2.0, 1, 400)


def test_noise_of_a_tenth_of_a_kelvin_leaves_the_model_good_for_a_whole_test() -> None:
    model = identify(heated(800, 0.05), tool="T", test="noisy", on=date(2026, 11, 24))
    assert model.provenance.simulated < 0.5
    assert np.array(model.a) == pytest.approx(A, abs=0.1)


@pytest.mark.parametrize(
    ("record", "words"),
    [
        (heated(24), "too few"),
        (heated(together=True), "only together"),
        (Record(1.0, np.full((200, 1), math.nan), np.zeros((200, 1))), "no numbers"),
        (Record(1.0, np.random.default_rng(1).normal(size=(200, 1)), np.zeros((200, 1))), "must move every output"),
        (Record(1.0, 1.01 ** np.arange(600.0)[:, None], np.tile([[0.0], [4.0]], (300, 1))), "grows"),
        (Record(1.0, np.zeros((200, 1)), np.zeros((100, 1))), "one row"),
    ],
)
def test_a_record_that_tells_no_model_is_refused_with_the_reason(record: Record, words: str) -> None:
    with pytest.raises(RecordError, match=words):
        identify(record, tool="T", test="bad", on=date(2026, 11, 24))


def test_a_test_is_cut_out_of_a_log_and_brought_to_samples() -> None:
    tool = load_tool(shipped_tool("lpcvd_furnace"))
    group = tool.groups[0]
    measured, outputs, modes = tags_of(tool, group)
    time = np.arange(0.0, 100.0, 0.5)
    columns = dict.fromkeys(measured, 700.0 + time) | dict.fromkeys(outputs, 2.0 * time)
    columns |= {name: np.where((time >= 20.0) & (time < 60.0), 1.0, 2.0) for name in modes}
    record = record_of(tool, group, time.tolist(), columns, 4.0)
    assert record.measured[:, 0].tolist() == [720.0 + 4.0 * k for k in range(len(record.measured))]
    assert record.outputs[:, 2] == pytest.approx(2.0 * (record.measured[:, 0] - 700.0 + 1.75))
    with pytest.raises(RecordError, match="in manual"):
        record_of(tool, group, time.tolist(), columns | dict.fromkeys(modes, time * 0.0), 4.0)
    with pytest.raises(RecordError, match="no column"):
        record_of(tool, group, time.tolist(), {}, 4.0)


def test_the_predictor_of_the_furnace_predicts_its_own_model() -> None:
    group = load_tool(shipped_tool("lpcvd_furnace")).groups[0]
    assert group.model is not None
    made, (a, b) = design(group), augmented(group.model)
    last = made.points[-1]
    x, u = np.zeros(len(a)), np.array([1.0, 0.0, 0.0])
    for _ in range(last):
        x = a @ x + b @ u
    held = made.numbers[len(made.points) + 9 + 144 + 36 + 72 + 36 * 12 :][: 36 * 3].reshape(36, 3)
    assert held[-3:, 0] == pytest.approx(x[:3])


# ------------------------------------------------------------------------------------------------- tool files
def faults(tool: Tool) -> list[str]:
    """Faults of a changed tool."""
    return [str(fault) for fault in check_tool(tool, "t")]


def test_what_a_group_lacks_is_said_with_its_place() -> None:
    tool = load_tool(shipped_tool("lpcvd_furnace"))
    group = tool.groups[0]
    wrong = group.model_copy(update={"select": "heater.zone1.mode", "report": "heater.control", "test": "nothing"})
    found = "\n".join(faults(tool.model_copy(update={"groups": (wrong, wrong)})))
    for words in ("groups[0].select", "groups[0].report", "nobody moves it by hand", "no operation 'nothing'",
                  "belongs to", "group"):  # fmt: skip
        assert words in found


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([(0.5, 100, 1), (0.5, 90, 1)], "must be above"),
        ([(0.5, 100, 1), (1.0, 5, 1)], "put a row between"),
        ([(0.5, 100, 1), (1.0, 100, 60)], "put a row between"),
        ([(0.5, 100, 1), (99.0, 90, 1)], "is outside of"),
    ],
)
def test_a_schedule_between_whose_rows_gains_would_be_guessed_is_refused(
    rows: list[tuple[float, ...]], words: str
) -> None:
    tool = load_tool(shipped_tool("lpcvd_furnace"))
    lines = [dict(zip(("at", "kp", "ti_s"), map(float, row), strict=True)) for row in rows]
    schedule = Schedule.model_validate({"tag": "chamber.pressure_setpoint_torr", "rows": tuple(lines)})
    loops = tuple(
        loop.model_copy(update={"schedule": schedule}) if loop.name == "pressure" else loop for loop in tool.loops
    )
    assert any(words in fault and "schedule" in fault for fault in faults(tool.model_copy(update={"loops": loops})))


# ------------------------------------------------------------------------------------------------------ tuning
def swing(gain: float = 2.0, lag: float = 100.0, dead: float = 10.0, *, cycles: int = 8) -> tuple[np.ndarray, ...]:
    """A relay of ± 10 around 50 on a lag with dead time."""
    time = np.arange(0.0, cycles * 45.0, 0.1)
    delay, out, pv, line = round(dead / 0.1), [60.0], [0.0], [0.0]
    for _ in time[1:]:
        driven = out[-delay] if len(out) > delay else 50.0
        line.append(line[-1] + 0.1 * (gain * (driven - 50.0) - line[-1]) / lag)
        pv.append(line[-1])
        out.append(60.0 if (out[-1] > 50 and pv[-1] < 0.05) or pv[-1] < -0.05 else 40.0)
    return time, np.array(pv), np.array(out)


def test_a_relay_finds_the_ultimate_gain_and_period_of_a_lag_with_dead_time() -> None:
    kp, ti_s, found = relay_gains(*swing())
    # Phase: atan(ω·100) + ω·10 = π, ω = 0.1634 rad/s; gain there 2 / √(1 + (ω·100)²).
    assert found["ultimate_period_s"] == pytest.approx(2 * math.pi / 0.1634, rel=0.1)
    assert found["ultimate_gain"] == pytest.approx(math.hypot(1, 16.34) / 2.0, rel=0.25)
    assert kp == pytest.approx(found["ultimate_gain"] / 3.2)
    assert ti_s == pytest.approx(2.2 * found["ultimate_period_s"])


def stepped(noise: float = 0.0) -> tuple[np.ndarray, ...]:
    """A step of 5 at 50 s on gain 2, dead time 10 s, lag 100 s."""
    time = np.arange(0.0, 800.0, 1.0)
    pv = 300.0 + np.where(time > 60.0, 10.0 * (1.0 - np.exp(-(time - 60.0) / 100.0)), 0.0)
    return time, pv + noise * np.random.default_rng(2).standard_normal(len(time)), np.where(time > 50.0, 35.0, 30.0)


def test_a_step_finds_gain_dead_time_and_lag_and_simc_its_gains() -> None:
    kp, ti_s, found = step_gains(*stepped(0.02))
    assert found["gain"] == pytest.approx(2.0, rel=0.02)
    assert found["dead_time_s"] == pytest.approx(10.0, abs=2.0)
    assert found["lag_s"] == pytest.approx(100.0, rel=0.05)
    assert kp == pytest.approx(found["lag_s"] / (2.0 * found["gain"] * found["dead_time_s"]), rel=0.01)
    assert ti_s == pytest.approx(min(found["lag_s"], 8 * found["dead_time_s"]))
    slower, _, _ = step_gains(*stepped(0.02), closed_loop_s=60.0)
    assert slower < kp / 2


def test_records_that_tell_no_gains_are_refused() -> None:
    time, pv, out = swing()
    for words, record in (
        ("whole cycles", swing(cycles=2)),
        ("did not switch", (time, pv, out * 0.0)),
        ("unlike", (time, pv * np.exp(np.linspace(0, 6, len(pv))), out)),
        ("no numbers", (time, pv * math.nan, out)),
    ):
        with pytest.raises(RecordError, match=words):
            relay_gains(*record)
    time, pv, out = stepped(0.02)
    for words, record in (
        ("one step", (time, pv, np.where(time > 400.0, 40.0, out))),
        ("beyond its noise", (time, 300.0 + 0.01 * (pv - 300.0) + stepped(0.2)[1] * 0 + (time % 2), out)),
        ("come to rest", (time[:120], pv[:120], out[:120])),
        ("too short", (time[:5], pv[:5], out[:5])),
    ):
        with pytest.raises(RecordError, match=words):
            step_gains(*record)
