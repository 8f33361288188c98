"""What the services of a session work with, in one place."""

from dataclasses import dataclass, field
from typing import Any

import structlog

from opcua_model.conditions.nodes import Conditions
from opcua_model.historical.ahead import Ahead
from opcua_model.interface import Backend, Caller, Refused
from opcua_model.permissions import Permissions
from opcua_model.settings import Settings
from opcua_model.tree import Tree

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Desk:
    """The daemon behind the address space, the tree, asyncua's nodes, and what is permitted."""

    backend: Backend
    settings: Settings
    tree: Tree
    aspace: Any
    conditions: Conditions
    permissions: Permissions
    ahead: Ahead = field(default_factory=Ahead)


def require_user(caller: Caller, what: str) -> None:
    """Refuse what an anonymous session may not do.

    Raises:
        Refused: the session has no user.
    """
    if not caller.user:
        raise Refused("BadUserAccessDenied", f"{what} needs a user; anonymous sessions read, browse and subscribe")


def require_role(caller: Caller, roles: frozenset[str], what: str) -> None:
    """Refuse what none of the caller's roles permits; no roles: every user may.

    Raises:
        Refused: the caller has none of the roles.
    """
    require_user(caller, what)
    if roles and not roles & caller.roles:
        held = ", ".join(sorted(caller.roles)) or "no role"
        raise Refused(
            "BadUserAccessDenied", f"{what} needs the role {' or '.join(sorted(roles))}; {caller.user} has {held}"
        )
