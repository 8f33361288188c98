"""What crosses the boundary between the halves: commands, replies and events, as typed JSON.

A command carries an id made by its sender. The controller journals it before it answers; a repeated id returns the
recorded reply. Events are the tail of the journal: each has the sequence number of its record, they come in order, and
a server asks for those after the last one that it has projected.
"""

from enum import StrEnum
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field


class Message(BaseModel):
    """Base: strict, frozen, nothing unknown."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Principal(Message):
    """Who asks, as the server asserts it; journalled with the command."""

    user: str
    roles: tuple[str, ...]
    session: str = ""
    place: Literal["local", "remote"] = "remote"
    """At the tool, or from afar."""


class CommandKind(StrEnum):
    """What can be asked of the controller. `args` of each are said beside it."""

    WRITE = "write"  # tag, value
    START_RUN = "start_run"  # run_id, run_number, recipe (document), recipe_sha256, engineering, process_mode
    PAUSE = "pause"  # run_id, as the next six
    RESUME = "resume"
    HOLD = "hold"
    RESTART = "restart"
    STOP = "stop"
    ABORT = "abort"
    START_OPERATION = "start_operation"  # name, run_id, run_number
    STOP_OPERATION = "stop_operation"
    SAFE_SHUTDOWN = "safe_shutdown"  # nothing; never refused
    RESET_INTERLOCK = "reset_interlock"  # name
    BYPASS = "bypass"  # name, reason, duration_s, requested_by
    REMOVE_BYPASS = "remove_bypass"  # name
    FORCE = "force"  # tag, value, reason, duration_s
    UNFORCE = "unforce"  # tag
    ARM = "arm"  # nothing: hazardous outputs may be energised when the controller agrees
    DISARM = "disarm"
    SET_MODE = "set_mode"  # mode (EquipmentMode)
    LOCK_OUT = "lock_out"  # module, reason
    REMOVE_LOCK_OUT = "remove_lock_out"  # module, reason (of somebody else than who put it on)
    TASK_DONE = "task_done"  # name, comment
    START_PROOF_TEST = "start_proof_test"  # name, method (inject|witness)
    RECORD_PROOF_TEST = "record_proof_test"  # name, test_id, passed, as_found, as_left, trip_value, response_s, …
    ABORT_PROOF_TEST = "abort_proof_test"  # name, reason
    RELEASE_PROOF_TEST = "release_proof_test"  # name, reason: an engineer takes a failed test's lock away
    TUNE_LOOP = "tune_loop"  # loop, kp, ti_s, at, method, rule, found, run_number, proposal_id, proposed_by, comment
    RESTORE_LOOP = "restore_loop"  # name, reason: back to the gains of the tool file
    TAKE_CONTROL = "take_control"  # reason (to take it over; empty: to take it), timeout_s
    RELEASE_CONTROL = "release_control"  # nothing; of the session that holds it
    RECOVER = "recover"  # run_id (interrupted), choice (resume|abort|close), comment; to resume: new_run_id and more


class Command(Message):
    """One thing that somebody wants done."""

    type: Literal["command"] = "command"
    id: UUID
    principal: Principal
    kind: CommandKind
    args: dict[str, Any] = Field(default_factory=dict[str, Any])


class Query(Message):
    """A question that changes nothing and is not journalled."""

    type: Literal["query"] = "query"
    id: UUID
    kind: Literal["status", "preflight", "check_interlocks", "why", "timing", "care"]
    args: dict[str, Any] = Field(default_factory=dict[str, Any])


class Subscribe(Message):
    """Sent by a server that attaches: events after `after`, from the journal, then live."""

    type: Literal["subscribe"] = "subscribe"
    after: int
    epoch: UUID
    """Made by each server at its start; frames of another epoch are of a dead one and are dropped."""


class Reply(Message):
    """The answer to a command or query."""

    type: Literal["reply"] = "reply"
    id: UUID
    status: str = "Good"
    """Symbolic OPC UA status: Good, BadInvalidState, BadUserAccessDenied, BadInvalidArgument, BadNotFound …"""
    reason: str = ""
    result: dict[str, Any] = Field(default_factory=dict[str, Any])


class EventKind(StrEnum):
    """What is journalled and told. `data` of each are said beside it."""

    BOOT = "boot"  # version, tool, tool_sha256, pid, clean (whether the last controller closed the journal)
    COMMAND = "command"  # id, principal, kind, args (without documents), status, reason
    RUN_STARTED = "run_started"  # run_id, run_number, kind (recipe|operation), steps [{name, planned_s, owner}]
    RUN_STATE = "run_state"  # run_id, state, previous, cause
    STEP = "step"  # run_id, index, name
    CHECKPOINT = "checkpoint"  # run_id, step, elapsed_s, step_elapsed_s, …: all that a successor must know
    RUN_INTERRUPTED = "run_interrupted"  # run_id, run_number, step, elapsed_s …: a run waits for a decision
    RUN_ENDED = "run_ended"  # run_id, state, summary (durations, trips, timing, gas use), tape
    METROLOGY = "metrology"  # run_id, film, thickness_map …: what the plant or an instrument measured after a run
    CONDITION = "condition"  # name, state bits by name, first_out, trips
    TIMEOUT = "timeout"  # run_id, step, waited_s, policy
    GUARD = "guard"  # run_id, step, policy
    CHECK_FAILED = "check_failed"  # run_id, step, reason, policy
    LOOP_FAULT = "loop_fault"  # loop
    CONTROL = "control"  # group, control, previous (pid|mpc|waiting|bad_sensor|infeasible|stale)
    PROGRAM_FAULT = "program_fault"  # run_id
    BYPASS_EXPIRED = "bypass_expired"  # name
    FORCE_EXPIRED = "force_expired"  # tag
    SKIPPED = "skipped"  # slots
    LOST = "lost"  # events that found their buffer full
    MODE = "mode"  # mode, previous
    NOTICE = "notice"  # text: what could not be had (real-time priority …) with the remedy
    CALIBRATION = "calibration"  # tag, unit, version, kind, offset, gain, found_…, operation, run_number, user, due_ns
    PROOF_TEST = "proof_test"  # name, test_id, stage (started|measured|recorded|aborted|released), who, what was found
    TUNED = "tuned"  # loop, stage (approved|restored), version, kp, ti_s, at, kp_before, ti_s_before, who, why, …
    PROOF_DUE = "proof_due"  # overdue, soon, failed: names of interlocks, whenever one of the lists changes
    SHUTDOWN = "shutdown"  # reason


class Event(Message):
    """Something that happened; one record of the journal."""

    type: Literal["event"] = "event"
    seq: int
    time_ns: int
    scan: int
    kind: EventKind
    data: dict[str, Any] = Field(default_factory=dict[str, Any])


class EquipmentMode(StrEnum):
    """Mode of the equipment (interface: State)."""

    INIT = "Init"
    STANDBY = "Standby"
    READY = "Ready"
    PROCESSING = "Processing"
    MAINTENANCE = "Maintenance"
    FAULT = "Fault"


ToController = Annotated[Command | Query | Subscribe, Field(discriminator="type")]
ToServer = Annotated[Reply | Event, Field(discriminator="type")]
