"""A calibration over OPC UA, as a technician carries it out."""

import json
from typing import Any

import anyio

from tests.system.daemon import ToolClient, until


async def calibrated(client: ToolClient, kind: str, **answers: float) -> dict[str, dict[str, Any]]:
    """Start a calibration, answer what it asks for, wait for its end; return its rows of the report by their tag.

    Args:
        client: of a person with the role.
        kind: as `Calibrate` takes it.
        answers: set points of the module `calibration` that a person enters when the tool waits for them.
    """
    started = json.loads(await client.call("State", "Calibrate", kind))
    for name, value in answers.items():
        await until(client, "Services/StepName", lambda step: "the crew reads" in step)
        await client.write(f"Equipment/calibration/{name}", value)
    run: dict[str, Any] = {}
    with anyio.move_on_after(100):
        while run.get("status") not in {"COMPLETE", "STOPPED", "ABORTED", "FAILED"}:
            run = json.loads(await client.call("Runs", "GetRun", started["run_id"]))
            await anyio.sleep(0.05)
    assert run["status"] == "COMPLETE", run
    rows = json.loads(await client.call("Care", "GetReport"))["calibrations"]
    return {row["tag"]: row for row in rows if row.get("run_number") == started["run_number"]}
