"""What follows from a tool's volumes and exhaust: proofs never better than physics, rules that no tool misses."""

import math
import re
from pathlib import Path

import pytest

from config.faults import ConfigError
from config.gas_rules import FULL_PPM, burning, hazardous, left, pyrophoric
from config.gas_safety import GasSafety
from config.gases import gas_table, species
from config.layout import Layout
from config.loading import load_tool, read_tool, shipped, shipped_recipe, shipped_tool
from config.preflight import preflight
from config.ranges import Ranges
from config.recipe import load_recipe
from config.text import Syntax
from config.tool import InterlockClass, TagKind, Tool
from kernels.scan import Scan
from kernels.tables import Command, Status
from supervisor.controller.compile.tool import compile_tool
from tests.supervisor.controller.test_gas_violations import well

FURNACE = shipped_tool("lpcvd_furnace")
SILANE, LINE = left("SiH4"), "gas_safety.line.sih4_left_ppm"
NITROGEN, PRESSURE = "gas_panel.n2.flow_sccm", "chamber.manometer_torr"


class Tube:
    """The furnace's scan with nothing but the instruments that a purge needs."""

    def __init__(self) -> None:
        self.tool = load_tool(FURNACE)
        self.layout = Layout(self.tool)
        self.scan = Scan(compile_tool(self.tool).tables)
        rules = self.tool.gas_safety
        assert isinstance(rules, GasSafety)
        self.says: dict[str, tuple[float, int]] = {
            name: (well(name, tag, rules), int(Status.GOOD))
            for name, tag in self.layout.declared.items() if tag.kind is TagKind.INPUT
        }  # fmt: skip
        for name, value in {
            NITROGEN: 0.0, PRESSURE: 1.0, "chamber.wide_range_torr": 1.0, "gas_panel.sih4.flow_sccm": 0.0,
            "gas_panel.n2o.flow_sccm": 0.0, "wafer_handling.door_closed": 1.0, "gas_panel.sih4.line_kpa": 200.0,
            "gas_panel.sih4.bottle_open": 0.0, "chamber.at_atmosphere": 0.0,
        }.items():  # fmt: skip
            self.says[name] = value, int(Status.GOOD)

    def say(self, name: str, value: float, status: int = Status.GOOD) -> None:
        self.says[name] = value, int(status)

    def write(self, name: str, value: float) -> None:
        self.scan.command(Command.WRITE, self.layout.index[name], value)

    def run(self, scans: int) -> None:
        for _ in range(scans):
            for name, (value, status) in self.says.items():
                self.scan.post(self.layout.index[name], value, status, 1)
            self.scan.advance(1)

    def value(self, name: str) -> float:
        return float(self.scan.values()[0][self.layout.index[name]])


@pytest.mark.parametrize(("flow", "torr", "seconds"), [(2000.0, 1.0, 20), (500.0, 0.3, 20), (5000.0, 700.0, 60)])
def test_a_sweep_follows_the_exponential_and_is_never_better_than_it(flow: float, torr: float, seconds: int) -> None:
    tube = Tube()
    tube.say(PRESSURE, min(torr, 10.5))
    tube.say("chamber.wide_range_torr", torr)
    tube.say(NITROGEN, flow)
    tube.write("gas_panel.n2.valve", 1.0)
    tube.run(2)
    before = tube.value(SILANE)
    tube.run(100 * seconds)
    seen = tube.value("chamber.pressure_torr")
    content = 55.0 * 1000.0 * seen / 760.0 * 273.15 / 293.15
    ideal = math.exp(-0.5 * (flow - 50.0) / 60.0 * seconds / content)
    assert tube.value(SILANE) / before >= 0.999999 * ideal
    assert math.log(tube.value(SILANE) / before) == pytest.approx(math.log(ideal), rel=0.05)


def test_a_fill_behind_shut_valves_thins_by_the_ratio_of_pressures() -> None:
    tube = Tube()
    tube.write("gas_panel.n2.valve", 1.0)
    torr, content_of_a_torr = 0.05, 55.0 * 1000.0 / 760.0 * 273.15 / 293.15
    tube.say(NITROGEN, 5000.0)
    tube.say(PRESSURE, torr)
    tube.run(2)
    before = tube.value(SILANE)
    while torr < 5.0:
        torr += 5000.0 / 60.0 * 0.01 / content_of_a_torr
        tube.say(PRESSURE, torr)
        tube.run(1)
    # Half of the nitrogen counts as mixed: (0.05/5)^½.
    assert math.log(tube.value(SILANE) / before) == pytest.approx(0.5 * math.log(0.05 / torr), rel=0.05)
    assert tube.value(SILANE) / before > (0.05 / torr) ** 0.5


