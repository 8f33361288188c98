"""The controller as the server sees it: commands with their replies, questions, and its events in order."""

from collections.abc import Callable, Coroutine
from typing import Any
from uuid import UUID, uuid4

import anyio
import structlog

from opcua_model.interface import Refused
from supervisor.link.channel import Attached, Channel
from supervisor.link.errors import MessageError
from supervisor.link.messages import Command, CommandKind, Event, EventKind, Principal, Query, Reply, Subscribe

log = structlog.get_logger()

REPLY_S = 10.0
"""A controller compiles a recipe in less; after this the asker is told that the outcome is not known yet."""
STATUS_S = 1.0
"""How often the server shows that it lives, and asks how the controller is."""
LOST_S = 3.0


class RefusedByController(Refused):
    """The controller itself refused a command; its journal has the record."""


class Controller:
    """The link to the controller.

    Args:
        channel: the server's end.
        attached: called when a controller has been met, with its status: the first or a successor.
    """

    def __init__(
        self,
        channel: Channel,
        attached: Callable[[], Coroutine[Any, Any, None]] | None = None,
    ) -> None:
        self._channel = channel
        self._resume: Callable[[], int] = int
        self._events: Callable[[Event], None] = _nobody
        self._attached = attached
        self._epoch = uuid4()
        self._pending: dict[UUID, tuple[anyio.Event, list[Reply]]] = {}
        self._orphans: set[UUID] = set()
        """Commands that were sent to a controller that has a successor now."""
        self._subscribe = anyio.Event()
        self._heard_s = float("-inf")
        self.status: dict[str, Any] = {}
        """The newest answer to the status question."""

    @property
    def lost(self) -> bool:
        """Whether the controller has not answered for longer than LOST_S."""
        return anyio.current_time() - self._heard_s > LOST_S

    def follow(self, resume: Callable[[], int], events: Callable[[Event], None]) -> None:
        """Say who takes the events, in order and without waiting, and where they go on: behind `resume()`."""
        self._resume, self._events = resume, events

    async def run(self) -> None:
        """Receive for ever."""
        async with anyio.create_task_group() as group:
            group.start_soon(self._subscribing)
            group.start_soon(self._ask_status)
            while True:
                try:
                    message = await self._channel.receive()
                except MessageError as error:
                    log.warning("the controller sent something that cannot be read", reason=str(error))
                    continue
                except anyio.EndOfStream:
                    log.warning("the channel was closed: the launcher has gone")
                    return
                if isinstance(message, Attached):
                    log.info("controller attached")
                    self._orphans = set(self._pending)
                    self.subscribe()
                    if self._attached is not None:
                        group.start_soon(self._attached)
                elif isinstance(message, Reply):
                    self._take_reply(message)
                elif isinstance(message, Event):
                    self._take_event(message)

    def subscribe(self) -> None:
        """Ask for the events behind the last projected one (again)."""
        self._subscribe.set()

    async def command(self, principal: Principal, kind: CommandKind, args: dict[str, Any]) -> Reply:
        """Send a command and wait for its outcome.

        Raises:
            Refused: the controller refused it, or is not there.
        """
        command = Command(id=uuid4(), principal=principal, kind=kind, args=args)
        reply = await self._exchange(
            command, f"{kind.value} was sent, its outcome is not known yet: see Runs and Audit"
        )
        if reply.status != "Good":
            raise RefusedByController(reply.status, reply.reason or f"the controller refused {kind.value}")
        return reply

    async def query(self, kind: Any, args: dict[str, Any] | None = None) -> dict[str, Any]:
        """Ask a question.

        Raises:
            Refused: there is no answer, or a bad one.
        """
        reply = await self._exchange(Query(id=uuid4(), kind=kind, args=args or {}), "the controller does not answer")
        if reply.status != "Good":
            raise Refused(reply.status, reply.reason)
        return reply.result

    async def _exchange(self, message: Command | Query, late: str) -> Reply:
        done, answer = anyio.Event(), list[Reply]()
        self._pending[message.id] = (done, answer)
        try:
            with anyio.move_on_after(REPLY_S) as bound:
                # Without a peer a command is not kept for one: what is asked now is meant for now.
                if not self._channel.attached:
                    raise Refused("BadNoCommunication", "the controller is not running")
                await self._channel.send(message)
                await done.wait()
            if bound.cancelled_caught:
                raise Refused("BadTimeout", late)
        except MessageError as error:
            raise Refused("BadEncodingLimitsExceeded", str(error)) from error
        finally:
            del self._pending[message.id]
        return answer[0]

    def _take_reply(self, reply: Reply) -> None:
        self._heard_s = anyio.current_time()
        pending = self._pending.get(reply.id)
        if pending and not pending[1]:
            pending[1].append(reply)
            pending[0].set()

    def _take_event(self, event: Event) -> None:
        self._heard_s = anyio.current_time()
        if event.kind is EventKind.COMMAND:
            self._settle(event)
        self._events(event)

    def _settle(self, event: Event) -> None:
        """A command whose reply a dying controller never sent reports its outcome by its record."""
        try:
            number = UUID(str(event.data.get("id")))
        except ValueError:
            return
        if number in self._orphans:
            status, reason = str(event.data.get("status", "Good")), str(event.data.get("reason", ""))
            self._take_reply(Reply(id=number, status=status, reason=reason))

    async def _subscribing(self) -> None:
        while True:
            await self._subscribe.wait()
            self._subscribe = anyio.Event()
            await self._channel.send(Subscribe(after=self._resume(), epoch=self._epoch))

    async def _ask_status(self) -> None:
        while True:
            if self._channel.attached:
                try:
                    with anyio.move_on_after(STATUS_S):
                        self.status = await self.query("status")
                except Refused as refusal:
                    log.warning("no status from the controller", reason=refusal.reason)
            await anyio.sleep(STATUS_S)


def _nobody(_event: Event) -> None:
    """Take events while nobody follows them."""
