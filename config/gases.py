"""Gases: what they are, how dangerous they are, and which may never share a volume.

The table is data (`gases.toml`, with its sources). Rules hold per volume (line, manifold, chamber, foreline,
abatement); only a process mode may except a pair, with a window and for the chamber alone (config.process_mode).
"""

import tomllib
from collections.abc import Iterable
from enum import StrEnum
from functools import cache
from itertools import combinations
from pathlib import Path
from typing import Annotated

from pydantic import Field, StringConstraints

from config.base import Model, Text

GasName = Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Za-z0-9]{0,15}$")]
"""A formula or an established abbreviation: `SiH4`, `TMGa`."""

MOL_PER_STANDARD_LITRE = 1.0 / 22.413_969
"""At 0 °C and 101 325 Pa, as sccm are defined (SEMI E12-0303; CODATA 2018 molar volume)."""


class Hazard(StrEnum):
    """What makes a gas dangerous; the order is the one in which valves open, and close backwards."""

    INERT = "inert"
    OXIDISER = "oxidiser"
    CORROSIVE = "corrosive"
    FLAMMABLE = "flammable"
    TOXIC = "toxic"
    PYROPHORIC = "pyrophoric"


RANK = {hazard: rank for rank, hazard in enumerate(Hazard)}

LEVEL = {
    Hazard.INERT: 1,
    Hazard.OXIDISER: 2,
    Hazard.CORROSIVE: 2,
    Hazard.FLAMMABLE: 2,
    Hazard.TOXIC: 3,
    Hazard.PYROPHORIC: 3,
}
"""Least `safety_hazard_level` of a recipe that uses such a gas (the guide's silane recipe declares 3)."""


SAFE_LFL = 0.25
"""Share of the lower limit of flammability that an exhaust, or what is left in a volume, stays below (NFPA 69-2019,
8.3.1; NFPA 318)."""
DETECTED_LFL = 0.1
"""Share of it at which a detector of a gas without an exposure limit trips (engineering default)."""
MIXING_PPM = 1000.0
"""Residue that makes no mixture which burns (a fiftieth of hydrogen's limiting oxygen concentration in nitrogen, 5 %,
NFPA 69-2019 annex C; the rest of the way is an engineering default)."""
OPENING_PPM = 100.0
"""The same for opening a volume, of a gas with neither limit."""
PPM_PER_PCT = 1e4


class Species(Model):
    """A gas or vapour that recipes may name."""

    formula: GasName
    name: Text
    aliases: tuple[GasName, ...] = ()
    molar_mass: float = Field(gt=0)
    """g/mol."""
    conversion: float | None = Field(default=None, gt=0)
    """Gas conversion factor of a thermal mass flow controller, relative to nitrogen."""
    hazards: tuple[Hazard, ...] = Field(min_length=1)
    exposure_ppm: float | None = Field(default=None, gt=0)
    idlh_ppm: float | None = Field(default=None, gt=0)
    lfl_pct: float | None = Field(default=None, gt=0, le=100)
    ufl_pct: float | None = Field(default=None, gt=0, le=100)
    metal_organic: bool = False
    source: Text | None = None

    @property
    def burns(self) -> bool:
        """Whether it counts against a lower limit of flammability."""
        return bool({Hazard.FLAMMABLE, Hazard.PYROPHORIC} & set(self.hazards))

    @property
    def watched_ppm(self) -> float | None:
        """What a detector in the extraction trips at; None for what neither poisons nor burns."""
        if not {Hazard.TOXIC, Hazard.FLAMMABLE, Hazard.PYROPHORIC} & set(self.hazards):
            return None
        burning = PPM_PER_PCT * DETECTED_LFL * (self.lfl_pct or 1.0)
        return burning if self.exposure_ppm is None else self.exposure_ppm

    @property
    def opening_ppm(self) -> float:
        """What may be left of it in a volume that is opened to the room: what people may breathe, never what burns."""
        burning = PPM_PER_PCT * SAFE_LFL * self.lfl_pct if self.lfl_pct is not None else OPENING_PPM
        return burning if self.exposure_ppm is None else min(burning, self.exposure_ppm)

    @property
    def mixing_ppm(self) -> float:
        """What may be left of it in a volume into which a gas comes that it must never meet."""
        return MIXING_PPM if self.lfl_pct is None else min(MIXING_PPM, PPM_PER_PCT * SAFE_LFL * self.lfl_pct)

    @property
    def rank(self) -> int:
        """Place in the order of opening: inert first, pyrophoric last."""
        return max(RANK[hazard] for hazard in self.hazards)

    @property
    def hazardous(self) -> bool:
        """Whether a hold shuts it: everything but inert gas."""
        return self.hazards != (Hazard.INERT,)

    @property
    def level(self) -> int:
        """Least hazard level of a recipe that uses it."""
        return max(LEVEL[hazard] for hazard in self.hazards)


class PairRule(Model):
    """Gases of `a` with gases of `b`; a hazard or `metal_organic` stands for every species of that kind."""

    a: tuple[str, ...]
    b: tuple[str, ...]
    reason: Text


class GasTable(Model):
    """The whole of `gases.toml`."""

    gas: tuple[Species, ...]
    never: tuple[PairRule, ...]
    caution: tuple[PairRule, ...]


@cache
def gas_table() -> GasTable:
    """The shipped table."""
    text = Path(__file__).with_name("gases.toml").read_text(encoding="utf-8")
    # Through JSON, so that strict models take arrays as tuples and words as enumerations.
    return GasTable.model_validate(tomllib.loads(text), strict=False)


@cache
def _by_name() -> dict[str, Species]:
    return {name: gas for gas in gas_table().gas for name in (gas.formula, *gas.aliases)}


def species(name: str) -> Species | None:
    """Find a gas by its formula or an alias; None when the table has it not."""
    return _by_name().get(name)


def known_gases() -> tuple[str, ...]:
    """Every formula of the table, sorted."""
    return tuple(sorted(gas.formula for gas in gas_table().gas))


def _is_of(gas: Species, word: str) -> bool:
    return word == gas.formula or word in gas.hazards or (word == "metal_organic" and gas.metal_organic)


def _rule(rules: Iterable[PairRule], a: str, b: str) -> str | None:
    one, other = species(a), species(b)
    if one is None or other is None or one is other:
        return None
    for rule in rules:
        for x, y in ((one, other), (other, one)):
            if any(_is_of(x, word) for word in rule.a) and any(_is_of(y, word) for word in rule.b):
                return rule.reason
    return None


def never_together(a: str, b: str) -> str | None:
    """Say why two gases may never share a volume; None when nothing is known against it."""
    return _rule(gas_table().never, a, b)


def caution_together(a: str, b: str) -> str | None:
    """Say what two gases that may meet ask for; None when nothing."""
    return _rule(gas_table().caution, a, b)


def pairs(gases: Iterable[str]) -> Iterable[tuple[str, str]]:
    """Every unordered pair of different gases, sorted, so that faults come in one order."""
    return combinations(sorted(set(gases)), 2)


def opening_order(gases: Iterable[str]) -> list[str]:
    """Sort gases for opening their valves: inert, oxidisers, then fuels, pyrophoric and unknown ones last."""

    def key(name: str) -> tuple[int, str]:
        gas = species(name)
        return (len(RANK) if gas is None else gas.rank, name)

    return sorted(gases, key=key)


def is_hazardous(name: str) -> bool:
    """Whether a gas is anything but inert; an unknown gas counts as hazardous."""
    gas = species(name)
    return gas is None or gas.hazardous
