"""Talking to a rig's control port from a test: plain sockets, no event loop."""

import json
import socket
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

from hil.errors import RigError

HOST = "127.0.0.1"


class RigClient:
    """A connection to a control port.

    Args:
        port: of the rig.
        timeout_s: for one answer.
    """

    def __init__(self, port: int, timeout_s: float = 10.0) -> None:
        self._socket = socket.create_connection((HOST, port), timeout=timeout_s)
        self._lines = self._socket.makefile("rb")
        self._number = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Hang up; the rig goes on."""
        self._lines.close()
        self._socket.close()

    def ask(self, do: str, **words: Any) -> Any:
        """Say one line; its result.

        Raises:
            RigError: the rig says no, or is gone.
        """
        self._number += 1
        try:
            self._socket.sendall(json.dumps({"id": self._number, "do": do, **words}).encode() + b"\n")
            line = self._lines.readline()
        except OSError as error:
            raise RigError(f"the rig does not answer: {error}") from error
        if not line:
            raise RigError("the rig has ended")
        said = json.loads(line)
        if not said["ok"]:
            raise RigError(said["error"])
        return said["result"]

    def status(self) -> dict[str, Any]:
        """Wires, instruments, faults, what has happened."""
        return self.ask("status")

    def truth(self) -> dict[str, Any]:
        """What the plant's sensors say and its outputs are, and its state."""
        return self.ask("truth")

    def measure(self) -> dict[str, Any]:
        """What a measurement of the plant's wafers gives."""
        return self.ask("measure")

    def inject(self, instrument: str, fault: str, **words: Any) -> None:
        """Put a fault of the matrix in."""
        self.ask("inject", instrument=instrument, fault=fault, **words)

    def inject_plant(self, **fault: Any) -> None:
        """Let something of the plant fail."""
        self.ask("inject", plant=fault)

    def clear(self, instrument: str | None = None) -> None:
        """End the faults of an instrument, or of all."""
        self.ask("clear", **({} if instrument is None else {"instrument": instrument}))

    def writes(self, since: int = 0) -> list[dict[str, Any]]:
        """What was written over wires, with time stamps."""
        return self.ask("writes", since=since)

    def wait_for(self, holds: Callable[[dict[str, Any]], bool], within_s: float = 30.0) -> dict[str, Any]:
        """Ask for the truth until it is as wanted; raises RigError after the time."""
        deadline_s = time.monotonic() + within_s
        truth = self.truth()
        while not holds(truth):
            if time.monotonic() > deadline_s:
                raise RigError(f"what was waited for did not come within {within_s:g} s; outputs: {truth['outputs']}")
            time.sleep(0.01)
            truth = self.truth()
        return truth
