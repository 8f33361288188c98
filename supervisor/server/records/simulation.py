"""`Simulate`: a recipe on the simulated plant in a process of its own, kept as a run of its own kind."""

import json
import os
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import anyio
import structlog

from config.recipe_parameters import Chosen, Value
from opcua_model.interface import Refused
from supervisor.server.records.recipes import Version
from supervisor.server.records.results import film_result, insert_result
from supervisor.server.store.rows import Connection

log = structlog.get_logger()

TIMEOUT_S = 3600.0
SCALE_S = 300.0
KEPT = ("cause", "alarms", "incidents", "warnings", "faults", "seed", "digest", "speed")
"""What a report has besides its summary and stays in the run's record."""


async def simulate(tool: Path, recipe: Version) -> tuple[dict[str, Any] | None, str]:
    """Run `cvd simulate`; return its report, or None and the reason.

    Cancelled, it ends the child.
    """
    folder = await anyio.to_thread.run_sync(tempfile.mkdtemp, None, "cvd-simulate-")
    document = anyio.Path(folder) / "recipe.json"
    try:
        await document.write_text(recipe.document, encoding="utf-8")
        command = [sys.executable, "-m", "supervisor.cli", "simulate", str(tool), str(document), "--json"]
        try:
            with anyio.fail_after(TIMEOUT_S):
                done = await anyio.run_process(command, check=False, start_new_session=True, env=_environment())
        except TimeoutError:
            return None, f"the simulation did not end within {TIMEOUT_S:g} s"
        report = _report(done.stdout)
        if report is None:
            words = done.stderr.decode(errors="replace").strip().splitlines()
            return None, words[-1] if words else f"cvd simulate ended with code {done.returncode} and said nothing"
        return report, ""
    finally:
        with anyio.CancelScope(shield=True):
            await document.unlink(missing_ok=True)
            await anyio.Path(folder).rmdir()


async def scale(tool: Path, recipe: Version, values: Mapping[str, Value | Chosen]) -> dict[str, Chosen]:
    """Let the model choose what follows from the thickness (`cvd scale`, a process of its own).

    Raises:
        Refused: it cannot, or it takes too long; says why.
    """
    folder = await anyio.to_thread.run_sync(tempfile.mkdtemp, None, "cvd-scale-")
    document = anyio.Path(folder) / "recipe.json"
    words = [sys.executable, "-m", "supervisor.cli", "scale", str(tool), str(document), "--json"]
    for name, value in values.items():
        plain = value.value if isinstance(value, Chosen) else value
        words += ["--set", f"{name}={str(plain).lower() if isinstance(plain, bool) else repr(float(plain))}"]
    try:
        await document.write_text(recipe.document, encoding="utf-8")
        with anyio.fail_after(SCALE_S):
            done = await anyio.run_process(words, check=False, start_new_session=True, env=_environment())
    except TimeoutError:
        raise Refused("BadTimeout", f"the model has not chosen within {SCALE_S:g} s: give the value") from None
    finally:
        with anyio.CancelScope(shield=True):
            await document.unlink(missing_ok=True)
            await anyio.Path(folder).rmdir()
    report = _report(done.stdout)
    if done.returncode or report is None:
        told = done.stderr.decode(errors="replace").strip().splitlines()
        raise Refused("BadInvalidArgument", told[-1] if told else "the model said nothing")
    return {name: Chosen(one["value"], one["basis"]) for name, one in report.items()}


def _environment() -> dict[str, str]:
    """The child computes beside a tool that runs: one thread for numerical libraries."""
    return {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


def _report(output: bytes) -> dict[str, Any] | None:
    try:
        report = json.loads(output)
    except ValueError:
        return None
    return report if isinstance(report, dict) else None  # pyright: ignore[reportUnknownVariableType]  (JSON)


def record(connection: Connection, org_id: str, run_id: str, report: dict[str, Any] | None, reason: str) -> None:
    """Write what a simulation gave into its run."""
    if report is None:
        connection.execute(
            "UPDATE runs SET status = 'ABORTED', end_time = now(), error_code = 'SIMULATION', error_message = ? "
            "WHERE id = ?",
            [reason, run_id],
        )
        return
    summary: dict[str, Any] = {**(report.get("summary") or {}), **{n: report[n] for n in KEPT if n in report}}
    status = str(report.get("state") or report.get("status") or "COMPLETE")
    connection.execute(
        "UPDATE runs SET status = ?, end_time = now(), duration_seconds = ?, postflight_summary = ?, "
        "job_progress = 1.0 WHERE id = ?",
        [status, summary.get("duration_s"), json.dumps(summary), run_id],
    )
    measured: dict[str, Any] | None = report.get("metrology") or report.get("results")
    if measured:
        insert_result(connection, org_id, run_id, film_result(measured))
