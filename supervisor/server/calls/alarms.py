"""The methods of conditions: what people do with an alarm, permitted by their role and entered in the audit trail."""

from typing import Any

from config.alarm_list import AlarmDefinition
from kernels.tables import ConditionState
from opcua_model.conditions.state import AlarmState
from opcua_model.interface import Caller, Refused
from supervisor.link.messages import CommandKind
from supervisor.server.access.policy import Action, permit
from supervisor.server.alarms.book import Work
from supervisor.server.alarms.transitions import (
    Change,
    Moment,
    acknowledge,
    add_comment,
    confirm,
    set_commanded,
    set_enabled,
    set_out_of_service,
    shelve,
    unshelve,
)
from supervisor.server.calls.desk import Desk, principal


class AlarmCalls:
    """Carries them out.

    Args:
        desk: what every call works with.
    """

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def enable(self, caller: Caller, path: str) -> tuple[()]:
        """`Enable`."""
        return await self._set_enabled(caller, path, enabled=True)

    async def disable(self, caller: Caller, path: str) -> tuple[()]:
        """`Disable`."""
        return await self._set_enabled(caller, path, enabled=False)

    async def _set_enabled(self, caller: Caller, path: str, *, enabled: bool) -> tuple[()]:
        def work(definition: AlarmDefinition, state: AlarmState, moment: Moment) -> Change:
            return set_enabled(definition, state, moment, caller.user, enabled=enabled)

        what = "enable_alarm" if enabled else "disable_alarm"
        return await self._carry_out(caller, path, Action.ALARM_SERVICE, what, work, None)

    async def acknowledge(self, caller: Caller, path: str, event_id: bytes, comment: str | None) -> tuple[()]:
        """`Acknowledge`."""

        def work(definition: AlarmDefinition, state: AlarmState, moment: Moment) -> Change:
            return acknowledge(definition, state, moment, caller.user, event_id, comment)

        return await self._carry_out(caller, path, Action.ALARM, "acknowledge", work, comment, event_id)

    async def confirm(self, caller: Caller, path: str, event_id: bytes, comment: str | None) -> tuple[()]:
        """`Confirm`."""

        def work(definition: AlarmDefinition, state: AlarmState, moment: Moment) -> Change:
            return confirm(definition, state, moment, caller.user, event_id, comment)

        return await self._carry_out(caller, path, Action.ALARM, "confirm", work, comment, event_id)

    async def add_comment(self, caller: Caller, path: str, event_id: bytes, comment: str | None) -> tuple[()]:
        """`AddComment`."""

        def work(definition: AlarmDefinition, state: AlarmState, moment: Moment) -> Change:
            return add_comment(definition, state, moment, caller.user, event_id, comment)

        return await self._carry_out(caller, path, Action.ALARM, "add_comment", work, comment, event_id)

    async def timed_shelve(self, caller: Caller, path: str, time_ms: float, comment: str | None = None) -> tuple[()]:
        """`TimedShelve`, `TimedShelve2`."""
        return await self._shelve(caller, path, time_ms, comment)

    async def one_shot_shelve(self, caller: Caller, path: str, comment: str | None = None) -> tuple[()]:
        """`OneShotShelve`, `OneShotShelve2`."""
        return await self._shelve(caller, path, None, comment)

    async def _shelve(self, caller: Caller, path: str, time_ms: float | None, comment: str | None) -> tuple[()]:
        def work(definition: AlarmDefinition, state: AlarmState, moment: Moment) -> Change:
            return shelve(definition, state, moment, caller.user, time_ms, comment)

        seconds: dict[str, Any] = {} if time_ms is None else {"seconds": time_ms / 1000.0}
        return await self._carry_out(caller, path, Action.ALARM, "shelve", work, comment, **seconds)

    async def unshelve(self, caller: Caller, path: str, comment: str | None = None) -> tuple[()]:
        """`Unshelve`, `Unshelve2`."""

        def work(definition: AlarmDefinition, state: AlarmState, moment: Moment) -> Change:
            return unshelve(definition, state, moment, caller.user, comment)

        return await self._carry_out(caller, path, Action.ALARM, "unshelve", work, comment)

    async def remove_from_service(self, caller: Caller, path: str, comment: str | None = None) -> tuple[()]:
        """`RemoveFromService`, `RemoveFromService2`."""
        return await self._set_out(caller, path, comment, out=True)

    async def place_in_service(self, caller: Caller, path: str, comment: str | None = None) -> tuple[()]:
        """`PlaceInService`, `PlaceInService2`."""
        return await self._set_out(caller, path, comment, out=False)

    async def _set_out(self, caller: Caller, path: str, comment: str | None, *, out: bool) -> tuple[()]:
        def work(definition: AlarmDefinition, state: AlarmState, moment: Moment) -> Change:
            return set_out_of_service(definition, state, moment, caller.user, comment, out=out)

        what = "remove_from_service" if out else "place_in_service"
        return await self._carry_out(caller, path, Action.ALARM_SERVICE, what, work, comment)

    async def suppress(self, caller: Caller, path: str, comment: str | None = None) -> tuple[()]:
        """`Suppress`, `Suppress2`."""
        return await self._set_commanded(caller, path, comment, suppress=True)

    async def unsuppress(self, caller: Caller, path: str, comment: str | None = None) -> tuple[()]:
        """`Unsuppress`, `Unsuppress2`."""
        return await self._set_commanded(caller, path, comment, suppress=False)

    async def _set_commanded(self, caller: Caller, path: str, comment: str | None, *, suppress: bool) -> tuple[()]:
        def work(definition: AlarmDefinition, state: AlarmState, moment: Moment) -> Change:
            return set_commanded(definition, state, moment, caller.user, comment, suppress=suppress)

        what = "suppress" if suppress else "unsuppress"
        return await self._carry_out(caller, path, Action.ALARM_SERVICE, what, work, comment)

    async def reset(self, caller: Caller, path: str, comment: str | None = None) -> tuple[()]:
        """`Reset`, `Reset2`: the scan's latch, which the controller alone can open."""
        desk, name = self._desk, _name(path)
        permit(desk.policy, caller, Action.RESET)
        definition, state = desk.alarms.definition(name), desk.alarms.states.get(name)
        if not definition.declared.latch or state is None:
            raise Refused("BadNotSupported", f"{name} does not latch")
        if not state.acked:
            raise Refused("BadInvalidState", f"acknowledge {name} before it is reset")
        desk.control.require(caller)
        latched = [
            point for point, bits in zip(definition.index, state.bits, strict=True) if bits & ConditionState.LATCHED
        ]
        if not latched:
            raise Refused("BadInvalidState", f"{name} is not latched")
        for point in latched:
            await desk.controller.command(principal(caller), CommandKind.RESET_INTERLOCK, {"name": point})
        if comment:
            await desk.note(caller, "comment_reset", path, reason=comment)
        return ()

    async def _carry_out(
        self,
        caller: Caller,
        path: str,
        action: Action,
        what: str,
        work: Work,
        comment: str | None,
        event_id: bytes = b"",
        **detail: Any,
    ) -> tuple[()]:
        desk, name = self._desk, _name(path)
        permit(desk.policy, caller, action)
        step = desk.alarms.working(name, work)
        if comment:
            detail["comment"] = comment
        if event_id:
            detail["event_id"] = event_id.hex()
        change = await desk.deed(caller, what, step, lambda _change: f"Alarms/{name}", **detail)
        await desk.alarms.follow(change)
        return ()


def _name(path: str) -> str:
    return path.split("/")[1]
