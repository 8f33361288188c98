"""What distinguishes one chamber tool from another: the input of make_chambers.py."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from config.gases import species
from hil.chamber.parameters import Parameters


@dataclass(frozen=True)
class Gas:
    """A gas line."""

    formula: str
    label: str
    full: float
    """sccm, full scale of its controller."""
    inert: bool = False
    detector_ppm: float | None = None
    """A detector in the extraction trips here, else at what config.gases says; inert gases and mere oxidisers none."""
    detector_why: str = ""
    bubbler_c: tuple[float, float, float] | None = None
    """Bath: least, greatest, initial set point; its flow is a carrier then."""
    vents: bool = False
    """Runs to the vent while its valve is shut."""
    line: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """Of [plant.lines]."""
    vent: str = "vent"
    """Its vent line, where it vents: gases that must never meet have vent lines of their own."""

    @property
    def mist(self) -> bool:
        """Whether it comes as droplets in a carrier."""
        return self.line.get("kind") == "mist"

    @property
    def carried(self) -> bool:
        """Whether its flow is that of a carrier."""
        return self.bubbler_c is not None or self.mist

    @property
    def bottled(self) -> bool:
        """Whether it comes from a bottle of its own: what is watched for, but hydrogen, which the house supplies."""
        return self.watched_ppm is not None and not self.carried and self.formula != "H2"

    @property
    def watched_ppm(self) -> float | None:
        """At what its detector trips; None: it has none."""
        found = species(self.formula)
        return self.detector_ppm if found is None or self.detector_ppm is not None else found.watched_ppm

    @property
    def watched_why(self) -> str:
        """Why there."""
        if self.detector_why:
            return self.detector_why
        found = species(self.formula)
        poisons = found is not None and found.exposure_ppm is not None
        return "what people may breathe" if poisons else "a tenth of its lower explosion limit"

    @property
    def tag(self) -> str:
        """As tags call it."""
        return self.formula.lower()

    @property
    def valve(self) -> str:
        """Tag of its valve."""
        return f"gas_panel.{self.tag}.valve"

    @property
    def setpoint(self) -> str:
        """Tag of its set point."""
        return f"gas_panel.{self.tag}.setpoint_sccm"

    @property
    def flow(self) -> str:
        """Tag of its flow."""
        return f"gas_panel.{self.tag}.flow_sccm"


@dataclass(frozen=True)
class Heat:
    """Zones of heat."""

    kind: str
    description: str
    most_c: float
    """Greatest set point."""
    trip_c: float
    snap_c: float
    power_w: float
    standby_c: float
    per_min: float = 20.0
    kp: float = 21.0
    ti_s: float = 120.0
    zones: int = 1
    tolerance_c: float = 3.0
    least_c: float = 0.0
    disagree_k: float = 40.0
    names: Sequence[str] = ()
    """Of zones that are not alike."""


@dataclass(frozen=True)
class Vacuum:
    """Pumps or an exhaust, gauges and the pressure loop."""

    kind: str
    """roots, turbo or exhaust."""
    low: float
    high: float
    initial: float
    """Torr, of the pressure's set point."""
    full: float
    """Torr, of the manometer."""
    kp: float
    ti_s: float
    base: float = 0.005
    """Torr that a pump-down reaches."""
    gas_limit: float = 10.0
    """Torr below which process gas may be opened."""
    over: float = 9.0
    """Torr above which process gas trips."""
    tolerance_pct: float = 4.0
    fill: float = 5.0
    empty: float = 0.05
    """Torr between which a cycle purge goes."""
    fine: float = 0.0
    """Torr, full scale of a second manometer for the low end; 0: none."""
    usual: Sequence[tuple[float, float]] = ()
    """Set points in Torr with their usual flow in sccm, by which the loop's gains go; none: kp and ti_s everywhere."""
    closed_loop_s: float = 0.3


