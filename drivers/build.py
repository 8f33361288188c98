"""From a tool's devices and tags to buses: one for each link, with everything that hangs on it."""

from collections.abc import Awaitable, Callable, Mapping, Sequence

from config.instruments import conversion
from config.layout import Layout
from config.profile import RESERVED, CodecName, Profile
from config.tool import Device as Declared
from config.tool import Tag, TagKind
from drivers.binding import Bound, Surroundings
from drivers.bus import Bus
from drivers.codecs import make_codec
from drivers.conversation import Conversation, StreamConversation
from drivers.device import Device
from drivers.fast import FastLink, FastLinks
from drivers.fast_frames import fast_wire
from drivers.link import Link, parse_link
from drivers.transports.can_bus import CanConversation
from drivers.transports.stream import Stream


def build(layout: Layout, profiles: Mapping[str, Profile], around: Surroundings) -> list[Bus]:
    """Make the buses of a tool that `config.checks` has passed.

    Args:
        layout: the tool.
        profiles: of its devices by their names (`config.profiles.profiles_of`).
        around: the controller.

    Raises:
        LinkError: a link cannot be read.
    """
    tool = layout.tool
    together: dict[str, list[Declared]] = {}
    for declared in tool.devices:
        if declared.fast:
            continue
        together.setdefault(declared.link, []).append(declared)
    buses: list[Bus] = []
    for text, members in together.items():
        link = parse_link(text)
        conversation = make_conversation(link, [profiles[declared.name] for declared in members])
        devices = [make_device(layout, declared, profiles[declared.name], link, around) for declared in members]
        buses.append(Bus(text, conversation, devices, seed=len(buses)))
    return buses


def build_fast(layout: Layout, profiles: Mapping[str, Profile], around: Surroundings) -> FastLinks | None:
    """Make the fast links of a tool; none: it has none. Raises LinkError."""
    links: list[FastLink] = []
    for declared in layout.tool.devices:
        if not declared.fast:
            continue
        link, profile = parse_link(declared.link), profiles[declared.name]
        whole = make_device(layout, declared, profile, link, around)
        # Outputs are the thread's: here the device is met, armed and watched.
        device = Device(declared.name, profile, whole.codec, [], [], whole.statistics_of, around)
        conversation = make_conversation(link, [profile])
        wire = fast_wire(device, whole.outputs, link)
        links.append(FastLink(declared.link, len(links), conversation, device, wire, seed=len(links)))
    return FastLinks(links) if links else None


def make_device(layout: Layout, declared: Declared, profile: Profile, link: Link, around: Surroundings) -> Device:
    """Bind the tags of one device."""
    inputs, outputs, statistics = list[Bound](), list[Bound](), list[Bound]()
    points = profile.by_name
    for name, tag in layout.declared.items():
        device, _, point = (tag.point or "").partition(".")
        if device != declared.name:
            continue
        if point in RESERVED:
            statistics.append(Bound(point, layout.index[name]))
            continue
        bound = bind_tag(layout.index[name], tag, point, points[point].unit)
        (outputs if tag.kind is TagKind.OUTPUT else inputs).append(bound)
    if profile.codec is CodecName.CANOPEN:
        from drivers.codecs.canopen import CanopenCodec

        codec = CanopenCodec(profile, declared.address or 1)
    else:
        codec = make_codec(profile, link.scheme, declared.address)
    return Device(declared.name, profile, codec, inputs, outputs, statistics, around)


def bind_tag(index: int, tag: Tag, point: str, unit: str) -> Bound:
    """How a point's values become a tag's: by the tag's scaling, else by their units."""
    gain, offset = conversion(tag, unit)
    return Bound(point, index, gain, offset, tag.safe, tag.hazardous)


def make_conversation(link: Link, profiles: Sequence[Profile]) -> Conversation:
    """What talks on a link, frames of CAN or a stream of bytes."""
    if link.scheme == "can":
        return CanConversation(link, profiles)
    gap_s = max(profile.timing.gap_s for profile in profiles)
    return StreamConversation(_opener(link, profiles), gap_s)


def _opener(link: Link, profiles: Sequence[Profile]) -> Callable[[], Awaitable[Stream]]:
    if link.host:
        from drivers.transports.tcp import open_tcp

        return lambda: open_tcp(link.host, link.port)
    settings = link.serial(next((profile.serial for profile in profiles if profile.serial), None))
    if link.scheme == "visa":
        from drivers.transports.visa import open_visa

        return lambda: open_visa(link, settings, profiles[0])
    from drivers.transports.serial_port import open_serial

    return lambda: open_serial(link.path, settings)
