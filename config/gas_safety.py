"""What a tool file says of the volumes that hold its gases, their purge, and the exhaust behind them.

From this `config.gas_rules` makes the computed tags that prove a purge, the dilution in the exhaust and the rows of the
matrix that stand on them. Nothing here knows a gas' dangers: those are in `config.gases`.
"""

from typing import Self

from pydantic import Field, model_validator

from config.base import Expression, Model, Name, TagName, Text
from config.gases import GasName


class Volume(Model):
    """A chamber that is purged by a measured flow, at a measured pressure."""

    litres: float = Field(gt=0)
    """Greatest volume that the gas can be in, dead legs included."""
    pressure: TagName
    """Its pressure, Torr."""
    least_torr: float = Field(gt=0)
    """Never less gas than at this pressure is taken to be in it: what its gauge may be wrong by."""
    mixing: float = Field(gt=0, le=1)
    """Share of the purge gas that mixes with what it finds."""
    purge: tuple[GasName, ...] = Field(min_length=1)
    """Inert gases whose measured flow thins the others."""
    opened: Expression
    """Air comes in while this is true or unknown."""


class Line(Model):
    """A gas line that is purged by cycles of pressure."""

    gas: GasName
    pressure: TagName
    low: float = Field(gt=0)
    """A cycle begins below this, in the unit of the pressure …"""
    high: float = Field(gt=0)
    """… and counts above this."""
    mixing: float = Field(gt=0, le=1)
    """Share of the purge gas that mixes with what it finds: a cycle leaves 1 − mixing · (1 − low/high)."""
    purge: TagName
    """Output that lets the purge gas in."""
    supplied: Expression
    """The gas may come in while this is true or unknown."""

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.low >= self.high:
            raise ValueError("low must be below high")
        return self


class LeakProof(Model):
    """A rate of rise that must have been passed before anything pyrophoric is admitted."""

    operation: Name
    """It takes `gas_safety.leak_passed` to 0 when it begins and to 1 when it has passed; nothing else does."""
    within_h: float = Field(gt=0, le=8760)
    void: Expression
    """A proof ends when this is true or unknown: an open door, atmosphere in the chamber."""


class GasSafety(Model):
    """Volumes, exhaust and proofs."""

    exhaust: TagName
    """Contact: flow in the exhaust duct."""
    abatement: TagName
    """Contact: the abatement is ready."""
    dilution: TagName
    """Measured flow of air or nitrogen that dilutes the exhaust (slm); Bad is no credit."""
    least_dilution_slm: float = Field(gt=0)
    """Below it gas that burns is shut off; what a recipe may count on."""
    locks: tuple[TagName, ...] = Field(min_length=1)
    """Outputs that release or open a door of the chamber."""
    chamber: Volume
    lines: tuple[Line, ...] = ()
    leak: LeakProof | None = None


class Waiver(Model):
    """Said in the place of all that: nothing is computed for this tool, and why."""

    waived: Text
