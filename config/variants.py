"""The taxonomy: every kind of CVD that the platform guide names, and the tool, process mode and recipe that show it."""

import tomllib
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Annotated

from pydantic import StringConstraints

from config.base import Model, Text

FILE = Path(__file__).with_name("variants.toml")
FileName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9_]+$")]


class VariantGroup(StrEnum):
    """By what a variant is told from others."""

    PRESSURE = "pressure"
    ACTIVATION = "activation"
    REACTOR = "reactor"
    CHEMISTRY = "chemistry"
    ADVANCED = "advanced"


class Variant(Model):
    """One entry."""

    name: Text
    group: VariantGroup
    title: Text
    definition: Text
    mode: Text
    """Name of the process mode that it runs as."""
    tool: FileName
    """Shipped tool file, without `.toml`."""
    recipe: FileName
    """Shipped recipe, without `.json`."""
    because: Text
    """Why that tool is an instance of it."""


class _File(Model):
    variants: tuple[Variant, ...]


@cache
def shipped_variants() -> tuple[Variant, ...]:
    """The entries of `variants.toml`, in its order."""
    return _File.model_validate(tomllib.loads(FILE.read_text(encoding="utf-8")), strict=False).variants
