"""Serial ports without blocking the loop: pyserial opens and configures them, the loop waits for their bytes."""

import os
import termios
from pathlib import Path
from typing import TYPE_CHECKING

import anyio

from config.wire import SerialSettings
from drivers.errors import LinkError
from drivers.transports.stream import DescriptorStream

if TYPE_CHECKING:
    import serial

_PARITY = {"none": "N", "even": "E", "odd": "O"}


class SerialStream(DescriptorStream):
    """An open serial port; use `open_serial`."""

    def __init__(self, port: "serial.Serial") -> None:
        super().__init__(port.fileno())
        self._port = port

    async def aclose(self) -> None:
        """Close; pending bytes are dropped."""
        if self._port.is_open:
            anyio.notify_closing(self._fd)
            with anyio.CancelScope(shield=True):
                await anyio.to_thread.run_sync(self._port.close)


async def open_serial(path: str, settings: SerialSettings) -> SerialStream:
    """Open a port for this process alone.

    Raises:
        LinkError: it does not exist, is in use or cannot be set so.
    """
    return SerialStream(await anyio.to_thread.run_sync(_open, path, settings))


def _open(path: str, settings: SerialSettings) -> "serial.Serial":
    import serial

    # A pseudo-terminal has no parity and no seven bits: its other end is a program that sees bytes.
    wire = not str(Path(path).resolve()).startswith("/dev/pts/")
    try:
        port = serial.Serial(
            path,
            baudrate=settings.baud,
            bytesize=settings.data_bits if wire else 8,
            parity=_PARITY[settings.parity] if wire else "N",
            stopbits=settings.stop_bits,
            timeout=0,
            write_timeout=0,
            exclusive=True,
        )
        os.set_blocking(port.fileno(), False)
        # pyserial asks for VMIN 0, with which "nothing there" and "hung up" look alike.
        attributes = termios.tcgetattr(port.fileno())
        attributes[6][termios.VMIN] = 1
        termios.tcsetattr(port.fileno(), termios.TCSANOW, attributes)
        port.reset_input_buffer()
    except (serial.SerialException, termios.error, OSError, ValueError) as error:
        raise LinkError(f"the serial port {path} cannot be opened: {error}") from error
    return port
