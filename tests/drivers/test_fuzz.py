"""Damaged answers never crash a codec, and never become a value that the frame did not carry."""

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.errors import BadFrame, DeviceRefused
from tests.drivers.device_answers import CASES
from tests.drivers.fuzz import campaign, same


@pytest.mark.parametrize("name", CASES)
def test_a_seeded_sample_of_the_campaign(name: str) -> None:
    tally = campaign(name, 2500, seed=7)
    assert tally.failures == []
    assert tally.outcomes["values"] > 200
    assert tally.outcomes["bad frame"] + tally.outcomes["incomplete"] > 200 or name == "lines-binary"


@pytest.mark.parametrize("name", CASES)
@given(data=st.binary(max_size=48))
@settings(max_examples=30)
def test_any_bytes_at_all(name: str, data: bytes) -> None:
    case = CASES[name]()
    sent = case.codec.ask(case.fetch)
    try:
        length = case.codec.cut(data, case.fetch)
        assert 0 <= length <= len(data)
        values = list(case.codec.read(case.fetch, data[:length])) if length else None
    except (BadFrame, DeviceRefused):
        return
    if values is not None:
        assert same(values, case.carried(data[:length], sent) or ())


@pytest.mark.parametrize("name", CASES)
def test_a_good_answer_is_always_read(name: str) -> None:
    case, rng = CASES[name](), Random(3)
    for _ in range(200):
        sent = case.codec.ask(case.fetch)
        frame = case.answer(rng, sent)
        assert case.codec.cut(frame, case.fetch) == len(frame)
        assert same(list(case.codec.read(case.fetch, frame)), case.carried(frame, sent) or ())
