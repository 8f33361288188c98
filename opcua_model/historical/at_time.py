"""Values at moments that a client names (Part 11, 6.5.5)."""

from typing import Any

import anyio.to_thread
import numpy as np
from numpy.typing import NDArray

from opcua_model.desk import Desk
from opcua_model.historical.fetch import ROWS, around
from opcua_model.historical.interpolation import interpolated, simple
from opcua_model.historical.raw import filled, nanoseconds
from opcua_model.historical.series import Rules
from opcua_model.historical.trends import Trend
from opcua_model.interface import Refused
from opcua_model.publishing.encoding import DOUBLE
from opcua_model.publishing.snapshot import side_by_side
from opcua_model.stack import fault, ua


def moments_of(desk: Desk, details: Any) -> NDArray[np.int64]:
    """Read the moments that are asked for.

    Raises:
        ServiceError: there are none, or too many, or one of them is no time.
    """
    wanted = [nanoseconds(one) for one in details.ReqTimes or ()]
    if not wanted:
        raise fault("BadNothingToDo")
    if len(wanted) > desk.settings.limits.values_per_history_read:
        raise fault("BadTooManyOperations")
    if None in wanted:
        raise fault("BadInvalidTimestamp")
    return np.array(wanted, np.int64)


async def read_at_time(desk: Desk, details: Any, of: Trend, stamps: int, at: NDArray[np.int64]) -> Any:
    """Answer for one node: in the order of the moments, a value for each.

    Raises:
        Refused: the daemon cannot answer, or there are too many elements of arrays.
    """
    if len(at) * of.width > max(of.width, desk.settings.limits.values_per_history_read):
        raise Refused("BadTooManyOperations", f"{len(at)} moments of {of.width} elements are too many at once")
    rules = Rules(treat_uncertain_as_bad=False, stepped=of.kind != DOUBLE)
    find = simple if details.UseSimpleBounds else interpolated
    values, codes = np.empty((len(at), of.width)), np.empty((len(at), of.width), np.uint32)
    for group in _near(desk, at):
        for element, tag in enumerate(of.tags):
            series = await around(desk, tag, int(at[group].min()), int(at[group].max()), rules)
            found = await anyio.to_thread.run_sync(find, series, at[group])
            values[group, element], codes[group, element] = found
    if of.array:
        return filled(ua.HistoryReadResult(), at, *side_by_side(values, codes), of.kind, stamps)
    return filled(ua.HistoryReadResult(), at, values[:, 0], codes[:, 0], of.kind, stamps)


def _near(desk: Desk, at: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    """Put moments together that lie near each other, so that what lies between them is read at once or not at all."""
    scan = desk.tree.layout.tool.scan
    reach = ROWS * scan.period_ms * scan.log_every * 1e6
    order = np.argsort(at, kind="stable")
    groups: list[NDArray[np.int64]] = []
    first = 0
    for place in range(1, len(order) + 1):
        if place == len(order) or at[order[place]] - at[order[first]] > reach:
            groups.append(order[first:place])
            first = place
    return groups
