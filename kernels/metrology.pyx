# cython: wraparound=True
"""What instruments on the chamber see: thin-film optics, quartz crystals, pyrometers, residual gas. SI units, nm."""

import math

import numpy as np

from kernels import index_data as _data

from kernels.physics.constants cimport BOLTZMANN, LIGHT, PI, PLANCK
from kernels.physics.optics cimport reflected

QUARTZ_DENSITY = 2648.0
QUARTZ_SHEAR = 2.947e10
CRACKING = {
    "H2": {2: 100.0, 1: 2.1},
    "He": {4: 100.0},
    "CH4": {16: 100.0, 15: 85.8, 14: 15.6, 13: 7.7, 12: 2.4},
    "NH3": {17: 100.0, 16: 80.0, 15: 7.5, 14: 2.2},
    "H2O": {18: 100.0, 17: 21.2, 16: 0.9},
    "HF": {20: 100.0, 19: 5.0},
    "N2": {28: 100.0, 14: 7.2, 29: 0.8},
    "CO": {28: 100.0, 12: 4.7, 16: 1.7, 29: 1.2},
    "SiH4": {30: 100.0, 31: 80.0, 29: 32.0, 28: 28.0, 32: 7.0},
    "PH3": {34: 100.0, 33: 33.0, 31: 76.0, 32: 100.0},
    "O2": {32: 100.0, 16: 11.4},
    "HCl": {36: 100.0, 38: 32.0, 35: 17.0, 37: 5.4},
    "Ar": {40: 100.0, 20: 14.6},
    "CO2": {44: 100.0, 28: 11.4, 16: 8.5, 12: 6.0},
    "N2O": {44: 100.0, 30: 31.1, 14: 12.9, 28: 10.8},
    "NF3": {52: 100.0, 71: 31.0, 33: 40.0, 14: 9.0, 19: 8.0},
    "SiF4": {85: 100.0, 86: 5.0, 87: 3.4, 47: 4.0, 28: 12.0},
}
# Species that emits: nm, and whether the entry is a band
LINES = {
    "Ar": (750.387, False),
    "Ar blue": (496.5, False),
    "H": (656.28, False),
    "H beta": (486.13, False),
    "O": (777.2, False),
    "F": (703.747, False),
    "Si": (288.158, False),
    "SiH": (414.2, True),
    "H2": (602.0, True),
    "N2": (337.1, True),
    "N2+": (391.4, True),
    "NH": (336.0, True),
    "CN": (388.3, True),
    "CH": (431.4, True),
    "C2": (516.5, True),
    "OH": (309.0, True),
}


def _finite(name, value, low, high):
    number = float(value)
    if not low < number < high:
        raise ValueError(f"{name} must be above {low:g} and below {high:g}, is {number:g}")
    return number


def _stack(wavelength_nm, layers, substrate, angle_deg, ambient):
    waves = np.ascontiguousarray(np.atleast_1d(np.asarray(wavelength_nm, np.float64))).ravel()
    if waves.size == 0 or not np.all((waves > 0.0) & (waves < 1e12)):
        raise ValueError("wavelength_nm must be above 0 and finite")
    if not 0.0 <= angle_deg < 90.0:
        raise ValueError(f"angle_deg must be 0 … below 90, is {angle_deg:g}")
    if not 0.0 < ambient < 1e3:
        raise ValueError(f"ambient must be a real index above 0, is {ambient:g}")
    layers = list(layers)
    media = np.empty((waves.size, len(layers) + 1), np.complex128)
    thick = np.empty(len(layers) + 1)
    for place, (index, thickness) in enumerate([*layers, (substrate, 0.0)]):
        if not 0.0 <= thickness < 1e12:
            raise ValueError(f"thickness of layer {place} must be finite and not negative, is {thickness:g}")
        column = np.asarray(index, np.complex128)
        if column.ndim and column.shape != waves.shape:
            raise ValueError(f"layer {place} needs one index, or one for each wavelength")
        if not np.all((column.real >= 0.0) & (np.abs(column) > 0.0) & (column.imag >= 0.0) & (np.abs(column) < 1e3)):
            raise ValueError(f"index of layer {place} must be n + ik, finite, n and k not negative, not 0")
        media[:, place], thick[place] = column, thickness
    return waves, media, thick


