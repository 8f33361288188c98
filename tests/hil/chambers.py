"""Composed chambers on the test bench: a tool by its file's name, with its real scan, or without one."""

from collections.abc import Mapping
from functools import cache
from typing import Any

from config.layout import Layout
from config.loading import load_tool, shipped_recipe, shipped_tool
from config.recipe import load_recipe
from config.recipe_model import Recipe, RecipeStep
from config.tool import Tag, TagKind, Tool
from hil import plant
from supervisor.controller.simulate import simulate
from supervisor.controller.simulation_result import SimulationResult
from tests.hil.furnace import SCANS_PER_S
from tests.hil.tool_run import ToolRun


@cache
def shipped_chamber(name: str) -> Tool:
    """A chamber tool as it comes."""
    return load_tool(shipped_tool(name))


def chamber_tool(name: str, **parameters: float) -> Tool:
    """A shipped chamber, with other plant parameters where given."""
    tool = shipped_chamber(name)
    assert tool.plant is not None
    changed = tool.plant.parameters | parameters
    return tool.model_copy(update={"plant": tool.plant.model_copy(update={"parameters": changed})})


class ChamberRun(ToolRun):
    """A scan with a simulated chamber behind it, armed and at rest."""

    def __init__(self, name: str, seed: int = 1, **parameters: float) -> None:
        super().__init__(seed, tool=chamber_tool(name, **parameters))


class ChamberBench:
    """The plant without a scan, its outputs set by hand."""

    def __init__(self, name: str, seed: int = 1, **parameters: float) -> None:
        self.tool = chamber_tool(name, **parameters)
        self.plant: Any = plant.create(self.tool, seed=seed)
        self.readings: dict[str, float] = {}

    def tool_tags(self) -> Mapping[str, Tag]:
        """Outputs of the tool by name."""
        return {name: tag for name, tag in Layout(self.tool).declared.items() if tag.kind is TagKind.OUTPUT}

    def run(self, seconds: float, outputs: Mapping[str, float] | None = None, **sccm: float) -> dict[str, Any]:
        """Let time pass with these outputs and flows from now on; return the plant's state."""
        written = dict(outputs or {})
        for gas, flow in sccm.items():
            written |= {f"gas_panel.{gas}.valve": float(flow > 0), f"gas_panel.{gas}.setpoint_sccm": flow}
        readings, _, _ = self.plant.advance(written, round(seconds * SCANS_PER_S))
        self.readings |= readings
        return self.plant.state()


CHAMBERS = {
    "aacvd_sio2_200nm": "aacvd_oxide",
    "ald_al2o3_1000": "ald_showerhead",
    "ald_tin_barrier": "ald_showerhead",
    "ccvd_diamond_10um": "ccvd_diamond",
    "dual_si3n4_100nm": "pecvd_dual",
    "epi_si_1um": "epi_pancake",
    "hdp_sio2_300nm": "hdp_oxide",
    "hybrid_tin_25nm": "ald_showerhead",
    "hvpe_gan_10um": "hvpe_gan",
    "hwcvd_asi_100nm": "hwcvd_silicon",
    "hwcvd_ucsi_50nm": "hwcvd_silicon",
    "lcvd_w_line": "lcvd_tungsten",
    "mocvd_gan_2um": "mocvd_rdr",
    "mocvd_gan_pulsed_200nm": "mocvd_rdr",
    "mocvd_ingan_50nm": "mocvd_rdr",
    "mpcvd_diamond_5um": "mpcvd_diamond",
    "omcvd_algaas_200nm": "omcvd_gaas",
    "omcvd_gaas_500nm": "omcvd_gaas",
    "pemocvd_gan_100nm": "pemocvd_gan",
    "photo_asi_20nm": "photo_cvd_silicon",
    "rpcvd_si3n4_50nm": "rpcvd_nitride",
    "sacvd_sio2_200nm": "sacvd_oxide",
    "selective_epi_si_100nm": "epi_pancake",
    "uhvcvd_sige_50nm": "uhvcvd_sige",
}
"""Shipped recipes of the chambers and the tool that each is for."""


def brisk(recipe: Recipe, share: float, faster: float = 2.0) -> Recipe:
    """A recipe with faster ramps, and with this share of every step's length and of its film."""
    zones = tuple(z.model_copy(update={"ramp_rate": z.ramp_rate * faster}) for z in recipe.temperature_profile.zones)

    def shorter(step: RecipeStep) -> RecipeStep:
        if step.steps:
            return step.model_copy(update={"steps": tuple(shorter(inner) for inner in step.steps)})
        return step.model_copy(update={"duration_s": (step.duration_s or 0.0) * share})

    scheme = recipe.pulsing_scheme
    return recipe.model_copy(
        update={
            "thickness_target_nm": recipe.thickness_target_nm * share,
            "temperature_profile": recipe.temperature_profile.model_copy(update={"zones": zones}),
            "recipe_steps": tuple(shorter(step) for step in recipe.recipe_steps),
            "pulsing_scheme": scheme and scheme.model_copy(update={"cycles": max(1, round(scheme.cycles * share))}),
        }
    )


def grown(tool: str, recipe: str, seed: int, share: float = 1.0, faster: float = 2.0) -> SimulationResult:
    """Run a share of a shipped recipe on a shipped chamber."""
    asked = load_recipe(shipped_recipe(recipe))
    return simulate(shipped_chamber(tool), asked if share == 1.0 else brisk(asked, share, faster), seed=seed)
