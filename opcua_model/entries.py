"""Objects that come and go: recipe versions, runs, results, process modes, SPC series.

A folder shows its newest entries. All of them stand in its pages of a hundred, which are filled when somebody browses
them: ten thousand runs cost neither memory nor a long answer.
"""

from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final

from opcua_model.data_types import CODES, RECORD, RECORDS, SAME, add_record, coded, record
from opcua_model.interface import WINDOW, Entry
from opcua_model.live import Live, tell
from opcua_model.model_changes import ADDED, DELETED, ModelChanges
from opcua_model.space import ARRAY, Space, number_id, stamped, type_name, variant_type
from opcua_model.stack import Attr, Ids, ua
from opcua_model.tree import FOLDERS
from opcua_model.types import OBJECT_TYPES
from opcua_model.variables import CODE

_TYPES: Final = {
    "Recipes": "RecipeType",
    "Runs": "RunType",
    "Results": "ResultType",
    "ProcessModes": "ProcessModeType",
    "Spc": "SpcSeriesType",
}
assert set(_TYPES) == set(FOLDERS)  # noqa: S101 - two tables of one fact, checked when the module is loaded
assert set(_TYPES.values()) <= set(OBJECT_TYPES)  # noqa: S101 - as above

PAGE: Final = 100
"""Entries of a page, and pages of a folder: the newest 10,000 entries can be browsed, the methods list all."""
OPEN_PAGES: Final = 3
"""Pages that are filled at a time; the one that was browsed longest ago is emptied for another."""
PAGES: Final = "Pages"

Fetch = Callable[[str, int, int], Awaitable[tuple[int, Sequence[Entry]]]]
"""Gives, of a folder, how many entries there are, and those from a number on, oldest first."""


