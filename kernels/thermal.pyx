"""Heat: radiation, networks of bodies (furnace zones, lamps, susceptors, filaments), heating by a laser. SI units."""

import math

from libc.math cimport atan, exp, fabs, sqrt

from kernels.physics.constants cimport PI, STEFAN_BOLTZMANN
from kernels.physics.demands cimport above, nonnegative, share, within
from kernels.physics.network cimport BODIES, EDGES, Network, network_flow, network_step
from kernels.physics.radiation cimport radiated


def radiative_exchange(double effective_area_m2, double hot_k, double cold_k):
    """Return the heat from one grey body to another, W."""
    if not (0.0 <= hot_k <= 1e5 and 0.0 <= cold_k <= 1e5 and 0.0 <= effective_area_m2 < math.inf):
        raise ValueError("hot_k and cold_k must be 0 … 100 000, effective_area_m2 not negative; all finite")
    return radiated(effective_area_m2, hot_k, cold_k)


def radiative_time_constant(double heat_capacity_j_k, double effective_area_m2, double temperature_k):
    """Return the time constant of a body that follows its surroundings by radiation, s."""
    above("effective_area_m2", effective_area_m2)
    above("temperature_k", temperature_k, 1e6)
    within("temperature_k", temperature_k, 1e-3, 1e6)
    above("heat_capacity_j_k", heat_capacity_j_k)
    return heat_capacity_j_k / (4.0 * STEFAN_BOLTZMANN * effective_area_m2 * temperature_k ** 3)


def grey_exchange_area(double inner_m2, double inner_emissivity, double outer_m2, double outer_emissivity):
    """Return the effective area between a body and what encloses it, m²."""
    above("inner_m2", inner_m2)
    if not inner_m2 <= outer_m2 < math.inf:
        raise ValueError(f"outer_m2 must not be below inner_m2, is {outer_m2:g}")
    if not (0.0 < inner_emissivity <= 1.0 and 0.0 < outer_emissivity <= 1.0):
        raise ValueError("emissivities must be above 0 and at most 1")
    return inner_m2 / (1.0 / inner_emissivity + inner_m2 / outer_m2 * (1.0 / outer_emissivity - 1.0))


def laser_peak_rise(double power_w, double radius_m, double conductivity_w_m_k, double absorbed=1.0):
    """Return the peak temperature rise under a Gaussian spot, K."""
    return share("absorbed", absorbed) * nonnegative("power_w", power_w) / (
        2.0 * sqrt(PI) * above("conductivity_w_m_k", conductivity_w_m_k) * above("radius_m", radius_m))


def laser_transient_rise(double power_w, double radius_m, double conductivity_w_m_k, double diffusivity_m2_s,
                         double seconds, double absorbed=1.0):
    """Return the rise in the middle of a Gaussian spot some time after it was switched on, K."""
    above("diffusivity_m2_s", diffusivity_m2_s)
    if not 0.0 <= seconds:
        raise ValueError(f"seconds must not be negative, is {seconds:g}")
    rise = laser_peak_rise(power_w, radius_m, conductivity_w_m_k, absorbed)
    return rise * (2.0 / PI) * atan(2.0 * sqrt(diffusivity_m2_s * seconds) / radius_m)


def laser_scan_rise(double power_w, double radius_m, double conductivity_w_m_k, double diffusivity_m2_s,
                    double speed_m_s, double ahead_m=0.0, double aside_m=0.0, double absorbed=1.0):
    """Return the surface's rise under a Gaussian spot that moves steadily, K."""
    above("diffusivity_m2_s", diffusivity_m2_s)
    if not (0.0 <= speed_m_s <= 1e4 and math.isfinite(ahead_m) and math.isfinite(aside_m)):
        raise ValueError("speed_m_s must be 0 … 10 000, ahead_m and aside_m finite")
    cdef double rise = laser_peak_rise(power_w, radius_m, conductivity_w_m_k, absorbed)
    cdef double v = speed_m_s * radius_m / diffusivity_m2_s, x = ahead_m / radius_m, y = aside_m / radius_m
    if not (abs(x) < 1e100 and abs(y) < 1e100 and v < 1e100):
        raise ValueError("radius_m is too small beside the distances, or diffusivity_m2_s beside the speed")
    cdef double node[5]
    cdef double weight[5]
    cdef int i, k, n = 400
    cdef double total = 0.0, a, width, u
    # ∫ 2/√π·exp(−((x + v·u²/4)² + y²)/(1 + u²))/(1 + u²) du over u = 2√(Dt)/w from 0 to ∞, with u = a/(1 − a)
    node[0], node[1], node[2], node[3], node[4] = (
        -0.9061798459386640, -0.5384693101056831, 0.0, 0.5384693101056831, 0.9061798459386640)
    weight[0], weight[1], weight[2], weight[3], weight[4] = (
        0.2369268850561891, 0.4786286704993665, 0.5688888888888889, 0.4786286704993665, 0.2369268850561891)
    width = 0.5 / n
    for i in range(n):
        for k in range(5):
            a = width * (2 * i + 1 + node[k])
            u = a / (1.0 - a)
            total += width * weight[k] / ((1.0 - a) * (1.0 - a)) * exp(
                -((x + 0.25 * v * u * u) ** 2 + y * y) / (1.0 + u * u)) / (1.0 + u * u)
    return rise * (2.0 / PI) * total


