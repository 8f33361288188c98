"""The methods of the factory's side of `Runs`: queue, material, telemetry in parts."""

import base64
import binascii
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from opcua_model.interface import Caller, Refused
from supervisor.server.access.policy import Action, permit
from supervisor.server.calls.desk import Desk
from supervisor.server.calls.runs import Ready, RunCalls, as_json, ns_of, read_metadata
from supervisor.server.records import material, queue, runs, slots
from supervisor.server.records.material import Load
from supervisor.server.store.rows import Connection

MOST_AT_ONCE = 100
LONGEST_ID = 200


@dataclass(frozen=True)
class Wish:
    """A run that somebody wants."""

    recipe_id: str
    version: int
    load: Load
    metadata: dict[str, Any]

    def asked(self) -> dict[str, Any]:
        """Return what a repeated token is held against."""
        return {
            "recipe_id": self.recipe_id.lower(),
            "version": self.version,
            "items": list(self.load.items()),
            "metadata": self.metadata,
        }


class QueueCalls:
    """Carries them out."""

    def __init__(self, desk: Desk, run_calls: RunCalls) -> None:
        self._desk = desk
        self._runs = run_calls

    async def queue_run(
        self,
        caller: Caller,
        _path: str,
        token: str,
        recipe_id: str,
        version: int,
        sample: str,
        lot: str,
        carrier: str,
        wafers: list[str],
        metadata: str,
    ) -> tuple[str, str, bool]:
        """`QueueRun`."""
        wish = Wish(recipe_id, version, _load(sample, lot, carrier, wafers), read_metadata(metadata))
        made, new = await self._make(caller, token, [wish])
        (run,) = made["runs"]
        return run["run_id"], run["run_number"], new

    async def queue_runs(self, caller: Caller, _path: str, token: str, document: str) -> tuple[str, bool]:
        """`QueueRuns`: all of them or none."""
        made, new = await self._make(caller, token, _wishes(document))
        return as_json(made["runs"]), new

    async def _make(self, caller: Caller, token: str, wishes: Sequence[Wish]) -> tuple[dict[str, Any], bool]:
        desk = self._desk
        permit(desk.policy, caller, Action.RUN)
        asked = [wish.asked() for wish in wishes]
        known = await desk.store.read(lambda connection: queue.made(connection, caller.user, token, asked))
        if known is not None:
            return known, False
        found: list[Ready] = []
        faults: list[str] = []
        for number, wish in enumerate(wishes):
            try:
                found.append(await self._runs.ready(caller, wish.recipe_id, wish.version, wish.metadata))
            except Refused as refused:
                if len(wishes) == 1:
                    raise
                faults.append(f"$[{number}]: {refused.reason}")
        if faults:
            raise Refused("BadInvalidArgument", "; ".join(faults))

        def enter(connection: Connection, wish: Wish, ready: Ready) -> dict[str, Any]:
            run_id, number = self._runs.enter(connection, caller, ready, wish.load)
            return {"run_id": run_id, "run_number": number}

        def make(connection: Connection) -> tuple[dict[str, Any], bool]:
            return queue.once(
                connection,
                caller.user,
                token,
                asked,
                lambda: {"runs": [enter(connection, wish, ready) for wish, ready in zip(wishes, found, strict=True)]},
            )

        answer, new = await desk.deed(
            caller,
            "queue_runs",
            make,
            lambda made: f"run {', '.join(run['run_number'] for run in made[0]['runs'])}"[:500],
            token=token,
        )
        for run in answer["runs"]:
            await self._runs.refresh(run["run_id"])
        return answer, new

    async def list_queue(self, _caller: Caller, _path: str, skip: int, limit: int) -> tuple[str]:
        """`ListQueue`."""
        await self._desk.projector.caught_up()
        return (as_json(await self._desk.store.read(lambda connection: queue.list_queue(connection, skip, limit))),)

    async def move_run(self, caller: Caller, _path: str, run_id: str, position: int) -> tuple[int]:
        """`MoveRun`."""
        permit(self._desk.policy, caller, Action.RUN)
        place = await self._desk.deed(
            caller,
            "move_run",
            lambda connection: queue.move(connection, run_id, position),
            lambda _: f"run {run_id}",
            position=position,
        )
        return (place,)

    async def remove_run(self, caller: Caller, _path: str, run_id: str, reason: str) -> tuple[()]:
        """`RemoveRun`."""
        desk = self._desk
        permit(desk.policy, caller, Action.RUN)

        def work(connection: Connection) -> dict[str, Any]:
            run = queue.remove(connection, run_id, reason)
            items, number = material.load_of(run).items(), run["run_id"]
            material.track(connection, desk.identity.org_id, items, "removed", user=caller.user, run_id=number)
            return run

        run = await desk.deed(caller, "remove_run", work, lambda gone: f"run {gone['run_number']}", reason=reason)
        await self._runs.refresh(run["run_id"])
        return ()

    async def start_next(self, caller: Caller, path: str) -> tuple[str]:
        """`StartNextRun`: the first of the queue."""
        await self._desk.projector.caught_up()
        ids = await self._desk.store.read(queue.order)
        if not ids:
            raise Refused("BadNothingToDo", "no run waits to be started")
        await self._runs.start(caller, path, ids[0])
        return (ids[0],)

    async def set_slots(self, caller: Caller, _path: str, carrier: str, wafers: Sequence[str]) -> tuple[()]:
        """`SetSlotMap`."""
        desk, given = self._desk, [str(wafer or "") for wafer in wafers or ()]
        permit(desk.policy, caller, Action.SERVICE)
        await desk.deed(
            caller,
            "set_slot_map",
            lambda connection: slots.put(connection, desk.identity.org_id, carrier, given, caller.user),
            lambda _: f"carrier {carrier}",
        )
        return ()

    async def get_slots(self, _caller: Caller, _path: str, carrier: str) -> tuple[str]:
        """`GetSlotMap`."""
        await self._desk.projector.caught_up()
        found = await self._desk.store.read(lambda connection: slots.get(connection, carrier))
        return (as_json(slots.as_map(carrier, found)),)

    async def track(
        self, caller: Caller, _path: str, kind: str, name: str, what: str, location: str, comment: str
    ) -> tuple[()]:
        """`TrackMaterial`."""
        desk = self._desk
        permit(desk.policy, caller, Action.RUN)
        faults = [
            *([f"Kind is one of {', '.join(material.KINDS)}, not {kind!r}"] if kind not in material.KINDS else []),
            *([f"What is one of {', '.join(material.DEEDS)}, not {what!r}"] if what not in material.DEEDS else []),
            *([f"MaterialId has 1 to {LONGEST_ID} characters"] if not 0 < len(name) <= LONGEST_ID else []),
        ]
        if faults:
            raise Refused("BadInvalidArgument", "; ".join(faults))
        await desk.deed(
            caller,
            "track_material",
            lambda connection: material.track(
                connection,
                desk.identity.org_id,
                [(kind, name)],
                what,
                user=caller.user,
                location=location,
                comment=comment,
            ),
            lambda _: f"{kind} {name}",
            what=what,
            location=location,
        )
        return ()

    async def material(self, _caller: Caller, _path: str, name: str) -> tuple[str]:
        """`GetMaterial`."""
        await self._desk.projector.caught_up()
        return (as_json(await self._desk.store.read(lambda connection: material.history(connection, name))),)

    async def telemetry_part(
        self, _caller: Caller, _path: str, run_id: str, start: datetime, end: datetime, limit: int, continuation: str
    ) -> tuple[str, str]:
        """`GetTelemetryPart`: goes on where the last part ended; the last one has no continuation."""
        desk = self._desk
        await desk.projector.caught_up()
        begin = _continued(continuation, run_id) if continuation else ns_of(start)
        found = await desk.store.read(
            lambda connection: runs.telemetry(connection, desk.data, desk.layout, run_id, begin, ns_of(end), limit)
        )
        last = found.pop("last_ns")
        go_on = "" if found["complete"] else _point(last + 1, run_id)
        return as_json(found), go_on


