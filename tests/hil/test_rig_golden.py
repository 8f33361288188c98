"""What manuals and published drivers print is what the simulated instruments answer."""

import pytest

from config.profiles import find_profile
from hil.rig.instrument import Instrument
from hil.rig.speakers.ae_bus import AeBusSpeaker, packet
from hil.rig.speakers.pfeiffer import PfeifferSpeaker
from hil.rig.wire import speaker_of
from tests.drivers.transcripts import Transcript, transcripts

TRANSCRIPTS = transcripts()
SET_UP: dict[str, dict[str, float | str]] = {
    "tdk_genesys": {"voltage_setpoint": 45.0, "current_setpoint": 10.0},
    "kuhne_kusg245": {"bias": 1.0},
}
"""What the printed instrument had been told before."""


def replayed(transcript: Transcript) -> tuple[bytes, bytes]:
    """Set an instrument up as the printed one was, send what was sent; its answer, and what it did not understand."""
    instrument = Instrument("it", find_profile(transcript.profile), transcript.address)
    speaker = speaker_of(transcript.link, [instrument])
    for name, raw in zip(transcript.read, transcript.values, strict=False):
        bits = instrument.points[name].bits
        if bits is not None and not isinstance(raw, str):  # the printed word holds all of them
            raw = int(raw) >> bits[0] & ((1 << bits[1]) - 1)  # noqa: PLW2901
        instrument.raw[name] = raw if isinstance(raw, str) else float(raw)
    instrument.raw |= SET_UP.get(transcript.profile, {})
    line = instrument.profile.line
    if line is not None and line.select is not None:
        speaker.whose((line.select.format(address=transcript.address) + line.send_end).encode())
    buffer, said = bytearray(transcript.sent), b""
    while (request := speaker.cut(buffer)) is not None:
        owner = speaker.whose(request)
        if owner is not None:
            said += speaker.refuse(request) if transcript.refusal else speaker.answer(owner, request)
    return said, bytes(buffer)


@pytest.mark.parametrize("transcript", TRANSCRIPTS, ids=[row.source[:70] for row in TRANSCRIPTS])
def test_a_simulated_instrument_answers_what_is_printed(transcript: Transcript) -> None:
    said, left = replayed(transcript)
    assert left == b""
    assert said == transcript.answer


def test_the_printed_pfeiffer_query_is_understood_and_its_answer_has_the_printed_form() -> None:
    pump = Instrument("pump", find_profile("pfeiffer_tc400"), 123)
    pump.show("speed", 633.0)
    speaker = PfeifferSpeaker([pump])
    buffer = bytearray(b"1230030902=?112\r")  # TC 400 operating instructions: query of the actual speed at address 123
    request = speaker.cut(buffer)
    assert request is not None
    assert speaker.whose(request) is pump
    assert speaker.answer(pump, request) == b"1231030906000633037\r"  # the same manual's answer: 633 Hz


def test_a_pfeiffer_telegram_with_a_wrong_sum_is_not_answered() -> None:
    pump = Instrument("pump", find_profile("pfeiffer_tc400"), 123)
    speaker = PfeifferSpeaker([pump])
    assert speaker.whose(b"1230030902=?113\r") is None


def test_the_printed_ae_packet_is_sound() -> None:
    generator = Instrument("rf", find_profile("ae_rf"), 16)
    speaker = AeBusSpeaker([generator])
    printed = bytes.fromhex("82 28 B0 01 1B")
    assert packet(16, 0x28, bytes.fromhex("B0 01")) == printed
    assert speaker.cut(bytearray(printed)) == printed
    assert speaker.whose(printed) is generator
    assert speaker.answer(generator, printed[:-1] + b"\x1c") == b"\x15"  # NAK
