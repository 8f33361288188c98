"""The matrix shows what each cause does to each output, and its digest names the version that is in force."""

import config
from config.loading import read_tool
from config.matrix import manner, matrix
from config.text import Syntax

FURNACE = config.shipped_tool("lpcvd_furnace")


def test_each_effect_of_the_tool_file_stands_in_its_cell_and_nothing_else() -> None:
    tool = config.load_tool(FURNACE)
    shown = matrix(tool)
    cells = {
        (row.name, output): value
        for row in shown.rows
        for output, value in zip(shown.outputs, row.values, strict=True)
        if value is not None
    }
    assert cells == {(one.name, effect.output): effect.value for one in tool.interlocks for effect in one.effects}


def test_the_digest_follows_what_decides_and_not_the_words_for_people() -> None:
    text = FURNACE.read_text(encoding="utf-8")

    def digest(old: str, new: str) -> str:
        assert old in text
        return matrix(read_tool(text.replace(old, new, 1), Syntax.TOML, "tool.toml")).sha256

    as_shipped = digest("", "")
    assert digest("Gas cabinet reports a fault", "The cabinet reports a fault") == as_shipped
    changed = {
        digest("facilities.gas_detector.sih4_ppm > 5 ppm", "facilities.gas_detector.sih4_ppm > 6 ppm"),
        digest('when = "facilities.n2_supply_kpa < 350 kPa"', 'when = "facilities.n2_supply_kpa < 300 kPa"'),
        digest('hysteresis = "20 kPa"', 'hysteresis = "10 kPa"'),
    }
    assert len(changed | {as_shipped}) == 4


def test_how_a_condition_comes_and_goes_is_said_in_words() -> None:
    tool = config.load_tool(FURNACE)
    words = {one.name: manner(one) for one in tool.interlocks}
    assert words["purge_supply_lost"] == "after 1 s, hysteresis 20 kPa, latches"
    assert words["emergency_off"] == "latches, safe sequence also from idle"
    bypassable = tool.interlocks[0].model_copy(update={"bypassable": True, "max_bypass_s": 60.0, "off_delay_s": 2.0})
    assert manner(bypassable) == "goes after 2 s, latches, safe sequence also from idle, bypass up to 60 s"
