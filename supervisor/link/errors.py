"""What can go wrong on the boundary.

LinkError
├── ImageMismatchError (ValueError)   the image belongs to another tool file or another version
├── MessageError (ValueError)         a message that cannot be read, or is too large to be sent
└── JournalError (ValueError)         records before the journal's tail are damaged
"""


class LinkError(Exception):
    """Base of everything that this package raises on purpose; its text is for people."""


class ImageMismatchError(LinkError, ValueError):
    """The inherited image was made for another tag list."""


class MessageError(LinkError, ValueError):
    """Bytes that are no message, or a message over the limit."""


class JournalError(LinkError, ValueError):
    """The journal is damaged where a torn write cannot be the cause; the text says which file and what to do."""
