"""Gas in a vacuum vessel: amounts, pressures, conductances, pumps. SI units; flows are molar."""

import math

from kernels.physics.constants cimport GAS_CONSTANT, SCCM, TORR
from kernels.physics.demands cimport above, nonnegative
from kernels.physics.flow cimport (
    butterfly,
    displacement,
    ideal_pressure,
    in_series,
    knudsen_tube,
    orifice,
    steady,
    thermal_speed,
)
from kernels.physics.manifold cimport KINDS, LINES, VOLUMES, Manifold, manifold_step, pressure_of

MOL_PER_S_PER_SCCM = SCCM
PA_PER_TORR = TORR


def molar_flow(double flow_sccm):
    """Return a flow in mol/s."""
    if not math.isfinite(flow_sccm):
        raise ValueError(f"flow_sccm must be a finite number, is {flow_sccm:g}")
    return flow_sccm * SCCM


def pressure(double amount_mol, double temperature_k, double volume_m3):
    """Return the pressure of an ideal gas, Pa."""
    return ideal_pressure(nonnegative("amount_mol", amount_mol), above("temperature_k", temperature_k),
                          above("volume_m3", volume_m3))


def steady_pressure(double flow_mol_s, double speed_m3_s, double temperature_k=300.0, double ultimate_pa=0.0):
    """Return the pressure at which a pump takes a flow away, Pa."""
    return steady(nonnegative("flow_mol_s", flow_mol_s), above("temperature_k", temperature_k),
                  above("speed_m3_s", speed_m3_s)) + nonnegative("ultimate_pa", ultimate_pa)


def residence_time(double volume_m3, double speed_m3_s):
    """Return the time constant of a pumped vessel, s."""
    return above("volume_m3", volume_m3) / above("speed_m3_s", speed_m3_s)


def pump_down_time(double volume_m3, double speed_m3_s, double from_pa, double to_pa, double ultimate_pa=0.0):
    """Return how long a pump takes from one pressure to another, s; infinite for one that it cannot reach."""
    nonnegative("ultimate_pa", ultimate_pa)
    if not above("to_pa", to_pa) <= above("from_pa", from_pa):
        raise ValueError(f"to_pa must not be above from_pa, is {to_pa:g} above {from_pa:g}")
    if to_pa <= ultimate_pa:
        return math.inf
    return residence_time(volume_m3, speed_m3_s) * math.log((from_pa - ultimate_pa) / (to_pa - ultimate_pa))


def effective_speed(double speed_m3_s, *conductances_m3_s):
    """Return the speed of a pump behind conductances in series, m³/s."""
    nonnegative("speed_m3_s", speed_m3_s)
    for conductance in conductances_m3_s:
        nonnegative("conductances_m3_s", conductance)
        speed_m3_s = in_series(speed_m3_s, conductance)
    return speed_m3_s


def throttle_conductance(double opening, double closed_m3_s, double full_m3_s):
    """Return the conductance of a butterfly valve, m³/s."""
    if not 0.0 <= opening <= 1.0:
        raise ValueError(f"opening must be 0 … 1, is {opening:g}")
    nonnegative("closed_m3_s", closed_m3_s)
    nonnegative("full_m3_s", full_m3_s)
    return butterfly(opening, closed_m3_s, full_m3_s)


def pump_speed(double speed_m3_s, double pressure_pa, double ultimate_pa):
    """Return the net speed of a pump near its ultimate pressure, m³/s."""
    nonnegative("speed_m3_s", speed_m3_s)
    nonnegative("pressure_pa", pressure_pa)
    nonnegative("ultimate_pa", ultimate_pa)
    return displacement(speed_m3_s, pressure_pa, ultimate_pa)


def rate_of_rise(double leak_mol_s, double temperature_k, double volume_m3):
    """Return how fast the pressure of a closed vessel rises, Pa/s."""
    return nonnegative("leak_mol_s", leak_mol_s) * GAS_CONSTANT * above("temperature_k", temperature_k) / above(
        "volume_m3", volume_m3)


