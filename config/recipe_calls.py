"""Recipes that call recipes: what is called is embedded where it is called, so that one document holds the whole run.

A document and a library come in; the document with every called recipe in its place goes out, each with the digest of
what was called. A call names a version: what somebody approved never changes because another recipe did. Missing
versions, recipes that call themselves, and documents that would grow beyond reason are refused with the JSON path.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol, cast

from config.faults import ConfigError, Fault, join
from config.text import Syntax, parse_text

DEEPEST = 8
"""Calls within calls."""
MOST = 200
"""Recipes in one document: what calls twice what calls twice … is large before anybody notices."""


@dataclass(frozen=True)
class Stored:
    """A recipe of a library."""

    name: str
    version: int
    text: str
    """Its document."""
    sha256: str


class Library(Protocol):
    """Where called recipes come from."""

    def find(self, recipe: str, version: int) -> Stored | None:
        """Find a version by the recipe's name or id."""
        ...

    def versions(self, recipe: str) -> tuple[int, ...]:
        """Versions that there are of it."""
        ...


def embed(data: Mapping[str, Any], library: Library | None, file: str) -> tuple[dict[str, Any], list[Fault]]:
    """Put every called recipe into its place.

    Without a library only what is embedded already can be called: a stored document is whole.

    Returns:
        The whole document, and a fault for every call that leads nowhere.
    """
    embedder = _Embedder(library, file)
    name, version = data.get("name"), data.get("version", 1)
    chain = ((name, version),) if isinstance(name, str) and isinstance(version, int) else ()
    return embedder.document(data, "", chain), embedder.faults


class _Embedder:
    """Goes through documents and counts what it has put in."""

    def __init__(self, library: Library | None, file: str) -> None:
        self._library = library
        self._file = file
        self._count = 0
        self.faults = list[Fault]()

    def document(self, data: Mapping[str, Any], path: str, chain: tuple[tuple[str, int], ...]) -> dict[str, Any]:
        """Embed into one document; `chain` is who calls whom, from the outermost on."""
        return cast("dict[str, Any]", self._walk(dict(data), path, chain))

    def _walk(self, data: Any, path: str, chain: tuple[tuple[str, int], ...]) -> Any:
        if isinstance(data, list):
            entries = cast("list[Any]", data)
            return [self._walk(entry, join(path, index), chain) for index, entry in enumerate(entries)]
        if not isinstance(data, dict):
            return data
        table = cast("dict[str, Any]", data)
        whole = {
            name: value if name in {"metadata", "call", "called"} else self._walk(value, join(path, name), chain)
            for name, value in table.items()
        }
        if isinstance(table.get("call"), dict):
            self._call(whole, join(path, "call"), chain)
        return whole

    def _fail(self, path: str, reason: str) -> None:
        self.faults.append(Fault(self._file, path, reason))

    def _call(self, step: dict[str, Any], path: str, chain: tuple[tuple[str, int], ...]) -> None:
        call = cast("dict[str, Any]", step["call"])
        named, version = call.get("recipe"), call.get("version")
        if not isinstance(named, str) or isinstance(version, bool) or not isinstance(version, int):
            return  # the model tells what is missing
        if self._library is None:
            if not isinstance(step.get("called"), dict):
                self._fail(path, f"there is no library in which {named!r}, version {version}, could be found")
            return
        found = self._library.find(named, version)
        if found is None:
            there = ", ".join(map(str, self._library.versions(named)))
            reason = f"it has {there}" if there else "there is no recipe of this name or id"
            self._fail(path, f"there is no version {version} of {named!r}: {reason}")
            return
        here = (found.name, found.version)
        if here in chain:
            way = " → ".join(f"{name} v{number}" for name, number in (*chain[chain.index(here) :], here))
            self._fail(path, f"{found.name!r} calls itself: {way}")
            return
        self._count += 1
        if len(chain) > DEEPEST or self._count > MOST:
            limit = f"{DEEPEST} deep" if len(chain) > DEEPEST else f"more than {MOST} in one recipe"
            if self._count <= MOST + 1:
                self._fail(path, f"calls are nested {limit}")
            return
        try:
            data = parse_text(found.text, Syntax.JSON_WITH_COMMENTS, self._file)
        except ConfigError as error:
            self.faults += [replace(fault, path=join(path, fault.path)) for fault in error.faults]
            return
        parameters = cast("dict[str, Any]", data.get("parameters") or {})
        step["call"] = {**call, "sha256": found.sha256, "units": _units(parameters)}
        step["called"] = self.document(data, path.removesuffix("call") + "called", (*chain, here))


def _units(parameters: Mapping[str, Any]) -> dict[str, str]:
    """Units of parameters, for the expressions that give them their values."""
    units = dict[str, str]()
    for name, parameter in parameters.items():
        if isinstance(parameter, dict):
            table = cast("dict[str, Any]", parameter)
            units[name] = "boolean" if table.get("type") == "boolean" else str(table.get("unit", "1"))
    return units
