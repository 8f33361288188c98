"""Objects that come and go: recipe versions, runs, results, process modes, SPC series."""

from typing import Any, Final

from opcua_model.interface import Entry
from opcua_model.live import Live
from opcua_model.space import ARRAY, Space, type_name, variant_type
from opcua_model.stack import Attr, ua
from opcua_model.tree import FOLDERS
from opcua_model.types import OBJECT_TYPES

_TYPES: Final = {
    "Recipes": "RecipeType",
    "Runs": "RunType",
    "Results": "ResultType",
    "ProcessModes": "ProcessModeType",
    "Spc": "SpcSeriesType",
}
assert set(_TYPES) == set(FOLDERS)  # noqa: S101 - two tables of one fact, checked when the module is loaded
assert set(_TYPES.values()) <= set(OBJECT_TYPES)  # noqa: S101 - as above


class Entries:
    """Shows and hides them."""

    def __init__(self, space: Space) -> None:
        self._space = space
        self._shown: dict[str, dict[str, Live]] = {}

    async def show(self, entry: Entry) -> None:
        """Create or refresh an entry.

        Raises:
            ValueError: there is no such folder, or something else has this name in it.
        """
        path, space = self._path(entry.folder, entry.name), self._space
        node = space.tool_id(path)
        shown = self._shown.get(path)
        if shown is None:
            if node in space:
                raise ValueError(f"{path} is something else already; choose another name for the entry")
            space.add_object(
                node,
                entry.name,
                space.tool_id(entry.folder),
                description=entry.description or f"{entry.name} in {entry.folder}.",
                kind=space.type_id(_TYPES[entry.folder]),
            )
            shown = self._shown[path] = {}
        elif entry.description and entry.description != self._description(node):
            self._describe(node, entry.description)
        for name in [name for name in shown if name not in entry.fields]:
            space.remove(space.tool_id(f"{path}/{name}"))
            del shown[name]
        for name, value in entry.fields.items():
            await self._field(path, shown, name, value)

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

    async def hide(self, folder: str, name: str) -> None:
        """Remove an entry; one that is not shown is no fault."""
        path = self._path(folder, name)
        if self._shown.pop(path, None) is not None:
            self._space.remove(self._space.tool_id(path))

    def _path(self, folder: str, name: str) -> str:
        if folder not in FOLDERS:
            raise ValueError(f"no folder {folder!r} for entries; there are {', '.join(FOLDERS)}")
        if not name or "/" in name:
            raise ValueError(f"{name!r} cannot be the name of an entry: it is empty or has a slash")
        return f"{folder}/{name}"

    def _description(self, node: Any) -> str:
        found = self._space.attribute(node, Attr.Description)
        return "" if found is None else str(found.Text)

    def _describe(self, node: Any, text: str) -> None:
        self._space.set_description(node, text)
