"""Process modes: the guide's classification of a CVD process, and which gas pairs it permits in the chamber.

Tables come from `modes/*.toml` or a client's JSON. Whether a tool can run a mode follows from its modules; nothing
here knows a recipe.
"""

import tomllib
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import Field, StringConstraints, model_validator

from config.base import Model, Text
from config.gases import GasName, never_together, species
from config.tool import ModuleKind, Tool

MODES = Path(__file__).with_name("modes")

ModeName = Annotated[str, StringConstraints(min_length=1, max_length=255, pattern=r"^\S(.*\S)?$")]
"""What recipes and operators call it: `LPCVD Oxide`."""


class PressureMode(StrEnum):
    """By pressure (the guide's six, and its names for them)."""

    APCVD = "APCVD"
    LPCVD = "LPCVD"
    UHVCVD = "UHVCVD"
    PECVD = "PECVD"
    HDP_CVD = "HDP_CVD"
    SACVD = "SACVD"


class EnergyMode(StrEnum):
    """By activation (the guide's eight)."""

    THERMAL = "thermal"
    PLASMA = "plasma"
    HOT_WIRE = "hot_wire"
    LASER = "laser"
    PHOTO = "photo"
    MICROWAVE = "microwave"
    REMOTE_PLASMA = "remote_plasma"
    COMBUSTION = "combustion"


class ReactorType(StrEnum):
    """By reactor (the guide's eight)."""

    COLD_WALL = "cold_wall"
    HOT_WALL = "hot_wall"
    HORIZONTAL = "horizontal"
    VERTICAL = "vertical"
    SHOWERHEAD = "showerhead"
    ROTATING_DISK = "rotating_disk"
    COLD_FINGER = "cold_finger"
    EXHAUST_CONTROLLED = "exhaust_controlled"


class ChemistryType(StrEnum):
    """By chemistry (the guide's seven)."""

    MOCVD = "MOCVD"
    OMCVD = "OMCVD"
    HALIDE = "halide"
    HYDRIDE = "hydride"
    AEROSOL = "aerosol"
    STANDARD = "standard"
    ORGANOMETALLIC = "organometallic"


Range = Annotated[tuple[float, float], Field(description="least and greatest value")]


class PairWindow(Model):
    """Two gases that this mode lets meet in the chamber, and where; outside of the window the general rule holds."""

    gases: tuple[GasName, GasName]
    temperature_c: Range
    pressure_torr: Range
    ratio: Range
    """Flow of the second gas over flow of the first."""
    plasma: bool | None = None
    """True: only with the plasma on; false: only without; none: either."""
    separated: bool = False
    """Only as separated pulses with a purge between; never at once."""
    source: Text

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        for name in ("temperature_c", "pressure_torr", "ratio"):
            low, high = getattr(self, name)
            if low > high:
                raise ValueError(f"{name}: the first value is above the second")
        for gas in self.gases:
            if species(gas) is None:
                raise ValueError(f"unknown gas {gas!r}")
        if never_together(*self.gases) is None:
            raise ValueError(f"{' and '.join(self.gases)} may meet anywhere: no window is needed")
        return self


class ProcessMode(Model):
    """One kind of process."""

    name: ModeName
    pressure_mode: PressureMode
    energy_mode: EnergyMode
    reactor_type: ReactorType
    chemistry_type: ChemistryType
    variant: Annotated[str, StringConstraints(min_length=1, max_length=100)] | None = None
    description: Text | None = None
    films: tuple[str, ...] = ()
    """Films that it makes; a recipe that names no mode is matched by its film."""
    default_recipes: tuple[str, ...] = ()
    """Names of shipped recipes (config/recipes/, without `.json`)."""
    capabilities: dict[str, Any] = Field(default_factory=dict[str, Any])
    pairs: tuple[PairWindow, ...] = ()

    def window(self, a: str, b: str) -> PairWindow | None:
        """The window that this mode declares for a pair, in either order."""
        return next((pair for pair in self.pairs if {a, b} == set(pair.gases)), None)


