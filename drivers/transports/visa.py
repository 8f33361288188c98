"""VISA sessions (GPIB, USBTMC, serial and socket resources) without blocking the loop.

A session of pyvisa-py mixes answers up when threads use it at once, does not hear of a cancellation before its own
timeout, spins when the other side closes, and hangs in `clear` after that (measured with pyvisa 1.16.2 and pyvisa-py
0.8.1). So one thread at a time has it, it reads in short slices, and after any fault it is closed and opened again.
"""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import anyio

from config.profile import Profile
from config.wire import SerialSettings
from drivers.errors import LinkError
from drivers.link import Link

if TYPE_CHECKING:
    from pyvisa.resources import MessageBasedResource

SLICE_MS = 50
"""Longest blocking read; a cancelled receive ends within it."""
LOOK_S = 0.002
"""Between two looks at a serial resource's buffer."""
_PARITY = {"none": "none", "even": "even", "odd": "odd"}
T = TypeVar("T")


class VisaStream:
    """An open session; use `open_visa`."""

    can_settle = False

    def __init__(self, session: "MessageBasedResource") -> None:
        self._session = session
        self._alone = anyio.CapacityLimiter(1)
        self._serial = hasattr(session, "bytes_in_buffer")
        self._closed = False

    async def send(self, data: bytes) -> None:
        """Send all bytes."""
        await self._do(lambda: self._session.write_raw(data))

    async def receive(self) -> bytes:
        """Wait for bytes, or for a whole message where the interface has messages."""
        while True:
            data = await self._do(self._slice)
            if data:
                return data

    def pending(self) -> bytes:
        """Nothing can be seen without waiting."""
        return b""

    async def aclose(self) -> None:
        """Close the session."""
        if not self._closed:
            self._closed = True
            with anyio.CancelScope(shield=True), anyio.move_on_after(1):
                await anyio.to_thread.run_sync(self._session.close, abandon_on_cancel=True)

    def _slice(self) -> bytes:
        from pyvisa import VisaIOError
        from pyvisa.constants import StatusCode

        if self._serial:
            session: Any = self._session
            end_s = time.monotonic() + SLICE_MS / 1000
            while not (waiting := session.bytes_in_buffer) and time.monotonic() < end_s:
                time.sleep(LOOK_S)
            return session.read_bytes(waiting) if waiting else b""
        try:
            return self._session.read_raw()
        except VisaIOError as error:
            if error.error_code == StatusCode.error_timeout:
                return b""
            raise

    async def _do(self, call: Callable[[], T]) -> T:
        """Run a short call in a thread, never two at once."""
        if self._closed:
            raise LinkError("the VISA session is closed")
        try:
            return await anyio.to_thread.run_sync(call, limiter=self._alone)
        except Exception as error:
            raise LinkError(f"VISA: {error}") from error


async def open_visa(link: Link, settings: SerialSettings, profile: Profile) -> VisaStream:
    """Open a resource (`visa://GPIB0::5::INSTR`, `visa://ASRL/dev/ttyS0::INSTR`).

    Raises:
        LinkError: it does not exist, or does not answer.
    """
    end = profile.line.answer_end if profile.line is not None else ""
    return VisaStream(await anyio.to_thread.run_sync(_open, link, settings, end))


def _open(link: Link, settings: SerialSettings, end: str) -> "MessageBasedResource":
    import pyvisa
    from pyvisa.constants import Parity, StopBits

    try:
        session: Any = pyvisa.ResourceManager(link.options.get("library", "@py")).open_resource(link.path)
        session.timeout = SLICE_MS
        session.write_termination = None
        session.read_termination = end[-1:] or None
        if hasattr(session, "bytes_in_buffer"):
            session.baud_rate, session.data_bits = settings.baud, settings.data_bits
            session.parity = Parity[_PARITY[settings.parity]]
            session.stop_bits = StopBits.one if settings.stop_bits == 1 else StopBits.two
    except Exception as error:
        raise LinkError(f"the VISA resource {link.path} cannot be opened: {error}") from error
    return session
