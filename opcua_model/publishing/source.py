"""What publishing needs to know of the address space: which node is a column of the snapshot, or several."""

from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from config.layout import Layout
from opcua_model.publishing.snapshot import Turn


class Source(Protocol):
    """Nodes whose values are in the snapshot."""

    @property
    def tags(self) -> Mapping[Any, int]:
        """Columns by NodeId."""
        ...

    @property
    def arrays(self) -> Mapping[Any, NDArray[np.int64]]:
        """Several columns by NodeId: they are one array of Double."""
        ...

    @property
    def snapshot(self) -> Turn:
        """The snapshot of the present turn."""
        ...

    @property
    def layout(self) -> Layout:
        """What the columns are: ranges, and the period of the scan."""
        ...


def span(source: Source, index: int) -> float | None:
    """Width of a column's EURange; None when it has none."""
    tag = source.layout.declared.get(source.layout.tags[index])
    return None if tag is None or tag.states else tag.high - tag.low


def period_ms(source: Source) -> float:
    """Time between rows of the scan."""
    return float(source.layout.tool.scan.period_ms)
