"""What says that there is a history: capabilities of the server, aggregate functions, configuration of tags.

Two configurations serve all tags: one for those that move on a slope, one for those that move in steps. Whether a
client may give its own for one request is Part 13's matter, not theirs.
"""

from typing import Any, Final

from opcua_model.historical.aggregates import AGGREGATES
from opcua_model.historical.events import AT_ONCE
from opcua_model.historical.series import Rules
from opcua_model.publishing.encoding import DOUBLE
from opcua_model.space import Space, number_id, stamped
from opcua_model.stack import Ids, ua
from opcua_model.tree import Tree

CONFIGURATION: Final = "HA Configuration"
"""BrowseName of a historical configuration (Part 11, 5.2.2)."""
_FOLDERS: Final = (
    Ids.Server_ServerCapabilities_AggregateFunctions,
    Ids.HistoryServerCapabilities_AggregateFunctions,
)


def advertise_history(tree: Tree, values: int) -> None:
    """Show what can be read of the past, at most `values` in an answer."""
    space = tree.space
    kinds = ua.VariantType
    for name, value, kind in (
        ("AccessHistoryDataCapability", True, kinds.Boolean),
        ("AccessHistoryEventsCapability", True, kinds.Boolean),
        ("MaxReturnDataValues", values, kinds.UInt32),
        ("MaxReturnEventValues", AT_ONCE, kinds.UInt32),
        ("ServerTimestampSupported", False, kinds.Boolean),
        *((name, False, kinds.Boolean) for name in _NEVER),
    ):
        node = number_id(getattr(Ids, f"HistoryServerCapabilities_{name}"))
        space.cell(node).value = stamped(ua.Variant(value, kind))
    for folder in _FOLDERS:
        for name in AGGREGATES:
            function = number_id(getattr(Ids, f"AggregateFunction_{name}"))
            space.add_reference(number_id(folder), Ids.Organizes, function)
    sloped, stepped = (_configuration(space, name, stepped=name == "Stepped") for name in ("Sloped", "Stepped"))
    for node, index in tree.tags.items():
        target = sloped if int(tree.snapshot.kinds[index]) == DOUBLE else stepped
        space.add_reference(node, Ids.HasHistoricalConfiguration, target, both=False)
    for node in tree.arrays:
        space.add_reference(node, Ids.HasHistoricalConfiguration, sloped, both=False)


_NEVER: Final = tuple(
    f"{action}{what}Capability"
    for action, what in (
        ("Insert", "Data"), ("Replace", "Data"), ("Update", "Data"), ("DeleteRaw", ""), ("DeleteAtTime", ""),
        ("Insert", "Event"), ("Replace", "Event"), ("Update", "Event"), ("Delete", "Event"), ("Insert", "Annotation"),
    )
)  # fmt: skip
"""What was recorded is never changed."""


def _configuration(space: Space, name: str, *, stepped: bool) -> Any:
    rules = Rules()
    above = number_id(Ids.HistoryServerCapabilities)
    node = space.add_object(
        space.tool_id(f"{CONFIGURATION}/{name}"),
        CONFIGURATION,
        above,
        description=f"How the history of tags that move {'in steps' if stepped else 'on a slope'} is read.",
        kind=number_id(Ids.HistoricalDataConfigurationType),
        reference=Ids.Organizes,
        namespace=0,
    )
    boolean, byte = ua.VariantType.Boolean, ua.VariantType.Byte
    space.add_property(
        node, "Stepped", Ids.Boolean, ua.Variant(stepped, boolean), "True: a value holds until the next one."
    )
    aggregates = space.add_object(
        space.tool_id(f"{CONFIGURATION}/{name}/AggregateConfiguration"),
        "AggregateConfiguration",
        node,
        description="What aggregates do with doubtful and bad values unless a request says otherwise.",
        kind=number_id(Ids.AggregateConfigurationType),
        namespace=0,
    )
    for field, value, kind, text in (
        ("TreatUncertainAsBad", rules.treat_uncertain_as_bad, boolean, "Uncertain values count as Bad."),
        ("PercentDataBad", rules.percent_bad, byte, "From this share of bad values on, %, a result is Bad."),
        ("PercentDataGood", rules.percent_good, byte, "From this share of good values on, %, a result is Good."),
        ("UseSlopedExtrapolation", rules.sloped_extrapolation, boolean, "The last slope goes on behind the end."),
    ):
        space.add_property(aggregates, field, getattr(Ids, kind.name), ua.Variant(value, kind), text)
    return node