@pytest.mark.parametrize("name", [NITROGEN, PRESSURE, "gas_panel.sih4.flow_sccm"])
def test_a_reading_that_is_not_good_is_no_credit(name: str) -> None:
    tube = Tube()
    tube.say(NITROGEN, 5000.0)
    tube.write("gas_panel.n2.valve", 1.0)
    tube.run(100)
    for status in (Status.BAD, Status.UNCERTAIN):
        tube.say(name, tube.says[name][0], status)
        tube.run(2)
        before = tube.value(SILANE)
        tube.run(200)
        assert tube.value(SILANE) == before
    assert FULL_PPM > before > 0.0


def test_nitrogen_whose_valve_is_shut_and_a_zero_that_drifts_purge_nothing() -> None:
    tube = Tube()
    tube.say(NITROGEN, 5000.0)
    tube.run(300)
    assert tube.value(SILANE) == FULL_PPM
    tube.write("gas_panel.n2.valve", 1.0)
    tube.say(NITROGEN, 45.0)  # below 1 % of its full scale
    tube.run(300)
    assert tube.value(SILANE) == FULL_PPM


def test_gas_that_flows_through_a_shut_valve_is_there_again() -> None:
    tube = Tube()
    tube.say(NITROGEN, 5000.0)
    tube.write("gas_panel.n2.valve", 1.0)
    tube.run(3000)
    assert tube.value(SILANE) < 1.0
    tube.say("gas_panel.sih4.flow_sccm", 15.0)
    tube.run(2)
    assert tube.value(SILANE) == FULL_PPM


def test_a_line_counts_whole_cycles_of_purge_gas_alone() -> None:
    tube, purge, kpa = Tube(), "gas_panel.sih4.purge", "gas_panel.sih4.line_kpa"
    tube.run(3)
    assert tube.value(LINE) == FULL_PPM

    def cycle(*, with_purge: bool = True, noise: bool = False) -> float:
        tube.write(purge, 0.0)
        tube.say(kpa, 2.0)
        tube.run(3)
        tube.write(purge, float(with_purge))
        for value in (100.0, 99.0, 100.0, 99.0) if noise else (100.0, 360.0, 361.0, 359.0, 362.0):
            tube.say(kpa, value)
            tube.run(3)
        return tube.value(LINE)

    share = 1.0 - 0.95 * (1.0 - 3.0 / 345.0)
    assert cycle() == pytest.approx(FULL_PPM * share)
    assert cycle() == pytest.approx(FULL_PPM * share**2)
    assert cycle(noise=True) == pytest.approx(FULL_PPM * share**2)
    assert cycle(with_purge=False) == pytest.approx(FULL_PPM * share**2)
    tube.say("gas_panel.sih4.bottle_open", 1.0)
    tube.run(2)
    assert tube.value(LINE) == FULL_PPM


# ------------------------------------------------------------------------------------------ every shipped tool
@pytest.mark.parametrize("name", shipped("tools", ".toml"))
def test_no_shipped_tool_misses_a_rule_a_detector_or_the_exhaust(name: str) -> None:
    tool = load_tool(shipped_tool(name))  # with every static check
    rules, layout = tool.gas_safety, Layout(tool)
    assert rules is not None
    rows = {row.name: row for row in tool.interlocks}
    shut_by = {
        cls: {e.output for row in tool.interlocks if row.cls is cls and not row.bypassable for e in row.effects}
        for cls in InterlockClass
    }  # fmt: skip
    for gas in hazardous(tool):
        assert left(gas.name) in layout.declared
        found = species(gas.name)
        assert found is not None
        if found.watched_ppm is not None:
            tag = f"facilities.gas_detector.{gas.name.lower()}_ppm"
            over = Ranges(layout, {tag: (found.watched_ppm * 1.5, found.watched_ppm * 1.5)})
            trips = [row for row in tool.interlocks if row.cls is InterlockClass.TRIP and tag in row.when]
            assert any(gas.valve in {e.output for e in row.effects} and not over.condition(row.when).false
                       for row in trips), gas.name  # fmt: skip
    for gas in burning(tool):
        assert gas.valve in {effect.output for effect in rows["exhaust_not_diluted"].effects}
    for gas in pyrophoric(tool):
        assert gas.valve in {effect.output for effect in rows["leak_check_due"].effects}
    assert shut_by[InterlockClass.PERMISSIVE] >= {"wafer_handling.door_unlock"}


