"""The alarms of the tool while the server runs: states in memory as they were committed, and what time does to them.

Every change is worked out on the row of the database, by its one writer, in the transaction that keeps it; memory
follows. So an acknowledgement, an expiring shelf and an event of the scan never overwrite each other.
"""

import secrets
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import anyio
import structlog

from config.alarm_list import AlarmDefinition, Watches
from opcua_model.conditions.state import AlarmState
from opcua_model.interface import Refused
from supervisor.link.messages import Event
from supervisor.server.alarms import rows
from supervisor.server.alarms.figures import DAY_NS, Figures
from supervisor.server.alarms.projecting import ID_BYTES, AlarmProjection
from supervisor.server.alarms.surroundings import Surroundings
from supervisor.server.alarms.transitions import (
    Change,
    Moment,
    ask_again,
    correct,
    expire,
    fresh,
    set_suppressed,
)
from supervisor.server.errors import StoreError
from supervisor.server.store.connection import Store
from supervisor.server.store.rows import Connection

log = structlog.get_logger()

LOOK_S = 0.25
"""How often it is looked at what time does: a shelf's end is told that much late at most."""
DIFFERS_S = 3.0
"""Image and state may differ for so long: the event is on its way."""

Work = Callable[[AlarmDefinition, AlarmState, Moment], Change | None]
Tell = Callable[[Change], Awaitable[None]]


