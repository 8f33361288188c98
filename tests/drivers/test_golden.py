"""The codecs against bytes that manuals and published drivers print."""

import pytest

from config.profile import Access, Point, Profile, ValueType
from config.profiles import find_profile
from config.wire import AeBusWire, ModbusWire
from drivers.codecs import make_codec
from drivers.codecs.ae_bus import AeBusCodec, packet
from drivers.codecs.exchange import Fetch, Store
from drivers.codecs.modbus import ModbusCodec, crc16
from drivers.codecs.pfeiffer import PfeifferCodec
from drivers.codecs.sqm import check_sum
from drivers.errors import BadFrame, DeviceRefused
from drivers.values import to_store
from tests.drivers.transcripts import Transcript, transcripts


def request_of(transcript: Transcript) -> tuple[object, Fetch | Store, bytes]:
    profile = find_profile(transcript.profile)
    codec = make_codec(profile, transcript.link, transcript.address)
    if transcript.write:
        store = to_store(profile.by_name[transcript.write], transcript.value, {})
        return codec, store, codec.tell(store)
    fetch = codec.plan([profile.by_name[name] for name in transcript.read])[0]
    return codec, fetch, codec.ask(fetch)


@pytest.mark.parametrize("transcript", transcripts(), ids=lambda t: f"{t.profile}-{t.write or t.read[0]}")
def test_a_printed_exchange_is_spoken_and_understood(transcript: Transcript) -> None:
    codec, request, sent = request_of(transcript)
    assert sent == transcript.sent
    assert codec.cut(transcript.answer, request) == len(transcript.answer)  # type: ignore[attr-defined]
    for end in range(len(transcript.answer)):
        assert codec.cut(transcript.answer[:end], request) == 0  # type: ignore[attr-defined]

    def understand() -> list[float | str]:
        if isinstance(request, Store):
            codec.wrote(request, transcript.answer)  # type: ignore[attr-defined]
            return []
        return list(codec.read(request, transcript.answer))  # type: ignore[attr-defined]

    if transcript.refusal is None:
        assert understand() == list(transcript.values)
    else:
        with pytest.raises(DeviceRefused) as refused:
            understand()
        assert refused.value.kind == transcript.refusal


# ------------------------------------------------------------------------------- Modbus Application Protocol V1.1b3
def register(address: int, kind: ValueType = ValueType.U16, table: str = "holding") -> Point:
    access = Access.BOTH if table in {"holding", "coil"} else Access.READ
    return Point(
        name=f"r{address}", description="register", access=access, type=kind, source="specification",
        modbus=ModbusWire.model_validate({"table": table, "address": address}),
    )  # fmt: skip


def rtu(profile_of: str = "watlow_ez_zone_pm", unit: int = 1, *, tcp: bool = False) -> ModbusCodec:
    return ModbusCodec(find_profile(profile_of), unit, tcp=tcp)


def framed(unit: int, pdu: str) -> bytes:
    body = bytes([unit]) + bytes.fromhex(pdu)
    return body + crc16(body)


def test_the_check_sum_of_the_serial_line_guide() -> None:
    """Serial Line V1.02, figure on page 42: 02 07 has the CRC 1241h, sent low byte first."""
    assert crc16(bytes([0x02, 0x07])) == bytes([0x41, 0x12])


def test_reading_holding_registers_as_printed() -> None:
    """V1.1b3, 6.3: registers 108 … 110 hold 022Bh, 0000h, 0064h."""
    codec = rtu("bronkhorst_el_flow")
    fetch = codec.plan([register(107), register(108), register(109)])[0]
    assert codec.ask(fetch)[1:-2] == bytes.fromhex("03 00 6B 00 03")
    assert list(codec.read(fetch, framed(1, "03 06 02 2B 00 00 00 64"))) == [0x22B, 0, 0x64]


def test_reading_coils_as_printed() -> None:
    """V1.1b3, 6.1: coils 20 … 38 are CDh 6Bh 05h, the lowest bit first."""
    codec = rtu("beckhoff_bk9050")
    fetch = codec.plan([register(19 + n, ValueType.BOOL, "coil") for n in range(19)])[0]
    assert codec.ask(fetch)[1:-2] == bytes.fromhex("01 00 13 00 13")
    expected = [int(bit) for byte in (0xCD, 0x6B, 0x05) for bit in f"{byte:08b}"[::-1]][:19]
    assert list(codec.read(fetch, framed(1, "01 03 CD 6B 05"))) == expected


