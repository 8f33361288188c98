"""What every model of a file has in common: strict, frozen, no unknown fields, finite numbers."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, GetJsonSchemaHandler, StringConstraints
from pydantic_core import CoreSchema

from config.docstrings import field_texts


class Model(BaseModel):
    """Base of all models: unknown fields are refused, values are not coerced, nothing changes after loading."""

    # Only the model of a whole file validates anything: those inside it are built with it, not once more by themselves.
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False, defer_build=True)

    @classmethod
    def __get_pydantic_json_schema__(cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        """Describe each field by the text below it."""
        made = handler(core_schema)
        properties: dict[str, dict[str, Any]] = handler.resolve_ref_schema(made).get("properties", {})
        for name, text in field_texts(cls).items():
            if name in cls.model_fields:
                shown = properties.get(cls.model_fields[name].alias or name) or properties.get(name)
                if shown is not None:
                    shown.setdefault("description", text)
        return made


NAME = r"^[a-z][a-z0-9_]*$"
POINT_NAME = r"^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*){0,2}$"
TAG_NAME = r"^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*){1,3}$"
TOOL_NAME = r"^[A-Za-z][A-Za-z0-9_-]{0,47}$"
TITLE = r"^[^\s\x00-\x1f\x7f-\x9f]([^\x00-\x1f\x7f-\x9f]*[^\s\x00-\x1f\x7f-\x9f])?$"
WORDS = {
    NAME: "a name: a lower-case letter, then lower-case letters, digits and _",
    POINT_NAME: "a tag's name: up to three lower-case words of letters, digits and _, joined by dots",
    TAG_NAME: "the full name of a tag: module.tag, in lower-case words of letters, digits and _",
    TOOL_NAME: "a name: a letter, then at most 47 letters, digits, - and _",
    TITLE: "a title: one line without control characters, and no space at either end",
}
"""What a pattern asks for, as a fault says it."""

Name = Annotated[str, StringConstraints(pattern=NAME, max_length=48), Field(examples=["over_pressure"])]
"""A lower-case identifier."""

TagName = Annotated[
    str, StringConstraints(pattern=TAG_NAME, max_length=96), Field(examples=["heater.zone1.temperature_c"])
]
"""`module.point` or `module.part.point`; the unit is its last word where it has one (`heater.zone1.temperature_c`)."""

Text = Annotated[str, StringConstraints(min_length=1, max_length=2000)]
Expression = Annotated[
    str,
    StringConstraints(min_length=1, max_length=2000),
    Field(examples=["chamber.pressure_torr > 50 Torr and not vacuum.pump.running"]),
]
"""An expression over tags and quantities: `chamber.pressure_torr > 50 Torr and not vacuum.pump.running`."""

Seconds = Annotated[float, Field(ge=0, le=10_000_000)]
