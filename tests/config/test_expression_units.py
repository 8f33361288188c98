"""Expressions compare what can be compared, and say what is wrong, and where, when they cannot."""

import pytest

from config.expression import ExpressionError, Measure, compile_postfix, read_boolean, read_quantity, resolve, to_text
from config.expression.parser import parse
from config.units import find_unit
from kernels.tables import Op
from tests.config.expression_language import INDEX, SCOPE


def constants(condition: str) -> list[float]:
    code = compile_postfix(read_boolean(condition, SCOPE), INDEX)
    return [float(row["value"]) for row in code if row["op"] == Op.CONST]


@pytest.mark.parametrize(
    ("condition", "numbers"),
    [
        ("chamber.pressure_torr > 50 Torr", [50.0]),
        ("chamber.pressure_torr > 50 mTorr", [0.05]),
        ("foreline.pressure_pa > 1 kPa", [1000.0]),
        ("1 kPa < foreline.pressure_pa", [1000.0]),
        ("heater.left_c > 300 K", [pytest.approx(26.85, abs=1e-12)]),
        ("abs(heater.left_c - heater.right_c) > 3 K", [3.0]),
        ("heater.left_c > heater.right_c + 3 K", [3.0]),
        ("heater.left_c - 700 °C > 3 K", [700.0, 3.0]),
        ("(heater.left_c + heater.right_c) / 2 > 700 °C", [2.0, 700.0]),
        ("heater.left_c * 0.5 + heater.right_c * 0.5 > 700 °C", [0.5, 0.5, 700.0]),
        ("heater.band_k > 5 °C - 2 °C", [5.0, 2.0]),
        ("300 K - heater.left_c < 5 K", [pytest.approx(26.85, abs=1e-12), 5.0]),
        ("heater.left_c > 100 K + 200 K", [100.0, 200.0, pytest.approx(-273.15)]),
        ("-film.count < -(film.count - 5)", [5.0]),
        ("step.elapsed_s > 2 min", [120.0]),
        ("throttle.position_pct > 90 %", [90.0]),
        ("chamber.pressure_torr * throttle.position_pct / 100 % > 1 Torr", [100.0, 1.0]),
        ("panel.silane_sccm >= 0.1 slm", [100.0]),
        ("foreline.pressure_pa > chamber.pressure_torr", [pytest.approx(133.32236842105263)]),
        ("chamber.pressure_torr / step.elapsed_s > 60 Torr/min", [1.0]),
        ("heater.mode == auto", [2.0]),
        ("manual != heater.mode", [1.0]),
        ("panel.valve == open and heater.mode == 2", [1.0, 2.0]),
        ("min(chamber.pressure_torr, 1 kPa) > 1 Torr", [pytest.approx(7.500616827), 1.0]),
    ],
)
def test_numbers_are_converted_into_the_unit_of_the_tag(condition: str, numbers: list[float]) -> None:
    assert constants(condition) == numbers


