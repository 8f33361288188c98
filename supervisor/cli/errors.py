"""What the command line itself refuses."""


class UsageError(Exception):
    """The command cannot be carried out as it was asked; the text says why and what would do."""
