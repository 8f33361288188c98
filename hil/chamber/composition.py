"""What a tool's chamber is composed of: species, lines, zones, films and its source of energy, read from the tool."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from config.gases import Hazard, species
from config.layout import Layout
from config.plant import PlantFilm, PlantLine, PlantSettings
from config.tool import ModuleKind, TagKind
from hil.chamber.parameters import Parameters
from hil.errors import PlantError
from hil.parts.wiring import handling_outputs, optional, output
from kernels import growth, sources
from kernels.metrology import CRACKING

MOST_LINES, MOST_SPECIES, MOST_ZONES, MOST_NEEDS, TABLE = 12, 24, 3, 4, 64
"""As state.pxd has them."""
AIR = "air"
MASSES = {AIR: 28.96, "GaCl": 105.18, "SiF4": 104.08, "C2H4": 28.05, "CO": 28.01, "C3H6": 42.08, "C2H4O": 44.05}
"""g/mol of species that no line feeds (CRC Handbook)."""
COLLIDERS = {"Ar": 0, "He": 0, "O2": 1, "N2O": 1, "N2": 2, AIR: 2, "H2": 3, "CH4": 3, "NH3": 4, "SiH4": 5, "NF3": 6}
"""In kernels.physics.discharge; helium is taken for argon, nitrous oxide for oxygen, methane for hydrogen."""
STANDS_FOR = {"CH3": "CH4", "H": "H2"}
"""Of what a film takes: the gas that it is made of."""
SOURCES = {
    "none": 0, "capacitive": 1, "inductive": 2, "remote": 3, "microwave": 4, "hot_wire": 5, "laser": 6, "lamp": 7,
    "burner": 8,
}  # fmt: skip
BY_KIND = {
    ModuleKind.FILAMENT: "hot_wire", ModuleKind.LASER: "laser", ModuleKind.UV_LAMP: "lamp",
    ModuleKind.BURNER: "burner", ModuleKind.MICROWAVE: "microwave", ModuleKind.REMOTE_PLASMA: "remote",
    ModuleKind.RF: "capacitive",
}  # fmt: skip
"""Source by the kind of its module; the first that a tool has."""
RADICAL_LAWS = frozenset({"SiO2-plasma", "Si3N4-plasma", "a-Si:H", "uc-Si:H", "diamond"})
"""Laws over radicals: without a source of energy nothing grows."""
HALVES = {"Al2O3": ("TMAl", "H2O"), "TiN": ("TiCl4", "NH3")}
"""Half-reactions of films that are grown in cycles."""
STICKING, SITE_M2 = 0.01, 2.0e-19
"""Of a precursor on a bare site, and the area of a site: usual orders (a thousandth to a tenth; five sites a nm²)."""
SHARE = 1e-6
"""Of the gas: below it a gas of a law makes no film."""
KINDS = {"gas": 0, "bubbler": 1, "boat": 2, "mist": 3, "generator": 4}


@dataclass(frozen=True)
class LinePart:
    """A gas line."""

    gas: str
    setpoint: int
    valve: int
    full_scale_sccm: float
    settings: PlantLine
    kind: int
    species: int
    made: int
    carrier: int
    bath_setpoint: int
    antoine: tuple[float, float]
    purge: bool
    bypass: int = -1
    """Tag that leads the carrier past the bubbler."""
    bottle: tuple[int, int, int] | None = None
    """Tags that shut it, release it, and let nitrogen into its line; nothing where none can be changed."""


@dataclass(frozen=True)
class FilmPart:
    """A film."""

    name: str
    settings: PlantFilm
    law: int
    cycled: bool
    needs_radicals: bool
    tabulated: bool
    needs: tuple[int, ...]
    shares: tuple[float, ...]
    limiting: int
    per: float
    uses: dict[int, float]
    halves: tuple[int, int]
    rates: tuple[float, float]
    """1/(s·Pa) at 300 K."""
    site_mol_m2: float
    volume_m3: float
    table: tuple[float, float, np.ndarray]


@dataclass(frozen=True)
class Composition:
    """A chamber."""

    species: tuple[str, ...]
    masses_kg: tuple[float, ...]
    laws: tuple[int, ...]
    colliders: tuple[int, ...]
    lines: tuple[LinePart, ...]
    zones: tuple[int, ...]
    """Tags of their powers."""
    films: tuple[FilmPart, ...]
    source: str
    module: str
    """Name of the source's module."""
    detectors: list[str]
    tags: dict[str, int] = field(default_factory=dict[str, int])
    """Outputs that a chamber obeys beside lines and zones; −1 for what the tool has not."""
    lock: dict[str, Any] | None = None
    """Outputs of a load lock, where the tool has one with a slit valve."""

    @property
    def cracking(self) -> NDArray[np.float64]:
        """What a mass spectrometer reads at the parent peak of each species, for a pascal of each: [species, species].

        A gas without a known pattern is taken for one that has its peak alone.
        """
        found = np.eye(len(self.species))
        for i, seen in enumerate(self.species):
            known = CRACKING.get(seen)
            if known is not None:
                peak = max(known, key=known.__getitem__)
                found[i] = [CRACKING.get(gas, {}).get(peak, 0.0) / 100.0 for gas in self.species]
        return found

    def named(self, name: str) -> int:
        """Index of a species; −1 when nothing makes it."""
        return self.species.index(name) if name in self.species else -1