def _point(time_ns: int, run_id: str) -> str:
    return base64.urlsafe_b64encode(f"{time_ns} {run_id}".encode()).decode()


def _continued(point: str, run_id: str) -> int:
    try:
        moment, _, owner = base64.urlsafe_b64decode(point.encode()).decode().partition(" ")
        begin = int(moment)
    except (ValueError, binascii.Error) as error:
        raise Refused("BadContinuationPointInvalid", "Continuation is not what GetTelemetryPart gave") from error
    if owner != run_id or not 0 < begin < runs.OPEN:
        raise Refused("BadContinuationPointInvalid", "Continuation belongs to another run")
    return begin


def _load(sample: str, lot: str, carrier: str, wafers: Sequence[str]) -> Load:
    load = Load(sample, lot, carrier, tuple(wafers))
    faults = [f"{kind} id {name[:20]!r}… is too long" for kind, name in load.items() if len(name) > LONGEST_ID]
    if any(not wafer for wafer in wafers):
        faults.append("a wafer has no id")
    if len(set(wafers)) < len(wafers):
        faults.append("a wafer is named twice")
    if faults:
        raise Refused("BadInvalidArgument", "; ".join(faults))
    return load


_FIELDS = {
    "recipe_id": str, "version": int, "sample_id": str, "lot_id": str, "carrier_id": str, "wafer_ids": list,
    "metadata": dict,
}  # fmt: skip


def _wishes(document: str) -> list[Wish]:
    """Read the list of runs; every fault at once."""
    try:
        found = json.loads(document)
    except ValueError as error:
        raise Refused("BadInvalidArgument", f"Json is no JSON: {error}") from error
    if not isinstance(found, list) or not 0 < len(cast("list[Any]", found)) <= MOST_AT_ONCE:
        raise Refused("BadInvalidArgument", f"Json is a list of 1 to {MOST_AT_ONCE} runs")
    faults: list[str] = []
    wishes: list[Wish] = []
    for number, row in enumerate(cast("list[Any]", found)):
        told = _faults(row)
        faults += [f"$[{number}]{fault}" for fault in told]
        if not told:
            load = Load(
                row.get("sample_id", ""), row.get("lot_id", ""), row.get("carrier_id", ""),
                tuple(row.get("wafer_ids", ())),
            )  # fmt: skip
            try:
                _load(load.sample, load.lot, load.carrier, load.wafers)
            except Refused as refused:
                faults.append(f"$[{number}]: {refused.reason}")
            wishes.append(Wish(row["recipe_id"], row["version"], load, row.get("metadata", {})))
    if faults:
        raise Refused("BadInvalidArgument", "; ".join(faults))
    return wishes


def _faults(row: Any) -> list[str]:
    if not isinstance(row, dict):
        return [": a run is an object: {…}"]
    given = cast("dict[str, Any]", row)
    faults = [f".{name}: there is no such field" for name in given if name not in _FIELDS]
    faults += [f".{name} is missing" for name in ("recipe_id", "version") if name not in given]
    for name, kind in _FIELDS.items():
        value = given.get(name)
        if name in given and (not isinstance(value, kind) or isinstance(value, bool)):
            faults.append(f".{name} is no {kind.__name__}")
    wafers = given.get("wafer_ids", [])
    if isinstance(wafers, list) and not all(isinstance(wafer, str) for wafer in cast("list[Any]", wafers)):
        faults.append(".wafer_ids: an id is a string")
    return faults
