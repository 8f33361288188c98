"""Checks of device bindings: every tag on a point of an instrument that exists, and none that a lost link endangers."""

from dataclasses import dataclass
from pathlib import Path

from config.checks.report import DEENERGISED, Report
from config.faults import ConfigError, suggestion
from config.instruments import conversion
from config.profile import RESERVED, Point, Profile, ValueType, WritePolicy
from config.profiles import find_profile
from config.tool import Device, LinkLoss, Tag, TagKind
from config.units import find_unit


@dataclass(frozen=True)
class _Instrument:
    """A device with its profile, and the points of it, where the profile could be read."""

    device: Device
    profile: Profile | None
    points: dict[str, Point]


def check_devices(report: Report) -> None:
    """Check devices and the points that tags are bound to."""
    report.unique(((f"devices[{d}].name", device.name) for d, device in enumerate(report.tool.devices)), "device")
    instruments: dict[str, _Instrument] = {}
    for d, device in enumerate(report.tool.devices):
        profile = _profile(report, f"devices[{d}]", device)
        instruments[device.name] = _Instrument(device, profile, profile.by_name if profile else {})
    _check_wires(report)
    _check_rig(report)
    _check_fast(report, instruments)
    bound: list[tuple[str, str]] = []
    for m, module in enumerate(report.tool.modules):
        for t, tag in enumerate(module.tags):
            path, name = f"modules[{m}].tags[{t}].point", f"{module.name}.{tag.name}"
            if tag.point is not None:
                # An input and an output may share a point: the second reads back what the first writes.
                bound.append((path, f"{tag.point} ({tag.kind.value})"))
                _check_point(report, path, name, tag, instruments)
            elif instruments and tag.kind in {TagKind.INPUT, TagKind.OUTPUT}:
                report.add(path, f"'{name}' is {_kind(tag)} of a tool with devices: say which point it is bound to")
    report.unique(iter(bound), "a tag bound to")


def _profile(report: Report, path: str, device: Device) -> Profile | None:
    """Read the profile of a device and check what the file says of the device against it."""
    try:
        profile = find_profile(device.profile)
    except ConfigError as error:
        for fault in error.faults:
            report.add(f"{path}.profile", str(fault))
        return None
    scheme = device.link.partition("://")[0]
    if scheme not in profile.links:
        report.add(f"{path}.link", f"a {profile.name} hangs on {' or '.join(profile.links)}, not on {scheme}")
    if profile.address is None:
        if device.address is not None and scheme != "modbus-tcp":
            report.add(f"{path}.address", f"a {profile.name} has no address on its wire")
    elif device.address is None:
        if scheme != "modbus-tcp":
            report.add(f"{path}.address", f"is missing: a {profile.name} has one of {_span(profile.address)}")
    elif not profile.address[0] <= device.address <= profile.address[1]:
        report.add(f"{path}.address", f"{device.address} is outside {_span(profile.address)} of a {profile.name}")
    told = LinkLoss.NONE if profile.watchdog == "none" else profile.watchdog.takes_outputs_to
    if device.on_link_loss is not told:
        what = "has no watchdog" if told is LinkLoss.NONE else f"has a watchdog that takes its outputs to {told.value}"
        report.add(
            f"{path}.on_link_loss", f"is {device.on_link_loss.value}, but a {profile.name} {what}: say {told.value}"
        )
    return profile


def _check_wires(report: Report) -> None:
    """Devices on one wire have different addresses."""
    wires: dict[tuple[str, int | None], str] = {}
    for d, device in enumerate(report.tool.devices):
        other = wires.setdefault((device.link, device.address), device.name)
        if other != device.name:
            report.add(f"devices[{d}].address", f"{device.name} and {other} have the same address on {device.link}")


def _check_rig(report: Report) -> None:
    """Only simulated instruments go faster than the clock: sockets of this machine, and a rig's pseudo-terminals."""
    if report.tool.rig is None:
        return
    for d, device in enumerate(report.tool.devices):
        where = device.link.partition("://")[2].partition("?")[0]
        if not where.startswith("127.0.0.1:") and Path(where).parent.name != "wires":
            report.add(
                f"devices[{d}].link",
                f"{device.link} is no link of a rig: [rig] makes the scan faster than the clock, which only `cvd hil` "
                "may ask for",
            )


def _check_fast(report: Report, instruments: dict[str, _Instrument]) -> None:
    """A fast link has one device, only outputs of two states, and each of them a coil or a byte of a PDO."""
    links = [device.link for device in report.tool.devices]
    for d, device in enumerate(report.tool.devices):
        if not device.fast:
            continue
        if not device.link.startswith(("modbus-tcp://", "can:")):
            report.add(
                f"devices[{d}].fast", f"{device.name} hangs on {device.link}: fast outputs need modbus-tcp or can"
            )
        profile = instruments[device.name].profile
        if profile is not None and profile.can is not None and not profile.can.heartbeat_ms:
            report.add(f"devices[{d}].fast", f"{profile.name} has no heartbeat: nobody would see that it is gone")
        if links.count(device.link) > 1:
            report.add(f"devices[{d}].fast", f"a fast link belongs to one device; others hang on {device.link} too")
        if not any(tag.kind is TagKind.OUTPUT for _, tag in _bound_to(report, device.name)):
            report.add(f"devices[{d}].fast", f"no output is bound to {device.name}")
        for path, tag in _bound_to(report, device.name):
            point = instruments[device.name].points.get((tag.point or "").partition(".")[2])
            if tag.kind is TagKind.INPUT and point is not None:
                report.add(path, f"{device.name} is fast: its link is for outputs alone; read '{tag.name}' elsewhere")
            elif tag.kind is TagKind.OUTPUT and (len(tag.states) != 2 or point is None or not _is_bit(point)):
                report.add(
                    path, f"'{tag.name}' is no fast output: it needs two states and {_FAST_POINT} of {device.name}"
                )