cdef class ThermalNetwork:
    """Bodies that exchange heat by conduction and radiation."""

    cdef Network network
    cdef dict index

    def __init__(self, capacities_j_k, temperature_k, edges):
        cdef int i
        names = list(capacities_j_k)
        if not 1 <= len(names) <= BODIES or len(edges) > EDGES:
            raise ValueError(f"a network has 1 … {BODIES} bodies and at most {EDGES} edges")
        self.index = {name: i for i, name in enumerate(names)}
        self.network.bodies, self.network.edges = len(names), len(edges)
        for i, name in enumerate(names):
            if not capacities_j_k[name] > 0.0:
                raise ValueError(f"heat capacity of {name} must be above 0 (infinite: its temperature is held)")
            start = temperature_k[name] if hasattr(temperature_k, "keys") else temperature_k
            if not 0.0 < start < 1e5:
                raise ValueError(f"temperature of {name} must be above 0 K and below 100 000 K, is {start:g}")
            self.network.capacity[i], self.network.temperature[i] = capacities_j_k[name], start
            self.network.power[i] = 0.0
        for i, (one, other, conductance, area) in enumerate(edges):
            if one not in self.index or other not in self.index or one == other:
                raise ValueError(f"edge {i} joins {one!r} and {other!r}; the bodies are {', '.join(names)}")
            if not (0.0 <= conductance < math.inf and 0.0 <= area < math.inf):
                raise ValueError(f"edge {i}: conductance and radiating area must be finite and not negative")
            self.network.one[i], self.network.other[i] = self.index[one], self.index[other]
            self.network.conductance[i], self.network.radiating[i] = conductance, area

    def step(self, double seconds, powers_w=None, int parts=1):
        """Advance by some time with these powers; return the temperatures."""
        cdef int i, _part, failed = 0
        cdef double dt
        if not (0.0 < seconds < math.inf and 1 <= parts <= 10_000_000):
            raise ValueError("seconds must be above 0, parts at least 1")
        for name, power in (powers_w or {}).items():
            if name not in self.index or not math.isfinite(power):
                raise ValueError(f"powers_w[{name!r}]: no such body, or no finite power ({power:g})")
        for i in range(self.network.bodies):
            self.network.power[i] = 0.0
        for name, power in (powers_w or {}).items():
            self.network.power[<int>self.index[name]] = power
        dt = seconds / parts
        with nogil:
            for _part in range(parts):
                failed = network_step(&self.network, dt)
                if failed:
                    break
        if failed:
            raise ArithmeticError("the network left 0 … 100 000 K: more is taken out of a body, or put in, than can be")
        return self.temperatures

    def steady(self, powers_w=None):
        """Advance until nothing changes; return the temperatures."""
        cdef Network kept
        cdef int i
        cdef double dt = 1e-3, moved
        self.step(1e-9, powers_w)
        for _ in range(5000):
            kept = self.network
            moved = 1.0
            if not network_step(&self.network, dt):
                moved = 0.0
                for i in range(self.network.bodies):
                    moved = max(moved, fabs(self.network.temperature[i] / kept.temperature[i] - 1.0))
            if moved > 0.2:
                # The linearisation does not carry that far: back, and shorter
                self.network, dt = kept, 0.25 * dt
                continue
            if moved < 1e-12 and dt > 1e6:
                return self.temperatures
            dt = dt * 1.5 if moved < 0.1 and dt < 1e12 else dt
        raise ArithmeticError("the network does not come to rest; does every heated body have a way to lose heat?")

    @property
    def temperatures(self):
        """K by body."""
        return {name: self.network.temperature[<int>i] for name, i in self.index.items()}

    def flows(self):
        """Return the net heat into each body at present, W."""
        cdef double flow[BODIES]
        network_flow(&self.network, self.network.temperature, flow)
        return {name: flow[<int>i] for name, i in self.index.items()}

    @property
    def energy_j(self):
        """Heat held by the bodies with a finite capacity, over 0 K."""
        return sum(self.network.capacity[i] * self.network.temperature[i] for i in range(self.network.bodies)
                   if self.network.capacity[i] < 1e300)


