"""What the lock file pins, as data: for the bill of materials and the audit of dependencies."""

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOCK = ROOT / "requirements" / "lock.txt"
_PIN = re.compile(r"(?P<name>[A-Za-z0-9._-]+)==(?P<version>[^ \\;]+)\s*(?:;\s*(?P<marker>[^\\]*))?")


@dataclass(frozen=True)
class Pin:
    """One package of the lock file."""

    name: str
    version: str
    marker: str
    """When it is installed; empty: always."""
    hashes: tuple[str, ...]
    """SHA-256 of the files that pip accepts."""


def read_lock(text: str) -> list[Pin]:
    """Read a lock file; raises ValueError for a line that is neither a pin nor a hash."""
    pins: list[tuple[re.Match[str], list[str]]] = []
    for number, raw in enumerate(text.splitlines(), 1):
        line = raw.strip().rstrip("\\").strip()
        if not line or line.startswith("#"):
            continue
        if line.startswith("--hash=sha256:"):
            pins[-1][1].append(line.removeprefix("--hash=sha256:"))
        elif match := _PIN.fullmatch(line):
            pins.append((match, []))
        else:
            raise ValueError(f"line {number}: {line!r} is neither a pinned package nor its hash")
    return [Pin(m["name"], m["version"], (m["marker"] or "").strip(), tuple(hashes)) for m, hashes in pins]
