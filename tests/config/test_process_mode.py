"""The guide's process modes, and what of them a tool can run."""

import json

import pytest
from pydantic import ValidationError

from config.gases import never_together
from config.loading import load_tool, shipped, shipped_tool
from config.process_mode import (
    PairWindow,
    ProcessMode,
    process_mode,
    shipped_modes,
    supported_variants,
    why_unsupported,
)
from config.tool import ModuleKind
from supervisor.server.historian.tagset import SIGNALS
from tests.config.small_furnace import small_furnace

# The guide's table, row by row.
TABLE = [
    ("LPCVD Oxide", "LPCVD", "thermal", "hot_wall", "hydride", "standard"),
    ("PECVD Nitride", "PECVD", "plasma", "showerhead", "standard", "standard"),
    ("MOCVD GaN", "LPCVD", "thermal", "vertical", "MOCVD", "epitaxy"),
    ("HDP Oxide", "HDP_CVD", "plasma", "cold_wall", "standard", "gap_fill"),
    ("HWCVD Si", "LPCVD", "hot_wire", "cold_wall", "hydride", "standard"),
    ("ALCVD Barrier", "LPCVD", "thermal", "showerhead", "MOCVD", "atomic_layer"),
]


@pytest.mark.parametrize("row", TABLE, ids=[row[0] for row in TABLE])
def test_the_guides_modes_are_shipped_as_its_table_says(row: tuple[str, ...]) -> None:
    mode = process_mode(row[0])
    assert mode is not None
    assert (
        mode.name,
        mode.pressure_mode,
        mode.energy_mode,
        mode.reactor_type,
        mode.chemistry_type,
        mode.variant,
    ) == row


def test_every_default_recipe_is_shipped_and_every_window_is_needed() -> None:
    for mode in shipped_modes().values():
        assert set(mode.default_recipes) <= set(shipped("recipes", ".json"))
        for pair in mode.pairs:
            assert never_together(*pair.gases)


def test_a_furnace_supports_the_modes_that_it_is_set_up_for_and_says_why_not_the_others() -> None:
    tool = small_furnace()
    assert supported_variants(tool) == ("LPCVD Oxide", "LPCVD Poly-Si")
    modes = shipped_modes()
    assert why_unsupported(modes["LPCVD Oxide"], tool) == []
    assert "RF generator" in why_unsupported(modes["HDP Oxide"], tool)[0]
    cold = tool.model_copy(update={"modules": tuple(m for m in tool.modules if m.kind is not ModuleKind.VACUUM)})
    assert why_unsupported(modes["LPCVD Oxide"], cold) == ["LPCVD needs a module of kind vacuum"]


@pytest.mark.parametrize(
    ("stem", "mode", "kind", "reason"),
    [
        (
            "ald_showerhead",
            "ALCVD Barrier",
            "pulse_valves",
            "the variant atomic_layer needs a module of kind pulse_valves",
        ),
        (
            "mocvd_rdr",
            "Pulsed MOCVD GaN",
            "run_vent",
            "the variant pulsed needs a module of kind run_vent or pulse_valves",
        ),
        ("mocvd_rdr", "MOCVD InGaN", "rotation", "a rotating_disk reactor needs a module of kind rotation"),
        ("mocvd_rdr", "MOCVD GaN", "bubblers", "MOCVD chemistry needs a module of kind bubblers"),
        ("aacvd_oxide", "AACVD Oxide", "aerosol", "aerosol chemistry needs a module of kind aerosol"),
        (
            "ccvd_diamond",
            "Combustion Diamond",
            "cold_finger",
            "a cold_finger reactor needs a module of kind cold_finger",
        ),
        ("hdp_oxide", "HDP Oxide", "rf_bias", "HDP_CVD needs a module of kind rf_bias"),
    ],
)
def test_what_a_tool_can_run_follows_from_its_modules(stem: str, mode: str, kind: str, reason: str) -> None:
    """Without the module a tool is no tool for the mode, and says which one it lacks."""
    tool = load_tool(shipped_tool(stem))
    found = shipped_modes()[mode]
    assert why_unsupported(found, tool) == []
    bare = tool.model_copy(update={"modules": tuple(m for m in tool.modules if m.kind != kind)})
    assert why_unsupported(found, bare) == [reason]


def test_every_kind_of_module_and_every_signal_of_the_guide_is_on_a_shipped_tool() -> None:
    tools = [load_tool(shipped_tool(stem)) for stem in shipped("tools", ".toml") if not stem.endswith("_wired")]
    assert {module.kind for tool in tools for module in tool.modules} == set(ModuleKind)
    told = {signal for tool in tools for signal in tool.telemetry.signals}
    assert told >= set(SIGNALS) - {"chamber_pressure_torr"}


@pytest.mark.parametrize(
    ("gases", "reason"),
    [(("SiH4", "Zz"), "unknown gas"), (("SiH4", "N2"), "no window is needed")],
)
def test_a_window_for_gases_that_need_none_is_refused(gases: tuple[str, str], reason: str) -> None:
    with pytest.raises(ValidationError, match=reason):
        PairWindow(gases=gases, temperature_c=(0.0, 1.0), pressure_torr=(0.0, 1.0), ratio=(0.0, 1.0), source="test")


def test_a_mode_with_an_unknown_word_is_refused() -> None:
    words = {"name": "x", "pressure_mode": "LPCVD", "energy_mode": "steam", "reactor_type": "hot_wall"}
    with pytest.raises(ValidationError, match="energy_mode"):
        ProcessMode.model_validate_json(json.dumps(words | {"chemistry_type": "hydride"}))
