"""`Runs/RecoverRun`: what shall become of a run that a crash has interrupted.

Whether it may be resumed is the controller's to say; here the rest gets its record and the controller its recipe.
"""

import json
from typing import Any

from opcua_model.interface import Caller, Refused
from supervisor.link.messages import CommandKind
from supervisor.server.access.policy import Action, permit
from supervisor.server.calls.desk import Desk, principal
from supervisor.server.calls.runs import RunCalls
from supervisor.server.records import recipes, runs
from supervisor.server.records.material import load_of
from supervisor.server.store.rows import Connection

CHOICES = ("resume", "abort", "close")


def shown(status: dict[str, Any]) -> dict[str, Any]:
    """Return the variables of a run that waits for a decision, from the controller's status; empty when none does."""
    waits: dict[str, Any] = status.get("interrupted") or {}
    return {
        "Runs/InterruptedRunId": str(waits.get("run_id") or ""),
        "Runs/InterruptedRun": str(waits.get("run_number") or ""),
        "Runs/InterruptedStep": str(waits.get("step_name") or ""),
        "Runs/InterruptedElapsedS": float(waits.get("elapsed_s") or 0.0),
        "Runs/RecoveryOffers": ", ".join(waits.get("offers") or ()),
        "Runs/RecoveryReason": str(waits.get("resume_refused") or ""),
    }


class RecoveryCalls:
    """Carries it out."""

    def __init__(self, desk: Desk, calls: RunCalls) -> None:
        self._desk = desk
        self._calls = calls

    async def recover(self, caller: Caller, _path: str, run_id: str, choice: str, comment: str) -> tuple[str, str]:
        """`RecoverRun`: id and number of the run that does the rest, empty for another choice."""
        desk = self._desk
        permit(desk.policy, caller, Action.RUN)
        if choice not in CHOICES:
            raise Refused("BadInvalidArgument", f"Choice is one of {', '.join(CHOICES)}, not {choice!r}")
        if len(comment.strip()) < 3:
            raise Refused("BadInvalidArgument", "Comment: say in a few words why")
        run = await desk.store.read(lambda connection: runs.get(connection, run_id))
        asked: dict[str, Any] = {"run_id": run["run_id"], "choice": choice, "comment": comment}
        if choice != "resume":
            await desk.controller.command(principal(caller), CommandKind.RECOVER, asked)
            return "", ""
        desk.control.require(caller)
        found, engineering = await desk.store.read(
            lambda connection: recipes.runnable(
                connection, desk.policy, caller, run["cvd_recipe_id"], run["recipe_version"]
            )
        )
        made = await desk.deed(
            caller,
            "resume_run",
            lambda connection: _rest(connection, desk, caller, run, found, bool(run["engineering"])),
            lambda made: f"run {made[1]}",
            continues=run["run_number"],
            comment=comment,
        )
        asked |= {
            "new_run_id": made[0],
            "new_run_number": made[1],
            "recipe": found.document,
            "recipe_sha256": found.sha256,
            "engineering": bool(run["engineering"]) or engineering,
        }
        try:
            await desk.controller.command(principal(caller), CommandKind.RECOVER, asked)
        except Refused as refused:
            reason = refused.reason
            await desk.store.write(lambda connection: _not_started(connection, made[0], reason))
            raise
        else:
            await desk.store.write(lambda connection: _continued(connection, run, made[1]))
        finally:
            await self._calls.refresh(made[0])
        return made


def _rest(
    connection: Connection, desk: Desk, caller: Caller, run: dict[str, Any], recipe: recipes.Version, engineering: bool
) -> tuple[str, str]:
    """Make the record of the run that does the rest: the same material, and the number of the one before."""
    metadata: dict[str, Any] = run["metadata"] or {}
    made = desk.new_run(
        connection,
        caller,
        "recipe",
        recipe=recipe,
        engineering=engineering,
        load=load_of(run),
        metadata={**metadata, "continues": run["run_number"]},
    )
    connection.execute("UPDATE runs SET status = 'STARTING' WHERE id::VARCHAR = ?", [made[0]])
    return made


def _continued(connection: Connection, run: dict[str, Any], number: str) -> None:
    """Name in a run's record the one that does its rest."""
    metadata = json.dumps({**(run["metadata"] or {}), "continued_by": number})
    connection.execute("UPDATE runs SET metadata = ? WHERE id::VARCHAR = ?", [metadata, run["run_id"]])


def _not_started(connection: Connection, run_id: str, reason: str) -> None:
    connection.execute(
        "UPDATE runs SET status = 'REMOVED', error_message = ? WHERE id::VARCHAR = ? AND status = 'STARTING'",
        [reason, run_id],
    )
