"""Instruments: published numbers, closed solutions, and tmm for stacks that absorb."""

import math

import numpy as np
import tmm

from kernels import metrology as m
from tests.validation.case import Case

SILICON = 3.8808 + 0.0187j
PLANCK_2 = 6.62607015e-34 * 299792458.0 / 1.380649e-23
STACKS = {
    "oxide 500 nm": [(1.457, 500.0)],
    "TiN 25 nm": [(1.4 + 1.5j, 25.0)],
    "W 200 nm": [(3.6 + 2.9j, 200.0)],
    "a-Si on oxide": [(4.2 + 0.25j, 60.0), (1.457, 300.0)],
    "Ag under nitride": [(2.0, 80.0), (0.06 + 4.0j, 30.0), (1.457, 100.0)],
}


def theirs(name: str, angle: float, polarisation: str) -> float:
    """Reflectance by tmm at 632.8 nm."""
    films = STACKS[name]
    media = [1.0, *(n for n, _ in films), SILICON]
    return float(tmm.coh_tmm(polarisation, media, [math.inf, *(d for _, d in films), math.inf], math.radians(angle),
                             632.8)["R"])  # fmt: skip


def angles(name: str) -> tuple[float, float]:
    """Ψ and Δ by tmm at 70°, Δ in the convention of ellipsometry (tmm has the other sign of r_p and of time)."""
    films = STACKS[name]
    media = [1.0, *(n for n, _ in films), SILICON]
    found = tmm.ellips(media, [math.inf, *(d for _, d in films), math.inf], math.radians(70.0), 632.8)
    return math.degrees(found["psi"]), (180.0 - math.degrees(found["Delta"])) % 360.0


def ours(name: str) -> tuple[float, float]:
    """Ψ and Δ at 70°."""
    psi, delta = m.psi_delta(632.8, STACKS[name], SILICON, 70.0)
    return float(psi), float(delta)


def reflect(wave: float, films: list[tuple[complex, float]], substrate: complex, angle: float = 0.0,
            polarisation: str = "s") -> float:  # fmt: skip
    """Reflectance of one wavelength."""
    return float(m.reflectance(wave, films, substrate, angle, polarisation))


CASES = [
    *(Case(f"SiO2 {thickness:g} nm on Si, 632.8 nm, R", value,
           lambda d=thickness: reflect(632.8, [(1.457, d)], SILICON), 1e-5)
      for thickness, value in ((0.0, 0.348382), (100.0, 0.091173))),
    *(Case(f"{name}, {angle:g}°, {polarisation}, beside tmm", theirs(name, angle, polarisation),
           lambda s=name, a=angle, p=polarisation: reflect(632.8, STACKS[s], SILICON, a, p), 1e-9)
      for name in STACKS for angle, polarisation in ((0.0, "s"), (70.0, "s"), (70.0, "p"))),
    *(Case(f"{name}, 70°, {word}, beside tmm", angles(name)[i],
           lambda s=name, k=i: ours(s)[k], 1e-9)
      for name in STACKS for i, word in enumerate(("Ψ", "Δ"))),
    Case("half a wave changes nothing", 0.34838234,
         lambda: reflect(632.8, [(1.457, 632.8 / (2.0 * 1.457))], SILICON), 1e-6),
    Case("quarter wave of √n cancels, 1 − R", 1.0,
         lambda: 1.0 - reflect(600.0, [(2.0, 75.0)], 4.0), 1e-12),
    Case("Brewster's angle, 1 − R of p", 1.0,
         lambda: 1.0 - reflect(600.0, [], 1.5, math.degrees(math.atan(1.5)), "p"), 1e-12),
    *(Case(f"Sauerbrey, {megahertz:g} MHz, ng/(cm²·Hz)", value, lambda f=megahertz: m.sauerbrey(f * 1e6) * 1e8, 1e-3)
      for megahertz, value in ((5.0, 17.668), (6.0, 12.269), (9.0, 12.269 * 36.0 / 81.0))),
    Case("Z-match at Z 1: Sauerbrey's mass of the period", 1e-3 * 6e6 / (6e6 - 1e4),
         lambda: m.z_match(6e6, 6e6 - 1e4, 1.0) / (1e7 * m.sauerbrey(6e6)), 1e-9),
    Case("black body 1000 K at Wien's maximum, λ⁵·T⁻⁵·L", 4.0957e-6,
         lambda: m.planck_radiance(2897.77, 1000.0) / 1000.0**5, 1e-4),
    *(Case(f"pyrometer 950 nm, ε 0.6 taken for 1, {kelvin:g} K",
           PLANCK_2 / 950e-9 / math.log1p(math.expm1(PLANCK_2 / (950e-9 * kelvin)) / 0.6),
           lambda t=kelvin: m.pyrometer_reading(950.0, t, 0.6), 1e-9) for kelvin in (700.0, 1300.0, 2500.0)),
    Case("fringe, 632.8 nm, index 2, 60 s, nm/s", 632.8 / 4.0 / 60.0,
         lambda: m.fringe_rate(60.0, 632.8, 2.0) * 1e9, 1e-9),
    Case("fused silica at 587.6 nm (Malitson)", 1.45846, lambda: m.silica_index(587.6), 1e-5),
    Case("RGA: silane and phosphine share 31", 0.8 * 2.0 + 0.76 * 1.0,
         lambda: m.rga_spectrum({"SiH4": 2.0, "PH3": 1.0})[31], 1e-9),
    Case("reflectance over the visible, largest deviation from tmm, 1 + |ΔR|", 1.0, lambda: 1.0 + float(max(
        abs(reflect(float(w), STACKS["a-Si on oxide"], SILICON)
            - tmm.coh_tmm("s", [1.0, 4.2 + 0.25j, 1.457, SILICON], [math.inf, 60.0, 300.0, math.inf], 0.0,
                          float(w))["R"]) for w in np.linspace(400.0, 800.0, 21))), 1e-10),
]  # fmt: skip
