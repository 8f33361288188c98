"""What an engineer declares of a series, as a JSON document."""

from enum import StrEnum
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import Field, StringConstraints, model_validator

from config.base import Model
from supervisor.server.records.declared import read_declared
from supervisor.server.spc.charts import RULES, SETS

LEAST_POINTS = 8
USUAL_POINTS = 20
"""Montgomery, 6.2.1: 20 to 25 preliminary samples."""
MOST_POINTS = 500
MAPPED = "thickness_mean_nm"
"""The parameter whose single values are known: the points of the thickness map are its subgroup."""

Parameter = Literal[
    "thickness_mean_nm", "thickness_std_nm", "thickness_uniformity_pct", "thickness_min_nm", "thickness_max_nm",
    "refractive_index", "extinction_coefficient", "stress_mpa", "conformality_score", "selectivity_score",
    "step_coverage_pct", "defect_density_per_cm2", "roughness_rms_nm",
]  # fmt: skip
"""Columns of a result that are numbers."""
SeriesName = Annotated[str, StringConstraints(min_length=1, max_length=255, pattern=r"^[^\s/]([^/]*[^\s/])?$")]


class Chart(StrEnum):
    """Which pair of charts."""

    INDIVIDUALS = "individuals"
    XBAR = "xbar"


class Declaration(Model):
    """A series: one figure of the results of some runs."""

    name: SeriesName
    """What it is called; no slash."""
    parameter: Parameter
    """The column of the results that it follows."""
    chart: Literal["individuals", "xbar"] = "individuals"
    """`individuals`: each run's value with its moving range. `xbar`: mean and standard deviation of each run's map."""
    recipe_id: UUID | None = None
    """Only runs of this recipe, in all versions; left out: of every recipe."""
    process_mode: str | None = None
    """Only runs of this process mode; left out: of every mode."""
    target: float | None = None
    """What is wanted."""
    lsl: float | None = None
    """Lower specification limit."""
    usl: float | None = None
    """Upper specification limit."""
    mean: float | None = None
    """With `std_dev`: limits are in force from the first point on. Left out: they come from the baseline."""
    std_dev: Annotated[float, Field(gt=0)] | None = None
    """Standard deviation of a single value."""
    lcl: float | None = None
    """Lower control limit; left out: three standard deviations of the plotted value below the mean."""
    ucl: float | None = None
    """Upper control limit; left out: as far above it."""
    baseline: Annotated[int, Field(ge=LEAST_POINTS, le=MOST_POINTS)] = USUAL_POINTS
    """Limits are made of so many first points."""
    rules: Literal["western_electric", "nelson"] | tuple[str, ...] = "western_electric"
    """A set of rules, or rules by name."""

    @model_validator(mode="after")
    def _sensible(self) -> Self:
        faults: list[str] = []
        if (self.mean is None) != (self.std_dev is None):
            faults.append("mean and std_dev go together: give both, or neither and let the baseline tell")
        if (self.lcl is not None or self.ucl is not None) and self.mean is None:
            faults.append("lcl and ucl need mean and std_dev")
        if self.lsl is not None and self.usl is not None and self.lsl >= self.usl:
            faults.append("lsl must be below usl")
        if self.mean is not None and self.lcl is not None and self.lcl >= self.mean:
            faults.append("lcl must be below mean")
        if self.mean is not None and self.ucl is not None and self.ucl <= self.mean:
            faults.append("ucl must be above mean")
        if self.chart == Chart.XBAR and self.parameter != MAPPED:
            faults.append(f"an xbar chart is made of the points of the thickness map: its parameter is {MAPPED}")
        if not isinstance(self.rules, str):
            faults += [f"there is no rule {name!r}; there are {', '.join(RULES)}"
                       for name in self.rules if name not in RULES]  # fmt: skip
        if faults:
            raise ValueError("; ".join(faults))
        return self

    @property
    def rule_names(self) -> tuple[str, ...]:
        """Rules by name."""
        return SETS[self.rules] if isinstance(self.rules, str) else self.rules


def read_declaration(text: str) -> Declaration:
    """Read a declaration.

    Raises:
        Refused: with every fault.
    """
    return read_declared(text, Declaration, "SPC series")
