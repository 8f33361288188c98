"""The taxonomy: every kind that the guide names has a tool that can run it and a recipe that passes the preflight."""

from collections import Counter

import pytest

from config.loading import load_tool, shipped_recipe, shipped_tool
from config.preflight import preflight
from config.process_mode import process_mode, supported_variants
from config.recipe import load_recipe
from config.variants import Variant, VariantGroup, shipped_variants

GUIDE = {
    VariantGroup.PRESSURE: {"APCVD", "LPCVD", "UHVCVD", "PECVD", "HDP-CVD", "SACVD"},
    VariantGroup.ACTIVATION: {
        "Thermal", "Plasma", "HWCVD", "LCVD", "Photo-CVD", "MPCVD", "RPCVD (activation)", "CCVD (activation)",
    },
    VariantGroup.REACTOR: {
        "Cold-Wall", "Hot-Wall", "Horizontal", "Vertical/Pancake", "Showerhead", "Rotating Disk", "Cold Finger",
        "Exhaust-Controlled",
    },
    VariantGroup.CHEMISTRY: {"MOCVD", "OMCVD", "HCVD", "Hydride", "AACVD", "Standard", "Organometallic"},
    VariantGroup.ADVANCED: {
        "ALCVD", "Pulsed/Sequential", "Selective-Area", "Hybrid CVD-ALD", "PEMOCVD", "LICVD", "CCVD", "RPCVD",
    },
}  # fmt: skip
MODES = {"LPCVD Oxide", "PECVD Nitride", "MOCVD GaN", "HDP Oxide", "HWCVD Si", "ALCVD Barrier"}


def test_every_kind_of_the_guide_is_there_once() -> None:
    found = {group: {one.name for one in shipped_variants() if one.group is group} for group in VariantGroup}
    assert found == GUIDE
    assert len(shipped_variants()) == sum(map(len, GUIDE.values())) == 37
    assert max(Counter(one.name for one in shipped_variants()).values()) == 1
    assert all(process_mode(name) is not None for name in MODES)


@pytest.mark.parametrize("variant", shipped_variants(), ids=[one.name for one in shipped_variants()])
def test_its_tool_runs_its_mode_and_its_recipe(variant: Variant) -> None:
    tool = load_tool(shipped_tool(variant.tool))
    recipe = load_recipe(shipped_recipe(variant.recipe))
    assert variant.mode in supported_variants(tool)
    assert recipe.process_mode == variant.mode
    mode = process_mode(variant.mode)
    assert mode is not None
    assert recipe.film_target in mode.films
    assert preflight(recipe, tool).faults == ()


def test_the_mode_is_of_the_kind_that_the_entry_names() -> None:
    """An entry by pressure or activation shows a mode of that pressure or activation."""
    pressure = {"HDP-CVD": "HDP_CVD"}
    energy = {
        "Thermal": "thermal", "Plasma": "plasma", "HWCVD": "hot_wire", "LCVD": "laser", "Photo-CVD": "photo",
        "MPCVD": "microwave", "RPCVD (activation)": "remote_plasma", "CCVD (activation)": "combustion",
    }  # fmt: skip
    reactor = {
        "Cold-Wall": "cold_wall", "Hot-Wall": "hot_wall", "Horizontal": "horizontal", "Vertical/Pancake": "vertical",
        "Showerhead": "showerhead", "Rotating Disk": "rotating_disk", "Cold Finger": "cold_finger",
        "Exhaust-Controlled": "exhaust_controlled",
    }  # fmt: skip
    chemistry = {"HCVD": "halide", "Hydride": "hydride", "AACVD": "aerosol", "Standard": "standard",
                 "Organometallic": "organometallic", "MOCVD": "MOCVD", "OMCVD": "OMCVD"}  # fmt: skip
    wrong = list[str]()
    for one in shipped_variants():
        mode = process_mode(one.mode)
        assert mode is not None
        told, wanted = {
            VariantGroup.PRESSURE: (mode.pressure_mode.value, pressure.get(one.name, one.name)),
            VariantGroup.ACTIVATION: (mode.energy_mode.value, energy.get(one.name)),
            VariantGroup.REACTOR: (mode.reactor_type.value, reactor.get(one.name)),
            VariantGroup.CHEMISTRY: (mode.chemistry_type.value, chemistry.get(one.name)),
        }.get(one.group, ("", ""))
        if told != wanted:
            wrong.append(f"{one.name}: {one.mode} is {told}")
    assert wrong == []
