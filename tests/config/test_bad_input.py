"""What no tool may begin: on each shipped tool its own recipe, spoilt in each way, is refused with path and reason."""

import copy
import json
import re
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from config.faults import ConfigError
from config.loading import load_tool, shipped_recipe, shipped_tool
from config.preflight import preflight
from config.process_mode import shipped_modes, why_unsupported
from config.recipe import load_recipe
from config.tool import Tool
from tests.config.test_recipe_parameters import Shelf

RECIPES = {
    "lpcvd_furnace": "lpcvd_sio2_100nm", "pecvd_showerhead": "pecvd_si3n4_50nm", "aacvd_oxide": "aacvd_sio2_200nm",
    "ald_showerhead": "ald_al2o3_1000", "ccvd_diamond": "ccvd_diamond_10um", "epi_pancake": "epi_si_1um",
    "hdp_oxide": "hdp_sio2_300nm", "hvpe_gan": "hvpe_gan_10um", "hwcvd_silicon": "hwcvd_asi_100nm",
    "lcvd_tungsten": "lcvd_w_line", "mocvd_rdr": "mocvd_gan_2um", "mpcvd_diamond": "mpcvd_diamond_5um",
    "omcvd_gaas": "omcvd_gaas_500nm", "pemocvd_gan": "pemocvd_gan_100nm", "photo_cvd_silicon": "photo_asi_20nm",
    "pecvd_dual": "dual_si3n4_100nm",
    "rpcvd_nitride": "rpcvd_si3n4_50nm", "sacvd_oxide": "sacvd_sio2_200nm", "uhvcvd_sige": "uhvcvd_sige_50nm",
}  # fmt: skip
"""A recipe of every tool that can be simulated."""
Document = dict[str, Any]


@cache
def tool(name: str) -> Tool:
    return load_tool(shipped_tool(name))


def own(name: str) -> Document:
    return json.loads(re.sub(r"//[^\n]*", "", shipped_recipe(RECIPES[name]).read_text(encoding="utf-8")))


def told(name: str, document: Document, library: Shelf | None = None) -> dict[str, str]:
    """Every fault of a document, by its path."""
    try:
        recipe = load_recipe(json.dumps(document), library=library)
    except ConfigError as error:
        return {fault.path: fault.reason for fault in error.faults}
    return {fault.path: fault.reason for fault in preflight(recipe, tool(name)).faults}


def growing(document: Document) -> tuple[str, Document]:
    """Path and words of the first step in which gas flows, or of the first of all."""
    steps = document["recipe_steps"]
    for at, step in enumerate(steps):
        if step.get("flows_active"):
            return f"recipe_steps[{at}]", step
    return "recipe_steps[0]", steps[0]


def foreign_gas(document: Document) -> tuple[str, str]:
    document["gas_flows"]["gases"].append({"name": "ClF3", "flow_sccm": 10})
    return f"gas_flows.gases[{len(document['gas_flows']['gases']) - 1}].name", "ClF3"


def impossible_film(document: Document) -> tuple[str, str]:
    document["film_target"] = "TaN" if document["film_target"] != "TaN" else "HfO2"
    return "film_target", "needs"


def too_hot(document: Document) -> tuple[str, str]:
    path, step = growing(document)
    step.pop("temp_c", None)
    step["target_temp_c"] = 2500
    return f"{path}.target_temp_c", "outside of"


def too_high_pressure(document: Document) -> tuple[str, str]:
    document["pressure_setpoints"]["process_pressure_torr"] = 7000
    return "pressure_setpoints.process_pressure_torr", "outside of"


def quicker_than_a_scan(document: Document) -> tuple[str, str]:
    gases = document["gas_flows"]["gases"]
    for gas in gases[:2]:
        gas["timing"] = "pulsed"
    document["pulsing_scheme"] = {
        "cycles": 10, "pulses": [{"gas": gas["name"], "pulse_s": 0.001, "purge_s": 1.0} for gas in gases[:2]],
    }  # fmt: skip
    return "pulsing_scheme.pulses[0].pulse_s", "shorter than a scan"


def endless(document: Document) -> tuple[str, str]:
    document["recipe_steps"].append({"name": "loop", "repeat_until": "chamber.pressure_torr < 1 Torr",
                                     "steps": [{"name": "again", "duration_s": 1}]})  # fmt: skip
    return f"recipe_steps[{len(document['recipe_steps']) - 1}].at_most", ""


