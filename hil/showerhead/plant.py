"""The simulated showerhead reactor as a plant: the model, wired to the tags of a tool."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from config.layout import Layout
from hil.errors import PlantError
from hil.parts.metrology import SITES
from hil.parts.parameters import ParameterError, changed
from hil.parts.plant import SimulatedPlant
from hil.showerhead import metrology, script, wiring
from hil.showerhead.model import Model
from hil.showerhead.parameters import Parameters


def showerhead_plant(layout: Layout, parameters: Mapping[str, float], seed: int) -> SimulatedPlant:
    """Wire a showerhead reactor up; raises PlantError for a tool that it is not."""
    try:
        made_of = changed(Parameters(), parameters)
    except ParameterError as error:
        raise PlantError(f"{layout.tool.name}: {error}") from None
    seed &= 2**64 - 1
    situations = (script.SITUATIONS, script.NORMAL)
    model = Model(
        made_of,
        wiring.outputs(layout),
        wiring.sensors(layout, made_of),
        situations,
        layout.tool.scan.period_ms / 1000.0,
        seed,
    )

    def measure(bare: bool, seed: int) -> dict[str, Any]:
        state = model.state()
        thickness = np.array([state["thickness_m"]]) * (0.0 if bare else 1.0)
        noise = model.repeatability(seed, len(SITES))
        return metrology.measure(thickness, noise, made_of.wafer_diameter_m / 2.0, made_of.frequency_mhz, state)

    return SimulatedPlant(
        layout,
        model,
        vocabulary=script.VOCABULARY,
        situations=situations,
        load=script.LOAD,
        measure=measure,
        seed=seed,
    )
