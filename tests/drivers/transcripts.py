"""Reading the golden transcripts, for both sides of a wire."""

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FILE = Path(__file__).with_name("transcripts.toml")


@dataclass(frozen=True)
class Transcript:
    """One printed exchange."""

    source: str
    profile: str
    link: str
    sent: bytes
    answer: bytes
    address: int | None = None
    read: tuple[str, ...] = ()
    write: str = ""
    value: float = 0.0
    values: tuple[float | str, ...] = ()
    refusal: str | None = None


def transcripts() -> list[Transcript]:
    """All of them, in the order of the file."""
    rows: list[dict[str, Any]] = tomllib.loads(FILE.read_text(encoding="utf-8"))["transcript"]
    return [
        Transcript(
            **{
                **row,
                "sent": _bytes(row["sent"]),
                "answer": _bytes(row["answer"]),
                "read": tuple(row.get("read", ())),
                "values": tuple(row.get("values", ())),
            }
        )
        for row in rows
    ]


def _bytes(text: str) -> bytes:
    return bytes.fromhex(text[4:]) if text.startswith("hex:") else text.encode("latin-1")
