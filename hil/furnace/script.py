"""What can fail on the simulated furnace, beside what can on every plant."""

import math
from collections.abc import Iterator, Mapping
from typing import Any

from hil.errors import ScriptError
from hil.parts.script import CREW, OWN, SURROUNDINGS, WORDS, Change, Vocabulary, number, stuck_flow, stuck_throttle

__all__ = ["KNOWN", "LOAD", "VOCABULARY", "WORDS"]

FEED, LEAK, THROTTLE, ELEMENT, LOAD = range(OWN, OWN + 5)  # kinds of state.pxd
FEEDS = {"SiH4": 0, "N2O": 1, "N2": 2}
FULL_SCALE_SCCM = {"SiH4": 200.0, "N2O": 500.0, "N2": 5000.0}


def _changes(name: str, fault: Mapping[str, Any]) -> Iterator[Change]:
    if name == "mfc_stuck":
        feed, flow = stuck_flow(fault, FEEDS, FULL_SCALE_SCCM)
        yield FEED, feed, flow, math.nan
    elif name == "leak":
        yield LEAK, 0, number(fault, "value", None), 0.005
    elif name == "throttle_stuck":
        yield THROTTLE, 0, stuck_throttle(fault), math.nan
    elif name == "element_broken":
        zone = fault.get("zone")
        if not isinstance(zone, int) or not 1 <= zone <= 3:
            raise ScriptError(f"fault element_broken: zone must be 1, 2 or 3, is {zone!r}")
        yield ELEMENT, zone - 1, number(fault, "value", 0.0), 1.0


VOCABULARY = Vocabulary(
    SURROUNDINGS | CREW | {"boat_out": ("boat_in", 0.0)},
    frozenset({"mfc_stuck", "leak", "throttle_stuck", "element_broken"}),
    _changes,
)
KNOWN = VOCABULARY.known
