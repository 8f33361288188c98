"""Messages that cost their sender little and a credulous reader much are refused at once."""

from struct import pack
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opcua_model.decoding import DEPTH, Reader, decode
from opcua_model.stack import binary, errors, ua
from tests.opcua_model.fuzz import seeds, wishes

HUGE = pack("<i", 2**31 - 1)
DATA = {
    "an array of two thousand million nulls": (b"\x80" + HUGE, "BadDecodingError"),
    "a matrix of a million elements that are not there": (
        b"\xc6" + pack("<i", 0) + pack("<iiii", 3, 100, 100, 100),
        None,  # an empty one stays empty
    ),
    "a matrix that is not as large as its numbers say": (
        b"\xc6" + pack("<ii", 1, 5) + pack("<iii", 2, 1000, 1000),
        "BadDecodingError",
    ),
    "a matrix of negative size": (b"\xc6" + pack("<ii", 1, 5) + pack("<iii", 2, -1, -1), "BadDecodingError"),
    "a matrix of no dimension": (b"\xc6" + pack("<ii", 1, 5) + pack("<i", 0), "BadDecodingError"),
    "a scalar with dimensions": (b"\x46" + pack("<i", 5) + pack("<ii", 1, 1), "BadDecodingError"),
    "a variant that is a variant": (b"\x18\x01\x01", "BadDecodingError"),
    "strings of which none is there": (b"\x8c" + HUGE, "BadDecodingError"),
    "a negative length": (b"\x8c" + pack("<ii", 1, -7), None),  # no string at all, as -1
    "text that is none": (b"\x0c" + pack("<i", 2) + b"\xff\xfe", "BadDecodingError"),
    "a hundred thousand variants": (b"\x98" + pack("<i", 100_000) + b"\x00" * 100_000, "BadEncodingLimitsExceeded"),
    "a node id of a megabyte": (
        b"\x11\x03\x00\x00" + pack("<i", 1_000_000) + b"n" * 1_000_000,
        "BadEncodingLimitsExceeded",
    ),
    "an unknown kind of node id": (b"\x11\x0f\x00", "BadDecodingError"),
    "an extension object longer than the message": (b"\x16\x01\x00\xa6\x01\x01" + HUGE, "BadDecodingError"),
    "an extension object of an unknown encoding": (b"\x16\x01\x00\xa6\x01\x07", "BadDecodingError"),
}  # fmt: skip


@pytest.mark.parametrize(("data", "refusal"), DATA.values(), ids=DATA.keys())
def test_what_claims_more_than_it_brings_is_refused(data: bytes, refusal: str | None) -> None:
    if refusal is None:
        decode(ua.Variant, Reader(data))
        return
    with pytest.raises(errors.UaError) as refused:
        decode(ua.Variant, Reader(data))
    assert ua.StatusCode(refused.value.code).name == refusal


def nested(levels: int) -> bytes:
    return (b"\x98" + pack("<i", 1)) * levels + b"\x01\x01"


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        (ua.Variant, nested(5_000)),
        (ua.DataValue, b"\x01\x17" * 5_000 + b"\x00"),
        (ua.DiagnosticInfo, b"\x40" * 5_000 + b"\x00"),
        (ua.Variant, (b"\x19\x40" + b"\x40" * 3_000) + b"\x00"),
    ],
    ids=["variants", "data values", "diagnostics", "diagnostics in a variant"],
)
def test_what_is_nested_without_end_is_refused(kind: Any, data: bytes) -> None:
    with pytest.raises(errors.UaError) as refused:
        decode(kind, Reader(data))
    assert ua.StatusCode(refused.value.code).name == "BadEncodingLimitsExceeded"


def test_a_hundred_levels_are_read_as_the_standard_asks() -> None:
    value = decode(ua.Variant, Reader(nested(DEPTH - 1)))
    for _ in range(DEPTH - 1):
        (value,) = value.Value
    assert value.Value is True


def test_whatever_clients_ask_is_read_as_asyncua_reads_it() -> None:
    for (name, params), (_, data) in zip(wishes(), seeds(), strict=True):
        read = decode(type(params), Reader(data))
        assert binary.struct_to_binary(read) == data, name


@given(data=st.binary(max_size=300), number=st.integers(0, len(seeds()) - 1), at=st.integers(0, 2_000))
def test_whatever_is_wrong_is_one_kind_of_error(data: bytes, number: int, at: int) -> None:
    name, seed = seeds()[number]
    at %= len(seed) + 1
    outcome = "read"
    try:
        decode(getattr(ua, f"{name}Parameters"), Reader(seed[:at] + data + seed[at + len(data) :]))
    except errors.UaError as error:
        outcome = ua.StatusCode(error.code).name
    assert outcome in {"read", "BadDecodingError", "BadEncodingLimitsExceeded"}