# What a tool must have for an activation. Kinds that no tool has yet are named as a tool file will name them.
ENERGY_NEEDS: dict[EnergyMode, tuple[tuple[str, ...], str]] = {
    EnergyMode.THERMAL: ((ModuleKind.RESISTIVE_HEATER, ModuleKind.SUSCEPTOR, "lamp", "induction_heater"), "heater"),
    EnergyMode.PLASMA: ((ModuleKind.RF,), "RF generator"),
    EnergyMode.HOT_WIRE: (("filament",), "filament"),
    EnergyMode.LASER: (("laser",), "laser"),
    EnergyMode.PHOTO: (("uv_lamp",), "ultraviolet lamp"),
    EnergyMode.MICROWAVE: (("microwave",), "microwave generator"),
    EnergyMode.REMOTE_PLASMA: (("remote_plasma",), "remote plasma source"),
    EnergyMode.COMBUSTION: (("burner",), "burner"),
}
# What a reactor must have that no other has, and what a chemistry, a pressure regime or a variant cannot do without: a
# module of one of these kinds.
REACTOR_NEEDS: dict[ReactorType, tuple[ModuleKind, ...]] = {
    ReactorType.SHOWERHEAD: (ModuleKind.SHOWERHEAD,),
    ReactorType.ROTATING_DISK: (ModuleKind.ROTATION,),
    ReactorType.COLD_FINGER: (ModuleKind.COLD_FINGER,),
    ReactorType.EXHAUST_CONTROLLED: (ModuleKind.EXHAUST,),
}
CHEMISTRY_NEEDS: dict[ChemistryType, tuple[ModuleKind, ...]] = {
    ChemistryType.MOCVD: (ModuleKind.BUBBLERS,),
    ChemistryType.OMCVD: (ModuleKind.BUBBLERS,),
    ChemistryType.ORGANOMETALLIC: (ModuleKind.BUBBLERS,),
    ChemistryType.AEROSOL: (ModuleKind.AEROSOL,),
}
PRESSURE_NEEDS: dict[PressureMode, tuple[ModuleKind, ...]] = {PressureMode.HDP_CVD: (ModuleKind.RF_BIAS,)}
VARIANT_NEEDS: dict[str, tuple[ModuleKind, ...]] = {
    "atomic_layer": (ModuleKind.PULSE_VALVES,),
    "hybrid_cvd_ald": (ModuleKind.PULSE_VALVES,),
    "pulsed": (ModuleKind.RUN_VENT, ModuleKind.PULSE_VALVES),
}
ETCHANTS = ("HCl", "Cl2")
"""What takes nuclei off a mask (usual gases of selective epitaxy)."""
VACUUM_MODES = frozenset(PressureMode) - {PressureMode.APCVD}


def has_module(tool: Tool, *kinds: str) -> bool:
    """Whether the tool has a module of one of these kinds."""
    return any(module.kind.value in kinds for module in tool.modules)


def selective(mode: ProcessMode) -> bool:
    """Whether a mode grows in the openings of a mask only (`selective = true` of its capabilities)."""
    return mode.capabilities.get("selective") is True


def why_unsupported(mode: ProcessMode, tool: Tool) -> list[str]:
    """Say why a tool cannot run a mode; nothing when it can."""
    reasons = list[str]()
    kinds, what = ENERGY_NEEDS[mode.energy_mode]
    if not has_module(tool, *kinds):
        reasons.append(f"{mode.energy_mode.value} activation needs a module of kind {' or '.join(kinds)} ({what})")
    if mode.pressure_mode in VACUUM_MODES and not has_module(tool, ModuleKind.VACUUM):
        reasons.append(f"{mode.pressure_mode.value} needs a module of kind vacuum")
    if not reasons and mode.name not in tool.recipe.process_modes:
        set_up = ", ".join(repr(name) for name in tool.recipe.process_modes) or "none"
        reasons.append(f"the tool is not set up for it (recipe.process_modes: {set_up})")
    for what, needed in (
        (f"a {mode.reactor_type.value} reactor", REACTOR_NEEDS.get(mode.reactor_type, ())),
        (f"{mode.chemistry_type.value} chemistry", CHEMISTRY_NEEDS.get(mode.chemistry_type, ())),
        (f"{mode.pressure_mode.value}", PRESSURE_NEEDS.get(mode.pressure_mode, ())),
        (f"the variant {mode.variant}", VARIANT_NEEDS.get(mode.variant or "", ())),
    ):
        if needed and not has_module(tool, *needed):
            reasons.append(f"{what} needs a module of kind {' or '.join(needed)}")
    if selective(mode) and not any(gas.name in ETCHANTS for gas in tool.gases):
        reasons.append(f"selective growth needs an etchant, {' or '.join(ETCHANTS)}, that the tool can feed")
    return reasons


def supported_variants(tool: Tool) -> tuple[str, ...]:
    """Names of the shipped modes that a tool can run, sorted."""
    return tuple(name for name, mode in sorted(shipped_modes().items()) if not why_unsupported(mode, tool))


@cache
def shipped_modes() -> dict[str, ProcessMode]:
    """The modes of `config/modes/`, by name."""
    modes = [
        ProcessMode.model_validate(tomllib.loads(path.read_text(encoding="utf-8")), strict=False)
        for path in sorted(MODES.glob("*.toml"))
    ]
    return {mode.name: mode for mode in modes}


def process_mode(name: str) -> ProcessMode | None:
    """Find a shipped mode by its name; None when there is none."""
    return shipped_modes().get(name)
