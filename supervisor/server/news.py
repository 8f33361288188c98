"""What happens, told to everybody who follows: screens, the active run, the historian, the alarm list."""

import time
from collections.abc import Sequence

import structlog

from config.alarms import AlarmPoint
from config.layout import Layout
from opcua_model.interface import Occurrence, Refused
from supervisor.link.messages import Event, EventKind
from supervisor.server.alarms.transitions import Change
from supervisor.server.backend import DaemonBackend
from supervisor.server.calls.desk import Desk
from supervisor.server.errors import StoreError
from supervisor.server.historian.rolling import ClosedRun
from supervisor.server.notify.courier import Courier
from supervisor.server.records import runs
from supervisor.server.records.archive import rewrite_record, write_record
from supervisor.server.spc.verdicts import of_run
from supervisor.server.store.space import Space
from supervisor.server.texts import Texts
from supervisor.server.texts.wording import tell

log = structlog.get_logger()


class News:
    """Tells what happens.

    Args:
        layout: of the tool.
    """

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._conditions = {condition.name: condition for condition in layout.conditions}
        self._space_low = False
        self.desk: Desk | None = None
        self.backend: DaemonBackend | None = None
        self.courier: Courier | None = None

    async def told(self, events: Sequence[Event]) -> None:
        """Events have been projected: tell everybody who follows them."""
        desk = self.desk
        if desk is None:
            return
        if self.courier is not None:
            self.courier.wake()
        touched: set[str] = set()
        for event in events:
            if event.kind is EventKind.CHECKPOINT:
                continue  # for the controller's successor, not for people
            desk.active.take(event)
            if event.kind is EventKind.RUN_STARTED:
                await self._name_recipe(desk)
            if event.kind is EventKind.RUN_ENDED or event.kind is EventKind.BOOT:
                desk.historian.closed()
            if event.kind is EventKind.METROLOGY:
                await self._measured(desk, str(event.data.get("run_id")))
                await self._judged(desk, str(event.data.get("run_id")))
            if run_id := event.data.get("run_id"):
                touched.add(str(run_id))
            await desk.alarms.take(event, desk.projector.cursor.journal)
            if isinstance(self._conditions.get(str(event.data.get("name"))), AlarmPoint):
                continue  # its condition has told of it
            told = tell(event, self._conditions, Texts.of(desk.display.language))
            await self.emit(
                Occurrence(
                    told.source,
                    told.severity,
                    told.message,
                    event.time_ns,
                    fields={"Kind": event.kind.value, "RunId": str(event.data.get("run_id") or ""), "Seq": event.seq},
                )
            )
        if self.backend is not None and desk.space is not None:
            for run_id in touched:
                await self._refresh(run_id)

    async def _refresh(self, run_id: str) -> None:
        assert self.backend is not None  # noqa: S101 (asked before)
        try:
            await self.backend.runs.refresh(run_id)
        except Exception as error:  # noqa: BLE001 - a run that cannot be shown must not stop the events behind it
            log.warning("a run cannot be shown", run=run_id, why=str(error))

    async def _name_recipe(self, desk: Desk) -> None:
        try:
            run = await desk.store.read(lambda connection: runs.get(connection, desk.active.run_id))
        except Exception as error:  # noqa: BLE001 - a name for a screen
            log.warning("the recipe of the run is not known", run=desk.active.run_id, why=str(error))
            return
        desk.active.recipe_name = run.get("recipe_name") or desk.active.recipe_name
        desk.active.recipe_version = int(run.get("recipe_version") or 0)

    def alive(self, alive: bool) -> None:
        """The controller has stopped, or is there again."""
        if self.desk is None:
            return
        words = "the controller runs" if alive else "the controller has stopped: every value is Bad"
        (log.info if alive else log.error)(words)
        occurrence = Occurrence("Diagnostics", 100 if alive else 900, words, time.time_ns(), fields={"Kind": "link"})
        self.desk.tasks.start_soon(self.emit, occurrence)

    async def emit(self, occurrence: Occurrence) -> None:
        """Emit an event while the address space stands."""
        if self.desk is None or self.desk.space is None:
            return
        try:
            await self.desk.space.emit(occurrence)
        except Exception as error:  # noqa: BLE001 - a client's subscription must not stop what others are told
            log.warning("an event could not be told", event_message=occurrence.message, why=str(error))

    async def rolled(self, run: ClosedRun) -> None:
        """All rows of a run are in Parquet: write its record beside them."""
        assert self.desk is not None  # noqa: S101 (it has the historian)
        await self.desk.projector.caught_up()
        data = self.desk.data
        await self.desk.store.read(lambda connection: write_record(connection, data, self._layout, run.id))

    async def _measured(self, desk: Desk, run_id: str) -> None:
        """A film was measured: a record that has been written already is written anew."""
        try:
            await desk.store.read(lambda connection: rewrite_record(connection, desk.data, self._layout, run_id))
        except (StoreError, Refused, OSError) as error:
            log.error("the record of a run cannot be written", run=run_id, reason=str(error))  # noqa: TRY400

    async def _judged(self, desk: Desk, run_id: str) -> None:
        """Show what the result did to the series of process control, and tell of points that break a rule."""
        try:
            for verdict in await desk.store.read(lambda connection: of_run(connection, run_id)):
                await desk.show(verdict.entry)
                if verdict.occurrence is not None:
                    await self.emit(verdict.occurrence)
        except Exception as error:  # noqa: BLE001 - a chart that cannot be shown must not stop the events behind it
            log.warning("the process control of a run cannot be shown", run=run_id, why=str(error))

    def space(self, found: Space) -> None:
        """Free space was looked at; a change between enough and little is told."""
        if self.backend is not None:
            self.backend.free_bytes = found.free_bytes
        if found.low == self._space_low or self.desk is None:
            return
        self._space_low = found.low
        free = f"{found.free_bytes >> 20} MB free"
        words = (
            f"the disk of the data folder is nearly full ({free})" if found.low else f"there is space again ({free})"
        )
        log.warning(words) if found.low else log.info(words)
        self.desk.tasks.start_soon(
            self.emit,
            Occurrence("Diagnostics", 700 if found.low else 100, words, time.time_ns(), fields={"Kind": "space"}),
        )

    async def alarm(self, change: Change) -> None:
        """Show what became of an alarm, and tell of it."""
        if self.desk is None or self.desk.space is None:
            return
        try:
            await self.desk.space.alarm(change.after, told=change.told)
        except Exception as error:  # noqa: BLE001 - a client's subscription must not stop what others are told
            log.warning("an alarm could not be told", alarm=change.after.name, why=str(error))
