"""Errors of this room.

PlantError (ValueError)
└── ScriptError
"""


class PlantError(ValueError):
    """A tool cannot be simulated."""


class ScriptError(PlantError):
    """A fault script asks for something that the plant has not, or says it wrongly."""
