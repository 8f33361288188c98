"""A value that changes without being a tag: kept as Python sees it, shown as OPC UA sees it."""

from datetime import UTC, datetime
from typing import Any, Final, cast

from opcua_model.space import variant
from opcua_model.stack import ua
from opcua_model.variables import same

_FIT: Final = {"Double": float, "Int64": int, "Boolean": bool, "String": str}


class Live:
    """The Value attribute of one node; whoever monitors it is told of a change."""

    def __init__(self, cell: Any, kind: str) -> None:
        self._cell = cell
        self._kind = kind
        self._value: Any = None
        self._status = int(ua.StatusCodes.BadWaitingForInitialData)

    @property
    def kind(self) -> str:
        """Name of the OPC UA type."""
        return self._kind

    @property
    def value(self) -> Any:
        """What is shown, None when the status is Bad."""
        return None if self._status & 0x80000000 else self._value

    @property
    def status(self) -> int:
        """Status code of what is shown."""
        return self._status

    def retype(self, kind: str) -> None:
        """Show values of another type from now on; who monitors the node goes on doing so."""
        self._kind = kind

    async def set(self, value: Any, status: int = 0) -> None:
        """Show a value, or a bad status without one."""
        if status == self._status and (status & 0x80000000 or same(self._value, value)):
            return
        self._value, self._status = value, status
        now = datetime.now(UTC)
        shown = None if status & 0x80000000 else self._fit(value)
        data = ua.DataValue(variant(shown, self._kind), ua.StatusCode(status), SourceTimestamp=now, ServerTimestamp=now)
        await tell(self._cell, data)

    def _fit(self, value: Any) -> Any:
        """Bring a number to the declared type: a count may come where a Double is declared, and the reverse."""
        if value is not None and not isinstance(value, list):
            fit = _FIT.get(self._kind)
            return value if fit is None else fit(value)
        return cast("Any", value)


async def tell(cell: Any, data: Any) -> None:
    """Put a DataValue into a Value attribute and pass it to the items that monitor it."""
    cell.value = data
    for handle, callback in list(cell.datachange_callbacks.items()):
        await callback(handle, data)
