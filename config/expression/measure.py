"""Types of an expression: Boolean, or a measure with its unit.

Temperatures need care, for a difference of two is none. Each measure of them has a *weight*, the multiple of the
unit's zero point that is in it: a tag or number in °C has weight 1, the difference of two has 0, and the mean
`(a + b) / 2` has 1 again. Only weights 0 (a difference, in K) and 1 (a temperature) mean anything in the end. A tag
in K is a difference; a number in K is whichever it meets: `t_c > 300 K` is a temperature, `t_c + 5 K` a difference.
"""

from dataclasses import dataclass, replace
from fractions import Fraction

from config.unit_table import NONE, TEMPERATURE, Unit
from config.units import describe


@dataclass(frozen=True, slots=True)
class Boolean:
    """True, false or unknown."""

    def __str__(self) -> str:
        return "a condition"


@dataclass(frozen=True, slots=True)
class Measure:
    """A value with a unit: SI = value × factor + weight × offset."""

    exponents: tuple[int, ...]
    factor: Fraction
    symbol: str | None
    """Of its unit, where it is one of the table's."""
    offset: Fraction = Fraction(0)
    weight: Fraction | None = Fraction(0)
    """None: a number in kelvin, which may be either."""
    constant: bool = False
    truth: bool = False
    """May stand where a condition is wanted (a tag that is 0 or 1)."""
    states: tuple[str, ...] = ()

    def __str__(self) -> str:
        if self.exponents == NONE:
            return "a number without a unit"
        if self.exponents == TEMPERATURE:
            if self.weight is None:
                return self.symbol or "K"
            kinds = ("a difference of temperatures", "a temperature")
            kind = kinds[int(self.weight)] if self.weight in {0, 1} else "a sum of temperatures"
            return f"{self.symbol or 'K'} ({kind})"
        return f"{self.symbol} ({describe(self.exponents)})" if self.symbol else describe(self.exponents)

    @property
    def certain_weight(self) -> Fraction:
        """The weight, with a number in kelvin as a difference."""
        return Fraction(0) if self.weight is None else self.weight

    def plain(self, *, weight: Fraction | None = Fraction(0), constant: bool = False) -> "Measure":
        """The same unit for the result of an operation."""
        return replace(self, weight=weight, constant=constant, truth=False, states=())


@dataclass(frozen=True, slots=True)
class Symbol:
    """What an expression may know of a tag."""

    unit: Unit | None
    """None when the tag's own unit is at fault: it then agrees with everything."""
    states: tuple[str, ...] = ()
    truth: bool = False
    """The tag is 0 or 1."""


def of_unit(unit: Unit, *, constant: bool = False) -> Measure:
    """The measure of a tag or number in this unit."""
    weight: Fraction | None = Fraction(0)
    if unit.exponents == TEMPERATURE:
        weight = Fraction(1) if unit.offset else (None if constant else Fraction(0))
    return Measure(unit.exponents, unit.factor, unit.symbol, unit.offset, weight, constant)


def of_symbol(symbol: Symbol) -> Measure | None:
    """The measure of a tag."""
    if symbol.unit is None:
        return None
    return replace(of_unit(symbol.unit), truth=symbol.truth, states=symbol.states)


def product(left: Measure, right: Measure, sign: int) -> Measure:
    """Multiply (sign 1) or divide (−1); a temperature only by a plain number, which weighs it."""
    exponents = tuple(a + sign * b for a, b in zip(left.exponents, right.exponents, strict=True))
    factor = left.factor * right.factor**sign
    constant = left.constant and right.constant
    if exponents == left.exponents and factor == left.factor:
        return left.plain(constant=constant)
    if exponents == right.exponents and factor == right.factor:
        return right.plain(constant=constant)
    return Measure(exponents, factor, None, constant=constant)
