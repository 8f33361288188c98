"""What a tool file says of its simulated plant: the model, the films that grow in it, what stands behind its gas lines.

Everything else about a plant follows from the tool's modules and tags; numbers that differ from the model's usual ones
are `parameters`. Nothing here knows a model.
"""

from typing import Literal

from pydantic import Field

from config.base import Model, Name, Text
from config.gases import GasName


class PlantFilm(Model):
    """A film that grows when its gases are there; the first of a plant's list that can."""

    name: Text
    """As results and recipes call it."""
    law: Text
    """Its rate law: a film of kernels.growth (`GaN`, `SiO2-plasma`)."""
    factor: float = Field(default=1.0, gt=0)
    """The one declared calibration of the demonstration tool's film; 1: the law as it is published."""
    needs: tuple[GasName, ...] = Field(default=(), max_length=2)
    """Gases without which it does not grow, beside those of its law."""
    needs_source: bool = False
    """It grows only while the source of energy is lit."""
    least_share: float = Field(default=1e-6, gt=0, lt=1)
    """Of the gas, that each of `needs` must have."""
    alloy: Literal["InGaN", "AlGaAs", "SiGe"] | None = None
    """Its composition is that of this alloy (kernels.alloy)."""
    open_share: float = Field(default=1.0, gt=0, le=1)
    """Share of the wafer that a mask leaves open; below 1 the film is grown selectively."""
    index: tuple[float, float] = (2.0, 0.0)
    """Refractive index and extinction at the instruments' wavelength."""


class PlantLine(Model):
    """What stands behind a gas line beside a controller and its valve."""

    kind: Literal["gas", "bubbler", "boat", "mist", "generator"] = "gas"
    """bubbler, mist: the line's flow is a carrier that takes vapour or droplets along; boat: its gas becomes another
    one over a hot source; generator: it is made on the spot out of the line's flow (ozone out of oxygen)."""
    vents: bool = False
    """Its flow goes to the vent while its valve is shut (run/vent manifold, pulse valve)."""
    carrier: GasName | None = None
    """Bubbler, mist: what carries; boat: what is set free; generator: what it is made of."""
    makes: Text | None = None
    """Species that the line makes; of a bubbler or a mist the gas that it is named after."""
    bath_c: float = Field(default=20.0, ge=-50, le=300)
    """Bubbler: its bath before the first set point."""
    pressure_torr: float = Field(default=760.0, gt=0)
    """Bubbler: the pressure in it."""
    content_mol: float = Field(default=5.0, gt=0)
    """Of the source when it is full."""
    mist: float = Field(default=0.0, ge=0)
    """Mist, generator: mol of the dissolved precursor, or of what is made, for each mol of carrier."""
    droplet_um: float = Field(default=3.0, gt=0)
    evaporation_mm2_s: float = Field(default=0.002, gt=0)
    """Mist: K of the d² law at 300 K."""
    residence_s: float = Field(default=1.0, gt=0)
    """Boat: of its gas over the source; mist: of droplets in the warm line."""


class PlantSettings(Model):
    """The simulated plant that `--sim` puts behind the tags."""

    model: Name
    seed: int = 1
    source: (
        Literal["capacitive", "inductive", "remote", "microwave", "hot_wire", "laser", "lamp", "burner", "none"] | None
    ) = None
    """Source of energy; none given: what the tool's modules say."""
    films: tuple[PlantFilm, ...] = Field(default=(), max_length=4)
    lines: dict[GasName, PlantLine] = Field(default_factory=dict[str, PlantLine])
    parameters: dict[str, float] = Field(default_factory=dict[str, float])
