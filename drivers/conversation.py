"""Talking over one link: a request, its answer or the reason why there is none, and silence after every mistake."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

import anyio
import anyio.lowlevel

from drivers.codecs.exchange import Codec, Fetch, Raw, Store
from drivers.errors import LinkError, NoAnswer
from drivers.transports.stream import DescriptorStream, Stream

BABBLE_S = 5.0
"""A link that is not quiet after so long is opened again."""


class Conversation(Protocol):
    """What a bus needs of its link."""

    @property
    def descriptor(self) -> int:
        """Of what is open, for somebody who talks on it alone for a while; raises LinkError where there is none."""
        ...

    async def open(self) -> None:
        """Open the link; raises LinkError."""
        ...

    async def close(self) -> None:
        """Close it; again does nothing."""
        ...

    async def fetch(self, codec: Codec, fetch: Fetch, answer_s: float) -> Sequence[Raw]:
        """Read points; raises DriverError."""
        ...

    async def store(self, codec: Codec, store: Store, answer_s: float) -> None:
        """Write a point; raises DriverError."""
        ...

    async def settle(self, quiet_s: float) -> None:
        """After a mistake: make sure that nothing late answers the next request; raises LinkError."""
        ...

    async def idle(self, wake: anyio.Event) -> None:
        """Wait for `wake`, and note what devices say by themselves meanwhile."""
        ...


class StreamConversation:
    """A conversation in bytes.

    Args:
        opener: opens the stream.
        gap_s: silence that the devices need between an answer and the next request.
    """

    def __init__(self, opener: Callable[[], Awaitable[Stream]], gap_s: float = 0.0) -> None:
        self._opener = opener
        self._gap_s = gap_s
        self._stream: Stream | None = None
        self._selected: Codec | None = None
        self._free_s = 0.0
        self.surplus = 0
        """Bytes that came unasked: duplicates and noise."""

    @property
    def descriptor(self) -> int:
        """Of the open stream, for somebody who talks on it alone for a while."""
        stream = self._open()
        if not isinstance(stream, DescriptorStream):
            raise LinkError("this link has no descriptor of its own")
        return stream.descriptor

    async def open(self) -> None:
        """Open the stream."""
        await self.close()
        self._stream = await self._opener()
        self._selected = None

    async def close(self) -> None:
        """Close the stream."""
        if self._stream is not None:
            stream, self._stream = self._stream, None
            await stream.aclose()

    async def fetch(self, codec: Codec, fetch: Fetch, answer_s: float) -> Sequence[Raw]:
        """Ask, wait for a whole answer, decode it."""
        await self._select(codec, answer_s)
        return codec.read(fetch, await self._exchange(codec, fetch, codec.ask(fetch), answer_s))

    async def store(self, codec: Codec, store: Store, answer_s: float) -> None:
        """Tell, and check the confirmation where there is one."""
        await self._select(codec, answer_s)
        frame = await self._exchange(codec, store, codec.tell(store), answer_s)
        if codec.answered(store):
            codec.wrote(store, frame)

    async def idle(self, wake: anyio.Event) -> None:
        """Wait; devices on a stream say nothing by themselves."""
        await wake.wait()

    async def settle(self, quiet_s: float) -> None:
        """Wait until nothing has come for `quiet_s`."""
        stream, self._selected = self._open(), None
        if not stream.can_settle:
            raise LinkError("after a fault this link is closed and opened again")
        with anyio.move_on_after(BABBLE_S + quiet_s):
            while True:
                with anyio.move_on_after(quiet_s) as quiet:
                    self.surplus += len(await stream.receive())
                if quiet.cancelled_caught:
                    return
        raise LinkError(f"the link has not been quiet for {quiet_s:g} s within {BABBLE_S:g} s")

    def _open(self) -> Stream:
        if self._stream is None:
            raise LinkError("the link is closed")
        return self._stream

    async def _select(self, codec: Codec, answer_s: float) -> None:
        if codec is self._selected:
            return
        first = codec.select()
        if first is not None:
            sent, fetch = first
            codec.read(fetch, await self._exchange(codec, fetch, sent, answer_s))
        self._selected = codec

    async def _exchange(self, codec: Codec, request: Fetch | Store, sent: bytes, answer_s: float) -> bytes:
        stream = self._open()
        if self._gap_s:
            await anyio.sleep(max(0.0, self._free_s + self._gap_s - anyio.current_time()))
        self.surplus += len(stream.pending())
        await stream.send(sent)
        if not codec.answered(request):
            self._free_s = anyio.current_time()
            return b""
        # A fast device has often answered within one turn of the loop: a watch and a timer would cost more than that.
        await anyio.lowlevel.checkpoint()
        buffer = stream.pending()
        length = codec.cut(buffer, request) if buffer else 0
        if not length:
            with anyio.move_on_after(answer_s):
                while not length:
                    buffer += await stream.receive()
                    length = codec.cut(buffer, request)
        if not length:
            came = f"; {len(buffer)} bytes came" if buffer else ""
            raise NoAnswer(f"no complete answer within {answer_s:g} s{came}")
        self.surplus += len(buffer) - length
        end = codec.close(request)
        if end:
            await stream.send(end)
        self._free_s = anyio.current_time()
        return buffer[:length]
