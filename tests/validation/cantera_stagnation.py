"""Silane onto a hot surface by Cantera: the same molecules, Dixon-Lewis transport, its own grid and solver."""

import json
from functools import cache
from typing import Any

import cantera as ct

from kernels.gas import GASES

ATOMS = {"He": "{He: 1}", "H2": "{H: 2}", "N2": "{N: 2}", "SiH4": "{Si: 1, H: 4}"}
SHAPES = ("atom", "linear", "nonlinear")


@cache
def thermo(name: str) -> str:
    data: dict[str, Any] = dict(
        next(s for s in ct.Species.list_from_file("nasa_gas.yaml") if s.name == name).thermo.input_data
    )
    ranges, rows = list(map(float, data["temperature-ranges"])), [list(map(float, row)) for row in data["data"]]
    return json.dumps({"model": data["model"], "temperature-ranges": ranges, "data": rows})


def text(names: list[str], sticking: float) -> str:
    species = ""
    for name in names:
        gas = GASES[name]
        species += f"""
- name: {name}
  composition: {ATOMS[name]}
  thermo: {thermo(name)}
  transport: {{model: gas, geometry: {SHAPES[gas.shape]}, diameter: {gas.diameter_m * 1e10}, well-depth: {gas.depth_k},
    rotational-relaxation: {gas.relaxation}}}"""
    return f"""
phases:
- {{name: gas, thermo: ideal-gas, species: [{", ".join(names)}], transport: multicomponent, kinetics: gas,
   reactions: none}}
- {{name: bulk, thermo: fixed-stoichiometry, species: [Si(b)]}}
- {{name: surf, thermo: ideal-surface, adjacent-phases: [gas, bulk], species: [S(s)], kinetics: surface,
   reactions: all, site-density: 1.0e-9 mol/cm^2}}
species:{species}
- {{name: S(s), composition: {{}}, thermo: {{model: constant-cp}}}}
- name: Si(b)
  composition: {{Si: 1}}
  thermo: {{model: constant-cp}}
  equation-of-state: {{model: constant-volume, density: 2.329 g/cm^3}}
reactions:
- equation: SiH4 => Si(b) + 2 H2
  sticking-coefficient: {{A: {sticking}, b: 0, Ea: 0}}
"""


def jet(carrier: str, fraction: float, surface_k: float, pressure: float, velocity: float, gap: float, sticking: float,
        *, soret: bool) -> tuple[Any, Any]:  # fmt: skip
    """Prepare the jet and its surface."""
    names = ["SiH4", carrier] + ([] if carrier == "H2" else ["H2"])
    surface: Any = ct.Interface(yaml=text(names, sticking), name="surf")
    gas = surface.adjacent["gas"]
    gas.TPX = 300.0, pressure, {"SiH4": fraction, carrier: 1.0 - fraction}
    surface.TP = surface_k, pressure
    sim: Any = ct.ImpingingJet(gas=gas, width=gap, surface=surface)
    sim.inlet.mdot, sim.inlet.T = gas.density * velocity, 300.0
    sim.inlet.X = {"SiH4": fraction, carrier: 1.0 - fraction}
    sim.surface.T = surface_k
    sim.flame.soret_enabled, sim.energy_enabled = soret, True
    sim.set_initial_guess(products=None)
    sim.set_refine_criteria(ratio=2, slope=0.03, curve=0.05, prune=0.003)
    return sim, surface


def rate(sim: Any, surface: Any) -> float:
    """Solve; return silane that reacts, mol/(m²·s)."""
    sim.solve(loglevel=0, auto=True)
    return -1e3 * float(surface.net_production_rates[surface.kinetics_species_index("SiH4")])
