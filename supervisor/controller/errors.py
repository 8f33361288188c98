"""What the controller refuses or cannot do.

ControllerError
├── CompileError (ValueError)        a tool or recipe that cannot become tables
├── CommandRefused                   a command that may not be carried out now, with its OPC UA status
├── JournalUnavailableError (OSError)  the journal can not be written: nothing new may start
├── BindingError                     the tool's inputs and outputs can not be reached
├── TapeError (ValueError)           a file that is not a whole tape
└── FlightError (ValueError)         a file that is not a whole flight record
"""


class ControllerError(Exception):
    """Base of everything that this room raises on purpose; its text is for people."""


class CompileError(ControllerError, ValueError):
    """A tool or plan holds something that the scan's tables cannot express."""


class CommandRefused(ControllerError):  # noqa: N818 - a refusal is an answer, not a fault
    """A command may not be carried out now.

    ``status`` is the symbolic name of an OPC UA status code, the text says why and what would help.
    """

    def __init__(self, status: str, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason


class JournalUnavailableError(ControllerError, OSError):
    """The journal cannot be written at the moment; the text names the cause and the remedy."""


class BindingError(ControllerError):
    """The tool's instruments cannot be reached from this controller."""


class TapeError(ControllerError, ValueError):
    """The file is not a tape, or only a part of one."""


class FlightError(ControllerError, ValueError):
    """The file is not a flight record, or only a part of one, or lacks what was asked of it."""
