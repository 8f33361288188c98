"""Why the daemon does not start, or had to end.

LauncherError
├── DataFolderError (OSError)   the data folder cannot be used: read-only, full, in use by another daemon
├── EndpointError (OSError)     the endpoint's address cannot be had
└── HalfFailedError             a half cannot run, however often it is started
"""


class LauncherError(Exception):
    """Base of everything that the launcher raises on purpose; its text is for people."""


class DataFolderError(LauncherError, OSError):
    """The data folder cannot be used; the text says why and by whom."""


class EndpointError(LauncherError, OSError):
    """The endpoint's port cannot be had; the text says who has it where that can be seen."""


class HalfFailedError(LauncherError):
    """Controller or server ended in a way that a restart does not mend."""
