"""What can go wrong in the server.

ServerError
├── StoreError                      the database cannot do what was asked; the text says what to do
│   ├── StoreLockedError            another process holds it; says which
│   ├── StoreFullError (OSError)    the disk is full
│   └── MigrationError              the database belongs to another version of this software
├── UsersError (ValueError)         the users file is damaged, or a change to it is impossible
└── ExportError (LookupError)       a run that is not there
"""


class ServerError(Exception):
    """Base of everything that this package raises on purpose; its text is for people."""


class StoreError(ServerError):
    """The database cannot do what was asked."""


class StoreLockedError(StoreError):
    """Another process holds the database."""


class StoreFullError(StoreError, OSError):
    """The disk is full; nothing acknowledged is lost, and work goes on when there is space."""


class MigrationError(StoreError):
    """The database was made by another version of this software, or a migration was changed."""


class UsersError(ServerError, ValueError):
    """The users file is damaged, or a change to it is impossible."""


class ExportError(ServerError, LookupError):
    """There is no such run, or nothing of it can be read at the moment."""


class PackageError(ServerError):
    """A recipe package or a signer's key cannot be used."""
