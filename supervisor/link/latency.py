"""Wake-up latencies as both halves tell them."""

import numpy as np
from numpy.typing import NDArray

from kernels.image import LATENCY_EDGES_US


def percentile_us(histogram: NDArray[np.int64], share: float, greatest_us: float) -> float:
    """Return the latency that `share` of the wake-ups stay below: the upper edge of its bucket, so never flattering.

    Args:
        histogram: counts by the buckets of the image's timing block.
        share: 0 … 1.
        greatest_us: greatest latency seen, which bounds the answer; 0 when it is not known.
    """
    total = int(histogram.sum())
    if total == 0:
        return 0.0
    bucket = int(np.searchsorted(np.cumsum(histogram), share * total))
    edge = LATENCY_EDGES_US[bucket] if bucket < len(LATENCY_EDGES_US) else greatest_us
    return min(float(edge), greatest_us) if greatest_us > 0 else float(edge)
