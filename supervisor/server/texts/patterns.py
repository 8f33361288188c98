"""Sentences with names and numbers put in, translated by what stands around them.

Whoever asks for something chooses part of what a refusal says, so the search never goes back: it is linear in the
length of the sentence for each of its patterns.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

PLACE = "{}"
_NUMBERED = re.compile(r"\{(\d*)\}")


@dataclass(frozen=True)
class Pattern:
    """A sentence with places, and its translation."""

    parts: tuple[str, ...]
    """What stands between the places."""
    told: str

    def filled(self, english: str) -> list[str] | None:
        """Return what stands in the places; None when it is another sentence.

        Only a list behind a colon at the end may have several reasons; else a sentence would swallow its neighbours.
        """
        first, *middle, last = self.parts
        if not (english.startswith(first) and english.endswith(last)):
            return None
        values, begin, end = list[str](), len(first), len(english) - len(last)
        for part in middle:
            at = english.find(part, begin + 1, end)
            if at < 0:
                return None
            values.append(english[begin:at])
            begin = at + len(part)
        values.append(english[begin:end])
        lists = last == "" and self.parts[-2].endswith(": ")
        single = values[:-1] if lists else values
        return None if any(not one for one in values) or any("; " in one for one in single) else values


class Patterns:
    """The sentences of a language.

    Args:
        known: English with `{}` in each place, to what it is called, with `{}` or `{0}`, `{1}` for what stood there.
    """

    def __init__(self, known: Mapping[str, str]) -> None:
        self._whole = {english: told for english, told in known.items() if PLACE not in english}
        # The sentence with most of its own words first.
        self._made = sorted(
            (Pattern(tuple(english.split(PLACE)), told) for english, told in known.items() if PLACE in english),
            key=lambda one: -sum(map(len, one.parts)),
        )

    def told(self, english: str, inner: Callable[[str], str]) -> str | None:
        """Translate a sentence, and with `inner` what was put in; None when it is not known."""
        if (whole := self._whole.get(english)) is not None:
            return whole
        for pattern in self._made:
            if (values := pattern.filled(english)) is not None:
                put = [inner(one) for one in values]
                order = iter(range(len(put)))
                return _NUMBERED.sub(lambda place: put[int(place[1]) if place[1] else next(order)], pattern.told)  # noqa: B023 (used at once)
        return None
