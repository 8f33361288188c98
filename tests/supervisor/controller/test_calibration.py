"""Calibrations on the simulated furnace: what an operation finds is what the reading lacks, and then no more."""

from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from config.faults import ConfigError
from kernels.scan import Scan
from kernels.tables import Command, RunState
from supervisor.controller.crew.calibration import Calibrations, Correction
from supervisor.controller.crew.memory import FILE_NAME, Done, Memory, read, write
from supervisor.link.messages import EventKind
from tests.config.minimal_tool import minimal_data, tool_of
from tests.hil.tool_run import ToolRun

SILANE, NITROGEN, MANOMETER, CENTRE, THROTTLE = (
    "gas_panel.sih4.flow_sccm", "gas_panel.n2.flow_sccm", "chamber.manometer_torr", "heater.zone2.temperature_c",
    "vacuum.throttle_valve.feedback_pct",
)  # fmt: skip
DAY_NS = 24 * 3600 * 10**9


@dataclass
class Furnace:
    """The simulated furnace with what is remembered of it."""

    folder: Path
    run: ToolRun = field(default_factory=ToolRun)
    now_ns: int = 10**18

    def __post_init__(self) -> None:
        self.memory = Memory(self.folder, ())
        self.memory.recall(self.now_ns)
        self.calibrations = Calibrations(self.run.compiled.tool, self.memory, self.run.scan, self.run.layout.index)

    def drift(self, tag: str, value: float) -> None:
        self.run.plant.inject({"fault": "sensor_offset", "tag": tag, "value": value})

    def operate(self, name: str) -> None:
        self.run.start(operation=name)
        assert self.run.until_end(6000) is RunState.COMPLETE
        self.run.scan.command(int(Command.CLEAR))
        self.run.wait(1)

    def calibrate(self, operation: str) -> list[tuple[EventKind, dict[str, Any]]]:
        """As `State.Calibrate` does: the operation, its findings, and what follows from them."""
        self.operate(operation)
        return self.conclude(operation)

    def conclude(self, operation: str, **found: float) -> list[tuple[EventKind, dict[str, Any]]]:
        """What follows from the operation's findings, those that the image has unless others are given."""
        declared = next(one for one in self.run.compiled.tool.operations if one.name == operation)
        findings = found or {one.name: self.run[one.tag] for one in declared.findings}
        done = Done(run_number="OP-1", time_ns=self.now_ns, findings=findings)
        self.memory.known.operations[operation] = done
        view: Any = SimpleNamespace(snapshot=SimpleNamespace(time_ns=self.now_ns), layout=self.run.layout)
        plan = SimpleNamespace(run_number="OP-1", principal=SimpleNamespace(user="mia"))
        run: Any = SimpleNamespace(plan=plan)
        return self.calibrations.completed(view, run, [operation])


@pytest.fixture
def furnace(tmp_path: Path) -> Furnace:
    return Furnace(tmp_path)


def test_the_zero_of_a_flow_controller_is_found_and_taken_away(furnace: Furnace) -> None:
    furnace.drift(SILANE, 1.5)
    told = furnace.calibrate("calibrate_mfc_zero")
    record = next(data for kind, data in told if data["tag"] == SILANE)
    assert record["found_offset"] == pytest.approx(1.5, abs=0.05)
    assert (record["version"], record["user"], record["kind"]) == (1, "mia", "mfc_zero")
    assert record["due_ns"] == furnace.now_ns + 90 * DAY_NS
    furnace.run.wait(5)
    assert furnace.run[SILANE] == pytest.approx(0.0, abs=0.4)


def test_a_second_calibration_adds_to_the_first_and_has_the_next_version(furnace: Furnace) -> None:
    furnace.drift(SILANE, 1.5)
    furnace.calibrate("calibrate_mfc_zero")
    furnace.drift(SILANE, 0.5)
    record = next(data for _, data in furnace.calibrate("calibrate_mfc_zero") if data["tag"] == SILANE)
    assert record["version"] == 2
    assert record["found_offset"] == pytest.approx(0.5, abs=0.05), "of readings that were corrected already"
    assert record["offset"] == pytest.approx(2.0, abs=0.05)
    furnace.run.wait(5)
    assert furnace.run[SILANE] == pytest.approx(0.0, abs=0.4)


def test_a_drift_beyond_what_may_be_corrected_is_told_and_not_hidden(furnace: Furnace) -> None:
    furnace.drift(SILANE, 6.0)
    told = furnace.calibrate("calibrate_mfc_zero")
    words = [data["text"] for kind, data in told if kind is EventKind.NOTICE]
    assert len(words) == 1
    assert SILANE in words[0]
    assert "serviced" in words[0]
    assert SILANE not in furnace.memory.known.calibrations
    furnace.run.wait(5)
    assert furnace.run[SILANE] == pytest.approx(6.0, abs=0.5)


def test_the_manometer_agrees_with_the_wide_range_gauge_at_base_pressure(furnace: Furnace) -> None:
    furnace.drift(MANOMETER, 0.004)
    furnace.calibrate("calibrate_gauge_zero")
    furnace.run.wait(5)
    assert furnace.run[MANOMETER] == pytest.approx(furnace.run["chamber.wide_range_torr"], abs=3e-4)


