"""The plasma tool as a whole: the guide's nitride recipe over OPC UA on its simulated plant."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

import config
from tests.system.calibrating import calibrated
from tests.system.daemon import ended, idling, running, started

TOOL = config.shipped_tool("pecvd_showerhead")
BEGIN = datetime(1601, 1, 1, tzinfo=UTC)
"""The least DateTime: from begin to end of a run."""
RECIPE = config.shipped_recipe("pecvd_si3n4_50nm").read_text()


@pytest.mark.anyio
async def test_the_guides_nitride_recipe_runs_on_the_reactor_and_its_record_is_whole(tmp_path: Path) -> None:
    """Approved by another, started by an operator, complete, 50 nm; plasma signals stand in the telemetry.

    Before it the generator was calibrated: the wattmeter shows 2 % more than it does, and so does the run's telemetry.
    """
    async with (
        running(tmp_path / "data", tool=TOOL, speed=200) as daemon,
        daemon.client("olga") as operator,
        daemon.client("mia") as technician,
    ):
        await idling(operator)
        assert set(await calibrated(technician, "mfc_zero")) == {
            f"gas_panel.{gas}.flow_sccm" for gas in ("sih4", "nh3", "n2o", "nf3", "n2")
        }
        assert abs((await calibrated(technician, "gauge_zero"))["chamber.manometer_torr"]["offset"]) < 0.001
        power = (await calibrated(technician, "rf_power", rf_reference_w=510.0))["rf.forward_w"]
        assert power["gain"] == pytest.approx(1.02, abs=0.003)
        assert (power["kind"], power["version"], power["user"], power["state"]) == ("rf_power", 1, "mia", "ok")
        run_id, _ = await started(daemon, operator, RECIPE)
        run = await ended(operator, run_id)
        assert run["status"] == "COMPLETE", run
        results = json.loads(await operator.call("Runs", "GetResults", run_id))
        assert results["thickness_mean_nm"] == pytest.approx(50.0, rel=0.03)
        assert results["film_material"] == "Si3N4"
        rows, start = list[dict[str, Any]](), BEGIN
        while True:
            page = json.loads(await operator.call("Runs", "GetTelemetry", run_id, start, BEGIN, 1000))
            rows += page["telemetry"]
            if page["complete"]:
                break
            start = datetime.fromisoformat(rows[-1]["ts"])
        burning = [row for row in rows if (row["rf_power_w"] or 0.0) > 290.0]
        assert burning, (len(rows), rows[-1:])
        assert burning[-1]["rf_power_w"] == pytest.approx(300.0 * power["gain"], abs=2.0)
        for signal in ("dc_bias_v", "plasma_impedance_ohm", "plasma_density_proxy", "qcm_thickness_nm",
                       "ellipsometer_thickness_nm", "reflectometer_thickness_nm"):  # fmt: skip
            assert burning[-1][signal] is not None
