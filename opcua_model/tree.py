"""The contract tree of one tool: `Objects/<ToolName>` with everything below, built from the tool model."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from config.instruments import MODULE as DEVICES
from config.layout import SYSTEM_TAGS, Layout
from config.profile import RESERVED
from config.tool import Interlock, Tag, TagKind
from config.units import NO_UNIT_ID, UnitError, find_unit
from opcua_model.data_types import ENUMERATIONS, SAME, add_record, enumeration_value
from opcua_model.engineering import engineering_units, information
from opcua_model.interface import Method
from opcua_model.live import Live
from opcua_model.methods import methods_of
from opcua_model.publishing.encoding import BOOLEAN, DOUBLE
from opcua_model.publishing.snapshot import Turn
from opcua_model.space import (
    ARRAY,
    HISTORY_READ,
    READ,
    WRITE,
    Space,
    number_id,
    stamped,
    type_name,
    variant,
    variant_type,
)
from opcua_model.stack import Attr, Ids, ua
from opcua_model.types import arguments
from opcua_model.variables import CODE, CONDITION, VARIABLES, Variable

ROOT: Final = "."
"""Path of the tool object itself."""
FOLDERS: Final = {
    "ProcessModes": ("ProcessModesType", "The process modes that are known; an object each."),
    "Recipes": ("RecipesType", "The recipes of the tool; an object per version."),
    "Runs": ("RunsType", "The runs of the tool, and the active one."),
    "Results": ("ResultsType", "What runs made; an object each."),
    "Spc": ("SpcType", "Series of statistical process control; an object each."),
}
"""Folders whose entries come and go."""
OTHERS: Final = {
    "State": ("StateType", "Mode, SEMI E10 state and control of the tool."),
    "Equipment": ("EquipmentType", "The modules of the tool with their tags."),
    "Telemetry": ("TelemetryType", "The signals of the tool under their common names."),
    "Services": ("ServicesType", "The service operations of the tool."),
    "Care": ("CareType", "Wear and use of the tool, and work that falls due."),
    "Loops": ("LoopsType", "The control loops of the tool: gains that tests tell and people approve."),
    "Interlocks": ("InterlocksType", "The interlocks of the tool; each is a row of the cause-and-effect matrix."),
    "Alarms": ("AlarmsType", "The alarms of the tool."),
    "Diagnostics": ("DiagnosticsType", "Timing of the scan, links, historian, sessions."),
}
"""What else stands below the tool, its name plate aside."""
_OWNED: Final = frozenset({TagKind.INPUT, TagKind.SETPOINT, TagKind.OUTPUT})
"""Tags beside which stands who has the say over them."""
_NOTIFIERS: Final = ("State", "Equipment", "Recipes", "Runs", "Services", "Interlocks", "Alarms", "Diagnostics", "Spc")

SYSTEM_TEXTS: Final = {
    "run_state": "State of the program that is active: 0 idle, 1 running … (ISA-88).",
    "step": "Index of the step that runs, -1 outside of one.",
    "step_elapsed_s": "Time in this step, s.",
    "run_elapsed_s": "Time in this run, s.",
    "cycle": "Completed passes of the innermost cycle.",
    "tripped": "Trips and holds in force that are not bypassed.",
    "latched": "Latched conditions that are no longer active.",
    "bypassed": "Bypassed conditions.",
    "forced": "Forced tags.",
    "skipped_slots": "Scan slots that were skipped since the start.",
    "armed": "1 when hazardous outputs may be energised.",
}


@dataclass
class Tree:
    """What was built: which node is which tag, method, object or live value."""

    space: Space
    snapshot: Turn
    layout: Layout
    tags: dict[Any, int] = field(default_factory=dict[Any, int])
    """Tag index by NodeId; a tag has one under Equipment and may have one under Telemetry."""
    arrays: dict[Any, NDArray[np.int64]] = field(default_factory=dict[Any, NDArray[np.int64]])
    """Tag indices of the array signals by NodeId."""
    methods: dict[Any, Method] = field(default_factory=dict[Any, Method])
    owners: dict[Any, str] = field(default_factory=dict[Any, str])
    """Path of an object that has methods, by NodeId."""
    live: dict[str, Live] = field(default_factory=dict[str, Live])
    """Values that are not tags, by path."""
    codes: dict[str, str] = field(default_factory=dict[str, str])
    """Enumerations by the paths of the live values that say in numbers what the texts beside them say."""
    records: dict[str, Any] = field(default_factory=dict[str, Any])
    """Nodes of the records of interlocks, by path of the interlock."""


def build_tree(tree: Tree, *, revision: str, variants: Sequence[str], told: Mapping[str, Any]) -> None:
    """Create the tool object and everything of it that stays.

    Args:
        tree: where to enter what was built.
        revision: software revision of the name plate.
        variants: names of the process modes that the tool can run.
        told: first values of `Backend.variables()`.
    """
    space, tool = tree.space, tree.layout.tool
    root = space.add_object(
        space.tool_id(ROOT),
        tool.name,
        number_id(Ids.ObjectsFolder),
        display=tool.title,
        description=f"{tool.identification.manufacturer} {tool.identification.model}: {tool.title}",
        kind=space.type_id("ToolType"),
        reference=Ids.Organizes,
        notifier=True,
    )
    space.add_reference(number_id(Ids.Server), Ids.HasNotifier, root)
    _identification(tree, root, revision, variants)
    for name, (kind, description) in {**OTHERS, **FOLDERS}.items():
        _object(tree, name, kind, description, notifier=name in _NOTIFIERS)
    _object(tree, "Runs/ActiveRun", "ActiveRunType", "The run that is active.", notifier=True)
    _equipment(tree)
    _telemetry(tree)
    _links(tree)
    for interlock in tool.interlocks:
        _interlock(tree, interlock)
    operations = [operation.name for operation in tool.operations]
    _static(tree, "Services/Operations", operations, "String", "Names of the operations that can be started.")
    known = {one.path for one in VARIABLES}
    for one in VARIABLES:
        add_live(tree, one)
    for path, value in told.items():
        # An interlock's `Why` stands already; what a daemon tells beyond the contract gets its own node.
        if path not in known and path not in tree.live and not path.startswith("Alarms/"):
            words = f"{path.rpartition('/')[2]} of {path.rpartition('/')[0]}."
            rank = ARRAY if isinstance(value, list) else -1
            add_live(tree, Variable(path, type_name(value), words), rank)


def _object(tree: Tree, path: str, kind: str, description: str, *, notifier: bool = False, display: str = "") -> Any:
    space = tree.space
    above, _, name = path.rpartition("/")
    parent = space.tool_id(above or ROOT)
    node = space.add_object(
        space.tool_id(path),
        name,
        parent,
        description=description,
        display=display,
        kind=space.type_id(kind),
        notifier=notifier,
    )
    if notifier and space.attribute(parent, Attr.EventNotifier):
        space.add_reference(parent, Ids.HasNotifier, node)
    owned = methods_of(path)
    for method in owned:
        made = space.add_method(
            space.tool_id(f"{path}/{method.name}"),
            method.name,
            node,
            method.description,
            arguments(method.inputs),
            arguments(method.outputs),
        )
        tree.methods[made] = method
    if owned:
        tree.owners[node] = path
    return node


def _static(tree: Tree, path: str, value: Any, kind: str, description: str) -> None:
    above, _, name = path.rpartition("/")
    tree.space.add_variable(
        tree.space.tool_id(path),
        name,
        tree.space.tool_id(above),
        description=description,
        data_type=int(variant_type(kind)),
        value=stamped(variant(value, kind)),
        rank=ARRAY if isinstance(value, list) else -1,
    )


def add_live(tree: Tree, one: Variable, rank: int = -1, of: int = Ids.BaseDataVariableType) -> Live:
    """Add a value that changes without being a tag; it waits for its first value. `of`: a variable, or a property."""
    space = tree.space
    above, _, name = one.path.rpartition("/")
    node = space.tool_id(one.path)
    if space.tool_id(above) not in space:
        raise ValueError(f"variable {one.path!r}: there is no object {above!r} in the tree")
    enumerated = one.type in ENUMERATIONS
    space.add_variable(
        node,
        name,
        space.tool_id(above),
        description=one.description,
        data_type=space.type_id(one.type) if enumerated else int(variant_type(one.type)),
        value=stamped(ua.Variant(None, ua.VariantType.Null), ua.StatusCode(ua.StatusCodes.BadWaitingForInitialData)),
        rank=rank,
        kind=of,
        reference=Ids.HasProperty if of == Ids.PropertyType else Ids.HasComponent,
    )
    if enumerated:
        tree.codes[one.path] = one.type
    live = tree.live[one.path] = Live(space.cell(node), "Int32" if enumerated else one.type)
    return live


def _identification(tree: Tree, root: Any, revision: str, variants: Sequence[str]) -> None:
    plate = tree.layout.tool.identification
    tree.space.add_object(
        tree.space.tool_id("Identification"),
        "Identification",
        root,
        description="The name plate of the tool.",
        kind=tree.space.type_id("IdentificationType"),
    )
    for name, value, text in (
        ("Manufacturer", plate.manufacturer, "Who made the tool."),
        ("Model", plate.model, "Its model."),
        ("SerialNumber", plate.serial_number, "Its serial number."),
        ("SoftwareRevision", revision, "Version of the supervisor."),
        ("SupportedVariants", list(variants), "Names of the process modes that the tool can run."),
    ):
        _static(tree, f"Identification/{name}", value, "String", text)
    named = {
        "Manufacturer": plate.manufacturer,
        "Model": plate.model,
        "SerialNumber": plate.serial_number,
        "SoftwareRevision": revision,
    }
    add_record(tree.space, "Identification", "IdentificationType", named)


def _equipment(tree: Tree) -> None:
    layout = tree.layout
    _object(tree, "Equipment/system", "ModuleType", "What the scan says of itself.", notifier=True)
    for index, full in enumerate(SYSTEM_TAGS):
        name = full.partition(".")[2]
        _tag(tree, f"Equipment/system/{name}", index, None, SYSTEM_TEXTS.get(name, f"System tag {name}."))
    for module in layout.tool.modules:
        _object(tree, f"Equipment/{module.name}", "ModuleType", module.description, notifier=True)
        facts = {"Name": module.name, "Description": module.description, "Kind": module.kind.value}
        add_record(tree.space, f"Equipment/{module.name}", "ModuleType", {**facts, "Tags": len(module.tags)})
        for tag in module.tags:
            path = f"Equipment/{module.name}/{tag.name}"
            _tag(tree, path, layout.index[f"{module.name}.{tag.name}"], tag, tag.description)


def _tag(tree: Tree, path: str, index: int, tag: Tag | None, description: str) -> None:
    """Add a tag as a variable of the type that its declaration asks for."""
    space = tree.space
    above, _, name = path.rpartition("/")
    kind = int(tree.snapshot.kinds[index])
    if tag is None:
        definition = Ids.DataItemType
    elif not tag.states:
        definition = Ids.AnalogItemType
    else:
        definition = Ids.TwoStateDiscreteType if kind == BOOLEAN else Ids.MultiStateDiscreteType
    access = READ | HISTORY_READ | (WRITE if tag is not None and tag.role is not None else 0)
    period = 0.0 if tag is None else tag.period_s * 1000.0
    node = space.add_variable(
        space.tool_id(path),
        name,
        space.tool_id(above),
        description=description,
        data_type=kind,
        read=partial(tree.snapshot.read, index),
        kind=definition,
        access=access,
        sampling_ms=period,
    )
    tree.tags[node] = index
    if tag is None:
        return
    if tag.kind in _OWNED and path.startswith("Equipment/"):
        add_live(tree, Variable(f"{path}/Owner", "String", f"Who has the say over {name} now."), of=Ids.PropertyType)
    if kind == DOUBLE:
        _range(space, node, tag)
    elif kind == BOOLEAN:
        for property_name, text in (("FalseState", tag.states[0]), ("TrueState", tag.states[1])):
            value = ua.Variant(ua.LocalizedText(text), ua.VariantType.LocalizedText)
            space.add_property(node, property_name, Ids.LocalizedText, value, f"Name of this state of {name}.")
    else:
        value = ua.Variant([ua.LocalizedText(text) for text in tag.states], ua.VariantType.LocalizedText, is_array=True)
        space.add_property(node, "EnumStrings", Ids.LocalizedText, value, f"Names of the states of {name}.", ARRAY)


def _range(space: Space, node: Any, tag: Tag) -> None:
    span = ua.Variant(ua.Range(tag.low, tag.high), ua.VariantType.ExtensionObject)
    space.add_property(node, "EURange", Ids.Range, span, f"Least and greatest value of {tag.name}.")
    try:
        value = engineering_units(find_unit(tag.unit))
    except UnitError:  # a tool file with it does not pass `cvd check`; its tag is still shown
        value = information(NO_UNIT_ID, tag.unit, tag.unit)
    space.add_property(node, "EngineeringUnits", Ids.EUInformation, value, f"Unit of {tag.name}.")


def _telemetry(tree: Tree) -> None:
    layout, telemetry = tree.layout, tree.layout.tool.telemetry
    signals = {"chamber_pressure_torr": telemetry.chamber_pressure_torr, **telemetry.signals}
    for signal, full in signals.items():
        tag = layout.declared.get(full)
        text = full if tag is None else tag.description
        _tag(tree, f"Telemetry/{signal}", layout.index[full], tag, text)
    for signal, members, text in (
        ("temperature_zones_c", telemetry.temperature_zones_c, "Temperatures of the zones, °C, in the order of Names."),
        ("gas_flows_sccm", telemetry.gas_flows_sccm, "Flows of the gases, sccm, in the order of Names."),
    ):
        if members:
            _array(tree, signal, members, text)


def _links(tree: Tree) -> None:
    """Each instrument with its link: where it is, how it is, and what was counted."""
    layout = tree.layout
    if not layout.tool.devices:
        return
    _object(tree, "Diagnostics/Links", "LinksType", "The instruments and their links.")
    for device in layout.tool.devices:
        path = f"Diagnostics/Links/{device.name}"
        _object(tree, path, "LinkType", f"{device.profile} on {device.link}")
        for name, value, text in (
            ("Profile", device.profile, "What kind of instrument it is."),
            ("Link", device.link, "The wire that it hangs on."),
            ("OnLinkLoss", device.on_link_loss.value, "What its outputs do when nobody talks to it."),
        ):
            _static(tree, f"{path}/{name}", value, "String", text)
        for word in RESERVED:
            full = f"{DEVICES}.{device.name}.{word}"
            tag = layout.declared.get(full)
            if tag is not None:
                name = "".join(part.capitalize() for part in word.split("_"))
                _tag(tree, f"{path}/{name}", layout.index[full], tag, tag.description)


def _array(tree: Tree, signal: str, members: Mapping[str, str], text: str) -> None:
    space = tree.space
    indices = np.array([tree.layout.index[full] for full in members.values()], np.int64)
    node = space.add_variable(
        space.tool_id(f"Telemetry/{signal}"),
        signal,
        space.tool_id("Telemetry"),
        description=text,
        data_type=Ids.Double,
        read=partial(tree.snapshot.read_many, indices),
        access=READ | HISTORY_READ,
        rank=ARRAY,
    )
    names = ua.Variant(list(members), ua.VariantType.String, is_array=True)
    space.add_property(node, "Names", Ids.String, names, f"Names of the elements of {signal}.", ARRAY)
    tree.arrays[node] = indices


def _interlock(tree: Tree, interlock: Interlock) -> None:
    path = interlock_path(interlock)
    _object(tree, path, "InterlockType", interlock.description, notifier=True)
    facts: list[tuple[str, Any, str]] = [
        ("Condition", interlock.when, "The cause as declared."),
        ("Priority", interlock.priority.value, "ISA-18.2 priority."),
        ("Consequence", interlock.consequence, "What happens when nobody acts."),
        ("Action", interlock.action, "What to do about it."),
        ("Class", interlock.cls.value, "What it does: trip, hold, permissive or warning."),
        ("Effects", [f"{one.output} = {one.value:g}" for one in interlock.effects], "Outputs and their values."),
        ("Bypassable", interlock.bypassable, "True when it may be bypassed for a time."),
        ("MaxBypassS", interlock.max_bypass_s, "For how long at most, s."),
    ]
    if interlock.proof_test is not None:
        facts += [
            ("ProofTestEveryDays", interlock.proof_test.every_days, "Interval of its proof test, days."),
            ("ProofTestProcedure", interlock.proof_test.procedure, "What is done in a proof test."),
        ]
    for name, value, text in facts:
        kind = "String" if isinstance(value, list) else type_name(value)
        _static(tree, f"{path}/{name}", value, kind, text)
    space = tree.space
    number = ua.Variant(enumeration_value("InterlockClassEnum", interlock.cls.value), ua.VariantType.Int32)
    space.add_variable(
        space.tool_id(f"{path}/Class{CODE}"), f"Class{CODE}", space.tool_id(path), description=SAME,
        data_type=space.type_id("InterlockClassEnum"), value=stamped(number),
    )  # fmt: skip
    for one in CONDITION:
        add_live(tree, Variable(f"{path}/{one.path}", one.type, one.description))
    tree.records[path] = add_record(tree.space, path, "InterlockType", {"Name": interlock.name})


def interlock_path(interlock: Interlock) -> str:
    """Path of an interlock below the tool object."""
    return f"Interlocks/{interlock.name}"
