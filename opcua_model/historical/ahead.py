"""Rows that were fetched together with a page and come next: a query costs as much for a thousand rows as for many."""

from collections import OrderedDict
from typing import Final

from opcua_model.historical.trends import Rows, Trend
from opcua_model.interface import Backend

ROWS: Final = 150_000
"""Rows that a continued reading fetches at once: 3 MB."""
STRETCHES: Final = 4
"""Readings for which rows are kept; those of the one that waits longest are fetched again when it goes on."""


class Ahead:
    """What of the history was fetched and not yet sent.

    A stretch is found by its node, the time of its first row and the end that was asked for, whoever goes on there.
    It only answers with full pages: at its end the history is asked again, and knows of rows that have come since.
    """

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[Trend, int, int], Rows] = OrderedDict()

    async def rows(self, backend: Backend, of: Trend, first: int, last: int, count: int) -> Rows:
        """Return `count` rows from `first` towards `last`, fewer where there are no more.

        Args:
            backend: who is asked for what is not here.
            of: whose rows.
            first: ns, included.
            last: ns, included; before `first` for newest first.
            count: rows of a page, and the first one of the next.

        Raises:
            Refused: the history cannot answer.
        """
        found = self._kept.pop((of, first, last), None)
        if found is None or len(found[0]) < count:
            found = await of.rows(backend, first, last, max(count, ROWS // of.width))
        times, values, codes = found
        if len(times) > count:
            rest = times[count - 1 :], values[count - 1 :], codes[count - 1 :]
            self._kept[of, int(rest[0][0]), last] = rest
            if len(self._kept) > STRETCHES:
                self._kept.popitem(last=False)
        return times[:count], values[:count], codes[:count]
