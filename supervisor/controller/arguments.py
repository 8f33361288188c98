"""The arguments of each command, checked before anything else: the edge where the server's words become typed data."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from supervisor.controller.errors import CommandRefused
from supervisor.link.messages import CommandKind, EquipmentMode

RunNumber = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$")]
"""Also the name of the run's folder, hence nothing that could lead elsewhere."""
Identifier = Annotated[str, StringConstraints(min_length=1, max_length=96)]
Reason = Annotated[str, StringConstraints(strip_whitespace=True, min_length=3, max_length=1000)]


class Arguments(BaseModel):
    """Base: strict, frozen, finite, nothing unknown."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


class Nothing(Arguments):
    """No arguments."""


class Write(Arguments):
    """Move a set point or output by hand."""

    tag: Identifier
    value: float


class StartRun(Arguments):
    """Run a recipe."""

    run_id: Identifier
    run_number: RunNumber
    recipe: str = Field(max_length=4_000_000)
    """The document's text."""
    recipe_sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    """Of its UTF-8 bytes, as approved."""
    engineering: bool = False
    process_mode: str | None = None


class RunCommand(Arguments):
    """Something that is done to the active run."""

    run_id: Identifier | None = None
    """When given it must be the active run's: a late command never meets another run."""


class StartOperation(Arguments):
    """Run a service operation of the tool."""

    name: Identifier
    run_id: Identifier
    run_number: RunNumber


class Recover(Arguments):
    """What shall become of a run that a crash has interrupted."""

    run_id: Identifier
    choice: Literal["resume", "abort", "close"]
    comment: Reason
    new_run_id: Identifier | None = None
    """Of the run that does the rest, as the next five."""
    new_run_number: RunNumber | None = None
    recipe: str = Field(default="", max_length=4_000_000)
    recipe_sha256: str = Field(default="0" * 64, pattern=r"^[0-9a-f]{64}$")
    engineering: bool = False
    process_mode: str | None = None


class Named(Arguments):
    """An interlock or alarm."""

    name: Identifier


class Bypass(Arguments):
    """A bypass that two people agreed on."""

    name: Identifier
    reason: Reason
    duration_s: float = Field(gt=0, le=10_000_000)
    requested_by: Identifier


class Force(Arguments):
    """A value that stands in for a tag's own."""

    tag: Identifier
    value: float
    reason: Reason
    duration_s: float = Field(gt=0, le=10_000_000)
    requested_by: Identifier | None = None
    """Who asked for it, where another one confirms it."""


class Tagged(Arguments):
    """A tag."""

    tag: Identifier


class SetMode(Arguments):
    """The equipment mode that is wanted."""

    mode: EquipmentMode = Field(strict=False)


class LockOut(Arguments):
    """A module that nobody shall energise."""

    module: Identifier
    reason: Reason


class RemoveLockOut(Arguments):
    """A module that may be energised again."""

    module: Identifier
    reason: str = Field(default="", max_length=1000)
    """Needed from somebody else than who put the lock on."""


class TaskDone(Arguments):
    """Work that was carried out."""

    name: Identifier
    comment: str = Field(default="", max_length=1000)


class StartProofTest(Arguments):
    """A proof test of an interlock begins."""

    name: Identifier
    method: Literal["inject", "witness"]


class RecordProofTest(Arguments):
    """What a proof test has shown."""

    name: Identifier
    test_id: Identifier
    passed: bool
    as_found: Reason
    """State of the loop before anything was touched."""
    as_left: Reason
    """The same when the test was over."""
    trip_value: float | None = None
    """As it was read at the instrument, in the unit of the tag; the controller's own measurement stands beside it."""
    response_s: float | None = Field(default=None, ge=0, le=3600)
    comment: str = Field(default="", max_length=1000)
    signature: dict[str, str] = Field(default_factory=dict[str, str])


class TuneLoop(Arguments):
    """Gains of a loop that somebody has approved."""

    loop: Identifier
    kp: float = Field(gt=0)
    ti_s: float = Field(gt=0)
    at: float | None
    """Where the tag of the loop's schedule stood in the test; None without a schedule."""
    method: Literal["relay", "step"]
    rule: Reason
    found: dict[str, float]
    run_number: RunNumber
    proposal_id: Identifier
    proposed_by: Identifier
    comment: str = Field(default="", max_length=1000)
    signature: dict[str, str] = Field(default_factory=dict[str, str])


class Reasoned(Arguments):
    """An interlock or a loop, and why."""

    name: Identifier
    reason: Reason


class TakeControl(Arguments):
    """The control of the tool."""

    reason: str = Field(default="", max_length=1000)
    """To take it over from somebody who does not give it back."""
    timeout_s: float = Field(default=900.0, ge=10, le=86400)
    """Whoever asks for nothing for so long holds it no longer."""


ARGUMENTS: Mapping[CommandKind, type[Arguments]] = {
    CommandKind.WRITE: Write,
    CommandKind.START_RUN: StartRun,
    CommandKind.PAUSE: RunCommand,
    CommandKind.RESUME: RunCommand,
    CommandKind.HOLD: RunCommand,
    CommandKind.RESTART: RunCommand,
    CommandKind.STOP: RunCommand,
    CommandKind.ABORT: RunCommand,
    CommandKind.START_OPERATION: StartOperation,
    CommandKind.STOP_OPERATION: RunCommand,
    CommandKind.SAFE_SHUTDOWN: Nothing,
    CommandKind.RESET_INTERLOCK: Named,
    CommandKind.BYPASS: Bypass,
    CommandKind.REMOVE_BYPASS: Named,
    CommandKind.FORCE: Force,
    CommandKind.UNFORCE: Tagged,
    CommandKind.ARM: Nothing,
    CommandKind.DISARM: Nothing,
    CommandKind.SET_MODE: SetMode,
    CommandKind.LOCK_OUT: LockOut,
    CommandKind.REMOVE_LOCK_OUT: RemoveLockOut,
    CommandKind.TASK_DONE: TaskDone,
    CommandKind.TAKE_CONTROL: TakeControl,
    CommandKind.RELEASE_CONTROL: Nothing,
    CommandKind.RECOVER: Recover,
    CommandKind.START_PROOF_TEST: StartProofTest,
    CommandKind.RECORD_PROOF_TEST: RecordProofTest,
    CommandKind.ABORT_PROOF_TEST: Reasoned,
    CommandKind.RELEASE_PROOF_TEST: Reasoned,
    CommandKind.TUNE_LOOP: TuneLoop,
    CommandKind.RESTORE_LOOP: Reasoned,
}

NOT_JOURNALLED = frozenset({"recipe"})
"""Documents: the journal keeps their hash, the tape keeps them whole."""

A = TypeVar("A", bound=Arguments)


def read_arguments(model: type[A], kind: str, args: Mapping[str, Any]) -> A:
    """Return the arguments of a command.

    Raises:
        CommandRefused: BadInvalidArgument, with every fault.
    """
    try:
        return model.model_validate(args)
    except ValidationError as error:
        faults = "; ".join(
            f"{'.'.join(map(str, fault['loc'])) or 'arguments'}: {fault['msg']}"
            for fault in error.errors(include_url=False, include_input=False)
        )
        raise CommandRefused("BadInvalidArgument", f"{kind}: {faults}") from error
