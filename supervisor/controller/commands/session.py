"""The conversation with the server: its commands and questions, the replies, and the journal's tail.

A server may be slow, dead or another one at any time. What is owed to it lies in an outbox of its own that its
successor does not inherit; nothing of the controller ever waits for it. Replies are bounded by the commands that may
be under way; events are read from the journal at the pace at which the server takes them.
"""

import time
from collections import deque
from collections.abc import Awaitable, Callable

import anyio
import structlog
from anyio.abc import TaskGroup

from supervisor.controller.permissions import IMMEDIATE
from supervisor.controller.records.recorder import Recorder
from supervisor.link.channel import Attached, Channel
from supervisor.link.errors import MessageError
from supervisor.link.messages import Command, Query, Reply, Subscribe

log = structlog.get_logger()

UNDER_WAY = 64
"""Commands and questions that may be under way at once; what is immediate always passes."""


class _Outbox:
    """What is owed to one server."""

    def __init__(self) -> None:
        self.replies: deque[Reply] = deque()
        self.after: int | None = None
        self.reply = anyio.Event()
        self.subscribed = anyio.Event()
        self.subscription = anyio.CancelScope()
        self.sent = anyio.Event()
        self.over = anyio.CancelScope()

    def put(self, reply: Reply) -> None:
        self.replies.append(reply)
        self.reply.set()

    def subscribe(self, after: int) -> None:
        """A new subscription ends the one before, whatever that waits for."""
        self.after = after
        self.subscription.cancel()
        self.subscribed.set()


class Session:
    """Serves whichever server is attached.

    Args:
        channel: the controller's end.
        recorder: whose tail the events are.
        carry_out: carries out a command.
        answer: answers a question.
    """

    def __init__(
        self,
        channel: Channel,
        recorder: Recorder,
        carry_out: Callable[[Command], Awaitable[Reply]],
        answer: Callable[[Query], Awaitable[Reply]],
    ) -> None:
        self._channel = channel
        self._recorder = recorder
        self._carry_out = carry_out
        self._answer = answer
        self._outbox = _Outbox()
        self._under_way = 0
        self.heard_s = time.monotonic()
        """When a server last said something, on the monotonic clock."""

    async def run(self) -> None:
        """Serve for ever."""
        async with anyio.create_task_group() as group:
            while True:
                try:
                    message = await self._channel.receive()
                except MessageError as error:
                    log.warning("the server sent something that cannot be read", reason=str(error))
                    continue
                except anyio.EndOfStream:
                    log.warning("the channel was closed: no server can be served any more")
                    return
                self.heard_s = time.monotonic()
                if isinstance(message, Attached):
                    log.info("server attached")
                    self._outbox.over.cancel()
                    self._outbox = _Outbox()
                    group.start_soon(self._send, self._outbox)
                elif isinstance(message, Subscribe):
                    self._subscribe(message)
                elif isinstance(message, Command):
                    self._begin(group, message, immediate=message.kind in IMMEDIATE)
                elif isinstance(message, Query):
                    self._begin(group, message, immediate=False)

    async def delivered(self, seq: int, timeout_s: float) -> None:
        """Wait a moment for a server that listens to get the events up to this one."""
        with anyio.move_on_after(timeout_s):
            while self._outbox.after is not None and (self._outbox.after < seq or self._outbox.replies):
                await self._outbox.sent.wait()

    def _subscribe(self, message: Subscribe) -> None:
        if message.after > self._recorder.synced_seq:
            log.error(
                "the server has seen events that this journal does not hold: another journal, or one that was removed",
                server=message.after,
                journal=self._recorder.synced_seq,
            )
        self._outbox.subscribe(message.after)

    def _begin(self, group: TaskGroup, message: Command | Query, *, immediate: bool) -> None:
        if self._under_way >= UNDER_WAY and not immediate:
            reason = f"{UNDER_WAY} commands are under way; wait for their replies"
            self._outbox.put(Reply(id=message.id, status="BadTooManyOperations", reason=reason))
            return
        self._under_way += 1
        group.start_soon(self._serve, message, self._outbox)

    async def _serve(self, message: Command | Query, outbox: _Outbox) -> None:
        try:
            reply = await (self._carry_out(message) if isinstance(message, Command) else self._answer(message))
        except Exception:
            # One command that meets a mistake of ours must not take the controller down in a run.
            log.exception("a command met a mistake of the controller", kind=str(message.kind))
            reply = Reply(id=message.id, status="BadInternalError", reason="a mistake of the controller; see its log")
        finally:
            self._under_way -= 1
        outbox.put(reply)

    async def _send(self, outbox: _Outbox) -> None:
        """Send replies as they come and events in between."""
        with outbox.over:
            async with anyio.create_task_group() as group:
                group.start_soon(self._send_events, outbox)
                while True:
                    while outbox.replies:
                        await self._tell(outbox.replies.popleft())
                    outbox.reply = anyio.Event()
                    await outbox.reply.wait()

    async def _send_events(self, outbox: _Outbox) -> None:
        while True:
            await outbox.subscribed.wait()
            outbox.subscribed = anyio.Event()
            with anyio.CancelScope() as outbox.subscription:
                while True:
                    for event in await self._recorder.after(outbox.after or 0):
                        await self._channel.send(event)
                        outbox.after = event.seq
                        outbox.sent.set()
                        outbox.sent = anyio.Event()

    async def _tell(self, reply: Reply) -> None:
        try:
            await self._channel.send(reply)
        except MessageError as error:
            log.warning("a reply is too large", reason=str(error))
            await self._channel.send(
                Reply(id=reply.id, status="BadEncodingLimitsExceeded", reason="the answer is too large to be sent")
            )