def test_writing_one_register_as_printed() -> None:
    """V1.1b3, 6.6: register 2 becomes 0003h; the answer repeats the request."""
    codec, store = rtu(), Store(register(1), 3)
    assert codec.tell(store)[1:-2] == bytes.fromhex("06 00 01 00 03")
    codec.wrote(store, framed(1, "06 00 01 00 03"))
    with pytest.raises(BadFrame, match="does not repeat"):
        codec.wrote(store, framed(1, "06 00 01 00 04"))


def test_writing_a_coil_as_printed() -> None:
    """V1.1b3, 6.5: coil 173 on."""
    assert rtu().tell(Store(register(172, ValueType.BOOL, "coil"), 1.0))[1:-2] == bytes.fromhex("05 00 AC FF 00")


def test_an_exception_as_printed() -> None:
    """V1.1b3, 7: 81h 02h, illegal data address: a fault of configuration."""
    codec = rtu()
    fetch = codec.plan([register(0x4A1, ValueType.BOOL, "coil")])[0]
    with pytest.raises(DeviceRefused, match="illegal data address") as refused:
        codec.read(fetch, framed(1, "81 02"))
    assert refused.value.kind == "configuration"


def test_watlows_floats_come_low_word_first() -> None:
    """EZ-ZONE PM User's Manual: 75.0 is 0000h in register 2160 and 4296h in 2161."""
    profile = find_profile("watlow_ez_zone_pm")
    codec = ModbusCodec(profile, 1, tcp=False)
    setpoint = profile.by_name["setpoint"]
    assert codec.tell(Store(setpoint, 75.0))[7:-2] == bytes.fromhex("00 00 42 96")
    assert list(codec.read(codec.plan([setpoint])[0], framed(1, "03 04 00 00 42 96"))) == [75.0]


def test_a_short_or_long_answer_is_none() -> None:
    codec = rtu()
    fetch = codec.plan([register(1), register(2)])[0]
    for pdu in ("03 02 00 01", "03 06 00 01 00 02 00 03", "03 04 00 01 00"):
        with pytest.raises(BadFrame):
            codec.read(fetch, framed(1, pdu))


def test_a_late_answer_of_another_request_is_seen() -> None:
    codec = rtu(tcp=True)
    fetch = codec.plan([register(1)])[0]
    first = codec.ask(fetch)
    codec.ask(fetch)
    late = first[:4] + bytes.fromhex("00 05 01 03 02 00 07")
    with pytest.raises(BadFrame, match="answer to request 1"):
        codec.cut(late, fetch)


# --------------------------------------------------------------------------------------------------- other vendors
def test_the_ae_packet_of_the_protocol_guide() -> None:
    """AE Bus: address 16, command 40, data B0h 01h gives 82 28 B0 01 1B."""
    assert packet(16, 40, bytes([0xB0, 0x01])) == bytes.fromhex("82 28 B0 01 1B")
    point = Point(
        name="p", description="p", access=Access.WRITE, type=ValueType.U16, source="guide", ae_bus=AeBusWire(write=40)
    )
    assert AeBusCodec(16).tell(Store(point, 432)) == bytes.fromhex("82 28 B0 01 1B")


def test_pfeiffers_printed_query() -> None:
    """TC 400 operating instructions: 1230030902=?112 asks device 123 for parameter 309."""
    profile = find_profile("pfeiffer_tc400")
    codec = PfeifferCodec(123)
    fetch = codec.plan([profile.by_name["speed"]])[0]
    assert codec.ask(fetch) == b"1230030902=?112\r"


def test_sqm_check_sums_of_the_manual() -> None:
    assert [check_sum(b"#@"), check_sum(b"$C?")] == [b"O7", b"g/"]


def test_every_profile_is_sound_and_says_where_it_is_from() -> None:
    from config.profiles import available

    profiles: list[Profile] = [find_profile(name) for name in available()]
    assert {profile.name for profile in profiles} >= {"watlow_ez_zone_pm", "mks_937b", "beckhoff_bk9050", "ae_rf"}
    for profile in profiles:
        assert all(point.source for point in profile.points), profile.name
        if not profile.verified:
            assert profile.commissioning, f"{profile.name} is not verified and has no probe that would verify it"
