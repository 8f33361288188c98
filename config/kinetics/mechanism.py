"""The boundary to Cantera: a mechanism as a function from a point to its outputs."""

from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

from config.kinetics.plan import KineticsError, Plan

FLOOR = 1e-30
"""Mole fractions below this are written as this, so that their logarithm exists."""

Point = dict[str, float]


class Mechanism:
    """Rates of one mechanism at any point.

    With a surface: growth of each bulk phase (m/s) and the net flux of each gas from it (mol/(m²·s)), the surface in
    its steady state. Without one: mole fractions of the gas after a residence time at constant temperature and
    pressure.
    """

    def __init__(self, plan: Plan) -> None:
        """Read the mechanism.

        Raises:
            KineticsError: Cantera is missing, or the mechanism, a phase or a species of the plan.
        """
        if find_spec("cantera") is None:
            raise KineticsError("Cantera is not installed: pip install 'cvd-supervisor[kinetics]'")
        import cantera as ct

        self._ct: Any = ct
        self._plan = plan
        self.version = str(ct.__version__)
        try:
            if plan.surface is not None:
                self._surface: Any = ct.Interface(str(plan.mechanism), plan.surface)
                adjacent: dict[str, Any] = self._surface.adjacent
                gases = [phase for phase in adjacent.values() if phase.thermo_model == "ideal-gas"]
                if len(gases) != 1:
                    raise KineticsError(f"{plan.surface} must meet one ideal gas, meets {len(gases)}")
                self.gas: Any = gases[0]
                self._bulks: list[Any] = [phase for phase in adjacent.values() if phase is not gases[0]]
            else:
                self.gas = ct.Solution(str(plan.mechanism), plan.phase or "")
        except ct.CanteraError as error:
            raise KineticsError(f"{plan.mechanism}: {_told(error)}") from None
        self.species: list[str] = list(self.gas.species_names)
        if unknown := sorted({*plan.fractions, *plan.base} - set(self.species)):
            raise KineticsError(f"{plan.mechanism} has no {', '.join(unknown)}; it has {', '.join(self.species)}")
        if plan.surface is None and plan.residence_s is None:
            raise KineticsError("a mechanism without a surface needs a residence time (--residence)")
        if plan.base:
            self.gas.X = plan.base
        self._base = self._fractions()
        left = sum(share for name, share in self._base.items() if name not in plan.fractions)
        if left <= 0.0 and plan.fractions:
            raise KineticsError(
                "the base composition has nothing but the species that vary: name a carrier with --base"
            )
        self._start: Any = self._surface.coverages.copy() if plan.surface is not None else None
        self.evaluate: Callable[[Point], dict[str, float]] = (
            self._at_surface if plan.surface is not None else self._after_residence
        )

    def composition(self, point: Point) -> dict[str, float]:
        """Return the mole fractions of all species: those of the point, and the others in proportion."""
        fixed = {name: point[name] for name in self._plan.fractions}
        others = {name: share for name, share in self._base.items() if name not in fixed}
        total = sum(others.values())
        left = max(0.0, 1.0 - sum(fixed.values()))
        return fixed | {name: share / total * left for name, share in others.items()}

    def _fractions(self) -> dict[str, float]:
        shares: list[float] = [float(share) for share in self.gas.X]
        return dict(zip(self.species, shares, strict=True))

    def _at_surface(self, point: Point) -> dict[str, float]:
        surface = self._surface
        try:
            self.gas.TPX = point["temperature"], point["pressure"], self.composition(point)
            surface.TP = point["temperature"], point["pressure"]
            for bulk in self._bulks:
                bulk.TP = point["temperature"], point["pressure"]
            surface.coverages = self._start
            surface.advance_coverages(100.0)
        except self._ct.CanteraError as error:
            raise KineticsError(f"no steady surface at {point}: {_told(error)}") from None
        rates: dict[str, float] = dict(zip(surface.kinetics_species_names, surface.net_production_rates, strict=True))
        outputs = dict[str, float]()
        for bulk in self._bulks:
            # kmol/(m2·s) × kg/kmol over kg/m3: m/s
            made = sum(
                rates[name] * mass for name, mass in zip(bulk.species_names, bulk.molecular_weights, strict=True)
            )
            outputs[f"growth:{bulk.name}"] = float(made / bulk.density)
        return outputs | {f"flux:{name}": float(1e3 * rates[name]) for name in self.species}

    def _after_residence(self, point: Point) -> dict[str, float]:
        ct = self._ct
        try:
            self.gas.TPX = point["temperature"], point["pressure"], self.composition(point)
            reactor = ct.IdealGasConstPressureReactor(self.gas, energy="off", clone=False)
            network = ct.ReactorNet([reactor])
            network.rtol, network.atol = 1e-10, 1e-20
            network.advance(self._plan.residence_s)
        except ct.CanteraError as error:
            raise KineticsError(f"no solution at {point}: {_told(error)}") from None
        return {f"fraction:{name}": max(share, FLOOR) for name, share in self._fractions().items()}


def _told(error: Exception) -> str:
    lines = [line.strip("* ") for line in str(error).splitlines()]
    return " ".join(line for line in lines if line)[:300]