def purge_cycles(double from_fraction, double to_fraction, double high_pa, double low_pa):
    """Return how many pressure cycles dilute a gas so far; never fewer than 5."""
    if not math.inf > high_pa > low_pa > 0.0 or not math.inf > from_fraction > to_fraction > 0.0:
        raise ValueError("a purge cycle needs high_pa above low_pa and from_fraction above to_fraction, all above 0")
    return max(5, math.ceil((math.log(from_fraction) - math.log(to_fraction)) / math.log(high_pa / low_pa) - 1e-9))


def purge_time(double from_fraction, double to_fraction, double pressure_pa, double volume_m3, double flow_mol_s,
               double temperature_k=300.0):
    """Return how long a flow must purge a well-mixed vessel, s."""
    if not math.inf > from_fraction > to_fraction > 0.0:
        raise ValueError("a purge needs from_fraction above to_fraction, both above 0")
    above("pressure_pa", pressure_pa)
    above("volume_m3", volume_m3)
    above("temperature_k", temperature_k)
    return ideal_time(pressure_pa, volume_m3, flow_mol_s, temperature_k) * (
        math.log(from_fraction) - math.log(to_fraction))


cdef double ideal_time(double pressure_pa, double volume_m3, double flow_mol_s, double temperature_k) except? -1.0:
    return pressure_pa * volume_m3 / (above("flow_mol_s", flow_mol_s) * GAS_CONSTANT * temperature_k)


def mean_speed(double temperature_k, double molar_mass_kg):
    """Return the mean speed of molecules, m/s."""
    return thermal_speed(above("temperature_k", temperature_k), above("molar_mass_kg", molar_mass_kg))


def orifice_conductance(double area_m2, double temperature_k, double molar_mass_kg):
    """Return the molecular conductance of a hole in a thin wall, m³/s."""
    return orifice(above("area_m2", area_m2), above("temperature_k", temperature_k),
                   above("molar_mass_kg", molar_mass_kg))


def tube_conductance(double diameter_m, double length_m, double mean_pressure_pa, double viscosity_pa_s,
                     double temperature_k, double molar_mass_kg):
    """Return the conductance of a round tube from molecular to viscous flow, m³/s."""
    found = knudsen_tube(
        above("diameter_m", diameter_m), above("length_m", length_m), nonnegative("mean_pressure_pa", mean_pressure_pa),
        above("viscosity_pa_s", viscosity_pa_s), above("temperature_k", temperature_k),
        above("molar_mass_kg", molar_mass_kg),
    )
    if not math.isfinite(found):
        raise ValueError("no conductance: diameter_m, length_m and pressure are beyond all numbers")
    return found


