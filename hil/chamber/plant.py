"""The simulated chamber as a plant: the model, composed for a tool and wired to its tags."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from config.layout import Layout
from hil.chamber import metrology, script, wiring
from hil.chamber.composition import compose, situations_of
from hil.chamber.model import Model
from hil.chamber.parameters import Parameters
from hil.errors import PlantError
from hil.parts.metrology import SITES
from hil.parts.parameters import ParameterError, changed
from hil.parts.plant import SimulatedPlant


def chamber_plant(layout: Layout, parameters: Mapping[str, float], seed: int) -> SimulatedPlant:
    """Compose a chamber and wire it up; raises PlantError for a tool that it cannot be."""
    settings = layout.tool.plant
    if settings is None:
        raise PlantError(f"{layout.tool.name} cannot be simulated: its file has no [plant] table")
    try:
        made_of = changed(Parameters(), parameters)
    except ParameterError as error:
        raise PlantError(f"{layout.tool.name}: {error}") from None
    seed &= 2**64 - 1
    composition = compose(layout, settings, made_of)
    situations = script.situations(composition.detectors)
    period_s = layout.tool.scan.period_ms / 1000.0
    found = wiring.sensors(layout, composition, made_of)
    try:
        model = Model(made_of, composition, found, situations, period_s, seed)
    except ValueError as error:
        raise PlantError(f"{layout.tool.name}: {error}") from None

    def measure(bare: bool, seed: int) -> dict[str, Any]:
        state = model.state()
        wafers = round(made_of.wafers)
        thickness = np.array([state["thickness_m"]] * wafers) * (0.0 if bare else 1.0)
        noise = model.repeatability(seed, (len(SITES) + 1) * wafers)
        return metrology.measure(thickness, noise, made_of.wafer_diameter_m / 2.0, composition, state)

    lines = situations_of(composition)
    return SimulatedPlant(
        layout,
        model,
        vocabulary=script.vocabulary(lines, composition.detectors, len(composition.zones), made_of.leak_sccm),
        situations=situations,
        load=script.LOAD,
        measure=measure,
        seed=seed,
    )