def test_flow_and_temperature_are_verified_in_a_tube_that_has_settled(furnace: Furnace) -> None:
    """Rate of rise: 200 sccm that are 196 are found as 0.98 of what is shown."""
    furnace.operate("standby")
    furnace.run.wait(600)
    furnace.drift(NITROGEN, 4.0)
    (kind, record) = furnace.calibrate("calibrate_n2_flow")[0]
    assert kind is EventKind.CALIBRATION
    assert record["gain"] == pytest.approx(200 / 204, rel=0.01)
    furnace.drift(CENTRE, 2.0)
    furnace.run.wait(60)
    shown = furnace.run[CENTRE] - furnace.run["heater.boat_c"]
    furnace.calibrate("calibrate_thermocouples")
    furnace.run.wait(0.5)
    assert abs(furnace.run[CENTRE] - furnace.run["heater.boat_c"]) < max(abs(shown), 1.0)


def test_the_throttle_valve_learns_its_stops(furnace: Furnace) -> None:
    furnace.drift(THROTTLE, 1.0)
    (_, record) = furnace.calibrate("calibrate_throttle")[0]
    assert record["offset"] == pytest.approx(1.0, abs=0.1)
    assert record["gain"] == pytest.approx(1.0, abs=0.01)
    furnace.run.wait(1)
    assert furnace.run[THROTTLE] == pytest.approx(100.0, abs=0.3)


def test_corrections_outlive_the_controller_and_fall_due(furnace: Furnace) -> None:
    furnace.drift(SILANE, 1.5)
    furnace.calibrate("calibrate_mfc_zero")
    write(furnace.folder, furnace.memory.known.model_dump_json())
    assert read(furnace.folder / FILE_NAME).calibrations[SILANE].version == 1
    again = Furnace(furnace.folder)
    again.drift(SILANE, 1.5)
    again.run.wait(5)
    assert again.run[SILANE] == pytest.approx(1.5, abs=0.4)
    again.calibrations.take_up()
    again.run.wait(5)
    assert again.run[SILANE] == pytest.approx(0.0, abs=0.4)
    rows = {row["tag"]: row["state"] for row in again.calibrations.report(again.now_ns + 91 * DAY_NS)}
    assert rows[SILANE] == "due"
    assert rows[THROTTLE] == "ok"


def test_zero_and_span_of_one_controller_are_one_history_and_fall_due_by_themselves(furnace: Furnace) -> None:
    """The span that is found a day later does not make the zero due again."""
    furnace.conclude("calibrate_mfc_zero", sih4_zero=0.0, n2o_zero=1.0, n2_zero=0.0)
    furnace.now_ns += DAY_NS
    (_, record) = furnace.conclude("calibrate_n2o_span", ratio=1.02)[0]
    assert (record["kind"], record["version"], record["offset"], record["gain"]) == ("mfc_span", 2, 1.0, 1.02)
    rows = {
        row["operation"]: row["days_left"]
        for row in furnace.calibrations.report(furnace.now_ns)
        if row["tag"] == "gas_panel.n2o.flow_sccm"
    }
    assert rows == {"calibrate_mfc_zero": pytest.approx(89.0), "calibrate_n2o_span": pytest.approx(365.0)}


def test_an_operation_that_found_no_number_corrects_nothing(furnace: Furnace) -> None:
    told = furnace.conclude("calibrate_mfc_zero", n2o_zero=0.1, n2_zero=0.1)
    assert [data["text"] for kind, data in told if kind is EventKind.NOTICE] == [
        f"calibration of {SILANE} is refused: the operation found no number; look at its record"
    ]
    assert set(furnace.memory.known.calibrations) == {"gas_panel.n2o.flow_sccm", NITROGEN}


def test_findings_are_about_corrected_readings() -> None:
    assert Correction(1.0, 2.0).followed_by(0.5, 1.1) == Correction(1.25, 2.2)


def test_a_correction_is_before_the_tape_and_refuses_nonsense() -> None:
    run = ToolRun()
    index = run.layout.index[SILANE]
    for offset, gain in ((float("nan"), 1.0), (0.0, 0.0), (0.0, -1.0), (0.0, float("inf"))):
        with pytest.raises(ValueError, match="cannot be"):
            run.scan.correct(index, offset, gain)
    with pytest.raises(ValueError, match="not an input"):
        run.scan.correct(run.layout.index["gas_panel.sih4.valve"], 0.0, 1.0)
    assert isinstance(run.scan, Scan)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"operation": "calibrate_nothing"}, "no operation 'calibrate_nothing'"),
        ({"offset": "other"}, "has no finding 'other'"),
        ({"tag": "chamber.throttle_pct"}, "chamber.throttle_pct"),
        ({"tag": "panel.sih4.flow_sccm"}, "not in sccm"),
    ],
)
def test_a_calibration_that_cannot_be_is_refused_at_load(change: dict[str, Any], reason: str) -> None:
    data = minimal_data()
    data["operations"] += [
        {"name": "calibrate_gauge", "title": "t", "description": "d", "bound_s": 10,
         "findings": [{"name": "zero", "tag": "chamber.pressure_setpoint_torr"}],
         "steps": [{"name": "look", "min_s": 1}]}
    ]  # fmt: skip
    row = {"operation": "calibrate_gauge", "kind": "gauge_zero", "tag": "chamber.pressure_torr", "offset": "zero",
           "most_offset": 1, "every_days": 30}  # fmt: skip
    data["care"] = {"calibrations": [row]}
    tool_of(data)
    data["care"] = {"calibrations": [row | change]}
    with pytest.raises(ConfigError, match=reason):
        tool_of(data)