cdef class GasNetwork:
    """Volumes joined by lines, with feeds and pumps."""

    cdef Manifold m
    cdef dict index
    cdef tuple kinds
    cdef list lines

    def __init__(self, volumes_m3, gases, lines, temperature_k=300.0):
        cdef int i
        names, self.kinds, self.lines = list(volumes_m3), tuple(gases), [tuple(line[:2]) for line in lines]
        if not 1 <= len(names) <= VOLUMES or not 1 <= len(self.kinds) <= KINDS or len(lines) > LINES:
            raise ValueError(f"a network has 1 … {VOLUMES} volumes, 1 … {KINDS} gases and at most {LINES} lines")
        self.index = {name: i for i, name in enumerate(names)}
        self.m.volumes, self.m.kinds, self.m.lines = len(names), len(self.kinds), len(lines)
        for i, name in enumerate(names):
            self.m.volume[i] = above(f"volume of {name}", volumes_m3[name])
            self.m.temperature[i] = above("temperature_k", temperature_k[name] if hasattr(temperature_k, "keys")
                                          else temperature_k)
        for i, (one, other, molecular, viscous) in enumerate(lines):
            if one not in self.index or other not in self.index or one == other:
                raise ValueError(f"line {i} joins {one!r} and {other!r}; the volumes are {', '.join(names)}")
            self.m.one[i], self.m.other[i] = self.index[one], self.index[other]
            self.m.conductance[i] = nonnegative(f"line {i}", molecular)
            self.m.viscous[i] = nonnegative(f"line {i}", viscous)
            self.m.opening[i] = 1.0

    cdef int _volume(self, name) except -1:
        if name not in self.index:
            raise ValueError(f"no volume {name!r}; there are {', '.join(self.index)}")
        return self.index[name]

    def fill(self, volume, pressures_pa):
        """Put gases into a volume at these partial pressures."""
        cdef int v = self._volume(volume)
        for gas in pressures_pa:
            self._kind(gas)
        for i, gas in enumerate(self.kinds):
            partial = nonnegative(f"pressure of {gas}", pressures_pa.get(gas, 0.0))
            self.m.amount[v][<int>i] = partial * self.m.volume[v] / (GAS_CONSTANT * self.m.temperature[v])

    def feed(self, volume, gas, double flow_mol_s):
        """Let a gas flow into a volume from now on."""
        self.m.feed[self._volume(volume)][<int>self._kind(gas)] = nonnegative("flow_mol_s", flow_mol_s)

    def pump(self, volume, double speed_m3_s, double ultimate_pa=0.0):
        """Pump at a volume from now on."""
        cdef int v = self._volume(volume)
        self.m.speed[v] = nonnegative("speed_m3_s", speed_m3_s)
        self.m.ultimate[v] = nonnegative("ultimate_pa", ultimate_pa)

    def open(self, one, other, double opening):
        """Open the valve in a line, 0 … 1."""
        if not 0.0 <= opening <= 1.0:
            raise ValueError(f"opening must be 0 … 1, is {opening:g}")
        for i, pair in enumerate(self.lines):
            if set(pair) == {one, other}:
                self.m.opening[<int>i] = opening
                return
        raise ValueError(f"no line joins {one!r} and {other!r}")

    cdef object _kind(self, gas):
        if gas not in self.kinds:
            raise ValueError(f"no gas {gas!r} in this network; there are {', '.join(self.kinds)}")
        return self.kinds.index(gas)

    def step(self, double seconds, int parts=1):
        """Advance by some time; return the pressures, Pa."""
        cdef int _part, failed = 0
        cdef double dt = above("seconds", seconds) / parts if parts >= 1 else 0.0
        if not 1 <= parts <= 10_000_000:
            raise ValueError(f"parts must be 1 … 10 000 000, is {parts}")
        with nogil:
            for _part in range(parts):
                failed = manifold_step(&self.m, dt)
                if failed:
                    break
        if failed:
            raise ArithmeticError("the amounts of gas grew beyond every vessel: a feed without a way out?")
        return self.pressures

    def steady(self):
        """Advance until nothing changes; return the pressures, Pa."""
        cdef int _k
        cdef double dt = 1e-3
        before = self.pressures
        for _k in range(20000):
            now = self.step(dt)
            change = max(abs(now[name] - before[name]) / (now[name] + 1e-12) for name in now)
            if change < 1e-11 and dt > 100.0:
                return now
            dt = dt * 1.3 if change < 0.05 and dt < 1e4 else max(1e-6, dt * 0.5 if change > 0.3 else dt)
            before = now
        raise ArithmeticError("the network does not come to rest; does every fed volume have a way to a pump?")

    @property
    def pressures(self):
        """Pa by volume."""
        return {name: pressure_of(&self.m, <int>i) for name, i in self.index.items()}

    def amounts(self, volume):
        """Return the gas in a volume, mol by gas."""
        cdef int v = self._volume(volume)
        return {gas: self.m.amount[v][<int>i] for i, gas in enumerate(self.kinds)}

    def pumped(self, volume):
        """Return what the pump of a volume has taken so far, mol by gas."""
        cdef int v = self._volume(volume)
        return {gas: self.m.pumped[v][<int>i] for i, gas in enumerate(self.kinds)}
