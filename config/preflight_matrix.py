"""Preflight, fourth part: what a step asks for, against the cause-and-effect matrix.

A step is looked at when it has settled: temperatures, pressure and flows are where it wants them, its gases' valves are
open, everything else is anywhere within the limits of its tags. An interlock whose cause is then true whatever the rest
does would trip, hold or gate the step every time: better said before approval than in the night.
"""

from collections.abc import Iterator, Mapping

from config.layout import Layout
from config.plan.words import OPEN, SHUT, Words
from config.preflight_gas import Mixture, mixtures
from config.process_mode import ProcessMode
from config.ranges import Range, Ranges
from config.tool import InterlockClass

_DOES = {
    InterlockClass.TRIP: "trips",
    InterlockClass.HOLD: "holds the run",
    InterlockClass.PERMISSIVE: "keeps its outputs shut",
}


def matrix_faults(words: Words, modes: Mapping[str, ProcessMode]) -> Iterator[tuple[str, str]]:
    """Yield path and reason of every step that an interlock would not let live."""
    layout = Layout(words.tool)
    for mixture in mixtures(words, modes):
        known = settled(words, mixture)
        ranges = Ranges(layout, known)
        needed = {words.gases[gas].valve for gas in mixture.flows if gas in words.gases}
        for interlock in words.tool.interlocks:
            if interlock.cls is InterlockClass.WARNING or ranges.condition(interlock.when).false:
                continue
            if interlock.cls is InterlockClass.PERMISSIVE and not needed & {one.output for one in interlock.effects}:
                continue
            values = ", ".join(f"{tag} = {value:g}" for tag, (value, _) in known.items() if tag in interlock.when)
            words_of_it = f"{interlock.when} is true of what it asks for ({values})"
            yield mixture.path, f"{interlock.name} {_DOES[interlock.cls]} in this step: {words_of_it}"


def settled(words: Words, mixture: Mixture) -> dict[str, Range]:
    """Ranges of the tags that a settled step determines."""
    known: dict[str, Range] = {}

    def at(tag: str, value: float) -> None:
        known[tag] = (value, value)

    binding = words.binding
    for zone, target in zip(binding.zones, mixture.temperatures_c, strict=False):
        at(zone.process_value, words.value(zone.process_value, target, "°C"))
    if mixture.flows:
        pressure = binding.pressure.process_value
        at(pressure, words.value(pressure, mixture.pressure_torr, "Torr"))
    for name, gas in words.gases.items():
        if name in mixture.separated:
            continue  # it comes in pulses, never with another one: open now and shut then
        flow = mixture.flows.get(name, 0.0)
        at(gas.valve, OPEN if flow else SHUT)
        if flow:
            at(gas.setpoint, words.value(gas.setpoint, flow, "sccm"))
            at(gas.flow, words.value(gas.flow, flow, "sccm"))
    return known
