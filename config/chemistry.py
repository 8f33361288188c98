"""What a film is made of, and whether the gases of a recipe bring it: the impossible is refused before anything moves.

Elements are read from formulae; what people call by a name stands below. A film whose name says nothing is not judged.
"""

import re
from collections.abc import Iterator

from config.gases import is_hazardous
from config.process_mode import ChemistryType, ProcessMode
from config.recipe_model import Recipe

NAMED = {
    "TMGa": "GaC3H9", "TEGa": "GaC6H15", "TMAl": "AlC3H9", "TMIn": "InC3H9", "Cp2Mg": "MgC10H10",
    "TDMAT": "TiN4C8H24", "TEOS": "SiO4C8H20", "diamond": "C", "graphene": "C",
}  # fmt: skip
"""Formulae of what has a name (structural formulae of the compounds)."""
FORM = re.compile(r"^(?:poly|epi|a|uc|µc|nc)-|:H$")
"""How a film is: its order, its hydrogen."""
ELEMENTS = frozenset(
    re.findall(
        "[A-Z][a-z]?", "HHeBCNOFNeMgAlSiPSClArTiVCrMnFeCoNiCuZnGaGeAsSeBrKrZrNbMoRuRhPdAgInSnSbTeXeHfTaWReIrPtAuPb"
    )
)
HYDRIDE = frozenset({ChemistryType.HYDRIDE, ChemistryType.HALIDE})
BOATS = frozenset({"Al", "Ga", "In"})
"""Metals that hydrogen chloride takes out of a boat (hydride vapour phase epitaxy)."""


def elements(name: str) -> frozenset[str]:
    """Elements of a gas or film; nothing for a name that is no formula."""
    formula = NAMED.get(name, FORM.sub("", name))
    parts = re.findall(r"([A-Z][a-z]?)\d*\.?\d*", formula)
    spelt = re.fullmatch(r"(?:[A-Z][a-z]?\d*\.?\d*)+", formula) is not None
    return frozenset(parts) if spelt and ELEMENTS.issuperset(parts) else frozenset()


def chemistry_faults(recipe: Recipe, mode: ProcessMode | None) -> Iterator[tuple[str, str]]:
    """Yield path and reason of a film that the gases of a recipe and of those it calls cannot make."""
    wanted = elements(recipe.film_target)
    flows = [gas.name for _, one in recipe.called() for gas in one.gas_flows.gases]
    flows = list(dict.fromkeys(flows))
    grows = any(step.flows_active for _, one in recipe.called() for _, step, _ in one.leaves())
    if not wanted or not grows or not any(is_hazardous(gas) for gas in flows):
        return  # gas that is inert makes no film: a dry run
    brought = frozenset[str]().union(*map(elements, flows))
    if mode is not None and mode.chemistry_type in HYDRIDE and "HCl" in flows:
        brought |= BOATS
    if missing := sorted(wanted - brought):
        what = f"{recipe.film_target} needs {' and '.join(missing)}"
        yield "film_target", f"{what}, which none of {', '.join(flows)} brings"
