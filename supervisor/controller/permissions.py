"""Who may ask for what: the controller's own table, judged again for every command whatever the server has judged."""

from collections.abc import Mapping

from config.tool import Role
from supervisor.controller.errors import CommandRefused
from supervisor.link.messages import CommandKind, Principal

_OPERATE = frozenset({Role.OPERATOR, Role.ENGINEER})
_SERVICE = frozenset({Role.ENGINEER, Role.MAINTENANCE})
_HANDS = frozenset({Role.OPERATOR, Role.ENGINEER, Role.MAINTENANCE})
_ANYONE = frozenset(Role)

PERMISSIONS: Mapping[CommandKind, frozenset[Role]] = {
    CommandKind.WRITE: _HANDS,
    CommandKind.START_RUN: _OPERATE,
    CommandKind.PAUSE: _OPERATE,
    CommandKind.RESUME: _OPERATE,
    CommandKind.HOLD: _OPERATE,
    CommandKind.RESTART: _OPERATE,
    CommandKind.STOP: _HANDS,
    CommandKind.ABORT: _HANDS,
    CommandKind.START_OPERATION: _HANDS,
    CommandKind.STOP_OPERATION: _HANDS,
    CommandKind.SAFE_SHUTDOWN: _ANYONE,
    CommandKind.RESET_INTERLOCK: _HANDS,
    CommandKind.BYPASS: _SERVICE,
    CommandKind.REMOVE_BYPASS: _HANDS,
    CommandKind.FORCE: _SERVICE,
    CommandKind.UNFORCE: _HANDS,
    CommandKind.ARM: _HANDS,
    CommandKind.DISARM: _HANDS,
    CommandKind.SET_MODE: _HANDS,
    CommandKind.LOCK_OUT: _SERVICE,
    CommandKind.REMOVE_LOCK_OUT: _SERVICE,
    CommandKind.TASK_DONE: _SERVICE,
    CommandKind.TUNE_LOOP: frozenset({Role.ENGINEER}),
    CommandKind.RESTORE_LOOP: _SERVICE,
    CommandKind.TAKE_CONTROL: _HANDS,
    CommandKind.RELEASE_CONTROL: _ANYONE,
    CommandKind.RECOVER: _OPERATE,
    CommandKind.START_PROOF_TEST: _SERVICE,
    CommandKind.RECORD_PROOF_TEST: _SERVICE,
    CommandKind.ABORT_PROOF_TEST: _HANDS,
    CommandKind.RELEASE_PROOF_TEST: frozenset({Role.ENGINEER}),
}
"""Any one of the roles suffices; roles do not include one another. A kind that is missing here is refused to all."""

ENGINEERING_RUN = Role.ENGINEER
"""Who may run a draft as a marked engineering run."""

PROTECTIVE = frozenset(
    {
        CommandKind.PAUSE,
        CommandKind.HOLD,
        CommandKind.STOP,
        CommandKind.ABORT,
        CommandKind.STOP_OPERATION,
        CommandKind.SAFE_SHUTDOWN,
        CommandKind.REMOVE_BYPASS,
        CommandKind.UNFORCE,
        CommandKind.DISARM,
        CommandKind.LOCK_OUT,
        CommandKind.ABORT_PROOF_TEST,
    }
)
"""These lead towards safety: they are carried out even when the journal cannot be written."""

UNOWNED = PROTECTIVE | {
    CommandKind.TAKE_CONTROL,
    CommandKind.RELEASE_CONTROL,
    CommandKind.BYPASS,
    CommandKind.FORCE,
    CommandKind.REMOVE_LOCK_OUT,
    CommandKind.TASK_DONE,
    CommandKind.TUNE_LOOP,
    CommandKind.RESTORE_LOOP,
}
"""Asked for by whoever has the role, whoever holds the control: two people agree on a bypass or a force, and one of
them at most holds it, and so with gains, which wait for the tool to be idle; a lock is its owner's."""

TAKE_OVER = _SERVICE
"""Who may take the control from somebody who does not give it back."""

IMMEDIATE = frozenset({CommandKind.ABORT, CommandKind.SAFE_SHUTDOWN})
"""These wait for nothing: no queue, no other command, no disk."""


def permit(principal: Principal, kind: CommandKind) -> None:
    """Refuse what the principal's roles do not allow.

    Raises:
        CommandRefused: BadUserAccessDenied, naming the roles that would do.
    """
    if kind in {CommandKind.SAFE_SHUTDOWN, CommandKind.RELEASE_CONTROL}:
        return
    needed = PERMISSIONS.get(kind, frozenset())
    if not needed.intersection(principal.roles):
        require(principal, needed, f"{kind.value.replace('_', ' ')} is not allowed to {principal.user or 'anonymous'}")


def require(principal: Principal, needed: frozenset[Role], refusal: str) -> None:
    """Refuse unless the principal has one of these roles; `refusal` begins the reason."""
    if not needed.intersection(principal.roles):
        have = ", ".join(principal.roles) or "none"
        want = " or ".join(sorted(needed)) or "a role that does not exist"
        raise CommandRefused("BadUserAccessDenied", f"{refusal}: it needs the role {want}; present are: {have}")
