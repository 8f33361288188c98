"""What every model of a file has in common: strict, frozen, no unknown fields, finite numbers."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints


class Model(BaseModel):
    """Base of all models: unknown fields are refused, values are not coerced, nothing changes after loading."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, strict=True, allow_inf_nan=False, use_attribute_docstrings=True
    )


Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$", max_length=48)]
"""A lower-case identifier."""

TagName = Annotated[
    str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*){1,3}$", max_length=96)
]
"""`module.point` or `module.part.point`; the unit is its last word where it has one (`heater.zone1.temperature_c`)."""

Text = Annotated[str, StringConstraints(min_length=1, max_length=2000)]
Expression = Annotated[str, StringConstraints(min_length=1, max_length=2000)]
"""An expression over tags and quantities: `chamber.pressure_torr > 50 Torr and not vacuum.pump.running`."""

Seconds = Annotated[float, Field(ge=0, le=10_000_000)]
