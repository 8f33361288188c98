"""Faults of a file: all of them, each with where it is and what is wrong."""

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from itertools import islice

_COMPARED = 200  # names; each takes about 10 µs


@dataclass(frozen=True, order=True, slots=True)
class Fault:
    """One thing that is wrong in a file."""

    file: str
    path: str
    """Of the field, as people write it: `modules[2].tags[0].low`; empty for the file as a whole."""
    reason: str

    def __str__(self) -> str:
        return ": ".join(part for part in (self.file, self.path, self.reason) if part)


class ConfigError(ValueError):
    """A file cannot be used; `faults` holds every reason, in the order of the file."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(faults)
        if not self.faults:
            raise ValueError("a ConfigError needs at least one fault")
        super().__init__("\n".join(str(fault) for fault in self.faults))


def join(path: str, *parts: str | int) -> str:
    """Extend a field path: `join("steps", 2, "set", "a.b")` is `steps[2].set["a.b"]`."""
    for part in parts:
        if isinstance(part, int):
            path += f"[{part}]"
        elif part.replace("_", "a").replace("-", "a").isalnum():
            path += f".{part}" if path else part
        else:
            shown = part if len(part) <= 80 else f"{part[:79]}…"
            path += f'["{shown}"]'
    return path


def suggestion(wrong: str, known: Iterable[str]) -> str:
    """Return `; did you mean 'x'?`, or nothing when nothing known resembles it.

    In a tool of 10 000 tags a renamed module makes thousands of unknown names, and comparing texts is slow: only names
    of about the same length that begin or end alike are compared.
    """
    wrong = wrong[:100]
    names = list(known)
    if len(names) > _COMPARED:
        begin, end = wrong[:3], wrong[-3:]
        near = (name for name in names if abs(len(name) - len(wrong)) <= 3)
        names = list(islice((name for name in near if name.startswith(begin) or name.endswith(end)), _COMPARED))
    close = get_close_matches(wrong, names, n=1, cutoff=0.6)
    return f"; did you mean '{close[0]}'?" if close else ""
