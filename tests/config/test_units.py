"""Units convert exactly, know their codes, and keep temperatures and their differences apart."""

import contextlib
import math

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from config.units import (
    NO_UNIT_ID,
    UNITS,
    Unit,
    UnitError,
    convert,
    convert_difference,
    describe,
    find_unit,
    parse_quantity,
    spellings,
    unit_id,
)


@pytest.mark.parametrize(
    ("value", "source", "target", "expected"),
    [
        (760.0, "Torr", "Pa", 101325.0),
        (1.0, "mbar", "Pa", 100.0),
        (50.0, "kPa", "Pa", 50000.0),
        (250.0, "mTorr", "Torr", 0.25),
        (20.0, "°C", "K", 293.15),
        (293.15, "K", "°C", pytest.approx(20.0, abs=1e-12)),
        (10.0, "°C/min", "K/s", pytest.approx(1 / 6)),
        (1.0, "slm", "sccm", 1000.0),
        (1.0, "sccm", "mol/s", pytest.approx(7.4358e-7, rel=1e-5)),  # NIST: 1 sccm at 0 °C, 101.325 kPa
        (1.0, "Torr·L/s", "Pa·m³/s", pytest.approx(0.133322368)),
        (60.0, "nm/min", "nm/s", 1.0),
        (3600.0, "rpm", "Hz", 60.0),
        (1.5, "h", "min", 90.0),
        (100.0, "nm", "µm", pytest.approx(0.1)),
    ],
)
def test_values_convert(value: float, source: str, target: str, expected: float) -> None:
    assert convert(value, find_unit(source), find_unit(target)) == expected


def test_a_difference_of_temperatures_has_no_zero_point() -> None:
    assert convert_difference(5.0, find_unit("°C"), find_unit("K")) == 5.0
    assert convert(5.0, find_unit("°C"), find_unit("K")) == 278.15


def test_different_dimensions_do_not_convert() -> None:
    with pytest.raises(UnitError, match="°C is temperature and cannot become Torr, which is pressure"):
        convert(1.0, find_unit("°C"), find_unit("Torr"))


@given(st.floats(-1e12, 1e12), st.sampled_from(UNITS), st.sampled_from(UNITS))
def test_there_and_back_is_where_one_was(value: float, source: Unit, target: Unit) -> None:
    assume(source.exponents == target.exponents)
    # A zero point is added on the way: what it swallows is lost for ever, in any arithmetic of doubles.
    lost = 4 * math.ulp(273.15) * float(max(target.factor / source.factor, source.factor / target.factor, 1))
    there = convert(value, source, target)
    assert convert(there, target, source) == pytest.approx(value, rel=1e-15, abs=lost)


def test_infinity_and_nan_pass_and_too_large_values_become_infinite() -> None:
    pascal, millitorr = find_unit("Pa"), find_unit("mTorr")
    assert math.isnan(convert(math.nan, pascal, millitorr))
    assert convert(math.inf, pascal, millitorr) == math.inf
    assert convert(-1.7e308, find_unit("kPa"), pascal) == -math.inf


@pytest.mark.parametrize(
    ("symbol", "expected"),  # values as published in the OPC Foundation's table of unit ids
    [
        ("°C", 4408652),
        ("K", 4932940),
        ("Torr", 21825),
        ("Pa", 5259596),
        ("mbar", 5063250),
        ("%", 20529),
        ("W", 5723220),
        ("s", 5457219),
        ("nm", 4404277),
        ("µm", 13384),
        ("1", 4404786),
        ("rpm", 5394509),
    ],
)
def test_unit_ids_are_those_of_opc_ua(symbol: str, expected: int) -> None:
    assert unit_id(find_unit(symbol)) == expected


def test_units_that_the_un_does_not_list_have_no_id() -> None:
    assert {unit.symbol for unit in UNITS if unit_id(unit) == NO_UNIT_ID} >= {"sccm", "slm", "mTorr", "Torr·L/s"}


def test_the_table_is_consistent() -> None:
    symbols = [spelling for unit in UNITS for spelling in (unit.symbol, *unit.aliases)]
    codes = [unit.code for unit in UNITS if unit.code]
    suffixes = [unit.suffix for unit in UNITS if unit.suffix]
    for listed in (symbols, codes, suffixes):
        assert len(listed) == len(set(listed))
    assert all(unit.factor > 0 and unit.name and unit.dimension for unit in UNITS)
    assert len(spellings) == len(symbols)


@pytest.mark.parametrize(
    ("text", "value", "symbol"),
    [
        ("50 Torr", 50.0, "Torr"),
        ("2°C", 2.0, "°C"),
        (" -1.5e-3  mTorr ", -0.0015, "mTorr"),
        ("7", 7.0, "1"),
        (".5 um", 0.5, "µm"),
        ("5 μm", 5.0, "µm"),  # Greek mu, where the symbol has the micro sign
    ],
)
def test_quantities_are_read(text: str, value: float, symbol: str) -> None:
    quantity = parse_quantity(text)
    assert (quantity.value, quantity.unit.symbol) == (value, symbol)
    assert parse_quantity(str(quantity)) == quantity


@given(st.floats(allow_nan=False, allow_infinity=False), st.sampled_from(UNITS))
def test_a_printed_quantity_reads_as_itself(value: float, unit: Unit) -> None:
    text = f"{value!r} {unit.symbol}"
    assert parse_quantity(str(parse_quantity(text))) == parse_quantity(text)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Torr", "is not a quantity: write a number and a unit"),
        ("", "is not a quantity"),
        ("5 torrr", "unknown unit 'torrr'; did you mean"),
        ("5 PA", "unknown unit 'PA'; did you mean 'Pa'?"),
        ("1e999 Pa", "too large a number"),
        ("nan Pa", "is not a quantity"),
        ("5" * 500, "is not a quantity"),
        ("٥ Pa", "is not a quantity"),
    ],
)
def test_what_is_no_quantity_is_refused(text: str, words: str) -> None:
    with pytest.raises(UnitError, match=words.replace("?", r"\?")):
        parse_quantity(text)


@given(st.text(max_size=50))
def test_any_text_is_a_quantity_or_a_fault(text: str) -> None:
    with contextlib.suppress(UnitError):
        assert math.isfinite(parse_quantity(text).value)


def test_a_dimension_without_a_name_is_written_in_powers() -> None:
    assert describe(find_unit("Torr").exponents) == "pressure"
    assert describe((2, 0, -1, 0, 0, 0, 0, 0)) == "m²·s⁻¹"
