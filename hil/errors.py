"""Errors of this room.

PlantError (ValueError)
├── RigError
└── ScriptError
"""


class PlantError(ValueError):
    """A tool cannot be simulated."""


class ScriptError(PlantError):
    """A fault script asks for something that the plant has not, or says it wrongly."""


class RigError(PlantError):
    """A rig cannot be started, or is asked for something that it has not."""