def multi_zone_furnace(int zones=3, double element_capacity_j_k=7000.0, double tube_capacity_j_k=2400.0,
                       double load_capacity_j_k=1600.0, double element_tube_m2=0.16, double tube_load_m2=0.12,
                       double coupling=0.2, double loss_w_k=3.6, double room_k=298.15, double start_k=298.15):
    """Return the network of a resistance furnace: element, tube and load of each zone, and the room."""
    if not 1 <= zones <= 7:
        raise ValueError(f"zones must be 1 … 7, is {zones}")
    if not 0.0 <= coupling <= 1.0:
        raise ValueError(f"coupling must be 0 … 1, is {coupling:g}")
    capacities, edges = {"room": math.inf}, []
    for z in range(1, zones + 1):
        capacities |= {f"element{z}": element_capacity_j_k, f"tube{z}": tube_capacity_j_k,
                       f"load{z}": load_capacity_j_k}
        edges += [(f"element{z}", f"tube{z}", 0.0, element_tube_m2), (f"tube{z}", f"load{z}", 0.0, tube_load_m2),
                  (f"element{z}", "room", loss_w_k, 0.0)]
        if z > 1:
            edges += [(f"tube{z - 1}", f"tube{z}", 0.0, coupling * element_tube_m2),
                      (f"load{z - 1}", f"load{z}", 0.0, coupling * tube_load_m2)]
    temperatures = dict.fromkeys(capacities, start_k) | {"room": room_k}
    return ThermalNetwork(capacities, temperatures, edges)


def lamp_heated_wafer(double filament_j_k=15.0, double quartz_j_k=900.0, double wafer_j_k=70.0,
                      double filament_wafer_m2=0.002, double filament_quartz_m2=0.0004, double wafer_wall_m2=0.05,
                      double wall_k=320.0, double quartz_w_k=15.0, double start_k=320.0):
    """Return the network of a wafer under lamps: filaments, quartz window, wafer, cooled wall."""
    return ThermalNetwork(
        {"filament": filament_j_k, "quartz": quartz_j_k, "wafer": wafer_j_k, "wall": math.inf},
        {"filament": start_k, "quartz": start_k, "wafer": start_k, "wall": wall_k},
        [("filament", "wafer", 0.0, filament_wafer_m2), ("filament", "quartz", 0.0, filament_quartz_m2),
         ("quartz", "wall", quartz_w_k, 0.0), ("wafer", "wall", 0.0, wafer_wall_m2),
         ("wafer", "quartz", 0.0, 0.1 * wafer_wall_m2)],
    )


def heated_susceptor(double heater_j_k=300.0, double susceptor_j_k=2500.0, double wafer_j_k=70.0,
                     double heater_susceptor_m2=0.03, double susceptor_wall_m2=0.03, double wafer_wall_m2=0.025,
                     double contact_w_k=20.0, double gas_w_k=0.5, double wall_k=300.0, double start_k=300.0):
    """Return the network of a wafer on a susceptor, resistively or inductively heated, in a cold-walled chamber."""
    return ThermalNetwork(
        {"heater": heater_j_k, "susceptor": susceptor_j_k, "wafer": wafer_j_k, "wall": math.inf},
        {"heater": start_k, "susceptor": start_k, "wafer": start_k, "wall": wall_k},
        [("heater", "susceptor", 0.0, heater_susceptor_m2), ("susceptor", "wafer", contact_w_k, 0.01),
         ("susceptor", "wall", gas_w_k, susceptor_wall_m2), ("wafer", "wall", gas_w_k, wafer_wall_m2)],
    )
