"""The replies that were given, so that a repeated command is answered and not carried out again."""

from collections import OrderedDict
from typing import Any
from uuid import UUID

import anyio

from supervisor.link.messages import Event, Reply

REMEMBERED = 4096
"""Commands whose replies are kept: at one a second, an hour of repeats in a few megabytes."""


class Replies:
    """Replies by command id, the newest."""

    def __init__(self) -> None:
        self._given: OrderedDict[UUID, Reply] = OrderedDict()
        self._under_way: dict[UUID, anyio.Event] = {}

    async def known(self, number: UUID) -> Reply | None:
        """Return the reply to a command that was seen before, waiting for it where it is still under way."""
        under_way = self._under_way.get(number)
        if under_way is not None:
            await under_way.wait()
        return self._given.get(number)

    def begin(self, number: UUID) -> None:
        """A new command is under way."""
        self._under_way[number] = anyio.Event()

    def give(self, reply: Reply) -> None:
        """Its outcome is known."""
        self._given[reply.id] = reply
        if len(self._given) > REMEMBERED:
            self._given.popitem(last=False)

    def end(self, number: UUID) -> None:
        """It is no longer under way, whether it has a reply or not."""
        under_way = self._under_way.pop(number, None)
        if under_way is not None:
            under_way.set()

    def recover(self, event: Event) -> None:
        """Take a reply from the journal."""
        data: dict[str, Any] = event.data
        try:
            number = UUID(str(data["id"]))
        except (KeyError, ValueError):
            return
        self.give(
            Reply(
                id=number,
                status=str(data.get("status", "Good")),
                reason=str(data.get("reason", "")),
                result=data.get("result") or {},
            )
        )