def _amplitudes(wavelength_nm, layers, substrate, double angle_deg, double ambient, bint parallel):
    waves, media, thick = _stack(wavelength_nm, layers, substrate, angle_deg, ambient)
    found = np.empty(waves.size, np.complex128)
    cdef double complex[::1] out = found
    cdef double complex[:, ::1] indices = media
    cdef double[::1] lengths = thick, wavelengths = waves
    cdef Py_ssize_t i, films = thick.size - 1
    cdef double sine = ambient * math.sin(math.radians(angle_deg))
    with nogil:
        for i in range(wavelengths.shape[0]):
            out[i] = reflected(&indices[i, 0], &lengths[0], films, indices[i, films], ambient, sine, wavelengths[i],
                               parallel)
    if not np.all(np.isfinite(found)):
        raise ValueError("layers and substrate reflect no finite amplitude at this angle")
    return found


def reflectance(wavelength_nm, layers, substrate, double angle_deg=0.0, polarisation="unpolarised",
                double ambient=1.0):
    """Return the share of the power that a stack of films reflects."""
    if polarisation not in {"s", "p", "unpolarised"}:
        raise ValueError(f"polarisation must be s, p or unpolarised, is {polarisation!r}")
    if polarisation == "unpolarised" and angle_deg == 0.0:
        polarisation = "s"
    share = 0.0
    for parallel in (False, True) if polarisation == "unpolarised" else (polarisation == "p",):
        amplitude = _amplitudes(wavelength_nm, layers, substrate, angle_deg, ambient, parallel)
        share = share + amplitude.real ** 2 + amplitude.imag ** 2
    share = 0.5 * share if polarisation == "unpolarised" else share
    return float(share[0]) if np.ndim(wavelength_nm) == 0 else share.reshape(np.shape(wavelength_nm))


def psi_delta(wavelength_nm, layers, substrate, double angle_deg, double ambient=1.0):
    """Return the ellipsometric angles of a stack, degrees."""
    s = _amplitudes(wavelength_nm, layers, substrate, angle_deg, ambient, False)
    p = _amplitudes(wavelength_nm, layers, substrate, angle_deg, ambient, True)
    # exp(−iωt) turns phases the other way round than the convention of ellipsometry (exp(+iωt))
    psi, delta = np.degrees(np.arctan2(np.abs(p), np.abs(s))), np.degrees(np.angle(np.conj(p) * s)) % 360.0
    if np.ndim(wavelength_nm) == 0:
        return float(psi[0]), float(delta[0])
    return psi.reshape(np.shape(wavelength_nm)), delta.reshape(np.shape(wavelength_nm))


def sauerbrey(f0_hz):
    """Return how much mass per area lowers a crystal's frequency by 1 Hz, kg/(m²·Hz)."""
    cdef double f0 = _finite("f0_hz", f0_hz, 0.0, 1e12)
    return math.sqrt(QUARTZ_DENSITY * QUARTZ_SHEAR) / (2.0 * f0 * f0)


def z_match(f0_hz, f_hz, z_ratio=1.0):
    """Return the mass per area on a loaded crystal, kg/m²."""
    cdef double f0 = _finite("f0_hz", f0_hz, 0.0, 1e12), f = _finite("f_hz", f_hz, 1e-6 * f0, 2.0 * f0)
    cdef double ratio = _finite("z_ratio", z_ratio, 1e-6, 1e3)
    # The branch of the arctangent that is 0 at f = f0
    return math.sqrt(QUARTZ_DENSITY * QUARTZ_SHEAR) / (2.0 * PI * ratio * f) * math.atan2(
        ratio * math.sin(PI * (f0 - f) / f0), math.cos(PI * (f0 - f) / f0)
    )


def planck_radiance(wavelength_nm, temperature_k, emissivity=1.0):
    """Return the spectral radiance of a grey body, W/(m²·sr·m)."""
    cdef double wave = _finite("wavelength_nm", wavelength_nm, 1e-3, 1e12) * 1e-9
    cdef double temperature = _finite("temperature_k", temperature_k, 1e-3, 1e9)
    share = float(emissivity)
    if not 0.0 < share <= 1.0:
        raise ValueError(f"emissivity must be above 0 and at most 1, is {share:g}")
    exponent = PLANCK * LIGHT / (wave * BOLTZMANN * temperature)
    if exponent > 700.0:
        return 0.0
    return share * 2.0 * PLANCK * LIGHT * LIGHT / wave ** 5 / math.expm1(exponent)


