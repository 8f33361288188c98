"""The outbox: one small file a message, whole or not there, gone when it has arrived (blocking; in worker threads)."""

import json
import os
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from uuid import uuid4

MOST = 2000
"""Messages that wait; of more the oldest are put aside."""
ASIDE = "undelivered"
CURSOR = "cursor"


@dataclass(frozen=True)
class Message:
    """Something that somebody shall know."""

    target: str
    time_ns: int
    severity: int
    kind: str
    subject: str
    text: str
    tries: int = 0
    not_before_ns: int = 0
    """Tried no sooner than this, on the wall clock."""
    fault: str = ""
    """Why the last try failed."""
    id: str = field(default_factory=lambda: uuid4().hex)


class Outbox:
    """The folder.

    Args:
        folder: where it is; made when needed.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def put(self, message: Message) -> None:
        """Keep a message, or what became of one; raises OSError."""
        self.folder.mkdir(parents=True, exist_ok=True)
        _write(self._path(message), json.dumps(asdict(message), ensure_ascii=False))

    def waiting(self) -> list[Message]:
        """Every message, oldest first; a file that cannot be read is put aside."""
        found = list[Message]()
        for path in sorted(self.folder.glob("*.json")):
            try:
                found.append(Message(**json.loads(path.read_text(encoding="utf-8"))))
            except (ValueError, TypeError):
                self._aside(path)
        for old in found[:-MOST]:
            self.put_aside(old)
        return found[-MOST:]

    def remove(self, message: Message) -> None:
        """It has arrived."""
        self._path(message).unlink(missing_ok=True)

    def put_aside(self, message: Message) -> None:
        """Nobody could be told: keep it where a person finds it."""
        self._aside(self._path(message))

    def failed(self, message: Message, fault: str, not_before_ns: int) -> Message:
        """Keep what a try has come to."""
        again = replace(message, tries=message.tries + 1, fault=fault, not_before_ns=not_before_ns)
        self.put(again)
        return again

    def cursor(self) -> tuple[int, int] | None:
        """Journal and number of the last event that has been looked at; None: none ever was."""
        try:
            journal, seq = json.loads((self.folder / CURSOR).read_text(encoding="utf-8"))
            return int(journal), int(seq)
        except (OSError, ValueError, TypeError):
            return None

    def move_cursor(self, journal: int, seq: int) -> None:
        """Every message up to this event is in the outbox."""
        self.folder.mkdir(parents=True, exist_ok=True)
        _write(self.folder / CURSOR, json.dumps([journal, seq]))

    def _path(self, message: Message) -> Path:
        return self.folder / f"{message.time_ns:020d}-{message.id}.json"

    def _aside(self, path: Path) -> None:
        if path.exists():
            (self.folder / ASIDE).mkdir(parents=True, exist_ok=True)
            path.replace(self.folder / ASIDE / path.name)


def _write(path: Path, text: str) -> None:
    partial = path.with_name(f"{path.name}.partial")
    with partial.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)
