"""The settings file of the daemon: what an installation, not a tool, decides. Table `[server]` is the endpoint's.

    [server]
    clients = "trusted"
    names = ["furnace-7.fab.example"]

    [server.limits]
    sessions = 20

Everything may be left out. The launcher reads the file once and hands the server what it says, so that a server that
is started again meets the settings it began with.
"""

from dataclasses import fields, replace
from pathlib import Path
from typing import Annotated, Any, Literal, get_type_hints
from uuid import UUID

from pydantic import AfterValidator, Field

from config.base import Model
from config.faults import suggestion
from config.loading import load_model
from config.tool import Role
from opcua_model.settings import Limits, Settings
from supervisor.server.access.table import PolicyTable
from supervisor.server.notify.table import Language, NotifyTable

FILE_NAME = "daemon.toml"
"""Looked for in the data folder when `cvd run` names no other."""

Number = int | float
Bounds = Number | tuple[Number, Number]
_KINDS: dict[str, Any] = {one.name: get_type_hints(Limits)[one.name] for one in fields(Limits)}


def _limits(given: dict[str, Bounds]) -> dict[str, Bounds]:
    """Hold limits against those that there are; every fault at once."""
    faults = [fault for name, value in given.items() if (fault := _fault(name, value))]
    if faults:
        raise ValueError("; ".join(faults))
    return given


def _fault(name: str, value: Bounds) -> str:
    kind = _KINDS.get(name)
    if kind is None:
        return f"there is no limit {name!r}{suggestion(name, _KINDS)}"
    pair = value if isinstance(value, tuple) else (value, value)
    if (kind not in (int, float)) != isinstance(value, tuple):
        return f"{name} is {'one number' if kind in (int, float) else 'two numbers, the least and the greatest'}"
    if kind is int and not isinstance(value, int):
        return f"{name} is a whole number"
    return "" if 0 < pair[0] <= pair[1] <= 1e12 else f"{name} is greater than 0, the least before the greatest"


class DisplayTable(Model):
    """Table `[server.display]`: how people here want to read things."""

    language: Language = "en"
    units: dict[str, str] = Field(default_factory=dict[str, str])
    """What a tool's unit is shown in: `{ Torr = "mbar" }`; of the same dimension, else it stays."""


class ControlTable(Model):
    """Table `[server.control]`: who may move the tool."""

    required: bool = False
    """Whatever moves the tool needs an owner; else it needs one only while somebody is the owner."""
    timeout_s: Annotated[float, Field(ge=10, le=86400)] = 900.0
    """An owner who asks for nothing for so long is one no longer."""


class ServerTable(Model):
    """Table `[server]`."""

    clients: Literal["any", "trusted"] = "any"
    """Which client applications may connect: any that owns its certificate, or those of the trust list only."""
    anonymous: Literal["loopback", "never"] = "loopback"
    plain_loopback: bool = False
    names: tuple[Annotated[str, Field(min_length=1, max_length=253)], ...] = ()
    renew_days: Annotated[int, Field(ge=0, le=3650)] = 30
    """A certificate of our own making is renewed so long before its end; 0: never."""
    restricted: dict[Annotated[str, Field(min_length=1, max_length=500)], tuple[Role, ...]] = Field(
        default_factory=dict
    )
    """Parts of the tree, by path, that only these roles see."""
    org_id: UUID | None = None
    """The organisation whose records these are; left out: one is made at the first start."""
    equipment_path: Annotated[str, Field(max_length=300)] = ""
    """ISA-95: site, area and work centre above the tool, with slashes between; the organisation stands before them."""
    control: ControlTable = ControlTable()
    policy: PolicyTable = PolicyTable()
    display: DisplayTable = DisplayTable()
    notify: NotifyTable = NotifyTable()
    limits: Annotated[dict[str, Bounds], AfterValidator(_limits)] = Field(default_factory=dict)
    """Fields of `opcua_model.settings.Limits`; what is left out keeps its default."""

    @property
    def notify_in_language(self) -> NotifyTable:
        """Whom to tell, in the language of their table, else in that of the screens."""
        return self.notify.model_copy(update={"language": self.notify.language or self.display.language})


class DaemonFile(Model):
    """The whole file."""

    server: ServerTable = ServerTable()


def read_settings(path: Path) -> ServerTable:
    """Read the settings file; raises ConfigError with every fault."""
    return load_model(path, DaemonFile).server


def ua_settings(table: ServerTable, *, folder: Path, endpoint: str, revision: str) -> Settings:
    """Return what the endpoint is made with."""
    given: dict[str, Any] = dict(table.limits)
    return Settings(
        folder=folder,
        endpoint=endpoint,
        software_revision=revision,
        clients=table.clients,
        anonymous=table.anonymous,
        plain_loopback=table.plain_loopback,
        names=table.names,
        renew_days=table.renew_days,
        restricted={path: frozenset(role.value for role in roles) for path, roles in table.restricted.items()},
        limits=replace(Limits(), **given),
        spare_memory=True,
    )
