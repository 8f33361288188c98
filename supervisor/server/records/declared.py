"""What clients declare as JSON: a process mode, a series of statistical process control."""

from typing import TypeVar

from config.base import Model
from config.faults import ConfigError
from config.loading import load_model
from opcua_model.interface import Refused

M = TypeVar("M", bound=Model)


def read_declared(text: str, kind: type[M], name: str) -> M:
    """Read what a client declares; faults call it `name`.

    Raises:
        Refused: with every fault.
    """
    try:
        return load_model(text, kind, file=name)
    except ConfigError as error:
        raise Refused("BadInvalidArgument", str(error)) from error