def compose(layout: Layout, settings: PlantSettings, parameters: Parameters) -> Composition:
    """Read what a tool's chamber is made of; raises PlantError for one that cannot be."""
    tool = layout.tool
    for film in settings.films:
        if film.law not in growth.FILMS:
            raise PlantError(f"plant.films: there is no rate law {film.law!r}; there are {', '.join(growth.FILMS)}")
    fed = {gas.name: gas for gas in tool.gases}
    if unknown := sorted(set(settings.lines) - set(fed)):
        raise PlantError(f"plant.lines: the tool feeds no {', '.join(unknown)}")
    names = _species(settings, list(fed))
    if len(names) > MOST_SPECIES or len(fed) > MOST_LINES:
        raise PlantError(f"a chamber has at most {MOST_LINES} gas lines and {MOST_SPECIES} species")
    lines = tuple(_line(layout, names, gas.name, settings.lines.get(gas.name, PlantLine())) for gas in tool.gases)
    zones = tuple(
        layout.index[name] for name, tag in layout.declared.items()
        if tag.kind is TagKind.OUTPUT and name.startswith("heater.zone") and name.endswith(".power_pct")
    )  # fmt: skip
    if not 1 <= len(zones) <= MOST_ZONES:
        raise PlantError(f"{tool.name}: a simulated chamber has 1 to {MOST_ZONES} zones heater.zone1.power_pct …")
    source, module = _source(layout, settings)
    detectors = [
        name.removeprefix("facilities.gas_detector.").removesuffix("_ppm") for name in layout.declared
        if name.startswith("facilities.gas_detector.") and name.endswith("_ppm")
    ]  # fmt: skip
    return Composition(
        species=tuple(names),
        masses_kg=tuple(_mass(name) * 1e-3 for name in names),
        laws=tuple(growth.GASES.index(name) if name in growth.GASES else -1 for name in names),
        colliders=tuple(COLLIDERS.get(name, -1) for name in names),
        lines=lines,
        zones=zones,
        films=tuple(_film(film, names, source, parameters) for film in settings.films),
        source=source,
        module=module,
        detectors=detectors,
        tags=_tags(layout, module),
        lock=_lock(layout),
    )


def _species(settings: PlantSettings, fed: list[str]) -> list[str]:
    """Every species that is fed, made or set free, air last."""
    names = list(fed)
    for name, line in settings.lines.items():
        names += [one for one in (line.carrier, line.makes or name) if one]
    for film in settings.films:
        names += [STANDS_FOR.get(gas, gas) for gas in _consumed(film, settings.source or "", names)]
    if "NF3" in fed:
        names.append("SiF4")
    names.append("N2")
    return [name for name in dict.fromkeys(names) if name != AIR] + [AIR]


