"""How much of each gas a run used: the measured flows, integrated over the rows of the logging ring."""

from dataclasses import dataclass, field

import numpy as np

from config.layout import Layout
from kernels.image import Image

SCCM = {"sccm": 1.0, "slm": 1000.0}
"""Standard cm³ a minute in one of a flow's unit."""
BAD = 0x80000000


@dataclass
class GasMeter:
    """Integrates from its creation on; `update` must come before the ring has gone round."""

    layout: Layout
    image: Image
    period_s: float
    use_scc: dict[str, float] = field(default_factory=dict[str, float])
    """Standard cm³ by gas."""
    missing_s: dict[str, float] = field(default_factory=dict[str, float])
    """Time for which a gas's flow was Bad or its rows were lost, so that nothing could be counted."""
    _next: int = 0
    _last_scan: int = -1

    def __post_init__(self) -> None:
        self._last_scan, self._next = self.image.head()
        self._gases = [
            (gas.name, self.layout.index[gas.flow], SCCM.get(self.layout.declared[gas.flow].unit, 1.0) / 60.0)
            for gas in self.layout.tool.gases
        ]
        self.use_scc = {name: 0.0 for name, _, _ in self._gases}
        self.missing_s = {name: 0.0 for name, _, _ in self._gases}

    def update(self, begin: int, end: int | None) -> None:
        """Take the rows that have come since; what flowed before scan `begin` or after `end` does not count."""
        if not self._gases:
            return
        rows = self.image.logged(self._next)
        self._next = rows.next
        if not len(rows.scan):
            return
        edges = np.clip(np.concatenate(([self._last_scan], rows.scan)), begin, end)
        elapsed_s = np.diff(edges) * self.period_s
        if rows.lost:
            lost_s, elapsed_s[0] = float(elapsed_s[0]), 0.0
            for name in self.missing_s:
                self.missing_s[name] += lost_s
        self._last_scan = int(rows.scan[-1])
        for name, tag, factor in self._gases:
            bad = (rows.status[:, tag] >= BAD) | ~np.isfinite(rows.values[:, tag])
            flow = np.where(bad, 0.0, np.maximum(rows.values[:, tag], 0.0))
            self.use_scc[name] += float(np.dot(flow, elapsed_s)) * factor
            self.missing_s[name] += float(elapsed_s[bad].sum())
