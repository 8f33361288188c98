"""The units of the tool model, as data.

Sources: factors of SI units and of those accepted beside it: BIPM, The International System of Units, 9th edition,
tables 4, 7 and 8. Torr: 101325/760 Pa, from the standard atmosphere (CGPM 1954, resolution 4). sccm and slm: amount
of an ideal gas at 0 °C and 101.325 kPa (SEMI E12), with the gas constant that follows from the SI's fixed k and N_A.
Common codes: UN/ECE Recommendation 20; what it does not list has none. Two of the exponents are no SI bases:
`ratio` keeps per cent apart from plain numbers and `angle` keeps degrees apart from both, so that neither is compared
with a bare number by mistake.
"""

from dataclasses import dataclass
from fractions import Fraction

BASES = ("m", "kg", "s", "A", "K", "mol", "ratio", "angle")
Exponents = tuple[int, ...]
"""Powers of the BASES."""


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit: value in SI = value × factor + offset."""

    symbol: str
    dimension: str
    """Its dimension's name, for people."""
    exponents: Exponents
    factor: Fraction
    name: str
    code: str | None = None
    """UN/ECE common code."""
    suffix: str | None = None
    """Last word of the names of tags in this unit."""
    aliases: tuple[str, ...] = ()
    """Other spellings that are understood."""
    offset: Fraction = Fraction(0)


def _exponents(**powers: int) -> Exponents:
    return tuple(powers.get(base, 0) for base in BASES)


NONE = _exponents()
LENGTH = _exponents(m=1)
MASS = _exponents(kg=1)
TIME = _exponents(s=1)
TEMPERATURE = _exponents(K=1)
CURRENT = _exponents(A=1)
AMOUNT = _exponents(mol=1)
RATIO = _exponents(ratio=1)
ANGLE = _exponents(angle=1)
AREA = _exponents(m=2)
VOLUME = _exponents(m=3)
SPEED = _exponents(m=1, s=-1)
FREQUENCY = _exponents(s=-1)
PRESSURE = _exponents(m=-1, kg=1, s=-2)
PRESSURE_RATE = _exponents(m=-1, kg=1, s=-3)
TEMPERATURE_RATE = _exponents(K=1, s=-1)
POWER = _exponents(m=2, kg=1, s=-3)  # also of a leak rate: Pa·m³/s
ENERGY = _exponents(m=2, kg=1, s=-2)
VOLTAGE = _exponents(m=2, kg=1, s=-3, A=-1)
RESISTANCE = _exponents(m=2, kg=1, s=-3, A=-2)
VOLUME_FLOW = _exponents(m=3, s=-1)
MOLAR_FLOW = _exponents(mol=1, s=-1)
MASS_FLOW = _exponents(kg=1, s=-1)
POWER_DENSITY = _exponents(kg=1, s=-3)

_TORR = Fraction(101325, 760)
_GAS_CONSTANT = Fraction("8.31446261815324")  # J/(mol·K) = k·N_A, exact since 2019
_SCCM = Fraction(101325) * Fraction(1, 10**6) / (_GAS_CONSTANT * Fraction("273.15")) / 60

