"""What every tool with instruments has besides its file: tags that say how each of them is, and what follows from them.

For a device `mfc` there are `devices.mfc.armed`, `devices.mfc.connected` and counters, bound to the points that every
device has (config.profile.RESERVED). As long as a device with hazardous outputs, or with a watchdog that the tool
relies on, is not armed, an interlock keeps everything hazardous de-energised.
"""

from config.layout import Layout
from config.profile import FAST, RESERVED
from config.tool import (
    Effect,
    Interlock,
    InterlockClass,
    LinkLoss,
    Module,
    ModuleKind,
    Priority,
    Tag,
    TagKind,
    Tool,
)
from config.units import find_unit

MODULE = "devices"
PERIOD_S = 0.5
"""How often a driver posts them."""
_YES_NO = ("no", "yes")
_TAGS: dict[str, tuple[str, str]] = {
    "armed": ("1", "its watchdog is armed and proven, and nothing stands against energising its outputs"),
    "connected": ("1", "it answers and is the instrument that it should be"),
    "round_trip_ms": ("ms", "duration of its last exchange"),
    "requests": ("1", "exchanges since the start"),
    "faults": ("1", "exchanges without a good answer"),
    "reconnects": ("1", "times that it was lost and found again"),
    "missed_slots": ("1", "polls that were late and left out"),
    "reboots": ("1", "restarts of the instrument that were noticed"),
    "write_faults": ("1", "writes that it did not confirm"),
    "edges": ("1", "changes of its fast outputs"),
    "late_edges": ("1", "changes of its fast outputs that left late, or could not leave"),
    "edge_late": ("1", "a change of a fast output was late a moment ago"),
}


def with_device_tags(tool: Tool) -> Tool:
    """Add the tags and interlocks that follow from a tool's instruments; a tool without any stays as it is.

    On a rig whose plant is faster than the clock the wires are not: what is read over them may be as many times older,
    counted in the tool's time; and so many times more as the rig asks patience for. What holds such a reading
    against a command waits as much longer before it acts: an answer that is still on its way is no fault.
    """
    if not tool.devices:
        return tool
    tags = tuple(
        _tag(device.name, name) for device in tool.devices for name in RESERVED if device.fast or name not in FAST
    )
    module = Module(name=MODULE, kind=ModuleKind.CONTROL, description="Instruments and their links", tags=tags)
    modules = (*tool.modules, module)
    if tool.rig is not None:
        factor = tool.rig.speed * tool.rig.patience
        tool = tool.model_copy(update={"interlocks": _patient(tool, factor)})
        modules = tuple(
            one.model_copy(update={"tags": tuple(_on_a_clock(tag, factor) for tag in one.tags)}) for one in modules
        )
    return tool.model_copy(update={"modules": modules, "interlocks": (*tool.interlocks, *_permissives(tool))})


def simulated(tool: Tool) -> Tool:
    """The tool with a plant in the place of its instruments: all of them are armed, and nothing is counted."""
    modules = tuple(
        module.model_copy(update={"tags": tuple(_fixed(tag) for tag in module.tags)})
        if tool.devices and module.name == MODULE
        else module
        for module in tool.modules
    )
    return tool.model_copy(update={"modules": modules})


def relied_upon(tool: Tool) -> tuple[str, ...]:
    """Names of the devices that must be armed before anything hazardous is permitted."""
    hazardous = {
        tag.point.partition(".")[0] for module in tool.modules for tag in module.tags if tag.hazardous and tag.point
    }
    return tuple(
        device.name for device in tool.devices if device.name in hazardous or device.on_link_loss is LinkLoss.ZERO
    )


def conversion(tag: Tag, unit: str) -> tuple[float, float]:
    """How values of a point become values of the tag that is bound to it: tag = point × gain + offset.

    Args:
        tag: with a scaling of its own, or with a unit of the same dimension as the point's.
        unit: of the point.
    """
    if tag.scaling is not None:
        (x0, x1), (y0, y1) = tag.scaling.point, tag.scaling.tag
        gain = (y1 - y0) / (x1 - x0)
        return gain, y0 - gain * x0
    source, target = find_unit(unit), find_unit(tag.unit)
    return float(source.factor / target.factor), float((source.offset - target.offset) / target.factor)


def _on_a_clock(tag: Tag, factor: int) -> Tag:
    if tag.kind is not TagKind.INPUT or tag.point is None:
        return tag
    return tag.model_copy(update={"period_s": tag.period_s * factor})


def _patient(tool: Tool, factor: int) -> tuple[Interlock, ...]:
    """The tool's interlocks on a rig whose readings may be `factor` times as old.

    A Good reading is up to two periods old, so that on the rig it may be 2 (factor − 1) periods older than on the tool.
    That much is added to the delay of those that hold a reading against a command, which the scan knows at once; what
    acts without a delay, or looks at readings only, is as it is on the tool.
    """
    layout = Layout(tool)
    return tuple(
        one.model_copy(update={"on_delay_s": one.on_delay_s + (factor - 1) * 2 * slowest})
        if one.on_delay_s and (slowest := _slowest_compared(one, layout))
        else one
        for one in tool.interlocks
    )


def _slowest_compared(interlock: Interlock, layout: Layout) -> float:
    """Longest period of the readings that an interlock holds against a command; 0: it does not."""
    wired = [layout.declared[name].period_s for name in layout.inputs_of(interlock.when)]
    compared = layout.operands_of(interlock.when) - layout.inputs_of(interlock.when)
    return max(wired, default=0.0) if compared else 0.0


def _tag(device: str, name: str) -> Tag:
    unit, description = _TAGS[name]
    states = _YES_NO if name in {"armed", "connected", "edge_late"} else ()
    return Tag(
        name=f"{device}.{name}",
        kind=TagKind.INPUT,
        unit=unit,
        description=f"{device}: {description}",
        low=0,
        high=1 if states else 1e15,
        states=states,
        period_s=PERIOD_S,
        point=f"{device}.{name}",
    )


def _fixed(tag: Tag) -> Tag:
    value = "1" if tag.name.endswith((".armed", ".connected")) else f"0 {tag.unit}" if tag.unit != "1" else "0"
    return tag.model_copy(update={"kind": TagKind.COMPUTED, "expression": value, "point": None, "period_s": 0.0})


def _permissives(tool: Tool) -> tuple[Interlock, ...]:
    effects = tuple(
        Effect(output=f"{module.name}.{tag.name}", value=tag.safe)
        for module in tool.modules
        for tag in module.tags
        if tag.hazardous
    )
    if not effects:
        return ()
    return tuple(
        Interlock.model_validate(
            {
                "name": f"device_{name}"[:40] + "_unarmed",
                "description": f"{name} is not armed",
                "when": f"not {MODULE}.{name}.armed",
                "class": InterlockClass.PERMISSIVE,
                "latch": False,
                "priority": Priority.HIGH,
                "consequence": "Heat, gas and high frequency would go on if the controller or its link failed",
                "action": f"See devices.{name} and the link to it; what was energised must be asked for again",
                "effects": effects,
            }
        )
        for name in relied_upon(tool)
    )
