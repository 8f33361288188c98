"""Checks of a device profile: its points exist, its wire can carry them, nothing hazardous is left to chance."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from config.faults import Fault, suggestion
from config.profile import Access, CodecName, Point, Probe, Profile, Setting, ValueType, WritePolicy, expand
from config.wire import AeBusWire, CanopenWire, CxnWire, LinesWire, ModbusWire, PfeifferWire

INTEGERS = {ValueType.U8, ValueType.I8, ValueType.U16, ValueType.I16, ValueType.U32, ValueType.I32}
BINARY = INTEGERS | {ValueType.F32}
_WORDS = {ValueType.U16, ValueType.I16, ValueType.U32, ValueType.I32, ValueType.F32, ValueType.TEXT}
_SPOKEN = {ValueType.NUMBER, ValueType.HEX, ValueType.TEXT}
CARRIED: dict[CodecName, set[ValueType]] = {
    CodecName.MODBUS: _WORDS | {ValueType.BOOL},
    CodecName.LINES: _SPOKEN | BINARY,
    CodecName.MKS: _SPOKEN,
    CodecName.SQM: _SPOKEN,
    CodecName.PFEIFFER: {ValueType.NUMBER, ValueType.TEXT, ValueType.BOOL},
    CodecName.AE_BUS: INTEGERS,
    CodecName.CANOPEN: BINARY | {ValueType.BOOL, ValueType.TEXT},
    CodecName.CXN: INTEGERS,
}
"""Types that a codec can decode."""
WIRES: dict[CodecName, set[str]] = {
    CodecName.MODBUS: {"modbus-tcp", "modbus-rtu"},
    CodecName.CANOPEN: {"can"},
}
"""Links of the codecs that are not bytes on any stream."""
STREAMS = {"tcp", "serial", "visa"}


def check_profile(profile: Profile, path: Path) -> list[Fault]:
    """Find everything that is wrong between the fields of a profile."""
    return [Fault(str(path), where, reason) for where, reason in _faults(profile, path)]


def _faults(profile: Profile, path: Path) -> Iterator[tuple[str, str]]:
    if profile.name != path.stem:
        yield "name", f"is '{profile.name}', but the file is {path.name}: they must agree"
    for n, link in enumerate(profile.links):
        if link not in WIRES.get(profile.codec, STREAMS):
            yield f"links[{n}]", f"{profile.codec} does not run on {link}"
    if profile.codec is CodecName.CANOPEN and profile.can is None:
        yield "can", "a CANopen device needs its [can] section"
    if profile.can is not None and profile.can.eds is not None and not (path.parent / profile.can.eds).is_file():
        yield "can.eds", f"there is no file {profile.can.eds} beside the profile"
    seen: dict[str, int] = {}
    for n, point in enumerate(profile.points):
        where = f"points[{n}]"
        if point.name in seen:
            yield f"{where}.name", f"'{point.name}' exists already, at points[{seen[point.name]}]"
        seen[point.name] = n
        yield from ((f"{where}.{field}", reason) for field, reason in _point(profile, point))
    yield from _references(profile)


def _point(profile: Profile, point: Point) -> Iterator[tuple[str, str]]:
    wire = point.wire
    if getattr(point, profile.codec) is None:
        yield profile.codec, f"the codec is {profile.codec}: give the place of the point on it"
        return
    if point.type not in CARRIED[profile.codec]:
        carried = ", ".join(sorted(CARRIED[profile.codec]))
        yield "type", f"{profile.codec} does not carry {point.type}; it carries {carried}"
    if point.poll is not None and point.poll not in profile.poll:
        yield "poll", f"there is no poll group '{point.poll}'{suggestion(point.poll, profile.poll)}"
    if point.poll is not None and not point.readable:
        yield "poll", "the point cannot be read"
    if point.readable and not _can_read(wire):
        yield profile.codec, "says how to read the point nowhere"
    if point.writable and not _can_write(wire, point):
        yield profile.codec, "says how to write the point nowhere"
    if point.bits is not None and point.type not in INTEGERS | {ValueType.NUMBER, ValueType.HEX}:
        yield "bits", f"{point.type} has no bits"
    if point.type is ValueType.TEXT and point.writable and not point.states:
        yield "access", "text without states is not written"
    if point.read_back is None and point.writable and not point.readable and point.write is WritePolicy.CONTINUOUS:
        yield "read_back", "a set point that cannot be read back by itself needs a point that shows it"
    if len({state.name for state in point.states}) < len(point.states):
        yield "states", "a name is given twice"
    textual = [state for state in point.states if isinstance(state.raw, str)]
    if textual and point.type is not ValueType.TEXT:
        yield "states", f"'{textual[0].raw}' is text, but the type is {point.type}"
    if isinstance(wire, ModbusWire):
        yield from _modbus(point, wire)
    if isinstance(wire, LinesWire) and wire.length is not None and point.type not in BINARY:
        yield f"{profile.codec}.length", f"an answer of so many bytes carries numbers, not {point.type}"


def _modbus(point: Point, wire: ModbusWire) -> Iterator[tuple[str, str]]:
    bit = wire.table in {"coil", "discrete"}
    if bit != (point.type is ValueType.BOOL):
        yield "type", f"a {wire.table} carries {'bool' if bit else 'registers'}, not {point.type}"
    if point.writable and wire.table in {"input", "discrete"}:
        yield "access", f"a {wire.table} cannot be written"
    if (point.type is ValueType.TEXT) != (wire.registers is not None):
        yield "modbus.registers", "text, and only that, says how many registers it takes"
    if wire.write_function is not None and (wire.write_function in {5, 15}) != bit:
        yield "modbus.write_function", f"function {wire.write_function} does not write a {wire.table}"


def _can_read(wire: object) -> bool:
    match wire:
        case LinesWire() | AeBusWire() | CxnWire():
            return wire.read is not None
        case _:
            return True


def _can_write(wire: object, point: Point) -> bool:
    match wire:
        case LinesWire() | AeBusWire():
            return wire.write is not None or {state.name for state in point.states} == set(wire.writes) != set()
        case CxnWire():
            return wire.write is not None
        case ModbusWire() | PfeifferWire() | CanopenWire():
            return True
        case _:
            return False


def _references(profile: Profile) -> Iterator[tuple[str, str]]:
    points = profile.by_name
    for n, point in enumerate(profile.points):
        status = expand(point)[0].quality.status
        if status is not None:
            yield from _named(points, f"points[{n}].quality.status", status, Access.READ)
            if not point.quality.good:
                yield f"points[{n}].quality.good", "is empty: the point could never be Good"
        if point.read_back is not None and point.read_back.point is not None:
            yield from _named(points, f"points[{n}].read_back.point", point.read_back.point, Access.READ)
    yield from _settings(points, "on_connect", profile.on_connect)
    yield from _settings(points, "safe", profile.safe)
    yield from _probes(points, "identify", profile.identify)
    yield from _probes(points, "commissioning", profile.commissioning)
    if profile.reboot is not None:
        yield from _named(points, "reboot.point", profile.reboot.point, Access.READ)
    if profile.heartbeat is not None:
        yield from _named(points, "heartbeat.point", profile.heartbeat.point, Access.READ)
    if profile.watchdog != "none":
        yield from _settings(points, "watchdog.set", profile.watchdog.set)
        yield from _probes(points, "watchdog.prove", profile.watchdog.prove)
        if profile.watchdog.feed_point is not None:
            yield from _named(points, "watchdog.feed_point", profile.watchdog.feed_point, Access.WRITE)
    doubtful = [point.name for point in profile.points if not point.verified]
    if profile.verified and doubtful:
        yield "verified", f"is true, but {', '.join(doubtful)} is not verified"
    if doubtful and not profile.commissioning:
        yield "commissioning", f"{', '.join(doubtful)} is not verified: say what proves it on the real device"


def _settings(points: dict[str, Point], where: str, settings: Iterable[Setting]) -> Iterator[tuple[str, str]]:
    for n, setting in enumerate(settings):
        yield from _named(points, f"{where}[{n}].point", setting.point, Access.WRITE)
        point = points.get(setting.point)
        if point is not None and not point.low <= setting.value <= point.high:
            yield f"{where}[{n}].value", f"{setting.value:g} is outside {point.low:g} … {point.high:g}"


def _probes(points: dict[str, Point], where: str, probes: Iterable[Probe]) -> Iterator[tuple[str, str]]:
    for n, probe in enumerate(probes):
        yield from _named(points, f"{where}[{n}].point", probe.point, Access.READ)
        point = points.get(probe.point)
        if point is not None and (probe.matches is not None) != (point.type is ValueType.TEXT and not point.states):
            yield f"{where}[{n}]", "text is compared with matches, numbers with equals, low and high"


def _named(points: dict[str, Point], where: str, name: str, access: Access) -> Iterator[tuple[str, str]]:
    point = points.get(name)
    if point is None:
        yield where, f"there is no point '{name}'{suggestion(name, points)}"
    elif not (point.readable if access is Access.READ else point.writable):
        yield where, f"'{name}' cannot be {'read' if access is Access.READ else 'written'}"