_F = Fraction
UNITS: tuple[Unit, ...] = (
    Unit("1", "number", NONE, _F(1), "one", "C62"),
    Unit("%", "ratio", RATIO, _F(1, 100), "percent", "P1", "pct", ("pct",)),
    Unit("ppm", "ratio", RATIO, _F(1, 10**6), "part per million", "59", "ppm"),
    Unit("K", "temperature", TEMPERATURE, _F(1), "kelvin", "KEL", "k"),
    Unit("°C", "temperature", TEMPERATURE, _F(1), "degree Celsius", "CEL", "c", ("degC", "℃"), _F("273.15")),
    Unit("K/s", "temperature rate", TEMPERATURE_RATE, _F(1), "kelvin per second", "F12"),
    Unit("K/min", "temperature rate", TEMPERATURE_RATE, _F(1, 60), "kelvin per minute", "F11"),
    Unit("°C/s", "temperature rate", TEMPERATURE_RATE, _F(1), "degree Celsius per second", "H14", "c_s", ("degC/s",)),
    Unit(
        "°C/min", "temperature rate", TEMPERATURE_RATE, _F(1, 60), "degree Celsius per minute", "H13", "c_min",
        ("degC/min",),
    ),
    Unit("°C/h", "temperature rate", TEMPERATURE_RATE, _F(1, 3600), "degree Celsius per hour", "H12"),
    Unit("Pa", "pressure", PRESSURE, _F(1), "pascal", "PAL", "pa"),
    Unit("hPa", "pressure", PRESSURE, _F(100), "hectopascal", "A97", "hpa"),
    Unit("kPa", "pressure", PRESSURE, _F(1000), "kilopascal", "KPA", "kpa"),
    Unit("mbar", "pressure", PRESSURE, _F(100), "millibar", "MBR", "mbar"),
    Unit("bar", "pressure", PRESSURE, _F(100000), "bar", "BAR", "bar"),
    Unit("Torr", "pressure", PRESSURE, _TORR, "torr", "UA", "torr", ("torr",)),
    Unit("mTorr", "pressure", PRESSURE, _TORR / 1000, "millitorr", None, "mtorr", ("mtorr",)),
    Unit("Pa/s", "pressure rate", PRESSURE_RATE, _F(1), "pascal per second"),
    Unit("Torr/s", "pressure rate", PRESSURE_RATE, _TORR, "torr per second", None, "torr_s"),
    Unit("Torr/min", "pressure rate", PRESSURE_RATE, _TORR / 60, "torr per minute", None, "torr_min"),
    Unit("mTorr/min", "pressure rate", PRESSURE_RATE, _TORR / 60000, "millitorr per minute", None, "mtorr_min"),
    Unit(
        "Pa·m³/s", "power or leak rate", POWER, _F(1), "pascal cubic metre per second", "G01", None, ("Pa*m3/s",)
    ),
    Unit(
        "Torr·L/s", "power or leak rate", POWER, _TORR / 1000, "torr litre per second", None, "torr_l_s",
        ("Torr*L/s", "Torr.L/s", "Torr·l/s"),
    ),
    Unit(
        "mbar·L/s", "power or leak rate", POWER, _F(1, 10), "millibar litre per second", None, "mbar_l_s",
        ("mbar*L/s",),
    ),
    Unit("mW", "power or leak rate", POWER, _F(1, 1000), "milliwatt", "C31", "mw"),
    Unit("W", "power or leak rate", POWER, _F(1), "watt", "WTT", "w"),
    Unit("kW", "power or leak rate", POWER, _F(1000), "kilowatt", "KWT", "kw"),
    Unit("W/cm²", "power density", POWER_DENSITY, _F(10000), "watt per square centimetre", "N48", "w_cm2", ("W/cm2",)),
    Unit("mJ", "energy", ENERGY, _F(1, 1000), "millijoule", "C15", "mj"),
    Unit("J", "energy", ENERGY, _F(1), "joule", "JOU", "j"),
    Unit("kWh", "energy", ENERGY, _F(3600000), "kilowatt hour", "KWH", "kwh"),
    Unit("mV", "voltage", VOLTAGE, _F(1, 1000), "millivolt", "2Z", "mv"),
    Unit("V", "voltage", VOLTAGE, _F(1), "volt", "VLT", "v"),
    Unit("kV", "voltage", VOLTAGE, _F(1000), "kilovolt", "KVT", "kv"),
    Unit("mA", "current", CURRENT, _F(1, 1000), "milliampere", "4K", "ma"),
    Unit("A", "current", CURRENT, _F(1), "ampere", "AMP", "a"),
    Unit("Ω", "resistance", RESISTANCE, _F(1), "ohm", "OHM", "ohm", ("ohm", "Ohm", "\u2126")),
    Unit("sccm", "molar flow", MOLAR_FLOW, _SCCM, "standard cubic centimetre per minute", None, "sccm"),
    Unit("slm", "molar flow", MOLAR_FLOW, _SCCM * 1000, "standard litre per minute", None, "slm", ("slpm",)),
    Unit("mol/s", "molar flow", MOLAR_FLOW, _F(1), "mole per second", "E95"),
    Unit("mol", "amount", AMOUNT, _F(1), "mole", "C34", "mol"),
    Unit("mg/min", "mass flow", MASS_FLOW, _F(1, 60 * 10**6), "milligram per minute", "F33", "mg_min"),
    Unit("g/min", "mass flow", MASS_FLOW, _F(1, 60 * 10**3), "gram per minute", "F28", "g_min"),
    Unit("L/min", "volume flow", VOLUME_FLOW, _F(1, 60000), "litre per minute", "L2", "l_min", ("l/min",)),
    Unit("L/s", "volume flow", VOLUME_FLOW, _F(1, 1000), "litre per second", "G51", "l_s", ("l/s",)),
    Unit("m³/h", "volume flow", VOLUME_FLOW, _F(1, 3600), "cubic metre per hour", "MQH", "m3_h", ("m3/h",)),
    Unit("mL", "volume", VOLUME, _F(1, 10**6), "millilitre", "MLT", "ml", ("ml",)),
    Unit("L", "volume", VOLUME, _F(1, 1000), "litre", "LTR", "l", ("l",)),
    Unit("m³", "volume", VOLUME, _F(1), "cubic metre", "MTQ", "m3", ("m3",)),
    Unit("cm²", "area", AREA, _F(1, 10000), "square centimetre", "CMK", "cm2", ("cm2",)),
    Unit("m²", "area", AREA, _F(1), "square metre", "MTK", "m2", ("m2",)),
    Unit("nm", "length", LENGTH, _F(1, 10**9), "nanometre", "C45", "nm"),
    Unit("µm", "length", LENGTH, _F(1, 10**6), "micrometre", "4H", "um", ("um", "\u03bcm")),
    Unit("mm", "length", LENGTH, _F(1, 1000), "millimetre", "MMT", "mm"),
    Unit("cm", "length", LENGTH, _F(1, 100), "centimetre", "CMT", "cm"),
    Unit("m", "length", LENGTH, _F(1), "metre", "MTR", "m"),
    Unit("nm/s", "speed", SPEED, _F(1, 10**9), "nanometre per second", None, "nm_s"),
    Unit("nm/min", "speed", SPEED, _F(1, 60 * 10**9), "nanometre per minute", None, "nm_min"),
    Unit("µm/h", "speed", SPEED, _F(1, 3600 * 10**6), "micrometre per hour", None, "um_h", ("um/h", "\u03bcm/h")),
    Unit("mm/s", "speed", SPEED, _F(1, 1000), "millimetre per second", "C16", "mm_s"),
    Unit("mm/min", "speed", SPEED, _F(1, 60000), "millimetre per minute", "H81", "mm_min"),
    Unit("m/s", "speed", SPEED, _F(1), "metre per second", "MTS", "m_s"),
    Unit("µs", "time", TIME, _F(1, 10**6), "microsecond", "B98", "us", ("us", "\u03bcs")),
    Unit("ms", "time", TIME, _F(1, 1000), "millisecond", "C26", "ms"),
    Unit("s", "time", TIME, _F(1), "second", "SEC", "s"),
    Unit("min", "time", TIME, _F(60), "minute", "MIN", "min"),
    Unit("h", "time", TIME, _F(3600), "hour", "HUR", "h"),
    Unit("rpm", "frequency", FREQUENCY, _F(1, 60), "revolutions per minute", "RPM", "rpm"),
    Unit("Hz", "frequency", FREQUENCY, _F(1), "hertz", "HTZ", "hz"),
    Unit("kHz", "frequency", FREQUENCY, _F(1000), "kilohertz", "KHZ", "khz"),
    Unit("MHz", "frequency", FREQUENCY, _F(10**6), "megahertz", "MHZ", "mhz"),
    Unit("GHz", "frequency", FREQUENCY, _F(10**9), "gigahertz", "A86", "ghz"),
    Unit("mg", "mass", MASS, _F(1, 10**6), "milligram", "MGM", "mg"),
    Unit("g", "mass", MASS, _F(1, 1000), "gram", "GRM", "g"),
    Unit("kg", "mass", MASS, _F(1), "kilogram", "KGM", "kg"),
    Unit("°", "angle", ANGLE, _F(1), "degree of arc", "DD", "deg", ("deg",)),
)  # fmt: skip