def unknown_word(document: Document) -> tuple[str, str]:
    document["recipe_steps"][0]["temprature_c"] = 5
    return "recipe_steps[0].temprature_c", ""


def no_number(document: Document) -> tuple[str, str]:
    document["recipe_steps"][0]["duration_s"] = -3
    return "recipe_steps[0].duration_s", ""


SPOILT: tuple[Callable[[Document], tuple[str, str]], ...] = (
    foreign_gas, impossible_film, too_hot, too_high_pressure, quicker_than_a_scan, endless, unknown_word, no_number,
)  # fmt: skip


def test_every_tool_with_a_plant_is_here() -> None:
    there = {path.stem for path in shipped_tool("lpcvd_furnace").parent.glob("*.toml")}
    assert set(RECIPES) == {name for name in there if not name.endswith("_wired")}, "on wires: the same recipes"


@pytest.mark.parametrize("name", RECIPES)
def test_a_tools_own_recipe_has_no_fault_and_each_spoilt_one_is_refused_at_its_path(name: str) -> None:
    assert told(name, own(name)) == {}
    for spoil in SPOILT:
        document = own(name)
        path, words = spoil(document)
        faults = told(name, document)
        at = [where for where in faults if where == path or where.startswith(f"{path}.")]
        assert at or (path.endswith(".at_most") and path.removesuffix(".at_most") in faults), (spoil.__name__, faults)
        assert not at or words in faults[at[0]], (spoil.__name__, faults[at[0]])


@pytest.mark.parametrize("name", RECIPES)
def test_recipes_that_call_each_other_are_refused(name: str) -> None:
    one, other = own(name) | {"name": "One"}, own(name) | {"name": "Other"}
    for document, called in ((one, "Other"), (other, "One")):
        document["recipe_steps"] = [{"name": "c", "call": {"recipe": called, "version": 1}}]
    faults = told(name, one, Shelf([one, other]))
    path = "recipe_steps[0].called.recipe_steps[0].call"
    assert faults[path] == "'One' calls itself: One v1 → Other v1 → One v1"


@pytest.mark.parametrize("precursor", ["TEOS", "TiCl4", "TMAl", "TDMAT"])
def test_a_precursor_beyond_its_saturation_in_a_cold_line_is_refused(precursor: str) -> None:
    """A line that feeds the vapour itself, not a carrier: more than its saturation at 20 °C rains out."""
    sold = tool("sacvd_oxide")
    first = sold.gases[0].model_copy(update={"name": precursor, "kind": "gas"})
    modules = tuple(module for module in sold.modules if module.kind.value != "bubblers")
    cold = sold.model_copy(update={"gases": (first, *sold.gases[1:]), "modules": modules})
    document = own("sacvd_oxide")
    document["gas_flows"]["gases"][0] = {"name": precursor, "flow_sccm": 2000}
    found = preflight(load_recipe(json.dumps(document)), cold).faults
    assert [fault for fault in found if f"{precursor} would have" in fault.reason and "saturation" in fault.reason]


def test_selective_growth_needs_an_etchant_of_the_tool_and_in_the_recipe() -> None:
    mode = shipped_modes()["Selective Epi Si"]
    pancake = tool("epi_pancake")
    assert why_unsupported(mode, pancake) == []
    without = pancake.model_copy(update={"gases": tuple(gas for gas in pancake.gases if gas.name != "HCl")})
    assert any("needs an etchant, HCl or Cl2" in reason for reason in why_unsupported(mode, without))
    document = json.loads(shipped_recipe("selective_epi_si_100nm").read_text(encoding="utf-8"))
    dull = copy.deepcopy(document)
    dull["gas_flows"]["gases"] = [gas for gas in document["gas_flows"]["gases"] if gas["name"] != "HCl"]
    assert "nuclei stay on the mask" in told("epi_pancake", dull)["gas_flows.gases"]


def test_documents_are_left_as_they_were(tmp_path: Path) -> None:
    """Nothing is half-applied: a refused document is the same afterwards."""
    document = own("mocvd_rdr")
    foreign_gas(document)
    before = copy.deepcopy(document)
    assert told("mocvd_rdr", document)
    assert document == before
    assert list(tmp_path.iterdir()) == []
