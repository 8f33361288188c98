"""Growth laws: against what was published, with the tolerance that the literature supports."""

import numpy as np
import pytest

from kernels import growth

NM_PER_MIN = 60e9


@pytest.mark.parametrize(
    ("celsius", "torr", "low", "high"),
    [
        (600.0, 0.25, 5.0, 13.0),
        (620.0, 0.25, 8.0, 20.0),
        (650.0, 0.25, 18.0, 45.0),
    ],
)
def test_polysilicon_grows_as_furnaces_report(celsius: float, torr: float, low: float, high: float) -> None:
    """Usual LPCVD rates, about 10 nm/min at 620 °C and doubling every 25 K: within a factor of two."""
    rate = growth.film_rate("poly-Si", celsius + 273.15, {"SiH4": torr * 133.322}) * NM_PER_MIN
    assert low < rate < high


def test_oxide_makes_the_guides_five_nanometres_a_minute() -> None:
    """100 nm in 1200 s at 800 °C, 0.5 Torr, SiH4 80 / N2O 160 sccm: the declared calibration, before depletion."""
    torr = 133.322
    rate = growth.film_rate("SiO2", 1073.15, {"SiH4": 0.5 * torr / 3, "N2O": torr / 3}) * NM_PER_MIN
    assert rate == pytest.approx(5.0, rel=0.06)


def test_oxide_has_the_activation_of_its_law() -> None:
    """154 kJ/mol between 750 and 850 °C: hydride oxide's temperature dependence is the silane law's."""
    pressures = {"SiH4": 22.0, "N2O": 44.0}
    rates = [growth.film_rate("SiO2", t, pressures) for t in (1023.15, 1123.15)]
    energy = 8.314462618 * np.log(rates[1] / rates[0]) / (1 / 1023.15 - 1 / 1123.15)
    assert energy == pytest.approx(18500 * 8.314462618, rel=1e-9)
