"""asyncua's internal server with our sessions, subscriptions and login rules."""

from typing import Any

from opcua_model.auditing import Auditor
from opcua_model.browse import Browser
from opcua_model.desk import Desk
from opcua_model.entries import Entries
from opcua_model.publishing.reading import Reads
from opcua_model.publishing.subscriptions import Subscriptions
from opcua_model.session import Session
from opcua_model.settings import Settings
from opcua_model.stack import InternalServer, fault
from opcua_model.trust import Trust


class ToolServer(InternalServer):
    """One tool's server."""

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        self.settings = settings
        self.plain_loopback = settings.plain_loopback
        self.trust = Trust(settings.folder, settings.clients)
        self.policies: list[Any] = []
        """Security policies with this server's certificate; connections take those of the moment they come in."""
        self.disabled_clock = True  # its loop holds a stop up for a second; the server's own round sets the time
        self.max_pending_messages_per_connection = settings.limits.pending_messages
        self.subscription_service = Subscriptions(self.aspace, self, settings.limits, settings.refresh_s * 1000.0)
        self.isession.subscription_service = self.subscription_service
        self._desk: Desk | None = None
        self.auditor: Any = None
        """Tells of what concerns security; made before the first client comes."""
        self.reads: Reads | None = None
        """Takes read requests apart; there when the tree is."""
        self.entries: Entries | None = None
        """Fills pages that somebody browses; there when the tree is."""
        self._browser = Browser(self.aspace, settings.limits.references_per_node, settings.limits.references_per_browse)

    def equip(self, desk: Desk, uri: str) -> None:
        """Hand over what sessions work with, before the first client comes."""
        subscriptions = self.subscription_service.subscriptions
        self.auditor = Auditor(desk.backend, subscriptions.values, uri)
        self._desk = desk
        self.subscription_service.tree = desk.tree
        self.reads = Reads(desk.tree, self.settings.limits.nodes_per_read)

    def open_session(self, peer: str, certificate: bytes | None) -> Session:
        """Make the session of a new client.

        Raises:
            ServiceError: there are too many.
        """
        if self._desk is None:
            raise fault("BadServerNotConnected")
        if len(self._external_sessions) >= self.settings.limits.sessions and not self._make_place():
            raise fault("BadTooManySessions")
        return Session(self, self._desk, self._browser, peer, certificate)

    def _make_place(self) -> bool:
        """Give up the session that has waited longest for somebody to log in; False when there is none."""
        waiting = [one for one in self.sessions if not one.is_activated()]
        oldest = max(waiting, key=lambda one: one.idle_s(), default=None)
        if oldest is None:
            return False
        self.unregister_external_session(oldest)
        for connection in list(self.listener.clients):
            if connection.processor.session is oldest:
                connection.drop("made room for another session")
        return True

    def subscriptions_of(self, user: str) -> list[Any]:
        """Subscriptions of one person's sessions, or of all without a user."""
        held = {one.session_id for one in self.sessions if one.caller.user == user}
        return [one for one in self.subscription_service.subscriptions.values() if one.session_id in held]

    async def require_place(self, user: str) -> None:
        """Let a person in once more, or anybody without a name.

        Sessions wait for clients whose connection broke; when all places are taken, the one that has waited longest
        of the same person's is given up.

        Raises:
            ServiceError: that would be too many of the same.
        """
        limits = self.settings.limits
        there = [one for one in self.sessions if one.is_activated() and one.caller.user == user]
        if len(there) < (limits.sessions_per_user if user else limits.sessions_anonymous):
            return
        held = {one.session for one in self.processors}
        left = max((one for one in there if one not in held), key=lambda one: one.idle_s(), default=None)
        if left is None:
            raise fault("BadTooManySessions")
        await left.close_session()

    @property
    def sessions(self) -> list[Any]:
        """Sessions of clients, those that are not activated yet included."""
        return list(self._external_sessions.values())

    def user_of(self, session_id: Any) -> str:
        """User of a session by its id, empty when it is anonymous or gone."""
        return next((one.caller.user for one in self.sessions if one.session_id == session_id), "")

    def rebind(self, session: Any, processor: Any) -> None:
        """Move a session to the channel on which it was activated again; the old channel loses it."""
        for transport in list(self.processors):
            if transport is not processor and transport.session is session:
                transport.leave()
        processor.session = session
        for subscription in self.subscription_service.owned(session.session_id):
            subscription.pub_result_callback = processor.forward_publish_response
            subscription.pub_request_callback = processor.get_publish_request

    @property
    def processors(self) -> list[Any]:
        """Processors of all connections."""
        return [] if self.listener is None else [one.processor for one in self.listener.clients]

    listener: Any = None
    """Set when the socket is open."""
