"""Published cases of transport, growth, vacuum and heat."""

from config.kinetics import Plan, parse_grid, tabulate
from kernels import growth, thermal, transport, vacuum
from tests.validation.case import Case


def _tungsten(temperature: float, hydrogen: float, fluoride: float) -> float:
    return growth.film_rate("W", temperature, {"H2": hydrogen, "WF6": fluoride})


def diamond() -> float:
    """Growth through a table of Cantera's mechanism, µm/h."""
    plan = Plan(
        "diamond.yaml", parse_grid("1100:1300:5"), parse_grid("2000:4000:4"), {"H": parse_grid("5e-4:3e-3:6")},
        surface="diamond_100", tolerance=0.005,
    )  # fmt: skip
    found = tabulate(plan)(temperature=1200.0, pressure=2666.4473684210525, H=1.4291e-3)
    return found["growth:diamond"] * 3.6e9


def soret() -> float:
    """Growth with thermal diffusion over growth without, transport-limited SiH4 in He."""
    with_it, without = (
        transport.stagnation_growth("SiH4", "He", sticking=1.0, soret=s).growth_m_s for s in (True, False)
    )
    return with_it / without


def _torr(pressure: float) -> float:
    return pressure / vacuum.PA_PER_TORR * 1e3


CASES = [
    Case("von Kármán F′(0)", 0.510233, lambda: transport.von_karman().radial_shear, 1e-3),
    Case("von Kármán G′(0)", -0.615922, lambda: transport.von_karman().azimuthal_shear, 1e-3),
    Case("von Kármán H∞", -0.884473, lambda: transport.von_karman().axial_inflow, 1e-3),
    Case("rotating disk, Sc 0.5", 0.26229, lambda: transport.rotating_disk_sherwood(0.5), 1e-3),
    Case("rotating disk, Sc 2", 0.56526, lambda: transport.rotating_disk_sherwood(2.0), 1e-3),
    Case("Homann f″(0)", 1.311938, lambda: transport.homann().wall_shear, 1e-3),
    Case("stagnation, Sc 1", 0.76223, lambda: transport.stagnation_sherwood(1.0), 1e-3),
    Case("100 sccm into 50 L/s, mTorr", 27.82,
         lambda: _torr(vacuum.steady_pressure(vacuum.molar_flow(100.0), 0.05, 300.0)), 1e-3),
    Case("30 L and 50 L/s, τ in s", 0.6, lambda: vacuum.residence_time(0.03, 0.05), 1e-3),
    Case("laser, K", 24.016, lambda: thermal.laser_peak_rise(1.0, 50e-6, 148.0, 0.63), 1e-3),
    Case("wafer gap, φ 0.5", 0.940306, lambda: transport.wafer_gap_ratio(0.5), 1e-5),
    Case("diamond through a table, µm/h", 0.5824, diamond, 0.01),
    Case("W, 623 → 673 K", 2.50, lambda: _tungsten(673.0, 100.0, 10.0) / _tungsten(623.0, 100.0, 10.0), 0.05),
    Case("W, H2 × 4", 2.0, lambda: _tungsten(673.0, 400.0, 10.0) / _tungsten(673.0, 100.0, 10.0), 0.05),
    Case("W, WF6 × 64", 2.0, lambda: _tungsten(673.0, 100.0, 64.0) / _tungsten(673.0, 100.0, 1.0), 0.05),
    Case("Soret, SiH4 in He: growth × 0.64 … 0.80", 0.72, soret, 0.112),
]  # fmt: skip
