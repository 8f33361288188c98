"""How requests and answers are framed, one module for each protocol; no codec does any input or output.

A profile's points come in; a codec says which exchanges read them, what bytes ask for them, where an answer ends in
what was received, and what it holds. Whatever arrives, a codec returns values that the frame carried or raises: it
never guesses. drivers.conversation does the talking.
"""

from collections.abc import Callable

from config.profile import CodecName, Profile
from drivers.codecs.exchange import Codec


def make_codec(profile: Profile, scheme: str, address: int | None) -> Codec:
    """Make the codec of a device.

    Args:
        profile: its profile.
        scheme: of its link; Modbus frames differ between TCP and serial lines.
        address: on the wire, where it has one.
    """
    from drivers.codecs.ae_bus import AeBusCodec
    from drivers.codecs.cxn import CxnCodec
    from drivers.codecs.lines import LinesCodec
    from drivers.codecs.mks import MksCodec
    from drivers.codecs.modbus import ModbusCodec
    from drivers.codecs.pfeiffer import PfeifferCodec
    from drivers.codecs.sqm import SqmCodec

    makers: dict[CodecName, Callable[[], Codec]] = {
        CodecName.MODBUS: lambda: ModbusCodec(profile, _unit(address, scheme), tcp=scheme == "modbus-tcp"),
        CodecName.LINES: lambda: LinesCodec(profile, address),
        CodecName.MKS: lambda: MksCodec(profile, address),
        CodecName.PFEIFFER: lambda: PfeifferCodec(address or 1),
        CodecName.AE_BUS: lambda: AeBusCodec(address or 0),
        CodecName.SQM: lambda: SqmCodec(profile),
        CodecName.CXN: lambda: CxnCodec(address or 0),
    }
    return makers[profile.codec]()


def _unit(address: int | None, scheme: str) -> int:
    """Unit of a device: its address; 255 behind a socket of its own (Messaging on TCP/IP V1.0b, 4.4.2.1)."""
    return address if address is not None else 255 if scheme == "modbus-tcp" else 1
