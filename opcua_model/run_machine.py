"""The runs' finite state machine (Part 16): states, transitions, what is possible now, and an event for each passage.

asyncua's own `install()` cannot make one; here its nodes are written like all others.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final

from kernels.tables import RunState
from opcua_model.eventing.notice import Notice, standard
from opcua_model.eventing.telling import base_fields, notifiers
from opcua_model.live import tell
from opcua_model.space import ARRAY, Space, number_id, stamped
from opcua_model.stack import Ids, ua

MACHINE: Final = "Runs/ActiveRun/StateMachine"
TYPE: Final = "RunStateMachineType"
EVENT: Final = "RunTransitionEventType"
_SEVERITY: Final = 100
_TEXTS: Final = {
    "IDLE": "No run has begun.",
    "RUNNING": "The recipe runs.",
    "PAUSING": "On the way to a pause.",
    "PAUSED": "Paused at a safe point of the step.",
    "RESUMING": "On the way back from a pause.",
    "HOLDING": "On the way to a hold.",
    "HELD": "Held: hazardous gas and energy off unless the step declares otherwise.",
    "RESTARTING": "On the way back from a hold.",
    "STOPPING": "Ending in order.",
    "STOPPED": "Ended in order before the recipe's end.",
    "ABORTING": "The safe sequence runs.",
    "ABORTED": "Ended by the safe sequence.",
    "COMPLETE": "The recipe has ended.",
}
_ACTIVE: Final = ("RUNNING", "PAUSING", "PAUSED", "RESUMING", "HOLDING", "HELD", "RESTARTING")
_ENDS: Final = ("COMPLETE", "STOPPED", "ABORTED")
TRANSITIONS: Final[tuple[tuple[str, str, str], ...]] = (
    ("IDLE", "RUNNING", "StartRun"),
    *((end, "RUNNING", "StartRun") for end in _ENDS),
    *((end, "IDLE", "") for end in _ENDS),
    ("RUNNING", "PAUSING", "PauseRun"),
    ("PAUSING", "PAUSED", ""),
    ("PAUSED", "RESUMING", "ResumeRun"),
    ("RESUMING", "RUNNING", ""),
    *((state, "HOLDING", "HoldRun") for state in ("RUNNING", "PAUSING", "PAUSED", "RESUMING", "RESTARTING")),
    ("HOLDING", "HELD", ""),
    ("HELD", "RESTARTING", "RestartRun"),
    ("RESTARTING", "RUNNING", ""),
    ("RUNNING", "COMPLETE", ""),
    *((state, "STOPPING", "StopRun") for state in _ACTIVE),
    ("STOPPING", "STOPPED", ""),
    *((state, "ABORTING", "AbortRun") for state in (*_ACTIVE, "STOPPING")),
    ("ABORTING", "ABORTED", ""),
)
"""From, to, and the method that causes it, if one does."""
STATES: Final = tuple(state.name for state in RunState)
_NUMBERS: Final = {(source, target): number for number, (source, target, _) in enumerate(TRANSITIONS, 1)}
_K: Final = ua.VariantType


def build_machine_type(space: Space) -> None:
    """Create the type with its states and transitions; the methods of runs are there."""
    machine = space.add_type(TYPE, number_id(Ids.FiniteStateMachineType), "The states of a run (ISA-88).")
    event = space.add_type(EVENT, number_id(Ids.TransitionEventType), "A run went from one state to another.")
    for number, state in enumerate(STATES):
        kind = Ids.InitialStateType if state == "IDLE" else Ids.StateType
        node = space.add_object(
            ua.NodeId(f"{TYPE}/{state}", space.types), state, machine, description=_TEXTS[state], kind=number_id(kind)
        )
        value = ua.Variant(number, _K.UInt32)
        space.add_property(node, "StateNumber", Ids.UInt32, value, f"Number of the state {state}.")
    for (source, target), number in _NUMBERS.items():
        name = _name(source, target)
        node = space.add_object(
            _transition(space, source, target),
            name,
            machine,
            description=f"From {source} to {target}.",
            kind=number_id(Ids.TransitionType),
        )
        value = ua.Variant(number, _K.UInt32)
        space.add_property(node, "TransitionNumber", Ids.UInt32, value, f"Number of the transition {name}.")
        space.add_reference(node, Ids.FromState, _state(space, source), both=False)
        space.add_reference(node, Ids.ToState, _state(space, target), both=False)
        space.add_reference(node, Ids.HasEffect, event, both=False)
        cause = TRANSITIONS[number - 1][2]
        if cause:
            space.add_reference(node, Ids.HasCause, ua.NodeId(f"RunsType/{cause}", space.types), both=False)


def _name(source: str, target: str) -> str:
    return f"{source.capitalize()}To{target.capitalize()}"


def _state(space: Space, state: str) -> Any:
    return ua.NodeId(f"{TYPE}/{state}", space.types)


def _transition(space: Space, source: str, target: str) -> Any:
    return ua.NodeId(f"{TYPE}/{_name(source, target)}", space.types)


def _text(text: str) -> Any:
    return ua.Variant(ua.LocalizedText(text), _K.LocalizedText)


class RunMachine:
    """The machine of the active run.

    Args:
        space: of the tool; `Runs/ActiveRun` is there.
        emit: hands an event to the subscriptions.
    """

    def __init__(self, space: Space, emit: Callable[[Notice], None]) -> None:
        self._space = space
        self._emit = emit
        self._now = ""
        machine = space.add_object(
            space.tool_id(MACHINE),
            "StateMachine",
            space.tool_id("Runs/ActiveRun"),
            description="The state of the active run as a state machine.",
            kind=space.type_id(TYPE),
            notifier=True,
        )
        for name, kind, text, facts in (
            ("CurrentState", Ids.FiniteStateVariableType, "State now.", ("Id", "Number")),
            (
                "LastTransition",
                Ids.FiniteTransitionVariableType,
                "How it came into this state.",
                ("Id", "Number", "TransitionTime"),
            ),
        ):
            node = space.add_variable(
                space.tool_id(f"{MACHINE}/{name}"), name, machine, description=text, data_type=Ids.LocalizedText,
                value=stamped(_text("")), kind=kind, namespace=0,
            )  # fmt: skip
            for fact in facts:
                data_type = {"Id": Ids.NodeId, "Number": Ids.UInt32, "TransitionTime": Ids.UtcTime}[fact]
                null = ua.Variant(None, _K.Null)
                space.add_property(node, fact, data_type, null, f"{fact} of {name}.")
        for name, text in (("AvailableStates", "All states."), ("AvailableTransitions", "What can happen now.")):
            states = [_state(space, state) for state in STATES] if name == "AvailableStates" else []
            value = ua.Variant(states, _K.NodeId, is_array=True)
            space.add_variable(
                space.tool_id(f"{MACHINE}/{name}"), name, machine, description=text, data_type=Ids.NodeId,
                value=stamped(value), rank=ARRAY, namespace=0,
            )  # fmt: skip

    async def look(self, state: str) -> None:
        """Follow the state of the active run; a passage is an event."""
        if state == self._now or state not in STATES:
            return
        before, self._now = self._now, state
        await self._set("CurrentState", _text(state.capitalize()))
        await self._set("CurrentState/Id", ua.Variant(_state(self._space, state), _K.NodeId))
        await self._set("CurrentState/Number", ua.Variant(STATES.index(state), _K.UInt32))
        possible = [_transition(self._space, source, target) for source, target in _NUMBERS if source == state]
        await self._set("AvailableTransitions", ua.Variant(possible, _K.NodeId, is_array=True))
        if before:
            await self._passed(before, state)

    async def _passed(self, before: str, state: str) -> None:
        space, now = self._space, datetime.now(UTC)
        number = _NUMBERS.get((before, state))
        # A server that was away has not seen the states between; what it then finds has no transition of its own.
        null = ua.Variant(None, _K.Null)
        node = null if number is None else ua.Variant(_transition(space, before, state), _K.NodeId)
        name = _text(_name(before, state))
        await self._set("LastTransition", name)
        await self._set("LastTransition/Id", node)
        await self._set("LastTransition/Number", null if number is None else ua.Variant(number, _K.UInt32))
        await self._set("LastTransition/TransitionTime", ua.Variant(now, _K.DateTime))
        kind, source = space.type_id(EVENT), space.tool_id(MACHINE)
        fields = base_fields(kind, source, "StateMachine", now, f"The run went from {before} to {state}.", _SEVERITY)
        for field, text, identity in (
            ("Transition", name, node),
            ("FromState", _text(before.capitalize()), ua.Variant(_state(space, before), _K.NodeId)),
            ("ToState", _text(state.capitalize()), ua.Variant(_state(space, state), _K.NodeId)),
        ):
            fields[standard(field)] = text
            fields[(*standard(field), *standard("Id"))] = identity
        self._emit(Notice(kind, fields, notifiers(space, source)))

    async def _set(self, name: str, value: Any) -> None:
        await tell(self._space.cell(self._space.tool_id(f"{MACHINE}/{name}")), stamped(value))
