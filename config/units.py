"""Units of values: looking them up, reading quantities, converting values and differences.

A difference of temperatures is no temperature: `convert` moves 20 °C to 293.15 K, `convert_difference` moves 20 °C to
20 K. Conversions are exact fractions rounded once, so that 50 kPa is 50 000 Pa to the last bit.
"""

import math
import re
from dataclasses import dataclass
from fractions import Fraction
from functools import cache

from config.faults import suggestion
from config.unit_table import BASES, FREQUENCY, TIME, UNITS, Exponents, Unit

__all__ = ["NAMESPACE", "NO_UNIT_ID", "UNITS", "Quantity", "Unit", "UnitError", "convert", "convert_difference"]
__all__ += ["describe", "find_unit", "parse_quantity", "rate_unit", "spellings", "unit_id"]

NAMESPACE = "http://www.opcfoundation.org/UA/units/un/cefact"
"""NamespaceUri of EUInformation for a unit with a common code (OPC UA Part 8, 5.6.4.3)."""
NO_UNIT_ID = -1  # Part 8, 5.6.4.3: no unit id is available

spellings: dict[str, Unit] = {spelling: unit for unit in UNITS for spelling in (unit.symbol, *unit.aliases)}
"""Every understood spelling and its unit."""
PER: dict[str, Fraction] = {symbol: spellings[symbol].factor for symbol in ("s", "min", "h")}
"""What any unit but that of a time or a bare number may stand over: `kPa/min`."""

_NUMBER = r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?"
_QUANTITY = re.compile(rf"\s*({_NUMBER})\s*(.*?)\s*", re.ASCII | re.DOTALL)


class UnitError(ValueError):
    """A unit is not known, or two units do not measure the same thing."""


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number with its unit, as somebody wrote it."""

    value: float
    unit: Unit

    def __str__(self) -> str:
        number = f"{self.value:.17g}" if float(f"{self.value:.15g}") != self.value else f"{self.value:.15g}"
        return number if self.unit.symbol == "1" else f"{number} {self.unit.symbol}"


def find_unit(symbol: str) -> Unit:
    """Return the unit of a symbol; raises UnitError with a suggestion."""
    unit = spellings.get(symbol) or _per_time(symbol)
    if unit is None:
        alike = {spelling.lower(): spelling for spelling in spellings}
        near = alike.get(symbol.lower())
        hint = f"; did you mean '{near}'?" if near else suggestion(symbol, spellings)
        raise UnitError(f"unknown unit '{symbol[:60]}'{hint}")
    return unit


def rate_unit(unit: Unit) -> Unit:
    """The unit in which the scan says how fast something in `unit` changes: per second."""
    if not any(unit.exponents):
        return spellings["Hz"]
    return find_unit(f"{unit.symbol}/s")


@cache
def _per_time(symbol: str) -> Unit | None:
    """A rate that the table does not list, made of a unit that it does list."""
    above, _, below = symbol.rpartition("/")
    base = spellings.get(above)
    if base is None or below not in PER or base.exponents == TIME or not any(base.exponents):
        return None
    known = spellings.get(f"{base.symbol}/{below}")
    if known is not None:
        return known
    exponents = tuple(a + b for a, b in zip(base.exponents, FREQUENCY, strict=True))
    name = f"{base.name} per {spellings[below].name}"
    suffix = None if base.suffix is None else f"{base.suffix}_{below}"
    return Unit(
        f"{base.symbol}/{below}", f"{base.dimension} rate", exponents, base.factor / PER[below], name, None, suffix
    )


def parse_quantity(text: str) -> Quantity:
    """Read `50 Torr`, `2°C`, `1e-3 mTorr` or `0.5` (unit 1); raises UnitError."""
    found = _QUANTITY.fullmatch(text) if len(text) <= 200 else None
    if found is None:
        raise UnitError(f"'{text[:60]}' is not a quantity: write a number and a unit, as in '50 Torr'")
    value = float(found[1])
    if not math.isfinite(value):
        raise UnitError(f"'{text[:60]}' is too large a number")
    return Quantity(value, find_unit(found[2] or "1"))


def convert(value: float, source: Unit, target: Unit) -> float:
    """Convert a value; raises UnitError when the units do not measure the same thing."""
    return _converted(value, source, target, source.offset - target.offset)


def convert_difference(value: float, source: Unit, target: Unit) -> float:
    """Convert a difference of two values: offsets do not count."""
    return _converted(value, source, target, Fraction(0))


def unit_id(unit: Unit) -> int:
    """Return the OPC UA unit id: the characters of the common code as a big-endian number (Part 8, 5.6.4.3)."""
    return NO_UNIT_ID if unit.code is None else int.from_bytes(unit.code.encode("ascii"), "big")


def describe(exponents: Exponents) -> str:
    """Name a dimension for people: `pressure`, or its powers (`m³·s⁻²`) where it has no name here."""
    for unit in UNITS:
        if unit.exponents == exponents:
            return unit.dimension
    raised = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
    powers = zip(BASES, exponents, strict=True)
    return "·".join(base if n == 1 else f"{base}{str(n).translate(raised)}" for base, n in powers if n)


def _converted(value: float, source: Unit, target: Unit, offset: Fraction) -> float:
    if source.exponents != target.exponents:
        raise UnitError(
            f"{source.symbol} is {source.dimension} and cannot become {target.symbol}, which is {target.dimension}"
        )
    if not math.isfinite(value) or (source.factor == target.factor and not offset):
        return value
    exact = (Fraction(value) * source.factor + offset) / target.factor
    try:
        return float(exact)
    except OverflowError:
        return math.inf if exact > 0 else -math.inf