class AlarmBook:
    """All alarms.

    Args:
        projection: what the journal's events do; it knows the alarms.
        store: the open database.
        tell: called with each change after it was committed, in order.
        clock: ns since 1970.
    """

    def __init__(
        self, projection: AlarmProjection, store: Store, tell: Tell, clock: Callable[[], int] = time.time_ns
    ) -> None:
        self.definitions = projection.definitions
        self.states: dict[str, AlarmState] = {name: fresh(one) for name, one in self.definitions.items()}
        self.figures = Figures()
        self._projection = projection
        self._store = store
        self._tell = tell
        self._clock = clock
        self._differs: dict[str, int] = {}
        self._booted_ns = 0

    async def load(self) -> None:
        """Read what the last server left, and forget what is older than anybody looks at."""
        now = self._clock()
        self.states = await self._store.read(lambda connection: rows.read_all(connection, self.definitions))
        self.figures.load(await self._store.read(lambda connection: rows.asked_since(connection, now - DAY_NS)))
        old = now - rows.LOGGED_DAYS * DAY_NS
        await self._store.write(lambda connection: rows.forget_before(connection, old))

    def add(self, definition: AlarmDefinition) -> AlarmState:
        """Know the alarm of a series; return its state."""
        self._projection.add(definition)
        return self.states.setdefault(definition.name, fresh(definition))

    def check(self, definition: AlarmDefinition) -> None:
        """See whether the name of an alarm is free.

        Raises:
            Refused: the tool has another alarm of that name.
        """
        known = self.definitions.get(definition.name)
        if known is not None and known.series != definition.series:
            raise Refused("BadBrowseNameDuplicated", f"the tool has an alarm called {definition.name!r} already")

    # --------------------------------------------------------------------------------------------- from the journal
    def asks_nobody(self, name: str) -> bool:
        """Whether an alarm is shelved, suppressed, disabled or out of service at the moment."""
        state = self.states.get(name)
        return state is not None and state.silent

    async def take(self, event: Event, journal: int) -> None:
        """An event was projected, or (while the database is in trouble) could not be: follow it."""
        changes = self._projection.take(journal, event.seq)
        if changes is None:
            changes = self._projection.changes(event, journal, lambda one: self.states[one.name])
        if event.kind.value == "boot":
            self._booted_ns = self._clock()
        await self._follow(changes)

    async def _follow(self, changes: Sequence[Change]) -> None:
        for change in changes:
            known = self.states[change.after.name]
            if change.after.revision < known.revision:
                continue
            self.states[change.after.name] = change.after
            if change.asks:
                self.figures.count(change.after.time_ns, change.after.name)
            if change.told:
                await self._tell(change)

    # --------------------------------------------------------------------------------------------------- by people
    def definition(self, name: str) -> AlarmDefinition:
        """Look an alarm up.

        Raises:
            Refused: there is none of that name.
        """
        found = self.definitions.get(name)
        if found is None:
            raise Refused("BadNotFound", f"there is no alarm called {name!r}")
        return found

    def working(self, name: str, work: Work) -> Callable[[Connection], Change | None]:
        """What carries out a change of one alarm within a transaction."""
        definition, moment = self.definition(name), self._moment()

        def carry_out(connection: Connection) -> Change | None:
            change = work(definition, rows.read(connection, definition), moment)
            if change is not None:
                rows.write(connection, change)
            return change

        return carry_out

    async def follow(self, change: Change | None) -> None:
        """A change was committed."""
        if change is not None:
            await self._follow([change])

    def _moment(self) -> Moment:
        return Moment(self._clock(), secrets.token_bytes(ID_BYTES))

    # ------------------------------------------------------------------------------------------------------ by time
    async def run(self, surroundings: Callable[[], Surroundings]) -> None:
        """Look for ever at what time and the tool's surroundings do to alarms."""
        while True:
            try:
                await self.look(surroundings())
            except StoreError as error:
                log.warning("alarms cannot be kept; trying again", why=str(error))
            await anyio.sleep(LOOK_S)

    async def look(self, around: Surroundings) -> None:
        """Look once."""
        now = self._clock()
        work: list[tuple[str, Work]] = []
        for name, state in self.states.items():
            definition = self.definitions[name]
            moment = Moment(now, b"?")
            if expire(definition, state, moment) is not None:
                work.append((name, expire))
            wanted = around.suppresses(definition)
            if wanted != state.designed:
                work.append((name, _suppressing(suppressed=wanted)))
            if ask_again(definition, state, moment) is not None:
                work.append((name, ask_again))
        work += self._differences(around, now)
        if work:
            steps = [self.working(name, one) for name, one in work]
            await self._follow(await self._store.write(lambda connection: _all(steps, connection)))

    def _differences(self, around: Surroundings, now: int) -> list[tuple[str, Work]]:
        """Alarms of which no event told what the image shows: an event was lost, or a cause went with a restart."""
        snapshot = around.snapshot
        if snapshot is None or not around.settled:
            self._differs.clear()
            return []
        work: list[tuple[str, Work]] = []
        for name, state in self.states.items():
            if self.definitions[name].watches in {Watches.SERIES, Watches.PROOF}:
                continue  # the scan knows nothing of it
            bits, trips = around.points(self.definitions[name])
            same = not _differ(bits, trips, state)
            since = self._differs.setdefault(name, now)
            if same:
                del self._differs[name]
                continue
            # After its start a scan needs the delay of a condition before it can find it again.
            patience_s = DIFFERS_S + (0.0 if state.verified else self._delay_s(name))
            started = self._booted_ns if not state.verified else 0
            if now - max(since, started) >= patience_s * 1e9:
                del self._differs[name]
                log.info("an alarm is brought in line with the scan", alarm=name)
                work.append((name, _correcting(bits, trips)))
        return work

    def _delay_s(self, name: str) -> float:
        declared = self.definitions[name].declared
        return max(declared.on_delay_s, declared.off_delay_s)

    def variables(self) -> dict[str, Any]:
        """The figures by path of the address space, and what is said of each bypass and each series."""
        return {**self.figures.values(self.states.values(), self._clock()), **self._words()}

    def _words(self) -> dict[str, str]:
        shown: dict[str, str] = {}
        for one in self.definitions.values():
            if one.watches is Watches.CAUSE:
                continue
            state = self.states[one.name]
            shown[f"Alarms/{one.name}/Why"] = state.message if state.retain else ""
            if one.watches is Watches.BYPASS:
                shown[f"Interlocks/{one.interlock}/BypassWhy"] = state.message if state.active else ""
        return shown


def _all(steps: Sequence[Callable[[Connection], Change | None]], connection: Connection) -> list[Change]:
    return [change for step in steps if (change := step(connection)) is not None]


def _suppressing(*, suppressed: bool) -> Work:
    return lambda _definition, state, moment: set_suppressed(state, moment, suppressed=suppressed)


def _correcting(bits: list[int], trips: list[int]) -> Work:
    def carry_out(definition: AlarmDefinition, state: AlarmState, moment: Moment) -> Change | None:
        return correct(definition, state, bits, trips, moment) if _differ(bits, trips, state) else None

    return carry_out


_SHOWN = 2 | 4  # ConditionState.ACTIVE, LATCHED


def _differ(bits: list[int], trips: list[int], state: AlarmState) -> bool:
    stands = any((now ^ before) & _SHOWN for now, before in zip(bits, state.bits, strict=True))
    return stands or list(state.trips) != trips or not state.verified
