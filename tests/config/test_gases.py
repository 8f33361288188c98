"""What must never meet, and in which order valves open."""

import pytest

from config.gases import (
    Hazard,
    caution_together,
    is_hazardous,
    known_gases,
    never_together,
    opening_order,
    pairs,
    species,
)


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("SiH4", "O2"),
        ("SiH4", "N2O"),
        ("PH3", "NF3"),
        ("TMGa", "O2"),
        ("H2", "O2"),
        ("C2H2", "N2O"),
        ("NF3", "NH3"),
        ("ClF3", "H2"),
        ("F2", "SiH4"),
        ("WF6", "H2O"),
        ("TMAl", "H2O"),
        ("SiH2Cl2", "Cl2"),
    ],
)
def test_pairs_that_ignite_or_hydrolyse_never_meet_whichever_is_named_first(a: str, b: str) -> None:
    assert never_together(a, b)
    assert never_together(a, b) == never_together(b, a)


@pytest.mark.parametrize(("a", "b"), [("SiH4", "N2"), ("N2O", "O2"), ("SiH4", "NH3"), ("SiH4", "SiH4"), ("Ar", "O2")])
def test_harmless_pairs_may_meet(a: str, b: str) -> None:
    assert never_together(a, b) is None


def test_ammonia_with_a_chloride_is_permitted_with_care() -> None:
    assert "heated lines" in (caution_together("NH3", "TiCl4") or "")
    assert caution_together("NH3", "SiH4") is None


def test_silane_opens_last_and_nitrogen_first() -> None:
    assert opening_order(["SiH4", "N2O", "N2", "H2"]) == ["N2", "N2O", "H2", "SiH4"]


def test_an_unknown_gas_counts_as_the_worst() -> None:
    assert is_hazardous("XeF6")
    assert opening_order(["XeF6", "SiH4"]) == ["SiH4", "XeF6"]
    assert species("XeF6") is None


def test_every_gas_says_what_it_is_and_every_limit_has_its_source() -> None:
    for name in known_gases():
        gas = species(name)
        assert gas is not None
        limited = gas.exposure_ppm or gas.idlh_ppm or gas.lfl_pct
        assert not limited or gas.source, f"{name} has a limit without a source"
        assert (Hazard.INERT in gas.hazards) == (gas.hazards == (Hazard.INERT,)), f"{name} cannot be inert and more"
        assert gas.level in (1, 2, 3)


def test_pairs_of_a_mixture_come_once_and_sorted() -> None:
    assert list(pairs(["N2O", "SiH4", "N2", "N2"])) == [("N2", "N2O"), ("N2", "SiH4"), ("N2O", "SiH4")]