def _consumed(film: PlantFilm, source: str, names: list[str]) -> Mapping[str, float]:
    """What a mol of film takes, of the gases that the tool has."""
    if film.law == "SiO2-plasma" and "N2O" not in names:
        return growth.FILMS["SiO2-LTO"].consumed
    if film.law == "diamond" and (source == "burner" or "C2H2" in names):
        return {"C2H2": 0.5, "H2": -0.5}
    return growth.FILMS[film.law].consumed


def _mass(name: str) -> float:
    known = species(name)
    if known is not None:
        return known.molar_mass
    return MASSES.get(name, 30.0)


def _line(layout: Layout, names: list[str], gas: str, settings: PlantLine) -> LinePart:
    feed = next(one for one in layout.tool.gases if one.name == gas)
    made = settings.makes or gas
    carrier = settings.carrier or {"boat": "H2", "generator": "O2"}.get(settings.kind, "N2")
    if carrier not in names:
        raise PlantError(f"plant.lines.{gas}.carrier: nothing feeds {carrier}")
    if settings.kind == "bubbler" and made not in sources.VAPOUR:
        raise PlantError(f"plant.lines.{gas}: no vapour pressure of {made}; there are {', '.join(sources.VAPOUR)}")
    known = species(gas)
    return LinePart(
        gas=gas,
        setpoint=layout.index[feed.setpoint],
        valve=layout.index[feed.valve],
        full_scale_sccm=layout.declared[feed.setpoint].high,
        settings=settings,
        kind=KINDS[settings.kind],
        species=names.index(gas),
        made=names.index(made),
        carrier=names.index(carrier),
        bath_setpoint=layout.index.get(f"bubblers.{gas.lower()}.setpoint_c", -1),
        antoine=sources.VAPOUR.get(made, (0.0, 0.0)),
        purge=known is not None and known.hazards == (Hazard.INERT,),
        bypass=optional(layout, f"bubblers.{gas.lower()}.bypass"),
        bottle=_bottle(layout, f"gas_panel.{gas.lower()}"),
    )


def _bottle(layout: Layout, line: str) -> tuple[int, int, int] | None:
    if f"{line}.bottle_shut" not in layout.declared:
        return None
    return (
        output(layout, f"{line}.bottle_shut"),
        output(layout, f"{line}.bottle_release"),
        optional(layout, f"{line}.purge"),
    )


def _lock(layout: Layout) -> dict[str, Any] | None:
    if "load_lock.slit.open" not in layout.declared:
        return None
    names = {
        "pump": "pump_valve", "vent": "vent_valve", "slit_open": "slit.open", "slit_shut": "slit.shut",
        "extend": "arm.extend", "retract": "arm.retract", "up": "fork.raise", "down": "fork.lower",
    }  # fmt: skip
    found: dict[str, Any] = {word: output(layout, f"load_lock.{name}") for word, name in names.items()}
    return found | {"handling": handling_outputs(layout, "load_lock")}


def _source(layout: Layout, settings: PlantSettings) -> tuple[str, str]:
    """Source of energy and the name of its module."""
    modules = {module.kind: module.name for module in reversed(layout.tool.modules)}
    for kind, source in BY_KIND.items():
        if kind in modules and settings.source in {None, source, "inductive" if kind is ModuleKind.RF else None}:
            return settings.source or source, modules[kind]
    if settings.source not in {None, "none"}:
        raise PlantError(f"plant.source: the tool has no module for a {settings.source} source")
    return "none", ""


def _tags(layout: Layout, module: str) -> dict[str, int]:
    names = {
        "trickle_shut": "gas_panel.purge.shut", "throttle": "vacuum.throttle_valve.position_pct",
        "isolation_shut": "vacuum.isolation_valve.shut", "dry_stop": "vacuum.dry_pump.stop",
        "booster_stop": "vacuum.booster.stop", "rotation": "rotation.setpoint_rpm",
        "enable": f"{module}.enable", "power": f"{module}.power_w", "duty": f"{module}.duty_pct",
        "automatic": "match.mode", "load_preset": "match.load_preset_pct", "tune_preset": "match.tune_preset_pct",
        "tuner": "match.bias_tuner_pct", "bias_enable": "bias.enable", "bias_power": "bias.power_w",
        "scan_speed": f"{module}.scan_mm_s", "ignition": f"{module}.igniter",
    }  # fmt: skip
    if f"{module}.current_a" in layout.index:
        names["power"] = f"{module}.current_a"
    if "exhaust.damper_pct" in layout.index:
        names["throttle"] = "exhaust.damper_pct"
    return {key: layout.index.get(name, -1) for key, name in names.items()}