@dataclass(frozen=True)
class Source:
    """A source of energy."""

    name: str
    """Its module."""
    kind: str
    title: str
    description: str
    most: float
    """Greatest power in W, or current in A."""
    unit: str = "W"
    inputs: Sequence[Mapping[str, Any]] = ()
    """More inputs of its module."""
    outputs: Sequence[Mapping[str, Any]] = ()
    match: bool = False
    bias_w: float = 0.0
    reflects: bool = False
    window: tuple[float, float] | None = None
    """Torr between which it may be on."""
    lit: str = ""
    frequency_mhz: float = 13.56
    gas: Mapping[str, float] = field(default_factory=dict[str, float])
    """What it burns in without flows of a recipe."""
    tolerance_pct: float = 5.0
    light_s: float = 15.0
    settings: str = "plasma_settings"
    """Words of a recipe that ask for it; none: it follows its gases."""
    words: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """More of its binding, or other tags for it."""
    rate: float = 0.0
    danger: str = "high frequency in reach of hands"


@dataclass(frozen=True)
class Pair:
    """Gases that this tool brings together, and where."""

    first: str
    second: str
    unless: str
    """Expression that is true outside of the window; both valves are open."""
    why: str
    name: str


@dataclass(frozen=True)
class Spec:
    """A tool."""

    file: str
    name: str
    title: str
    head: Sequence[str]
    model: str
    serial: str
    gases: Sequence[Gas]
    heat: Heat
    vacuum: Vacuum
    modes: Sequence[str]
    films: Sequence[Mapping[str, Any]]
    purge: str = "N2"
    source: Source | None = None
    rotation: float = 0.0
    """rpm at most; 0: none."""
    pairs: Sequence[Pair] = ()
    apart_s: float = 20.0
    """Gases that must not meet wait so long for one another."""
    metrology: Sequence[str] = ()
    modules: Sequence[Mapping[str, Any]] = ()
    interlocks: Sequence[Mapping[str, Any]] = ()
    alarms: Sequence[Mapping[str, Any]] = ()
    loops: Sequence[Mapping[str, Any]] = ()
    maps: Sequence[Mapping[str, Any]] = ()
    operations: Sequence[Mapping[str, Any]] = ()
    cold: Sequence[str] = ()
    """More outputs and set points that the safe state wants at 0."""
    still: Sequence[str] = ()
    """Commands of moving parts: at 0 they stand where they are, as the safe sequence wants it."""
    running: Mapping[str, float] = field(default_factory=dict[str, float])
    """Written before a recipe (a susceptor turns, a bath is warm) and taken back to 0 at standby."""
    parameters: Mapping[str, float] = field(default_factory=dict[str, float])
    """Of the plant, beside those that heat and vacuum say already."""
    plant_source: str = ""
    manifold: str = "run_vent"
    """Kind of the module of the valves whose gases run to a vent: run_vent or pulse_valves."""
    seed: int = 1
    purge_sccm: float = 2000.0
    purge_s: float = 45.0
    vent_sccm: float = 5000.0
    shield: bool = False
    """A contact of the beam's, lamp's or wave's shield."""
    before: Sequence[str] = ("leak_check", "cycle_purge")
    mixing: float = 0.5
    """Share of the purge gas that mixes with what is in the chamber (engineering default; a showerhead's flow more)."""

    @property
    def hazardous(self) -> list[Gas]:
        """Gases that trips shut."""
        return [gas for gas in self.gases if not gas.inert]

    @property
    def plant(self) -> dict[str, float]:
        """Every parameter of the plant."""
        said = {
            "full_power_w": self.heat.power_w, "snap_c": self.heat.snap_c, "idle_c": self.heat.standby_c,
            "manometer_full_torr": self.vacuum.full, "fine_manometer_full_torr": self.vacuum.fine,
        }  # fmt: skip
        return {name: float(value) for name, value in (asdict(Parameters()) | said | dict(self.parameters)).items()}

    @property
    def cold_volume_l(self) -> float:
        """The chamber's volume as gas at 0 °C would fill it while the chamber idles: what a rate of rise goes by."""
        of = self.plant
        gas_c = of["wall_c"] + of["gas_share"] * (of["idle_c"] - of["wall_c"])
        return float(f"{of['volume_l'] * 273.15 / (gas_c + 273.15):.3g}")

    @property
    def inert(self) -> Gas:
        """The purge gas."""
        return next(gas for gas in self.gases if gas.formula == self.purge)

    def gas(self, formula: str) -> Gas:
        """A gas by its formula."""
        return next(gas for gas in self.gases if gas.formula == formula)
