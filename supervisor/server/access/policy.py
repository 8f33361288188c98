"""Who may do what, as data: a role for each action, and the rules that need more than a role."""

from dataclasses import dataclass
from enum import StrEnum

from config.tool import Role
from opcua_model.interface import Caller, Refused

EVERYBODY = frozenset(Role)
OPERATION = frozenset({Role.OPERATOR, Role.ENGINEER, Role.MAINTENANCE})
ENGINEERING = frozenset({Role.ENGINEER})
SERVICE = frozenset({Role.ENGINEER, Role.MAINTENANCE})


class Action(StrEnum):
    """Everything that a role decides."""

    READ = "read"
    CONTROL = "take control"
    RUN = "run a recipe"
    RUN_DRAFT = "run a draft"
    SIMULATE = "simulate a recipe"
    SERVICE = "run a service operation"
    WRITE = "move a set point"
    RECIPE_EDIT = "edit recipes"
    RECIPE_APPROVE = "approve a recipe"
    ALARM = "answer or shelve an alarm"
    ALARM_SERVICE = "take an alarm out of service"
    RESET = "reset an interlock"
    BYPASS = "bypass an interlock"
    FORCE_TAG = "force a tag"
    PROOF_TEST = "test an interlock"
    CALIBRATE = "calibrate"
    TUNE = "tune a loop"
    MODE = "change the equipment mode"
    SPC = "define a series of process control"


class Weighty(StrEnum):
    """Deeds that may need a second person, or a signature."""

    APPROVE = "approve"
    BYPASS = "bypass"
    FORCE = "force"
    PROOF_TEST = "proof_test"
    TUNING = "tuning"


@dataclass(frozen=True)
class Policy:
    """The rules of one tool."""

    roles: dict[Action, frozenset[Role]]
    four_eyes: frozenset[Weighty] = frozenset(Weighty)
    """Whoever wrote a recipe version cannot approve it; whoever asks for a bypass or a force cannot confirm it; whoever
    carried out a proof test does not witness it; whoever proposes gains of a loop does not approve them."""
    signatures: frozenset[Weighty] = frozenset()
    """What is signed with the password."""
    signed_recipes: bool = False
    """Recipes come in packages that a known signer has signed."""
    ownership: bool = True
    """What moves the tool needs control ownership as soon as somebody holds it."""


DEFAULT = Policy(
    roles={
        Action.READ: EVERYBODY,
        Action.CONTROL: OPERATION,
        Action.RUN: frozenset({Role.OPERATOR, Role.ENGINEER}),
        Action.RUN_DRAFT: ENGINEERING,
        Action.SIMULATE: frozenset({Role.OPERATOR, Role.ENGINEER}),
        Action.SERVICE: OPERATION,
        Action.WRITE: OPERATION,
        Action.RECIPE_EDIT: ENGINEERING,
        Action.RECIPE_APPROVE: ENGINEERING,
        Action.ALARM: OPERATION,
        Action.ALARM_SERVICE: SERVICE,
        Action.RESET: OPERATION,
        Action.BYPASS: SERVICE,
        Action.FORCE_TAG: SERVICE,
        Action.PROOF_TEST: SERVICE,
        Action.CALIBRATE: SERVICE,
        Action.TUNE: ENGINEERING,
        Action.MODE: SERVICE,
        Action.SPC: ENGINEERING,
    }
)


def permit(policy: Policy, caller: Caller, action: Action) -> None:
    """Let an action pass or refuse it.

    Raises:
        Refused: an anonymous session, or none of the caller's roles has the permission.
    """
    allowed = policy.roles[action]
    if not caller.user:
        raise Refused("BadUserAccessDenied", f"log in to {action.value}: this session is anonymous")
    if not allowed & caller.roles:
        names = " or ".join(sorted(role.value for role in allowed))
        raise Refused("BadUserAccessDenied", f"{caller.user} may not {action.value}: that needs the role {names}")


def other_eyes(policy: Policy, caller: Caller, author: str, deed: Weighty, what: str) -> None:
    """Demand another person than the author.

    Raises:
        Refused: the caller is the author and the policy asks for four eyes.
    """
    if deed in policy.four_eyes and caller.user == author:
        raise Refused("BadUserAccessDenied", f"{what} needs another person than {author}, who made it (four eyes)")
