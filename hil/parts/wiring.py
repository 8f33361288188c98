"""Which tag of a tool is which instrument or output of its plant.

Ranges, periods and resolutions are the tool file's; a plant says what each instrument looks at and how well.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from config.gas_safety import GasSafety
from config.layout import Layout
from config.tool import TagKind
from hil.errors import PlantError

PA_PER_TORR = 101325.0 / 760.0
MOL_PER_S_PER_SCCM = 101325.0e-6 / (8.31446261815324 * 273.15) / 60.0
ZERO_CELSIUS = 273.15
MANOMETER_TOP_TORR = 10.5
"""What a 10 Torr manometer's electronics say above their range."""


@dataclass(frozen=True)
class Sensor:
    """An instrument: reading = source × scale + shift, with what it adds of its own."""

    name: str
    tag: int
    source: str
    index: int = 0
    period_s: float = 0.1
    scale: float = 1.0
    shift: float = 0.0
    noise: float = 0.0
    relative: float = 0.0
    """Noise as a share of the reading."""
    quantum: float = 0.0
    offset_spread: float = 0.0
    drift_spread: float = 0.0
    """Per second."""
    minimum: float = -1e30
    maximum: float = 1e30


def output(layout: Layout, name: str) -> int:
    """Index of an output that the plant obeys; raises PlantError when the tool has it not."""
    tag = layout.declared.get(name)
    if tag is None or tag.kind is not TagKind.OUTPUT:
        raise PlantError(f"{layout.tool.name}: its simulated plant needs an output {name}")
    return layout.index[name]


def fitted(layout: Layout, instruments: Iterable[Sensor], tops: Mapping[str, float]) -> list[Sensor]:
    """Every input of the tool as an instrument.

    Args:
        layout: the tool's tags.
        instruments: what the plant has, by the name of the tag; `tag` is filled in here.
        tops: where an instrument of that source saturates below its tag's range.

    Raises:
        PlantError: an input that the plant has no instrument for, or one that posts never.
    """
    known = {sensor.name: sensor for sensor in (*instruments, *_dilution(layout))}
    found = list[Sensor]()
    for name, tag in layout.declared.items():
        if tag.kind is not TagKind.INPUT:
            continue
        if name not in known:
            raise PlantError(f"{layout.tool.name}: its simulated plant has no instrument for {name}")
        if tag.period_s <= 0.0:
            raise PlantError(f"{name}: an input of a simulated tool needs a period_s")
        sensor = known[name]
        found.append(
            replace(
                sensor,
                tag=layout.index[name],
                period_s=tag.period_s,
                quantum=0.0 if tag.states else tag.resolution,
                minimum=tag.low,
                maximum=min(tops.get(sensor.source, tag.high), tag.high),
            )
        )
    return found


def _dilution(layout: Layout) -> Iterator[Sensor]:
    """The flow that dilutes the exhaust: a quarter more than the least, and gone with the exhaust."""
    rules = layout.tool.gas_safety
    if isinstance(rules, GasSafety):
        yield Sensor(rules.dilution, -1, "exhaust_ok", scale=1.25 * rules.least_dilution_slm, relative=0.005)


HANDLING = {
    "unlock": "door_unlock", "open": "door_open", "insert": "boat.insert", "withdraw": "boat.withdraw",
    "rotate": "rotation.run", "l_req": "e84.l_req", "u_req": "e84.u_req", "ready": "e84.ready",
    "ho_avbl": "e84.ho_avbl", "es": "e84.es",
}  # fmt: skip
"""Outputs of wafer handling; a tool may lack some of them."""
CONTACTS = {
    "door_closed": "door_closed", "door_opened": "door_opened", "boat_in": "boat_in", "boat_out": "boat_out",
    "rotation.running": "rotating", "wafers_present": "present", "e84.valid": "valid", "e84.cs_0": "cs_0",
    "e84.tr_req": "tr_req", "e84.busy": "busy", "e84.compt": "compt",
}  # fmt: skip


def optional(layout: Layout, name: str) -> int:
    """Index of an output that the plant obeys when the tool has it; −1 without."""
    return output(layout, name) if name in layout.declared else -1


def handling_outputs(layout: Layout, module: str = "wafer_handling") -> dict[str, int]:
    """Indices of the outputs of wafer handling."""
    return {word: optional(layout, f"{module}.{name}") for word, name in HANDLING.items()}


def handling_contacts(module: str) -> Iterator[Sensor]:
    """Contacts of door, boat, rotation and robot."""
    for name, word in CONTACTS.items():
        yield Sensor(f"{module}.{name}", -1, f"handling.{word}")


def surroundings() -> Iterator[Sensor]:
    """Contacts of handling, supplies and line that every plant has."""
    yield from handling_contacts("wafer_handling")
    yield Sensor("gas_panel.sih4.bottle_open", -1, "bottle_open")
    yield Sensor("gas_panel.sih4.line_kpa", -1, "line_pressure", scale=1e-3, noise=0.05)
    yield Sensor("exhaust.abatement_accepts", -1, "accepts")
    yield Sensor("exhaust.pressure_pa", -1, "exhaust_pa", noise=1.0)
    yield Sensor("facilities.water_dry", -1, "water_dry")
    yield Sensor("facilities.mains_v", -1, "mains_v", noise=0.3)
    yield Sensor("facilities.emo_ok", -1, "emo")
    yield Sensor("facilities.emo.front_ok", -1, "emo_front_ok")
    yield Sensor("facilities.emo.rear_ok", -1, "emo_rear_ok")
