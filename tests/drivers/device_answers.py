"""A second reading of every protocol: answers made and taken apart here, apart from the drivers' codecs.

`answer` builds what a device would say; `carried` says which values a frame carries, or None when it is no good answer.
"""

import re
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random

from pymodbus.framer import FramerRTU

from config.profile import Profile
from config.profiles import find_profile
from drivers.codecs import make_codec
from drivers.codecs.exchange import Codec, Fetch

Values = Sequence[float | str]


@dataclass(frozen=True)
class Case:
    """One exchange of one device, with both directions of its answer."""

    codec: Codec
    fetch: Fetch
    answer: Callable[[Random, bytes], bytes]
    """A good answer to the request that was sent."""
    carried: Callable[[bytes, bytes], Values | None]
    """By the request that was sent: what a frame carries."""


def exchange(profile: str, link: str, address: int | None, *points: str) -> tuple[Codec, Fetch, Profile]:
    """Codec and exchange of some points of a shipped profile."""
    known = find_profile(profile)
    codec = make_codec(known, link, address)
    return codec, codec.plan([known.by_name[name] for name in points])[0], known


# ---------------------------------------------------------------------------------------------------------- Modbus
def _crc(data: bytes) -> bytes:
    return FramerRTU.compute_CRC(data).to_bytes(2, "big")


def _registers(rng: Random, count: int) -> bytes:
    return b"".join(struct.pack(">H", rng.getrandbits(16)) for _ in range(count))


def _low_first(data: bytes) -> float:
    return struct.unpack(">f", data[2:4] + data[0:2])[0]


def modbus(*, tcp: bool) -> Case:
    """Watlow: process value (low word first) and input error in one request."""
    codec, fetch, _ = exchange(
        "watlow_ez_zone_pm", "modbus-tcp" if tcp else "modbus-rtu", 7, "temperature", "input_error"
    )

    def answer(rng: Random, sent: bytes) -> bytes:
        pdu = bytes([3, 6]) + _registers(rng, 3)
        if tcp:
            return sent[:4] + struct.pack(">HB", len(pdu) + 1, 7) + pdu
        return bytes([7]) + pdu + _crc(bytes([7]) + pdu)

    def carried(frame: bytes, sent: bytes) -> Values | None:
        if tcp:
            if len(frame) != 15 or frame[:4] != sent[:4] or frame[4:7] != bytes([0, 9, 7]):
                return None
            pdu = frame[7:]
        else:
            if len(frame) != 11 or frame[0] != 7 or _crc(frame[:-2]) != frame[-2:]:
                return None
            pdu = frame[1:-2]
        if pdu[:2] != bytes([3, 6]):
            return None
        return [_low_first(pdu[2:6]), float(struct.unpack(">H", pdu[6:8])[0])]

    return Case(codec, fetch, answer, carried)


# ------------------------------------------------------------------------------------------------------------ text
def _text(codec: Codec, fetch: Fetch, good: Callable[[Random], bytes], pattern: bytes, *numbers: int) -> Case:
    """A protocol of text: `pattern` has a group for each value."""
    form = re.compile(pattern, re.DOTALL)

    def carried(frame: bytes, sent: bytes) -> Values | None:
        _ = sent
        found = form.fullmatch(frame)
        if found is None:
            return None
        return [float(found[n]) if n >= 0 else float(int(found[-n], 16)) for n in numbers]

    return Case(codec, fetch, lambda rng, _: good(rng), carried)


def lines() -> Case:
    """TDK Genesys: four values of STT?."""
    codec, fetch, _ = exchange("tdk_genesys", "serial", 6, "voltage", "current", "status", "fault_register")

    def good(rng: Random) -> bytes:
        volts, amps = rng.uniform(0, 60), rng.uniform(0, 100)
        status, faults = rng.getrandbits(8), rng.getrandbits(8)
        return f"MV({volts:.3f}),PV(45),MC({amps:.4f}),PC(10),SR({status:02X}),FR({faults:02X})\r".encode()

    number = rb"(\d+\.?\d*|\.\d+)"
    pattern = rb"MV\(" + number + rb"\),PV\([\d.]+\),MC\(" + number + rb"\),PC\([\d.]+\),"
    return _text(codec, fetch, good, pattern + rb"SR\(([0-9A-F]{1,8})\),FR\(([0-9A-F]{1,8})\)\r", 1, 2, -3, -4)


def lines_binary() -> Case:
    """RGA200: four bytes, low byte first, without anything else."""
    codec, fetch, _ = exchange("srs_rga200", "serial", None, "mass_28")
    return Case(
        codec,
        fetch,
        lambda rng, _: rng.randbytes(4),
        lambda frame, _: [float(struct.unpack("<i", frame)[0])] if len(frame) == 4 else None,
    )