class Entries:
    """Shows and hides them.

    Args:
        space: of the tool; the folders are there.
        changes: tells of what came and went.
        fetch: gives the entries of a page.
    """

    def __init__(self, space: Space, changes: ModelChanges, fetch: Fetch) -> None:
        self._space = space
        self._changes = changes
        self._fetch = fetch
        self._shown: dict[str, dict[str, Live]] = {}
        self._window: dict[str, OrderedDict[str, None]] = {folder: OrderedDict() for folder in FOLDERS}
        self._pages: dict[Any, tuple[str, int]] = {}
        """Folder and number of each page's node; number -1 stands for the folder of pages."""
        self._open: OrderedDict[Any, list[str]] = OrderedDict()
        """Paths of the entries of each page that is filled."""
        for folder in FOLDERS:
            node = space.tool_id(folder)
            changes.watch(node, folder)
            self._folder(f"{folder}/{PAGES}", node, PAGES, f"All entries of {folder}, a hundred a page, oldest first.")
            self._pages[space.tool_id(f"{folder}/{PAGES}")] = (folder, -1)

    def _folder(self, path: str, parent: Any, name: str, description: str) -> None:
        self._space.add_object(
            self._space.tool_id(path), name, parent, description=description, kind=number_id(Ids.FolderType),
            reference=Ids.Organizes,
        )  # fmt: skip

    async def show(self, entry: Entry) -> None:
        """Create or refresh an entry.

        Raises:
            ValueError: there is no such folder, or something else has this name in it.
        """
        path, folder = self._path(entry.folder, entry.name), self._space.tool_id(entry.folder)
        window = self._window[entry.folder]
        if path in window:
            await self._fill(path, entry)
            return
        changes = self._close(entry.folder, stale=path)
        if path not in self._shown:
            self._create(path, entry, folder)
        await self._fill(path, entry)
        window[path] = None
        kind = self._space.type_id(_TYPES[entry.folder])
        changes.append((self._space.tool_id(path), kind, ADDED))
        while len(window) > WINDOW:
            oldest, _ = window.popitem(last=False)
            changes += self._drop(oldest, kind)
        await self._changes.told(folder, self._space.type_id(FOLDERS[entry.folder][0]), changes)

    async def hide(self, folder: str, name: str) -> None:
        """Remove an entry; one that is not shown is no fault."""
        path = self._path(folder, name)
        if path not in self._shown:
            return
        self._window[folder].pop(path, None)
        changes = self._close(folder, stale=path)
        changes += self._drop(path, self._space.type_id(_TYPES[folder]))
        if changes:
            await self._changes.told(self._space.tool_id(folder), self._space.type_id(FOLDERS[folder][0]), changes)

    # ------------------------------------------------------------------------------------------------- pages

    async def open(self, node: Any) -> None:
        """Somebody is about to browse a node: where it is a page, fill it."""
        found = self._pages.get(node)
        if found is None:
            return
        folder, number = found
        if number < 0:
            total, _ = await self._fetch(folder, 0, 0)
            self._list(folder, total)
        elif node in self._open:
            self._open.move_to_end(node)
        else:
            _, entries = await self._fetch(folder, number * PAGE, PAGE)
            if node in self._space and node not in self._open:  # another session may have been faster
                await self._fill_page(node, entries)

    def _list(self, folder: str, total: int) -> None:
        """Have a node for each page; of more than a hundred the newest."""
        count = -(-total // PAGE)
        wanted = range(max(0, count - PAGE), count)
        for page in [page for page, (owner, number) in self._pages.items()
                     if owner == folder and number >= 0 and number not in wanted]:  # fmt: skip
            self._empty(page)
            self._space.remove(page)
            del self._pages[page]
        for number in wanted:
            name = f"{number * PAGE + 1:06d}"
            path = f"{folder}/{PAGES}/{name}"
            node = self._space.tool_id(path)
            if node not in self._space:
                text = f"Entries {number * PAGE + 1} to {(number + 1) * PAGE} of {folder}, oldest first."
                self._folder(path, self._space.tool_id(f"{folder}/{PAGES}"), name, text)
                self._pages[node] = (folder, number)

    async def _fill_page(self, page: Any, entries: Sequence[Entry]) -> None:
        held = self._open[page] = []
        for entry in entries:
            path = self._path(entry.folder, entry.name)
            node = self._space.tool_id(path)
            if path in self._shown:
                self._space.add_reference(page, Ids.Organizes, node)
            else:
                self._create(path, entry, page, Ids.Organizes)
                await self._fill(path, entry)
            held.append(path)
        while len(self._open) > OPEN_PAGES:
            self._empty(next(iter(self._open)))

    def _empty(self, page: Any) -> list[str]:
        """Take out of a page what stands there only; return the paths that are gone."""
        held = self._open.pop(page, [])
        folder = self._pages[page][0]
        gone: list[str] = []
        for path in held:
            node = self._space.tool_id(path)
            self._space.drop_reference(page, node)
            elsewhere = any(path in other for other in self._open.values())
            if path not in self._window[folder] and not elsewhere and self._shown.pop(path, None) is not None:
                self._space.remove(node)
                gone.append(path)
        return gone

    def _close(self, folder: str, stale: str) -> list[tuple[Any, Any, int]]:
        """Empty the pages of a folder that no longer hold what they say: its last one, and those of an entry."""
        owned = [page for page in self._open if self._pages[page][0] == folder]
        last = max((self._pages[page][1] for page in owned), default=-1)
        kind = self._space.type_id(_TYPES[folder])
        gone: list[str] = []
        for page in owned:
            if stale in self._open[page] or self._pages[page][1] == last:
                gone += self._empty(page)
        return [(self._space.tool_id(path), kind, DELETED) for path in gone]

    # --------------------------------------------------------------------------------------------- one entry

    def _create(self, path: str, entry: Entry, parent: Any, reference: int = Ids.HasComponent) -> None:
        space = self._space
        node = space.tool_id(path)
        if node in space:
            raise ValueError(f"{path} is something else already; choose another name for the entry")
        space.add_object(
            node,
            entry.name,
            parent,
            description=entry.description or f"{entry.name} in {entry.folder}.",
            kind=space.type_id(_TYPES[entry.folder]),
            reference=reference,
        )
        self._shown[path] = {}

    def _drop(self, path: str, kind: Any) -> list[tuple[Any, Any, int]]:
        """Remove an entry wherever it stands."""
        for page in [page for page, held in self._open.items() if path in held]:
            self._space.drop_reference(page, self._space.tool_id(path))
            self._open[page].remove(path)
        if self._shown.pop(path, None) is None:
            return []
        node = self._space.tool_id(path)
        self._space.remove(node)
        return [(node, kind, DELETED)]

    async def _fill(self, path: str, entry: Entry) -> None:
        space, shown = self._space, self._shown[path]
        node = space.tool_id(path)
        if entry.description and entry.description != self._description(node):
            self._describe(node, entry.description)
        codes = {name: kind for name, kind in CODES.get(_TYPES[entry.folder], {}).items() if name in entry.fields}
        kept = {*entry.fields, *(f"{name}{CODE}" for name in codes)}
        for name in [name for name in shown if name not in kept]:
            space.remove(space.tool_id(f"{path}/{name}"))
            del shown[name]
        for name, value in entry.fields.items():
            await self._field(path, shown, name, value)
        for name, enumeration in codes.items():
            await self._code(path, shown, f"{name}{CODE}", enumeration, entry.fields[name])
        kind = _TYPES[entry.folder]
        value = space.tool_id(f"{path}/{RECORD}")
        if value not in space:
            add_record(space, path, kind, entry.fields)
        else:
            await tell(space.cell(value), stamped(record(space, RECORDS[kind], entry.fields)))

    async def _field(self, path: str, shown: dict[str, Live], name: str, value: Any) -> None:
        space = self._space
        kind = type_name(value)
        node = space.tool_id(f"{path}/{name}")
        live = shown.get(name)
        if live is not None and value is not None and live.kind != kind:
            space.set_data_type(node, int(variant_type(kind)), ARRAY if isinstance(value, list) else -1)
            live.retype(kind)
        if live is None:
            space.add_variable(
                node,
                name,
                space.tool_id(path),
                description=f"{name} of {path}.",
                data_type=int(variant_type(kind)),
                value=ua.DataValue(ua.Variant(None, ua.VariantType.Null)),
                rank=ARRAY if isinstance(value, list) else -1,
            )
            live = shown[name] = Live(space.cell(node), kind)
        await live.set(value)

    async def _code(self, path: str, shown: dict[str, Live], name: str, enumeration: str, text: Any) -> None:
        """Say in a number what the text of a field says."""
        space = self._space
        live = shown.get(name)
        if live is None:
            node = space.tool_id(f"{path}/{name}")
            empty = ua.DataValue(ua.Variant(None, ua.VariantType.Null))
            space.add_variable(
                node, name, space.tool_id(path), description=SAME, data_type=space.type_id(enumeration), value=empty
            )
            live = shown[name] = Live(space.cell(node), "Int32")
        await live.set(*coded(enumeration, text, 0))

    def _path(self, folder: str, name: str) -> str:
        if folder not in FOLDERS:
            raise ValueError(f"no folder {folder!r} for entries; there are {', '.join(FOLDERS)}")
        if not name or "/" in name or name == PAGES:
            raise ValueError(f"{name!r} cannot be the name of an entry: it is empty, has a slash or is {PAGES!r}")
        return f"{folder}/{name}"

    def _description(self, node: Any) -> str:
        found = self._space.attribute(node, Attr.Description)
        return "" if found is None else str(found.Text)

    def _describe(self, node: Any, text: str) -> None:
        self._space.set_description(node, text)