def _film(film: PlantFilm, names: list[str], source: str, parameters: Parameters) -> FilmPart:
    law = growth.FILMS[film.law]
    uses = dict[int, float]()
    for gas, moles in _consumed(film, source, names).items():
        at = names.index(STANDS_FOR.get(gas, gas))
        uses[at] = uses.get(at, 0.0) + moles
    taken = {at: moles for at, moles in uses.items() if moles > 0.0}
    missing = [gas for gas in film.needs if gas not in names]
    if missing:
        raise PlantError(f"plant.films: nothing feeds {', '.join(missing)}, which {film.name} needs")
    needs = (*taken, *(names.index(gas) for gas in film.needs))[:MOST_NEEDS]
    shares = (*(SHARE for _ in taken), *(film.least_share for _ in film.needs))[:MOST_NEEDS]
    cycled = law.growth_per_cycle_m > 0.0
    first, second = HALVES.get(film.law, ("", ""))
    halves = (names.index(first), names.index(second)) if cycled else (0, 0)
    rates = tuple(_bare_rate(_mass(name)) for name in (first, second)) if cycled else (0.0, 0.0)
    per = taken[needs[0]] if needs else 1.0
    site = law.growth_per_cycle_m / law.molar_volume_m3 * uses[halves[0]] if cycled else 0.0
    tabulated = source == "burner" and film.law == "diamond"
    return FilmPart(
        name=film.name, settings=film, law=law.index, cycled=cycled, needs_radicals=film.law in RADICAL_LAWS,
        tabulated=tabulated, needs=needs, shares=shares, limiting=needs[0] if needs else -1, per=per, uses=uses,
        halves=halves, rates=(rates[0], rates[1]), site_mol_m2=site, volume_m3=law.molar_volume_m3,
        table=_table(film.law, cycled, tabulated, parameters),
    )  # fmt: skip


def _bare_rate(molar_mass: float) -> float:
    """How fast a bare site reacts with a precursor, 1/(s·Pa) at 300 K."""
    impinging = 6.02214076e23 / np.sqrt(2.0 * np.pi * molar_mass * 1e-3 * 8.31446261815324 * 300.0)
    return float(STICKING * impinging * SITE_M2)


def _table(law: str, cycled: bool, tabulated: bool, parameters: Parameters) -> tuple[float, float, np.ndarray]:
    """Growth a cycle, or the rate under a flame in mol/(m²·s), over temperature."""
    lowest, step = 300.0, 25.0
    values = np.zeros(TABLE)
    if cycled:
        for i in range(TABLE):
            values[i] = _or_zero(lambda kelvin: growth.growth_per_cycle(law, kelvin), lowest + i * step)
    if tabulated:
        for i in range(TABLE):
            values[i] = _or_zero(lambda kelvin: _flame(law, kelvin, parameters), lowest + i * step)
    return lowest, step, values


def _flame(law: str, kelvin: float, parameters: Parameters) -> float:
    """Rate under a flame of acetylene, mol/(m²·s)."""
    grown = growth.combustion_growth(parameters.oxygen_over_acetylene, parameters.strain_1_s, kelvin)
    return grown.growth_m_s / growth.MOLAR_VOLUME[law]


def _or_zero(value: Callable[[float], float], temperature: float) -> float:
    try:
        return value(temperature)
    except ValueError:
        return 0.0


def situations_of(composition: Composition) -> Mapping[str, tuple[int, float]]:
    """Index and full scale of each line by its gas, as fault scripts name them."""
    return {line.gas: (at, line.full_scale_sccm) for at, line in enumerate(composition.lines)}