def mks() -> Case:
    """937B: a pressure."""
    codec, fetch, _ = exchange("mks_937b", "serial", 3, "pressure_1")
    return _text(
        codec,
        fetch,
        lambda rng: f"@003ACK{rng.uniform(1, 9.999):.3f}E{rng.randint(-9, 3):+d};FF".encode(),
        rb"@003ACK(\d\.\d+E[+-]?\d+);FF",
        1,
    )


def pfeiffer() -> Case:
    """TC 400: rotation speed."""
    codec, fetch, _ = exchange("pfeiffer_tc400", "serial", 123, "speed")

    def good(rng: Random) -> bytes:
        body = f"1231030906{rng.randint(0, 1500):06d}".encode()
        return body + f"{sum(body) % 256:03d}\r".encode()

    def carried(frame: bytes, sent: bytes) -> Values | None:
        _ = sent
        found = re.fullmatch(rb"(1231030906(\d{6}))(\d{3})\r", frame)
        if found is None or sum(found[1]) % 256 != int(found[3]):
            return None
        return [float(found[2])]

    return Case(codec, fetch, lambda rng, _: good(rng), carried)


def ae_bus() -> Case:
    """Forward power."""
    codec, fetch, _ = exchange("ae_rf", "serial", 5, "forward_power")

    def parity(data: bytes) -> int:
        total = 0
        for byte in data:
            total ^= byte
        return total

    def good(rng: Random) -> bytes:
        body = bytes([5 << 3 | 2, 165]) + rng.randbytes(2)
        return b"\x06" + body + bytes([parity(body)])

    def carried(frame: bytes, sent: bytes) -> Values | None:
        _ = sent
        short = len(frame) == 6 and frame[:3] == bytes([6, 5 << 3 | 2, 165])
        long = len(frame) == 7 and frame[:4] == bytes([6, 5 << 3 | 7, 165, 2])
        if not (short or long) or parity(frame[1:-1]) != frame[-1]:
            return None
        return [float(struct.unpack("<H", frame[-3:-1])[0])]

    return Case(codec, fetch, lambda rng, _: good(rng), carried)


def _sqm_sum(data: bytes) -> bytes:
    """Bit by bit, as the manual describes it."""
    crc = 0x3FFF
    for byte in data:
        for bit in range(8):
            carry = (crc ^ byte >> bit) & 1
            crc >>= 1
            if carry:
                crc ^= 0x2001
    return bytes([(crc & 0x7F) + 34, (crc >> 7) + 34])


def sqm() -> Case:
    """Average rate."""
    codec, fetch, _ = exchange("inficon_sqm160", "serial", None, "rate")

    def good(rng: Random) -> bytes:
        text = f"A {rng.uniform(0, 99):.2f} ".encode()
        body = bytes([len(text) + 35]) + text
        return b"!" + body + _sqm_sum(body)

    def carried(frame: bytes, sent: bytes) -> Values | None:
        _ = sent
        if len(frame) < 6 or frame[0] != 0x21 or frame[1] - 35 != len(frame) - 4 or frame[2:3] != b"A":
            return None
        if _sqm_sum(frame[1:-2]) != frame[-2:]:
            return None
        found = re.fullmatch(rb"\s*(-?[\d.]+)\s*", frame[3:-2])
        return [float(found[1])] if found else None

    return Case(codec, fetch, lambda rng, _: good(rng), carried)


def cxn() -> Case:
    """Forward, reflected and load power."""
    codec, fetch, _ = exchange("tnc_match", "serial", 1, "forward_power", "reflected_power", "load_power")

    def good(rng: Random) -> bytes:
        body = b"R\x01" + struct.pack(">H", 6) + rng.randbytes(6)
        return b"*" + body + struct.pack(">H", sum(body))

    def carried(frame: bytes, sent: bytes) -> Values | None:
        _ = sent
        if len(frame) != 13 or frame[:5] != b"*R\x01\x00\x06" or sum(frame[1:-2]) != int.from_bytes(frame[-2:]):
            return None
        return [float(value) for value in struct.unpack(">HHH", frame[5:11])]

    return Case(codec, fetch, lambda rng, _: good(rng), carried)


CASES: dict[str, Callable[[], Case]] = {
    "modbus-tcp": lambda: modbus(tcp=True),
    "modbus-rtu": lambda: modbus(tcp=False),
    "lines": lines,
    "lines-binary": lines_binary,
    "mks": mks,
    "pfeiffer": pfeiffer,
    "ae_bus": ae_bus,
    "sqm": sqm,
    "cxn": cxn,
}
__all__ = ["CASES", "Case", "Values"]