def _bound_to(report: Report, device: str) -> list[tuple[str, Tag]]:
    return [
        (f"modules[{m}].tags[{t}].point", tag)
        for m, module in enumerate(report.tool.modules)
        for t, tag in enumerate(module.tags)
        if (tag.point or "").partition(".")[0] == device
    ]


_FAST_POINT = "a coil, or a byte of a PDO,"


def _is_bit(point: Point) -> bool:
    if point.canopen is not None:
        return point.canopen.pdo is not None and point.canopen.at % 8 == 0 and point.type in {
            ValueType.BOOL, ValueType.U8,
        }  # fmt: skip
    return point.type is ValueType.BOOL and point.modbus is not None and point.modbus.write_function in {None, 5}


def _check_point(report: Report, path: str, name: str, tag: Tag, instruments: dict[str, _Instrument]) -> None:
    named, _, point_name = (tag.point or "").partition(".")
    if tag.kind not in {TagKind.INPUT, TagKind.OUTPUT}:
        report.add(path, f"'{name}' is {tag.kind.value}: only inputs and outputs are bound to an instrument")
        return
    instrument = instruments.get(named)
    if instrument is None:
        report.add(path, f"there is no device '{named}'{suggestion(named, instruments)}")
        return
    if tag.kind is TagKind.OUTPUT:
        _check_link_loss(report, path, name, tag, instrument.device)
    if instrument.profile is None or (point_name in RESERVED and tag.kind is TagKind.INPUT):
        return
    point = instrument.points.get(point_name)
    if point is None:
        hint = suggestion(point_name, instrument.points)
        report.add(path, f"a {instrument.profile.name} has no point '{point_name}'{hint}")
        return
    _check_meaning(report, path, name, tag, point)
    if tag.kind is TagKind.INPUT:
        _check_input(report, path, name, tag, instrument.profile, point)
    else:
        _check_output(report, path, name, tag, point)


def _check_meaning(report: Report, path: str, name: str, tag: Tag, point: Point) -> None:
    """The tag measures what the point measures."""
    if point.type == "text" and not point.states:
        report.add(path, f"{point.name} is text: it is no value of a tag")
    if tag.scaling is None:
        unit, own = report.unit(tag), find_unit(point.unit)
        if unit is not None and unit.exponents != own.exponents:
            report.add(
                path,
                f"'{name}' is in {unit.symbol} ({unit.dimension}), {point.name} in {own.symbol} ({own.dimension}): "
                "give the tag the right unit, or a scaling where only the tool knows what the point means",
            )
    if tag.states and point.states and len(tag.states) != len(point.states):
        states = ", ".join(state.name for state in point.states)
        report.add(path, f"'{name}' has {len(tag.states)} states, {point.name} has {len(point.states)}: {states}")


def _check_input(report: Report, path: str, name: str, tag: Tag, profile: Profile, point: Point) -> None:
    if not point.readable:
        report.add(path, f"'{name}' is an input, but {point.name} can only be written")
    slowest = max((group.period_s for group in profile.poll.values()), default=1.0)
    period_s = profile.poll[point.poll].period_s if point.poll in profile.poll else slowest
    if tag.period_s <= 0:
        report.add(
            path, f"'{name}' would never age: give it a period_s of at least {period_s:g}, the poll of {point.name}"
        )
    elif tag.period_s < period_s:
        report.add(
            path, f"'{name}' expects a value every {tag.period_s:g} s, {point.name} is read every {period_s:g} s"
        )


def _check_output(report: Report, path: str, name: str, tag: Tag, point: Point) -> None:
    if not point.writable:
        report.add(path, f"'{name}' is an output, but {point.name} can only be read")
    elif point.write is WritePolicy.NEVER:
        report.add(path, f"{point.name} is kept in a memory that wears: it is set at commissioning, not by an output")
    if tag.scaling is None:
        unit = report.unit(tag)
        own = find_unit(point.unit)
        if unit is None or unit.exponents != own.exponents:
            return
        gain, offset = conversion(tag, point.unit)
        low, high = sorted((point.low * gain + offset, point.high * gain + offset))
        if tag.low < low - 1e-9 * abs(low) or tag.high > high + 1e-9 * abs(high):
            report.add(
                path,
                f"'{name}' goes from {tag.low:g} to {tag.high:g} {tag.unit}, {point.name} from {low:g} to {high:g}",
            )


def _check_link_loss(report: Report, path: str, name: str, tag: Tag, device: Device) -> None:
    """An output must find its safe value by itself when nobody can write it any more."""
    if device.on_link_loss is LinkLoss.ZERO and tag.safe != DEENERGISED:
        report.add(
            path,
            f"'{name}' is safe at {tag.safe:g}, but {device.name} takes its outputs to 0 when its link is lost: "
            "bind it to an instrument that holds, or to an output that 0 leaves running",
        )
    if device.on_link_loss is not LinkLoss.ZERO and tag.hazardous:
        report.add(
            path,
            f"'{name}' is hazardous, but {device.name} goes on with the last value when its link is lost: "
            "bind it to an instrument whose watchdog takes it to 0",
        )


def _span(limits: tuple[int, int]) -> str:
    return f"{limits[0]} … {limits[1]}"


def _kind(tag: Tag) -> str:
    return "an input" if tag.kind is TagKind.INPUT else "an output"
