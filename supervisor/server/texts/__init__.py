"""Words for people in their language: English as it is written in the code and in tool files, and what it is in others.

A catalogue is a TOML file beside this one, English text to its translation, placeholders the same. Texts of tool files
that differ by numbers, gases or sources only have one entry in its table `templates`; reasons of refusals, with `{}`
for what was put in, stand in the table `refusals` of a second file. What a catalogue does not know is told in English:
a message in the wrong language is better than none.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache, lru_cache
from pathlib import Path

from supervisor.server.texts.patterns import Patterns

FOLDER = Path(__file__).parent
LANGUAGES = ("en", "de")
APART = ("gases", "sources", "templates", "refusals")
"""Tables of a catalogue that are no texts by themselves."""
_FORMULA = (
    r"(?<=change_bottle_)[a-z0-9]+|^[a-z][a-z0-9_]*(?= is not armed)|(?<=See devices\.)[a-z][a-z0-9_]*|"
    r"(?<![A-Za-z0-9_])(?:TMAl|TMGa|TMIn|TDMAT|HCl|Ar|(?:[A-Z][a-z]?\d*)*[A-Z][a-z]?\d+(?:[A-Z][a-z]?\d*)*)"
    r"(?![A-Za-z0-9_])"
)
"""Formulas of gases, and names of devices."""
_NUMBER = r"(?<![A-Za-z_0-9])\d+(?:\.\d+)?(?:e-?\d+)?"
LONGEST_RUN = 7
"""Parts and separators that one text has at most: it may be two sentences, or have a colon."""
_SEPARATORS = re.compile(r"(; |: | ← |\. (?=[A-Z])| \[[^\]]*\])")
_VALUES = re.compile(r" \[[^\]]*\]")
_PLACES = re.compile(r" \[#(\d+)\]")


@dataclass(frozen=True)
class Texts:
    """A language."""

    language: str = "en"
    known: Mapping[str, str] = field(default_factory=dict[str, str])

    def __call__(self, english: str) -> str:
        """Translate a text or a template."""
        found = self.known.get(english)
        if found is not None or self.language == "en":
            return english if found is None else found
        return _general(self.language, english) or english

    def sentence(self, english: str) -> str:
        """Translate what is made of several texts: a refusal, reasons one behind the other, values in brackets."""
        if self.language == "en":
            return english
        values = _VALUES.findall(english)
        places = (f" [#{number}]" for number in range(len(values)))
        told = _sentence(self.language, _VALUES.sub(lambda _: next(places), english))
        return _PLACES.sub(lambda place: values[int(place[1])], told)

    def one(self, english: str) -> str | None:
        """Translate what is one text, or one refusal with what was put in."""
        told = self(english)
        return told if told != english else patterns(self.language).told(english, self.sentence)

    @staticmethod
    def of(language: str) -> "Texts":
        """The texts of a language; English for one that there is not."""
        return Texts(language, catalogue(language)) if language != "en" else ENGLISH


ENGLISH = Texts()


@lru_cache(4096)
def _sentence(language: str, english: str) -> str:
    """Translate a sentence with places for its values: reasons are asked for twice a second, and only values change.

    A text may have a colon or a semicolon of its own: the longest run of parts that is one wins.
    """
    texts, parts, told, begin = Texts.of(language), _SEPARATORS.split(english), list[str](), 0
    whole = texts.one(english)
    while whole is None and begin < len(parts):
        for end in range(min(begin + LONGEST_RUN, len(parts)), begin, -1):
            run = "".join(parts[begin:end])
            found = texts.one(run) if run != english else None
            if found is not None or end == begin + 1:
                told.append(run if found is None else found)
                begin = end
                break
    return "".join(told) if whole is None else whole


@cache
def _tables(language: str) -> dict[str, dict[str, str]]:
    files = [FOLDER / f"{language}.toml", FOLDER / f"{language}_refusals.toml"] if language in LANGUAGES[1:] else []
    return {name: table for one in files for name, table in tomllib.loads(one.read_text(encoding="utf-8")).items()}


@cache
def catalogue(language: str) -> dict[str, str]:
    """Read the texts of a catalogue: all its tables together, but those of names and templates."""
    return {
        english: text
        for name, table in _tables(language).items()
        if name not in APART
        for english, text in table.items()
    }


@cache
def templates(language: str) -> dict[str, str]:
    """Read the templates of a catalogue."""
    return _tables(language).get("templates", {})


@cache
def patterns(language: str) -> Patterns:
    """Read the reasons of refusals of a catalogue."""
    return Patterns(_tables(language).get("refusals", {}))


@cache
def _pattern(language: str) -> re.Pattern[str]:
    tables = _tables(language)
    gases = "|".join(sorted(map(re.escape, tables.get("gases", {"": ""})), key=len, reverse=True))
    sources = "|".join(sorted(map(re.escape, tables.get("sources", {"": ""})), key=len, reverse=True))
    return re.compile(
        rf"(?P<s>^(?:{sources})(?= (?:reports|on while|is wanted|needs)))|"
        rf"(?P<g>(?<![A-Za-z(])(?i:{gases})(?![A-Za-z-]))|(?P<f>{_FORMULA})|(?P<n>{_NUMBER})"
    )


def generalise(language: str, english: str) -> tuple[str, dict[str, list[str]]]:
    """Return a text with placeholders for what varies, and what stood there, by placeholder in order."""
    found: dict[str, list[str]] = {"{s}": [], "{g}": [], "~": [], "#": []}
    places = {"s": "{s}", "g": "{g}", "f": "~", "n": "#"}

    def replaced(match: re.Match[str]) -> str:
        place = places[str(match.lastgroup)]
        found[place].append(match[0])
        return place

    return _pattern(language).sub(replaced, english), found


@lru_cache(maxsize=4096)
def _general(language: str, english: str) -> str | None:
    """Translate by a template; None when there is none."""
    template, found = generalise(language, english)
    german = templates(language).get(template)
    if german is None:
        return None
    tables = _tables(language)
    gases = {name.lower(): text for name, text in tables["gases"].items()}
    given: dict[str, Iterator[str]] = {
        "{s}": (tables["sources"][word] for word in found["{s}"]),
        "{g}": (gases[word.lower()] for word in found["{g}"]),
        "~": iter(found["~"]),
        "#": iter(found["#"]),
    }
    return re.sub(r"\{s\}|\{g\}|~|#", lambda match: next(given[match[0]]), german)
