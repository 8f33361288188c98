"""Who may do what with which node.

The one place that Browse, Read, Call, HistoryRead, events and the attributes RolePermissions, UserRolePermissions and
AccessRestrictions are answered from.

Nothing is listed per node. What a node grants follows from what it is: a method's roles, the role that moves a set
point, the parts of the tree that the installation has restricted, the security diagnostics, which are an
administrator's. The names of our roles stand for the standard's well-known ones where it has them (Part 18, 4.2).
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from opcua_model.interface import Caller
from opcua_model.space import Space, number_id
from opcua_model.stack import Attr, Ids, ua
from opcua_model.tree import Tree

BROWSE, READ_ROLES, READ, WRITE, READ_HISTORY, EVENTS, CALL = (1 << bit for bit in (0, 1, 5, 6, 7, 11, 12))
"""Bits of PermissionType (Part 3, 8.55)."""
SEE: Final = BROWSE | READ | READ_HISTORY | EVENTS
SIGNED: Final = 1
"""AccessRestrictions: SigningRequired (Part 3, 8.56)."""
ANONYMOUS, AUTHENTICATED, ADMINISTRATOR = "anonymous", "authenticated", "administrator"
MAINTENANCE: Final = "Role/Maintenance"
"""A role of our own among the types: the standard has none for it."""
WELL_KNOWN: Final = {
    ANONYMOUS: Ids.WellKnownRole_Anonymous,
    AUTHENTICATED: Ids.WellKnownRole_AuthenticatedUser,
    "observer": Ids.WellKnownRole_Observer,
    "operator": Ids.WellKnownRole_Operator,
    "engineer": Ids.WellKnownRole_Engineer,
    ADMINISTRATOR: Ids.WellKnownRole_SecurityAdmin,
}
_SECRET: Final = frozenset(
    ua.NodeId(getattr(Ids, f"Server_ServerDiagnostics_SessionsDiagnosticsSummary_{name}"))
    for name in ("SessionSecurityDiagnosticsArray", "SessionDiagnosticsArray")
)
"""What says who is logged in and how."""
NOBODY: Final = frozenset({"nobody"})
"""A role that no user can be given."""
_RIGHTS: Final = frozenset({Attr.RolePermissions, Attr.UserRolePermissions, Attr.AccessRestrictions})


def roles_of(caller: Caller) -> frozenset[str]:
    """Return every role of a session; everybody has that of nobody (Part 18, 4.2)."""
    return frozenset({ANONYMOUS, AUTHENTICATED, *caller.roles} if caller.user else {ANONYMOUS})


def add_roles(space: Space) -> None:
    """Show the role of ours that the standard does not have beside the others."""
    space.add_object(
        space.type_id(MAINTENANCE),
        "Maintenance",
        number_id(Ids.Server_ServerCapabilities_RoleSet),
        description="Who services the tool.",
        kind=number_id(Ids.RoleType),
    )


class Permissions:
    """What nodes grant.

    Args:
        tree: of the tool.
        restricted: roles by path; only they see what stands there and below.
        moving: roles by path; of those that may call or write there and below, only they do.
    """

    def __init__(
        self, tree: Tree, restricted: Mapping[str, frozenset[str]], moving: Mapping[str, frozenset[str]] | None = None
    ) -> None:
        self._tree = tree
        # The longest path decides: a part of what is restricted may be open to others.
        self._restricted = _longest_first(restricted)
        self._moving_roles = _longest_first(moving or {})
        self._space = tree.space.tool

    def sees(self, caller: Caller, node: Any) -> bool:
        """Tell whether a session may browse, read and hear of a node."""
        roles = self._seers(node)
        return roles is None or bool(roles & roles_of(caller))

    def blind(self, caller: Caller) -> bool:
        """Tell whether some part of the tool is hidden from a session."""
        held = roles_of(caller)
        return any(not roles & held for roles in self._restricted.values())

    def granted(self, caller: Caller, node: Any) -> int:
        """Return what a session may do with a node."""
        held = roles_of(caller)
        mask = 0
        for role, granted in self._table(node).items():
            if role in held:
                mask |= granted
        return mask

    def movers(self, path: str, roles: frozenset[str]) -> frozenset[str]:
        """Return which of the roles that the contract names may call or write at a path.

        No roles stand for every user; when the installation leaves none of them, `NOBODY`.
        """
        for prefix, given in self._moving_roles.items():
            if _below(path, prefix):
                return (roles & given if roles else given) or NOBODY
        return roles

    def restrictions(self, node: Any) -> int:
        """Return the AccessRestrictions of a node: what moves the tool needs a signed channel."""
        return SIGNED if node in self._tree.methods else 0

    def reaches(self, caller: Caller, node: Any) -> bool:
        """Tell whether the channel of a session is as secure as a node asks for."""
        return caller.signed or not self.restrictions(node) & SIGNED

    def attribute(self, caller: Caller, node: Any, attribute: int) -> Any:
        """Answer one of the attributes that say who may do what; None when it is another attribute."""
        if attribute not in _RIGHTS:
            return None
        if attribute == Attr.AccessRestrictions:
            return ua.DataValue(ua.Variant(self.restrictions(node), ua.VariantType.UInt16))
        if not self.granted(caller, node) & READ_ROLES:
            return ua.DataValue(StatusCode=ua.StatusCode(ua.StatusCodes.BadUserAccessDenied))
        table, held = self._table(node), roles_of(caller)
        shown = [
            ua.RolePermissionType(RoleId=self.role_id(role), Permissions=ua.PermissionType(mask))
            for role, mask in table.items()
            if attribute == Attr.RolePermissions or role in held
        ]
        return ua.DataValue(ua.Variant(shown, ua.VariantType.ExtensionObject, is_array=True))

    def role_id(self, role: str) -> Any:
        """NodeId of a role."""
        number = WELL_KNOWN.get(role)
        return self._tree.space.type_id(MAINTENANCE) if number is None else ua.NodeId(number)

    def _seers(self, node: Any) -> frozenset[str] | None:
        """Return the roles that see a node; None: all do."""
        if node.NamespaceIndex != self._space:
            return frozenset({ADMINISTRATOR}) if node in _SECRET else None
        path = node.Identifier
        if self._restricted and isinstance(path, str):
            for prefix, roles in self._restricted.items():
                if _below(path, prefix):
                    return roles
        return None

    def _table(self, node: Any) -> dict[str, int]:
        """Return what each role is granted."""
        seers = self._seers(node)
        table = dict.fromkeys((ANONYMOUS, AUTHENTICATED) if seers is None else sorted(seers), SEE)
        if AUTHENTICATED in table:
            table[AUTHENTICATED] |= READ_ROLES
        for role in seers or ():
            table[role] |= READ_ROLES
        extra, roles = self._moving(node)
        for role in roles:
            if seers is None or role in seers:
                table[role] = table.get(role, SEE | READ_ROLES) | extra
        return table

    def _moving(self, node: Any) -> tuple[int, Iterable[str]]:
        """Return what moves the tool at a node, and for which roles."""
        method = self._tree.methods.get(node)
        if method is not None:
            movers = self.movers(str(node.Identifier), method.roles)
            return (0, ()) if movers == NOBODY else (CALL, sorted(movers) or (AUTHENTICATED,))
        index = self._tree.tags.get(node)
        tag = None if index is None else self._tree.layout.declared.get(self._tree.layout.tags[index])
        if tag is None or tag.role is None:
            return 0, ()
        movers = self.movers(str(node.Identifier), frozenset({tag.role.value}))
        return (0, ()) if movers == NOBODY else (WRITE, sorted(movers))


def _longest_first(roles: Mapping[str, frozenset[str]]) -> dict[str, frozenset[str]]:
    return dict(sorted(roles.items(), key=lambda one: -len(one[0])))


def _below(path: str, prefix: str) -> bool:
    return path == prefix or path.startswith(f"{prefix}/")