@pytest.mark.parametrize(
    ("condition", "column", "words"),
    [
        ("heater.left_c > 50 Torr", 15, "°C (a temperature) and Torr (pressure) cannot be compared"),
        ("chamber.pressure_torr > 50", 23, "write the number with its unit, as in '5 Torr'"),
        ("throttle.position_pct > 0.5", 23, "write the number with its unit, as in '5 %'"),
        ("film.count > 5 Torr", 12, "a number without a unit and Torr (pressure)"),
        ("abs(heater.left_c - heater.right_c) > 5 °C", 39, "a difference of temperatures is written"),
        ("heater.band_k > heater.left_c", 17, "a difference of temperatures is written"),
        ("heater.left_c + heater.right_c > 700 °C", 32, "a sum of temperatures"),
        ("heater.left_c * heater.right_c > 1", 15, "multiplied with or divided by a plain number"),
        ("2 / heater.left_c > 1", 3, "multiplied with or divided by a plain number"),
        ("abs(heater.left_c) > 5 K", 1, "take a difference of two temperatures"),
        ("sqrt(chamber.pressure_torr) > 1", 1, "square root of Torr (pressure) has no unit"),
        ("chamber.pressure_torr + 5 > 1 Torr", 23, "cannot be added"),
        ("chamber.pressure_torr - heater.band_k > 1 Torr", 23, "cannot be subtracted"),
        ("min(chamber.pressure_torr, 5) > 1 Torr", 28, "cannot be compared"),
        ("5 Torr > 3 Torr", 8, "compares two numbers: it never changes"),
        (
            "chamber.presure_torr > 5 Torr",
            1,
            "unknown tag 'chamber.presure_torr'; did you mean 'chamber.pressure_torr'?",
        ),
        ("pressure_torr > 5 Torr", 1, "did you mean 'chamber.pressure_torr'?"),
        ("good(chamber.pressure)", 6, "unknown tag 'chamber.pressure'"),
        ("heater.mode == atuo", 16, "no state of 'heater.mode' (off, manual, auto); did you mean 'auto'?"),
        ("heater.mode > auto", 13, "states have no order"),
        ("film.count == auto", 15, "'film.count' has no named states"),
        ("auto", 1, "the name of a state stands beside == or !="),
        ("heater.mode", 1, "must be a condition, is a number without a unit; compare it with one of its states"),
        ("chamber.pressure_torr", 1, "must be a condition, is Torr (pressure); compare it with something"),
        ("not chamber.pressure_torr", 5, "must be a condition"),
        ("pump.running + good(film.count) > 1", 16, "must be a value, is a condition"),
        ("(film.count > 1) > 2", 13, "must be a value, is a condition"),
        ("chamber.pressure_torr > 5 torrs", 27, "unknown unit 'torrs'; did you mean"),
        ("chamber.pressure_torr > 5 TORR", 27, "did you mean 'Torr'?"),
        ("chamber.pressure_torr = 5 Torr", 23, "'=' has no meaning here; write =="),
        ("pump.running && panel.valve", 14, "write and"),
        ("pump.running panel.valve", 14, "expected an operator, found 'panel.valve'"),
        ("1 < film.count < 3", 16, "comparisons cannot be chained: join two with and"),
        ("(film.count > 3", 16, "expected ')' for the parenthesis of column 1, found the end"),
        ("vote(film.count > 3)", 1, "vote(…) takes a whole number k"),
        ("vote(3, pump.running, panel.valve)", 6, "3 of 2 can never decide anything"),
        ("vote(1.5, pump.running, panel.valve)", 1, "vote(…) takes a whole number k"),
        ("sine(film.count) > 1", 1, "unknown function 'sine'"),
        ("max(film.count) > 1", 1, "two arguments or more"),
        ("abs(film.count, 1) > 1", 1, "one argument"),
        ("good(film.count > 1)", 1, "takes the name of one tag"),
        ("", 1, "expected a value, found the end"),
        ("film.count >", 13, "expected a value, found the end"),
        ("film.count > 1e999", 14, "too large a number"),
        ("film.count # 1", 12, "'#' has no meaning here"),
    ],
)
def test_a_fault_names_its_column(condition: str, column: int, words: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        read_boolean(condition, SCOPE)
    assert [problem.column for problem in caught.value.problems] == [column]
    assert words in str(caught.value)


def test_all_faults_of_an_expression_are_told_at_once_and_each_once() -> None:
    with pytest.raises(ExpressionError) as caught:
        read_boolean("no.such > 5 Torr and heater.left_c > 3 Torr or not such.either", SCOPE)
    assert [problem.column for problem in caught.value.problems] == [1, 36, 52]


def test_a_computed_value_is_converted_into_the_unit_of_its_tag() -> None:
    leak = read_quantity(
        "(chamber.pressure_torr - foreline.pressure_pa) / step.elapsed_s", SCOPE, find_unit("Torr/min")
    )
    assert to_text(leak.node).endswith("/ step.elapsed_s * 60.0")
    assert leak.type == Measure(find_unit("Torr/min").exponents, find_unit("Torr/min").factor, "Torr/min")


@pytest.mark.parametrize(
    ("text", "unit", "words"),
    [
        ("heater.left_c", "K", "a difference of temperatures is written"),
        ("heater.left_c - heater.right_c", "°C", "a difference of temperatures is written"),
        ("heater.left_c + heater.right_c", "°C", "divide a sum of temperatures"),
        ("chamber.pressure_torr", "°C", "is Torr (pressure), but must be °C (a temperature)"),
        ("5", "Torr", "is a number without a unit, but must be Torr"),
        ("pump.running and panel.valve", "Torr", "is a condition, but must be Torr"),
    ],
)
def test_a_computed_value_of_another_kind_is_refused(text: str, unit: str, words: str) -> None:
    with pytest.raises(ExpressionError, match=words.replace("(", r"\(").replace(")", r"\)")):
        read_quantity(text, SCOPE, find_unit(unit))


def test_a_condition_may_fill_a_tag_that_is_0_or_1() -> None:
    typed = read_quantity("pump.running and not panel.valve", SCOPE, find_unit("1"), truth=True)
    assert len(compile_postfix(typed, INDEX)) == 4


def test_temperatures_in_kelvin_and_celsius_meet_at_the_right_place() -> None:
    assert to_text(resolve(parse("heater.left_c > 0 K"), SCOPE).node) == "heater.left_c > -273.15 °C"
    kelvin = read_quantity("300 K", SCOPE, find_unit("°C"))
    assert to_text(kelvin.node) == "26.85 °C"


# ------------------------------------------------------------------------------------------------------- rates
PERIOD_S = 0.1


@pytest.mark.parametrize(
    ("condition", "limit", "scans"),
    [
        ("rate(chamber.pressure_torr, 10 s) > 6 Torr/min", 0.1, 100),
        ("rate(foreline.pressure_pa, 1 min) > 6 kPa/min", 100.0, 600),
        ("rate(heater.left_c, 300 ms) > 5 °C/s", 5.0, 3),
        ("rate(heater.left_c, 0.25 s) > 5 K/s", 5.0, 3),
        ("rate(panel.silane_sccm, 1 h) > 60 sccm/min", 1.0, 36000),
        ("rate(film.count, 1 s) > 60 rpm", 60.0 / 60, 10),
        ("rate(throttle.position_pct, 1 s) > 3600 %/h", 1.0, 10),
    ],
)
def test_a_rate_is_compared_in_the_unit_of_its_tag_per_second(condition: str, limit: float, scans: int) -> None:
    code = compile_postfix(read_boolean(condition, SCOPE), INDEX, period_s=PERIOD_S)
    rate, factor = code[0], float(code["value"][2]) if len(code) > 3 else 1.0
    assert Op(int(rate["op"])) is Op.RATE
    assert (int(rate["arg"]), float(rate["value"])) == (INDEX[condition[5 : condition.index(",")]], scans)
    assert limit == pytest.approx(float(code[code["op"] == Op.CONST]["value"][-1]) / (1.0 if len(code) < 4 else factor))


@pytest.mark.parametrize(
    ("condition", "reason"),
    [
        ("rate(chamber.pressure_torr, 10 s) > 6 Torr", "cannot be compared"),
        ("rate(chamber.pressure_torr, 10) > 6 Torr/s", "must be a time above 0"),
        ("rate(chamber.pressure_torr, 10 K) > 6 Torr/s", "must be a time above 0"),
        ("rate(chamber.pressure_torr, -1 s) > 6 Torr/s", "must be a time above 0"),
        ("rate(chamber.pressure_torr) > 6 Torr/s", "takes the name of one tag and a time"),
        ("rate(chamber.pressure_torr + 1 Torr, 1 s) > 6 Torr/s", "takes the name of one tag and a time"),
        ("rate(heater.mode, 1 s) > 6 Hz", "'heater.mode' has states and hence no rate"),
        ("rate(nowhere.at_all, 1 s) > 6 Hz", "unknown tag 'nowhere.at_all'"),
        ("rate(chamber.pressure_torr, 0.1 s) > 6 Torr/s", "less than two scans of 0.1 s"),
    ],
)
def test_a_rate_that_means_nothing_is_refused(condition: str, reason: str) -> None:
    with pytest.raises(ExpressionError) as refused:
        compile_postfix(read_boolean(condition, SCOPE), INDEX, period_s=PERIOD_S)
    assert reason in str(refused.value)


def test_what_protects_or_steers_reads_a_computed_tag_instead_of_a_rate() -> None:
    with pytest.raises(ExpressionError, match="computed tags and alarms only"):
        compile_postfix(read_boolean("rate(chamber.pressure_torr, 10 s) > 6 Torr/min", SCOPE), INDEX)