def test_gases_that_burn_have_a_limit_and_those_that_poison_one_too() -> None:
    for gas in gas_table().gas:
        assert not gas.burns or gas.lfl_pct is not None, gas.formula
        assert "toxic" not in gas.hazards or gas.exposure_ppm is not None, gas.formula


# ------------------------------------------------------------------------------------------------ what is refused
def refused(old: str, new: str, tool: Path = FURNACE, count: int = 1) -> str:
    """Faults of a shipped tool in which something was replaced."""
    text = tool.read_text(encoding="utf-8")
    assert old in text
    with pytest.raises(ConfigError) as caught:
        read_tool(text.replace(old, new, count), Syntax.TOML, "tool.toml")
    return "\n".join(str(fault) for fault in caught.value.faults)


def without(section: str) -> str:
    """Faults of the furnace without its whole [gas_safety], or a part of it."""
    text = FURNACE.read_text(encoding="utf-8")
    cut = re.sub(rf"(?ms)^\[\[?{section}.*?(?=^\[(?!\[?{section})|^\[\[(?!{section})|^# -)", "", text)
    with pytest.raises(ConfigError) as caught:
        read_tool(cut, Syntax.TOML, "tool.toml")
    return "\n".join(str(fault) for fault in caught.value.faults)


def test_a_tool_that_says_nothing_of_its_volumes_is_refused() -> None:
    assert "gas_safety: is missing: the tool feeds SiH4, N2O" in without("gas_safety")


def test_silane_without_a_leak_proof_is_refused() -> None:
    assert "gas_safety.leak: is missing: SiH4 burn in air" in without("gas_safety.leak")


def test_a_row_that_no_longer_shuts_gas_when_the_exhaust_is_lost_is_found_whatever_it_is_called() -> None:
    found = refused('when = "not exhaust.flow_ok"', 'when = "not exhaust.abatement_ready and not exhaust.flow_ok"')
    assert "no trip that nobody may bypass shuts 'gas_panel.sih4.valve' when the exhaust is lost" in found


def test_gases_that_must_never_meet_need_a_trip_unless_a_mode_has_a_window() -> None:
    tool = shipped_tool("pecvd_showerhead")
    found = refused('"PECVD Nitride", "PECVD Oxide"', '"PECVD Nitride"', tool)
    assert "N2O and SiH4 must never meet" in found
    assert "no trip that nobody may bypass shuts both when both are open" in found


def test_gases_that_must_never_meet_do_not_share_a_vent() -> None:
    found = refused('vent = "vent_water"', 'vent = "vent"', shipped_tool("ald_showerhead"))
    assert "H2O and TMAl would meet in 'vent'" in found


def test_only_a_passed_check_may_say_that_it_has_passed() -> None:
    found = refused('"gas_safety.leak_passed" = 0\n', "")
    assert "must set 'gas_safety.leak_passed' to 0 in its first step, and to 1 behind a check of its result" in found
    vent = FURNACE.read_text(encoding="utf-8").index('name = "shut nitrogen"')
    text = FURNACE.read_text(encoding="utf-8")
    at = text.index("[operations.steps.set]\n", vent) + len("[operations.steps.set]\n")
    with pytest.raises(ConfigError, match="which only leak_check may"):
        read_tool(text[:at] + '"gas_safety.leak_passed" = 1\n' + text[at:], Syntax.TOML, "tool.toml")


def test_what_is_not_inert_purges_nothing() -> None:
    assert "'N2O' is not inert: it purges nothing" in refused('purge = ["N2"]', 'purge = ["N2", "N2O"]')


# ------------------------------------------------------------------------------------------------------ preflight
def test_a_recipe_that_would_burn_in_the_exhaust_is_refused_with_its_step() -> None:
    tool, recipe = load_tool(shipped_tool("mocvd_rdr")), load_recipe(shipped_recipe("mocvd_gan_2um"))
    assert preflight(recipe, tool).ok
    rules = tool.gas_safety
    assert rules is not None
    weak: Tool = tool.model_copy(update={"gas_safety": rules.model_copy(update={"least_dilution_slm": 300.0})})
    found = [str(fault) for fault in preflight(recipe, weak).faults]
    assert found
    assert all("recipe_steps[" in one and "of the lower limit of flammability in the exhaust" in one for one in found)
