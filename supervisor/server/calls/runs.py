"""The methods of `Runs`."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, cast

import anyio
import structlog

from config.faults import ConfigError
from config.recipe import load_recipe
from config.recipe_scaling import by_last_runs, to_choose
from opcua_model.interface import Caller, Refused
from supervisor.link.messages import CommandKind
from supervisor.server.access.policy import Action, permit
from supervisor.server.calls.desk import Desk, principal
from supervisor.server.calls.judging import sound
from supervisor.server.projection.fold import finite
from supervisor.server.records import material, recipes, runs, simulation
from supervisor.server.records.material import Load
from supervisor.server.records.results import get_result
from supervisor.server.store.rows import Connection

log = structlog.get_logger()

RESULT_S = 5.0
"""What was measured after a run arrives by an event of its own: whoever asks at once waits so long for it."""
SIMULATIONS = 1
EPOCH = datetime(1970, 1, 2, tzinfo=UTC)
"""Moments before this stand for none (OPC UA's least DateTime is 1601)."""


@dataclass(frozen=True)
class Ready:
    """A recipe that was found fit to run."""

    recipe: recipes.Version
    """As the values make it."""
    engineering: bool
    """It is not approved, and whoever asked may run it all the same."""
    values: dict[str, Any]
    """Of its parameters."""
    report: dict[str, Any]
    """Of the preflight."""
    metadata: dict[str, Any]


class RunCalls:
    """Carries them out."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def create(
        self, caller: Caller, _path: str, recipe_id: str, version: int, sample: str, wafer: str, metadata: str
    ) -> tuple[str, str]:
        """`CreateRun`."""
        ready = await self.ready(caller, recipe_id, version, read_metadata(metadata))
        load = Load(sample, wafers=(wafer,) if wafer else ())
        run_id, number = await self._desk.deed(
            caller,
            "create_run",
            lambda connection: self.enter(connection, caller, ready, load),
            lambda made: f"run {made[1]}",
            recipe=f"{ready.recipe.name} v{ready.recipe.version}",
            engineering=ready.engineering,
        )
        await self.refresh(run_id)
        return run_id, number

    async def ready(self, caller: Caller, recipe_id: str, version: int, metadata: dict[str, Any]) -> Ready:
        """Judge whether `caller` may run a recipe with these values, and whether the tool can.

        Raises:
            Refused: not this version, not this person, not these values, or not this tool.
        """
        desk = self._desk
        recipe, engineering = await desk.store.read(
            lambda connection: recipes.runnable(connection, desk.policy, caller, recipe_id, version)
        )
        recipe, values = await self._bound(recipe, metadata)
        *_, report = await anyio.to_thread.run_sync(sound, recipe.document, desk.layout.tool)
        return Ready(recipe, engineering, values, report, metadata)

    def enter(self, connection: Connection, caller: Caller, ready: Ready, load: Load) -> tuple[str, str]:
        """Make the record of a run that waits, and enter its material as queued; return its id and number."""
        desk = self._desk
        run_id, number = desk.new_run(
            connection,
            caller,
            "recipe",
            recipe=ready.recipe,
            engineering=ready.engineering,
            values=ready.values,
            load=load,
            metadata=ready.metadata,
            preflight=ready.report,
        )
        material.track(connection, desk.identity.org_id, load.items(), "queued", user=caller.user, run_id=run_id)
        return run_id, number

    async def _bound(self, found: recipes.Version, metadata: dict[str, Any]) -> tuple[recipes.Version, dict[str, Any]]:
        """Write a run's values into a recipe, those that follow from the thickness included; return it and them.

        Raises:
            Refused: a value is none of the recipe's, or what follows is beyond what was approved.
        """
        values = await self._chosen(found, metadata)
        try:
            return recipes.bound(found, values)
        except ConfigError as error:
            raise Refused("BadInvalidArgument", _words(error)) from error

    async def _chosen(self, found: recipes.Version, metadata: dict[str, Any]) -> dict[str, Any]:
        """Values for a run: those that are given, and those that follow from the thickness.

        Raises:
            Refused: a value is none of the recipe's, or what follows is beyond what was approved.
        """
        desk, given = self._desk, _given(metadata)
        try:
            recipe = load_recipe(found.document, values=given, file=found.name)
            values: dict[str, Any] = dict(given)
            waiting = to_choose(recipe, given)
            for name, parameter in waiting.items():
                scale = parameter.scale
                if scale is not None and scale.basis == "last_runs":
                    runs_before = await desk.store.read(
                        lambda connection, name=name, runs=scale.runs: recipes.past(
                            connection, found.recipe_id, name, runs
                        )
                    )
                    values[name] = by_last_runs(name, parameter, recipe.thickness_target_nm, runs_before)
            if waiting.keys() - values.keys():
                values |= await simulation.scale(desk.tool_file, found, values)
        except ConfigError as error:
            raise Refused("BadInvalidArgument", _words(error)) from error
        return values

    async def start(self, caller: Caller, _path: str, run_id: str) -> tuple[()]:
        """`StartRun`: the controller judges everything again."""
        desk = self._desk
        desk.control.require(caller)
        run = await desk.store.read(lambda connection: runs.get(connection, run_id))
        if run["status"] != "QUEUED" or run["kind"] != "recipe":
            raise Refused("BadInvalidState", f"{run['run_number']} is {run['status']}; only a queued run is started")
        # Retired or changed since it was created; and an approved version needs no engineer any more.
        found, engineering = await desk.store.read(
            lambda connection: recipes.runnable(
                connection, desk.policy, caller, run["cvd_recipe_id"], run["recipe_version"]
            )
        )
        document = await desk.store.read(lambda connection: runs.document(connection, run["run_id"])) or found.document
        await desk.controller.command(
            principal(caller),
            CommandKind.START_RUN,
            {
                "run_id": run["run_id"],
                "run_number": run["run_number"],
                "recipe": document,
                "recipe_sha256": run["recipe_sha256"] if document != found.document else found.sha256,
                "engineering": engineering,
            },
        )
        return ()

    async def move(self, caller: Caller, kind: CommandKind, run_id: str) -> tuple[()]:
        """`PauseRun` … `AbortRun`. Going on needs the control of the tool; what leads to safety does not."""
        if kind in {CommandKind.RESUME, CommandKind.RESTART}:
            self._desk.control.require(caller)
        await self._desk.controller.command(principal(caller), kind, {"run_id": run_id})
        return ()

    async def get(self, _caller: Caller, _path: str, run_id: str) -> tuple[str]:
        """`GetRun`."""
        await self._desk.projector.caught_up()
        return (as_json(await self._desk.store.read(lambda connection: runs.get(connection, run_id))),)

    async def list(self, _caller: Caller, _path: str, status: str, skip: int, limit: int) -> tuple[str]:
        """`ListRuns`."""
        await self._desk.projector.caught_up()
        return (
            as_json(await self._desk.store.read(lambda connection: runs.list_runs(connection, status, skip, limit))),
        )

    async def telemetry(
        self, _caller: Caller, _path: str, run_id: str, start: datetime, end: datetime, limit: int
    ) -> tuple[str]:
        """`GetTelemetry`."""
        desk = self._desk
        await desk.projector.caught_up()
        found = await desk.store.read(
            lambda connection: runs.telemetry(
                connection, desk.data, desk.layout, run_id, ns_of(start), ns_of(end), limit
            )
        )
        found.pop("last_ns")
        return (as_json(found),)

    async def results(self, _caller: Caller, _path: str, run_id: str) -> tuple[str]:
        """`GetResults`."""
        desk = self._desk
        await desk.projector.caught_up()
        run = await desk.store.read(lambda connection: runs.get(connection, run_id))
        number: str = run["run_id"]
        found = await desk.store.read(lambda connection: get_result(connection, number))
        if found is None and run["status"] == "COMPLETE" and run["kind"] == "recipe":
            with anyio.move_on_after(RESULT_S):
                while found is None:
                    await desk.projector.moved()
                    found = await desk.store.read(lambda connection: get_result(connection, number))
        if found is None:
            raise Refused("BadNoData", f"{run['run_number']} is {run['status']} and has no results")
        return (as_json(found),)

    async def simulate(self, caller: Caller, path: str, recipe_id: str, version: int) -> tuple[str]:
        """`Runs/Simulate`: parameters have their defaults."""
        return await self.simulate_with(caller, path, recipe_id, version, "")

    async def simulate_with(
        self, caller: Caller, _path: str, recipe_id: str, version: int, metadata: str
    ) -> tuple[str]:
        """`Recipes/Simulate`: with values of parameters, as `CreateRun` takes them."""
        desk, kept = self._desk, read_metadata(metadata)
        permit(desk.policy, caller, Action.SIMULATE)
        if desk.simulating >= SIMULATIONS:
            raise Refused("BadTooManyOperations", "a simulation runs already; wait for its end")
        desk.simulating += 1
        try:
            found = await desk.store.read(lambda connection: recipes.find(connection, recipe_id, version))
            found, values = await self._bound(found, kept)
            run_id, _ = await desk.deed(
                caller,
                "simulate",
                lambda connection: desk.new_run(
                    connection,
                    caller,
                    "simulation",
                    recipe=found,
                    engineering=found.status != "approved",
                    values=values,
                    metadata=kept,
                ),
                lambda made: f"run {made[1]}",
                recipe=f"{found.name} v{found.version}",
            )
        except BaseException:
            desk.simulating -= 1
            raise
        desk.tasks.start_soon(self._simulate, run_id, found)
        return (run_id,)

    async def _simulate(self, run_id: str, recipe: recipes.Version) -> None:
        desk = self._desk
        try:
            await desk.store.write(
                lambda connection: (
                    connection.execute("UPDATE runs SET status = 'RUNNING', start_time = now() WHERE id = ?", [run_id])
                    and None
                )
            )
            report, reason = await simulation.simulate(desk.tool_file, recipe)
            if report is None:
                log.warning("a simulation failed", run=run_id, reason=reason)
            await desk.store.write(
                lambda connection: simulation.record(connection, desk.identity.org_id, run_id, report, reason)
            )
            await self.refresh(run_id)
        finally:
            desk.simulating -= 1

    async def refresh(self, run_id: str) -> None:
        """Show a run, and its results, as they are now."""
        desk = self._desk
        run = await desk.store.read(lambda connection: runs.get(connection, run_id))
        await desk.show(runs.entry(run))
        result = await desk.store.read(lambda connection: get_result(connection, run["run_id"]))
        if result is not None:
            await desk.show(runs.result_entry(run["run_number"], result))


def _given(metadata: dict[str, Any]) -> dict[str, Any]:
    values = metadata.get("parameters", {})
    if not isinstance(values, dict):
        raise Refused("BadInvalidArgument", "MetadataJson: parameters must be an object: {name: value, …}")
    return cast("dict[str, Any]", values)


def _words(error: ConfigError) -> str:
    return "\n".join(f"{fault.path}: {fault.reason}" for fault in error.faults)


def read_metadata(text: str) -> dict[str, Any]:
    """Read what a client wants to keep with a run.

    Raises:
        Refused: it is no JSON object.
    """
    try:
        found = json.loads(text or "{}")
    except ValueError as error:
        raise Refused("BadInvalidArgument", f"MetadataJson is no JSON: {error}") from error
    if not isinstance(found, dict):
        raise Refused("BadInvalidArgument", "MetadataJson must be a JSON object: {…}")
    return finite(found)


def ns_of(moment: datetime | None) -> int:
    """Return a moment of a client in ns, 0 where it stands for none."""
    if moment is None:
        return 0
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return 0 if aware < EPOCH else int(aware.timestamp() * 1_000_000) * 1000


def as_json(value: Any) -> str:
    """Write a value as JSON."""
    return json.dumps(finite(value), ensure_ascii=False, default=str)
