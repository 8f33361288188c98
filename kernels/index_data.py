"""Optical constants of films and substrates: Sellmeier and Cauchy formulas, and tables of n and k.

Data alone; `kernels.metrology.index` evaluates them. What is marked as checked was compared with the public-domain
refractiveindex.info database; the other entries are usual values.
"""

from dataclasses import dataclass

VISIBLE = (400.0, 450.0, 500.0, 550.0, 600.0, 632.8, 700.0, 750.0, 800.0)
"""Wavelengths of the tables, nm."""


@dataclass(frozen=True)
class Material:
    """Optical constants of a material and where they are from."""

    lowest_nm: float
    highest_nm: float
    source: str
    offset: float = 0.0
    """n² = 1 + offset + Σ b·λ²/(λ² − c²), λ and c in µm."""
    sellmeier: tuple[tuple[float, float], ...] = ()
    """(b, c) of each term."""
    cauchy: tuple[float, ...] = ()
    """n = a + b/λ² + c/λ⁴, λ in µm."""
    n: tuple[float, ...] = ()
    """At VISIBLE, linear in between."""
    k: tuple[float, ...] = ()


MATERIALS = {
    "Si": Material(
        400.0,
        800.0,
        "D. E. Aspnes and A. A. Studna, Phys. Rev. B 27, 985 (1983), interpolated; 632.8 nm as design value; checked",
        n=(5.5674, 4.6784, 4.2992, 4.0870, 3.9485, 3.8808, 3.7838, 3.7348, 3.6941),
        k=(0.3861, 0.1485, 0.0704, 0.0409, 0.0274, 0.0187, 0.0122, 0.0091, 0.0065),
    ),
    "a-Si": Material(
        400.0,
        800.0,
        "D. T. Pierce and W. E. Spicer, Phys. Rev. B 5, 3017 (1972), evaporated film, interpolated; checked",
        n=(4.2717, 4.4742, 4.4681, 4.3889, 4.2760, 4.2063, 4.0679, 3.9737, 3.8960),
        k=(2.2056, 1.5640, 1.0907, 0.7707, 0.5419, 0.4223, 0.2511, 0.1704, 0.1094),
    ),
    "Ge": Material(
        400.0,
        800.0,
        "D. E. Aspnes and A. A. Studna, Phys. Rev. B 27, 985 (1983), interpolated; checked",
        n=(4.1406, 4.0556, 4.3935, 5.1603, 5.6959, 5.4717, 5.0200, 4.8362, 4.7096),
        k=(2.2145, 2.2069, 2.3981, 2.1983, 1.4059, 0.8163, 0.4726, 0.3756, 0.3222),
    ),
    "GaAs": Material(
        400.0,
        800.0,
        "D. E. Aspnes et al., J. Appl. Phys. 60, 754 (1986), interpolated; checked",
        n=(4.3740, 4.8427, 4.3076, 4.0613, 3.9198, 3.8574, 3.7731, 3.7229, 3.6835),
        k=(2.1445, 0.8615, 0.4271, 0.3004, 0.2306, 0.1983, 0.1402, 0.1025, 0.0857),
    ),
    "SiO2": Material(
        210.0,
        3710.0,
        "I. H. Malitson, J. Opt. Soc. Am. 55, 1205 (1965), fused silica; checked",
        sellmeier=((0.6961663, 0.0684043), (0.4079426, 0.1162414), (0.8974794, 9.896161)),
    ),
    "Si3N4": Material(
        310.0,
        5504.0,
        "K. Luke et al., Opt. Lett. 40, 4823 (2015), low-pressure film; checked",
        sellmeier=((3.0249, 0.1353406), (40314.0, 1239.842)),
    ),
    "Al2O3": Material(400.0, 1000.0, "film of atomic layers, 1.65 at 632.8 nm; usual values", cauchy=(1.6375, 0.0050)),
    "sapphire": Material(
        265.0,
        5577.0,
        "I. H. Malitson, J. Opt. Soc. Am. 52, 1377 (1962), ordinary ray; checked",
        sellmeier=((1.023798, 0.06144821), (1.058264, 0.1106997), (5.280792, 17.92656)),
    ),
    "TiN": Material(
        400.0,
        800.0,
        "J. Pflüger et al., Phys. Rev. B 30, 1155 (1984), interpolated; checked",
        n=(1.8300, 1.5001, 1.2040, 1.2524, 1.3007, 1.3512, 1.5138, 1.6347, 1.7557),
        k=(1.0445, 1.3110, 1.6844, 2.1037, 2.5231, 2.7599, 3.1240, 3.3949, 3.6659),
    ),
    "GaN": Material(
        350.0,
        10_000.0,
        "A. S. Barker and M. Ilegems, Phys. Rev. B 7, 743 (1973), ordinary ray; checked",
        offset=2.60,
        sellmeier=((1.75, 0.256), (4.1, 17.86)),
    ),
    "diamond": Material(
        226.0,
        800.0,
        "F. Peter, Z. Phys. 15, 358 (1923); checked; carried on to 800 nm",
        sellmeier=((0.3306, 0.1750), (4.3356, 0.1060)),
    ),
    "W": Material(
        400.0,
        800.0,
        "J. H. Weaver et al., Phys. Rev. B 12, 1293 (1975), interpolated; checked",
        n=(3.4069, 3.3149, 3.4017, 3.5221, 3.5576, 3.6240, 3.8683, 3.8658, 3.6722),
        k=(2.4159, 2.5160, 2.6796, 2.7414, 2.8607, 2.9126, 2.8803, 2.7932, 2.7399),
    ),
}
