"""The simulated furnace as a plant: the model, wired to the tags of a tool."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from config.layout import Layout
from hil.errors import PlantError
from hil.furnace import metrology, script, wiring
from hil.furnace.model import NORMAL, SITUATIONS_BY_NAME, Model
from hil.furnace.parameters import Parameters
from hil.parts.metrology import SITES
from hil.parts.parameters import ParameterError, changed
from hil.parts.plant import SimulatedPlant


def furnace_plant(layout: Layout, parameters: Mapping[str, float], seed: int) -> SimulatedPlant:
    """Wire a hot-wall furnace up; raises PlantError for a tool that it is not."""
    try:
        made_of = changed(Parameters(), parameters)
    except ParameterError as error:
        raise PlantError(f"{layout.tool.name}: {error}") from None
    seed &= 2**64 - 1
    model = Model(
        made_of,
        wiring.outputs(layout),
        wiring.sensors(layout, made_of),
        layout.tool.scan.period_ms / 1000.0,
        seed,
    )

    def measure(bare: bool, seed: int) -> dict[str, Any]:
        oxide, silicon = model.thickness()
        if bare:
            oxide, silicon = np.zeros_like(oxide), np.zeros_like(silicon)
        noise = model.repeatability(seed, len(oxide) * len(SITES))
        return metrology.measure(oxide, silicon, model.tilts(), noise, made_of.wafer_diameter_m / 2.0, model.state())

    return SimulatedPlant(
        layout,
        model,
        vocabulary=script.VOCABULARY,
        situations=(SITUATIONS_BY_NAME, NORMAL),
        load=script.LOAD,
        measure=measure,
        seed=seed,
    )