def pyrometer_reading(wavelength_nm, temperature_k, emissivity, assumed=1.0):
    """Return what a pyrometer reads that is set to another emissivity, K."""
    cdef double wave = _finite("wavelength_nm", wavelength_nm, 1e-3, 1e12) * 1e-9
    cdef double temperature = _finite("temperature_k", temperature_k, 1e-3, 1e9)
    for name, value in (("emissivity", emissivity), ("assumed", assumed)):
        if not 1e-9 <= value <= 1.0:
            raise ValueError(f"{name} must be 1e-9 … 1, is {value:g}")
    second = PLANCK * LIGHT / (BOLTZMANN * wave)
    exponent = second / temperature
    factor = assumed / emissivity
    if exponent > 700.0:
        return second / (exponent + math.log(factor))
    return second / math.log1p(factor * math.expm1(exponent))


def fringe_rate(period_s, wavelength_nm, index, angle_deg=0.0):
    """Return the growth rate that makes reflectance swing once in a period, m/s."""
    period = _finite("period_s", period_s, 1e-12, 1e12)
    wave = _finite("wavelength_nm", wavelength_nm, 1e-3, 1e12) * 1e-9
    n = _finite("index", index, 0.0, 1e3)
    if not 0.0 <= angle_deg < 90.0 or not math.sin(math.radians(angle_deg)) < n:
        raise ValueError(f"angle_deg must be 0 … below 90 and reach into the film, is {angle_deg:g}")
    return wave / (2.0 * math.sqrt(n * n - math.sin(math.radians(angle_deg)) ** 2) * period)


def rga_spectrum(partial_pressures_pa):
    """Return the ion currents of a residual-gas analyser by mass, relative to 1 Pa of a parent peak."""
    spectrum = {}
    for gas, pressure in dict(partial_pressures_pa).items():
        if gas not in CRACKING:
            raise ValueError(f"no cracking pattern of {gas!r}; there are {', '.join(sorted(CRACKING))}")
        if not 0.0 <= pressure < math.inf:
            raise ValueError(f"partial pressure of {gas} must be finite and not negative, is {pressure:g}")
        for mass, share in CRACKING[gas].items():
            spectrum[mass] = spectrum.get(mass, 0.0) + 0.01 * share * pressure
    return dict(sorted(spectrum.items()))


def oes_intensity(species, electron_density_m3, density_m3, factor=1.0):
    """Return the proxy of a line's intensity: factor·n_e·n."""
    if species not in LINES:
        raise ValueError(f"no line of {species!r}; there are {', '.join(sorted(LINES))}")
    for name, value in (("electron_density_m3", electron_density_m3), ("density_m3", density_m3), ("factor", factor)):
        if not 0.0 <= value < 1e100:
            raise ValueError(f"{name} must be finite and not negative, is {value:g}")
    return factor * electron_density_m3 * density_m3


def index(material, wavelength_nm):
    """Return the complex index of a material."""
    if material not in _data.MATERIALS:
        raise ValueError(f"no index of {material!r}; there are {', '.join(sorted(_data.MATERIALS))}")
    data = _data.MATERIALS[material]
    waves = np.asarray(wavelength_nm, np.float64)
    if waves.size == 0 or not np.all((waves >= data.lowest_nm) & (waves <= data.highest_nm)):
        raise ValueError(f"wavelength_nm must be {data.lowest_nm:g} … {data.highest_nm:g} for {material}")
    square = (1e-3 * waves) ** 2
    if data.sellmeier:
        found = np.sqrt(1.0 + data.offset + sum(b * square / (square - c * c) for b, c in data.sellmeier)) + 0j
    elif data.cauchy:
        found = sum(a / square ** power for power, a in enumerate(data.cauchy)) + 0j
    else:
        found = np.interp(waves, _data.VISIBLE, data.n) + 1j * np.interp(waves, _data.VISIBLE, data.k)
    return complex(found) if waves.ndim == 0 else found


def silica_index(wavelength_nm):
    """Return the index of fused silica, 210 … 3710 nm."""
    return index("SiO2", float(wavelength_nm)).real
