"""What a terminal shows, as lines of text, from the picture that Textual exports."""

import html
import re
from collections.abc import Callable
from typing import Any

from textual.app import App
from textual.pilot import Pilot

SEGMENT = re.compile(r'<text[^>]* x="([\d.]+)" y="([\d.]+)"[^>]*textLength="([\d.]+)"[^>]*>(.*?)</text>')
NUMBER = re.compile(r"[-+]?\d+(\.\d+)?(e[-+]?\d+)?")


def shown(app: App[None]) -> list[str]:
    """Return the lines of the screen, empty ones and trailing blanks left out."""
    rows: dict[float, list[str]] = {}
    for x, y, length, text in SEGMENT.findall(app.export_screenshot()):
        plain = html.unescape(text).replace("\xa0", " ")
        cell = float(length) / max(len(plain), 1)
        line = rows.setdefault(float(y), [])
        at = round(float(x) / cell) if cell else 0
        line += [" "] * (at - len(line))
        line[at : at + len(plain)] = list(plain)
    lines = ("".join(line).rstrip() for _, line in sorted(rows.items()))
    return [line for line in lines if line.strip()]


def masked(lines: list[str]) -> list[str]:
    """Put a mark for every number and one blank for several: what stays is what the screen says in words."""
    return [" ".join(NUMBER.sub("#", line).split()) for line in lines]


async def appears(pilot: Pilot[Any], words: str, *, within_s: float = 60.0) -> list[str]:
    """Wait until a line of the screen holds the words; return the screen."""
    return await comes(pilot, lambda lines: any(words in line for line in lines), f"{words!r}", within_s=within_s)


async def comes(
    pilot: Pilot[Any], holds: Callable[[list[str]], bool], what: str, *, within_s: float = 60.0
) -> list[str]:
    """Wait until the screen fits; fail with the screen."""
    for _ in range(int(within_s / 0.25)):
        lines = shown(pilot.app)
        if holds(lines):
            return lines
        await pilot.pause(0.25)
    raise AssertionError(f"{what} does not appear:\n" + "\n".join(shown(pilot.app)))
