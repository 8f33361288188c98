"""What can fail on the simulated furnace, beside what can on every plant."""

from collections.abc import Iterator, Mapping
from typing import Any

from hil.errors import ScriptError
from hil.parts.script import CREW, GAS_FAULTS, OWN, SURROUNDINGS, WORDS, Change, Vocabulary, gas_changes, number

__all__ = ["KNOWN", "LOAD", "VOCABULARY", "WORDS"]

ELEMENT, LOAD = range(OWN + 3, OWN + 5)  # kinds of state.pxd
FEEDS = {"SiH4": 0, "N2O": 1, "N2": 2}
FULL_SCALE_SCCM = {"SiH4": 200.0, "N2O": 500.0, "N2": 5000.0}


def _changes(name: str, fault: Mapping[str, Any]) -> Iterator[Change]:
    yield from gas_changes(name, fault, FEEDS, FULL_SCALE_SCCM, 0.005)
    if name == "element_broken":
        zone = fault.get("zone")
        if not isinstance(zone, int) or not 1 <= zone <= 3:
            raise ScriptError(f"fault element_broken: zone must be 1, 2 or 3, is {zone!r}")
        yield ELEMENT, zone - 1, number(fault, "value", 0.0), 1.0


VOCABULARY = Vocabulary(
    SURROUNDINGS | CREW | {"boat_out": ("boat_in", 0.0)},
    GAS_FAULTS | {"element_broken"},
    _changes,
)
KNOWN = VOCABULARY.known
