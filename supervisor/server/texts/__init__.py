"""Words for people in their language: English as it is written in the code and in tool files, and what it is in others.

A catalogue is a TOML file beside this one, English text to its translation, placeholders the same. What a catalogue
does not know is told in English: a message in the wrong language is better than none.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parent
LANGUAGES = ("en", "de")


@dataclass(frozen=True)
class Texts:
    """A language."""

    language: str = "en"
    known: Mapping[str, str] = field(default_factory=dict[str, str])

    def __call__(self, english: str) -> str:
        """Translate a text or a template."""
        return self.known.get(english, english)

    @staticmethod
    def of(language: str) -> "Texts":
        """The texts of a language; English for one that there is not."""
        return Texts(language, catalogue(language)) if language != "en" else ENGLISH


ENGLISH = Texts()


@cache
def catalogue(language: str) -> dict[str, str]:
    """Read a catalogue: all its tables together."""
    path = FOLDER / f"{language}.toml"
    if language not in LANGUAGES or not path.exists():
        return {}
    tables: dict[str, dict[str, str]] = tomllib.loads(path.read_text(encoding="utf-8"))
    return {english: text for table in tables.values() for english, text in table.items()}
