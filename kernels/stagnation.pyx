"""One-dimensional axisymmetric flow onto a hot, growing surface across a finite gap. SI units.

A reactant and a carrier, both with properties that vary with temperature and composition, thermal (Soret) diffusion,
the net flow that the film takes out of the gas, and optionally a rotating surface. Finite volumes of second order on
a grid that is drawn together towards the surface; properties and flow are iterated, each equation is solved directly.
"""

from dataclasses import dataclass

import numpy as np

from libc.math cimport exp, expm1, fabs, isfinite, log, sqrt
from libc.stdlib cimport calloc, free

from kernels import growth
from kernels.gas cimport molecule_of
from kernels.physics.constants cimport GAS_CONSTANT, PI
from kernels.physics.molecule cimport (
    Molecule,
    Pair,
    conductivity,
    heat_capacity,
    mixed_conductivity,
    pair,
    thermal_diffusion_factor,
    translation,
    viscosity,
    wilke,
)

cdef enum:
    TABLE = 24  # temperatures at which the pure properties are worked out
    NODES = 1025
    SWEEPS = 600

cdef struct Gases:
    # Properties over ln T, cubic between four points
    Molecule one
    Molecule two
    double low, step
    double v1[TABLE]
    double v2[TABLE]
    double l1[TABLE]
    double l2[TABLE]
    double d[TABLE]
    double a[TABLE]
    double b[TABLE]
    double c[TABLE]
    double l12[TABLE]

cdef struct Flow:
    int last  # index of the surface's node; 0 is the inlet
    double pressure
    double feed  # mass flux that comes in, kg/(m2·s)
    double share  # mass fraction of the reactant in it
    double spin  # rad/s
    bint soret
    double eigenvalue  # −dp/dr / r, Pa/m2
    double taken  # mass flux out of the gas at the surface
    double z[NODES]
    double t[NODES]
    double y[NODES]
    double v[NODES]  # radial velocity over radius, 1/s
    double w[NODES]  # azimuthal velocity over radius, 1/s
    double f[NODES]  # mass flux towards the surface at the face behind a node
    double flux[NODES]  # diffusive mass flux of the reactant there
    double rho[NODES]
    double mu[NODES]
    double lam[NODES]
    double rd[NODES]
    double alpha[NODES]
    double cp[NODES]  # J/(kg·K)
    double gap_cp[NODES]  # reactant's less carrier's


cdef void tabulate(Gases* g, double low, double high) noexcept nogil:
    cdef int i
    cdef double t, span
    cdef Pair p
    low, high = (low, high) if low < high else (high, low)
    span = log(high / low)
    span = span if span > 0.02 else 0.02
    g.low, g.step = log(low), span / (TABLE - 3)
    g.low -= g.step
    for i in range(TABLE):
        t = exp(g.low + i * g.step)
        p = pair(&g.one, &g.two, t)
        g.v1[i], g.v2[i] = viscosity(&g.one, t), viscosity(&g.two, t)
        g.l1[i], g.l2[i] = conductivity(&g.one, t), conductivity(&g.two, t)
        g.d[i], g.a[i], g.b[i], g.c[i], g.l12[i] = p.diffusion, p.a, p.b, p.c, p.conductivity


cdef inline double between(const double* table, int i, const double* s) noexcept nogil:
    return s[0] * table[i] + s[1] * table[i + 1] + s[2] * table[i + 2] + s[3] * table[i + 3]


cdef inline double mean_mass(const Gases* g, double y) noexcept nogil:
    return 1.0 / (y / g.one.mass + (1.0 - y) / g.two.mass)


cdef void properties(Flow* f, const Gases* g) noexcept nogil:
    cdef int i, at
    cdef double t, x, m, r, v1, v2
    cdef double s[4]
    cdef Pair p
    for i in range(f.last + 1):
        r = (log(f.t[i]) - g.low) / g.step
        at = <int>r - 1
        at = 0 if at < 0 else (TABLE - 4 if at > TABLE - 4 else at)
        t = r - at
        s[0] = (t - 1.0) * (t - 2.0) * (t - 3.0) / -6.0
        s[1] = t * (t - 2.0) * (t - 3.0) / 2.0
        s[2] = t * (t - 1.0) * (t - 3.0) / -2.0
        s[3] = t * (t - 1.0) * (t - 2.0) / 6.0
        m = mean_mass(g, f.y[i])
        x = f.y[i] * m / g.one.mass
        v1, v2 = between(g.v1, at, s), between(g.v2, at, s)
        f.rho[i] = f.pressure * m / (GAS_CONSTANT * f.t[i])
        f.mu[i] = wilke(x, g.one.mass, g.two.mass, v1, v2)
        f.lam[i] = mixed_conductivity(x, between(g.l1, at, s), between(g.l2, at, s))
        f.rd[i] = f.rho[i] * between(g.d, at, s) / f.pressure
        f.alpha[i] = 0.0
        if f.soret:
            p.a, p.b, p.c, p.conductivity = (between(g.a, at, s), between(g.b, at, s), between(g.c, at, s),
                                             between(g.l12, at, s))
            f.alpha[i] = thermal_diffusion_factor(&p, g.one.mass, g.two.mass, translation(v1, g.one.mass),
                                                  translation(v2, g.two.mass), x)
        v1, v2 = heat_capacity(&g.one, f.t[i]) / g.one.mass, heat_capacity(&g.two, f.t[i]) / g.two.mass
        f.cp[i] = f.y[i] * v1 + (1.0 - f.y[i]) * v2
        f.gap_cp[i] = v1 - v2


cdef void tridiagonal(int low, int high, double* a, double* b, double* c, double* d) noexcept nogil:
    # a·x[i−1] + b·x[i] + c·x[i+1] = d, solved in place into d
    cdef int i
    cdef double q
    for i in range(low + 1, high + 1):
        q = a[i] / b[i - 1]
        b[i] -= q * c[i - 1]
        d[i] -= q * d[i - 1]
    d[high] /= b[high]
    for i in range(high - 1, low - 1, -1):
        d[i] = (d[i] - c[i] * d[i + 1]) / b[i]


cdef double sweep(Flow* f, const Gases* g, double rate, double slope, double taken) noexcept nogil:
    # One round over all equations. `rate` + slope·(y − y_surface) kg/(m2·s) of reactant goes into the surface,
    # `taken` times that out of the gas. Returns the largest relative change.
    cdef double a[NODES]
    cdef double b[NODES]
    cdef double c[NODES]
    cdef double d[NODES]
    cdef double e[NODES]
    cdef double bb[NODES]
    cdef double change = 0.0, h, hl, hr, width, left, right, ahead, behind, total, part, scale, y, soret, wall
    cdef int i, n = f.last
    # A turning surface couples swirl and inflow more tightly than full steps bear
    cdef double most = 0.25 if f.spin > 0.0 else 1.0
    properties(f, g)

    # Swirl
    if f.spin > 0.0:
        b[0], c[0], d[0], a[n], b[n], d[n] = 1.0, 0.0, 0.0, 0.0, 1.0, f.spin
        for i in range(1, n):
            hl, hr = f.z[i] - f.z[i - 1], f.z[i + 1] - f.z[i]
            left, right = 0.5 * (f.mu[i - 1] + f.mu[i]) / hl, 0.5 * (f.mu[i] + f.mu[i + 1]) / hr
            a[i] = -0.5 * f.f[i - 1] - left
            c[i] = 0.5 * f.f[i] - right
            b[i] = -a[i] - c[i] + (hl + hr) * f.rho[i] * f.v[i]
            d[i] = 0.0
        tridiagonal(0, n, a, b, c, d)
        for i in range(n + 1):
            f.w[i] += most * (d[i] - f.w[i])

    # Radial momentum: v = d + eigenvalue·e; continuity over the gap fixes the eigenvalue
    b[0], c[0], d[0], a[n], b[n], d[n] = 1.0, 0.0, 0.0, 0.0, 1.0, 0.0
    e[0] = e[n] = 0.0
    for i in range(1, n):
        hl, hr = f.z[i] - f.z[i - 1], f.z[i + 1] - f.z[i]
        width = 0.5 * (hl + hr)
        left, right = 0.5 * (f.mu[i - 1] + f.mu[i]) / hl, 0.5 * (f.mu[i] + f.mu[i + 1]) / hr
        a[i] = -0.5 * f.f[i - 1] - left
        c[i] = 0.5 * f.f[i] - right
        # Newton's form of v², as long as it keeps the matrix diagonally dominant
        b[i] = -a[i] - c[i] + 2.0 * width * f.rho[i] * f.v[i]
        d[i] = width * f.rho[i] * (f.v[i] * f.v[i] + f.w[i] * f.w[i])
        e[i] = -width
    for i in range(n + 1):
        bb[i] = b[i]
    tridiagonal(0, n, a, b, c, d)
    tridiagonal(0, n, a, bb, c, e)
    total = part = 0.0
    for i in range(1, n):
        width = (f.z[i + 1] - f.z[i - 1]) * f.rho[i]
        total += width * d[i]
        part += width * e[i]
    f.eigenvalue = (f.feed - f.taken - total) / part
    scale = 0.0
    for i in range(1, n):
        scale = max(scale, fabs(d[i] + f.eigenvalue * e[i]))
    f.f[0] = f.feed
    for i in range(1, n):
        y = f.v[i] + most * (d[i] + f.eigenvalue * e[i] - f.v[i])
        change = max(change, fabs(y - f.v[i]) / (scale + 1e-300))
        f.v[i] = y
        f.f[i] = f.f[i - 1] - f.rho[i] * (f.z[i + 1] - f.z[i - 1]) * y

    # Energy, with the heat that interdiffusion carries
    b[0], c[0], d[0], a[n], b[n], d[n] = 1.0, 0.0, f.t[0], 0.0, 1.0, f.t[n]
    for i in range(1, n):
        hl, hr = f.z[i] - f.z[i - 1], f.z[i + 1] - f.z[i]
        left, right = 0.5 * (f.lam[i - 1] + f.lam[i]) / hl, 0.5 * (f.lam[i] + f.lam[i + 1]) / hr
        behind = f.f[i - 1] * f.cp[i] + f.flux[i - 1] * f.gap_cp[i]
        ahead = f.f[i] * f.cp[i] + f.flux[i] * f.gap_cp[i]
        a[i] = -0.5 * behind - left
        c[i] = 0.5 * ahead - right
        b[i] = -a[i] - c[i]
        d[i] = 0.0
    tridiagonal(0, n, a, b, c, d)
    scale = fabs(f.t[n] - f.t[0]) + 1e-3 * f.t[0]
    for i in range(1, n):
        change = max(change, fabs(d[i] - f.t[i]) / scale)
        f.t[i] = d[i]

    # Reactant: fluxes at faces, j = −ρD·[dY/dz + α·Y·(1 − Y)·d ln T/dz]
    wall = f.y[n]
    for i in range(n + 1):
        a[i] = b[i] = c[i] = d[i] = 0.0
    for i in range(n):
        h = f.z[i + 1] - f.z[i]
        part = 0.5 * (f.rd[i] + f.rd[i + 1]) / h
        soret = part * 0.5 * (f.alpha[i] * (1.0 - f.y[i]) + f.alpha[i + 1] * (1.0 - f.y[i + 1])) * (
            log(f.t[i + 1] / f.t[i])
        )
        # N = left·Y[i] + right·Y[i+1]
        left = 0.5 * f.f[i] + part - 0.5 * soret
        right = 0.5 * f.f[i] - part - 0.5 * soret
        b[i] += left
        c[i] += right
        a[i + 1] -= left
        b[i + 1] -= right
    for i in range(1, n):
        b[i] += (f.z[i + 1] - f.z[i - 1]) * f.rho[i] * f.v[i]
    d[0] = f.feed * f.share
    b[n] += slope
    d[n] = slope * wall - rate
    tridiagonal(0, n, a, b, c, d)
    for i in range(n + 1):
        if i == n:
            # What the surface really takes of the gas, by the linearised rate; never more than comes in
            f.taken = taken * max(0.0, rate + slope * (d[n] - wall))
            f.taken = f.taken if f.taken < 0.95 * f.feed else 0.95 * f.feed
        y = 0.0 if d[i] < 0.0 else (1.0 if d[i] > 1.0 else d[i])
        change = max(change, fabs(y - f.y[i]) / f.share)
        f.y[i] = y
    for i in range(n):
        h = f.z[i + 1] - f.z[i]
        f.flux[i] = -0.5 * (f.rd[i] + f.rd[i + 1]) / h * (
            f.y[i + 1] - f.y[i]
            + 0.25 * (f.alpha[i] * (1.0 - f.y[i]) + f.alpha[i + 1] * (1.0 - f.y[i + 1])) * (f.y[i] + f.y[i + 1])
            * log(f.t[i + 1] / f.t[i])
        )
    return change


cdef bint outward(const Flow* f) noexcept nogil:
    # Whether gas leaves to the side everywhere
    cdef double most = 0.0, least = 0.0
    cdef int i
    for i in range(f.last + 1):
        most, least = max(most, f.v[i]), min(least, f.v[i])
    return least >= -1e-6 * most


cdef void draw(Flow* f, double gap, double crowd) noexcept nogil:
    # Grid: the spacing shrinks towards the surface by e^−crowd
    cdef int i
    cdef double s
    for i in range(f.last + 1):
        s = 1.0 - i / <double>f.last
        f.z[i] = gap * (1.0 - (expm1(crowd * s) / expm1(crowd) if crowd > 1e-6 else s))


@dataclass(frozen=True)
class StagnationGrowth:
    """What a surface in stagnation flow grows, and the gas above it."""

    growth_m_s: float
    rate_mol_m2_s: float
    surface_mole_fraction: float
    transport_limit_share: float
    numerical_error: float
    z_m: np.ndarray
    temperature_k: np.ndarray
    velocity_m_s: np.ndarray
    radial_rate_1_s: np.ndarray
    mole_fraction: np.ndarray


# Film of a reactant unless told: kg and m³ of film per mol of reactant that reacts
FILM_OF = {
    "SiH4": "poly-Si", "SiH2Cl2": "epi-Si", "SiHCl3": "epi-Si", "SiCl4": "epi-Si", "WF6": "W", "TMGa": "GaAs",
    "CH4": "diamond", "TEOS": "SiO2-TEOS", "TiCl4": "TiN", "TMAl": "Al2O3",
}


cdef double surface_share(const Gases* g, double y) noexcept nogil:
    return y * mean_mass(g, y) / g.one.mass


def _law(mechanism, sticking, temperature_k, pressure_pa, reactant, carrier, mass):
    """Return the rate, mol of reactant/(m²·s), as a function of the mole fraction at the surface."""
    if (mechanism is None) == (sticking is None):
        raise ValueError("give either mechanism (a film of kernels.growth or a function) or sticking, not both")
    if sticking is not None:
        value = float(sticking(temperature_k) if callable(sticking) else sticking)
        if not 0.0 <= value <= 1.0:
            raise ValueError(f"sticking must be 0 … 1, is {value:g}")
        flux = pressure_pa / sqrt(2.0 * PI * mass * GAS_CONSTANT * temperature_k)
        return lambda x: value * flux * x
    if callable(mechanism):
        return lambda x: float(mechanism(temperature_k, {reactant: x * pressure_pa, carrier: (1.0 - x) * pressure_pa}))
    per = growth.consumed(mechanism, reactant)

    def law(x):
        gases = {reactant: x * pressure_pa}
        gases[carrier] = gases.get(carrier, 0.0) + (1.0 - x) * pressure_pa
        return per * growth.molar_rate(mechanism, temperature_k, gases)

    return law


cdef int relax(Flow* f, const Gases* g, object law, double film_share) except -1:
    # Sweeps until nothing changes any more; the rate of the surface is linearised in between
    cdef double mole = g.one.mass, x, y, rate, slope, step, change = 1.0
    cdef int i
    for i in range(SWEEPS):
        y = f.y[f.last]
        if not isfinite(y):
            raise ArithmeticError("no steady flow found: the sweeps diverge")
        step = 1e-4 * (y if y > 1e-3 * f.share else 1e-3 * f.share)
        x = surface_share(g, y)
        rate = mole * law(x)
        slope = (mole * law(surface_share(g, y + step)) - rate) / step
        if not (isfinite(rate) and rate >= 0.0 and isfinite(slope)):
            raise ValueError(f"the rate at the surface must be finite and not negative, is {rate / mole:g} mol/(m²·s)")
        slope = slope if slope > 0.0 else 0.0
        with nogil:
            change = sweep(f, g, rate, slope, film_share)
        if not isfinite(change):
            raise ArithmeticError("no steady flow found: the gas cannot carry this heat or this reaction")
        if change < 1e-9 and i > 2:
            if outward(f):
                return i
            raise ArithmeticError("gas recirculates: the turning surface moves more gas than comes in, and what it "
                                  "draws in from aside is unknown; raise velocity_m_s or slow down")
    raise ArithmeticError(f"no steady flow found within {SWEEPS} sweeps (last change {change:.1e})")


def stagnation_growth(reactant="SiH4", carrier="He", double mole_fraction=1e-3, double surface_k=1000.0,
                      double inlet_k=300.0, double pressure_pa=101325.0, double velocity_m_s=0.1, double gap_m=0.1, *,
                      mechanism=None, sticking=None, soret=True, film=None, double rotation_rad_s=0.0,
                      stefan=True, int nodes=96):
    """Solve the flow onto a growing surface across a finite gap."""
    for name, value, low, high in [
        ("mole_fraction", mole_fraction, 1e-12, 0.999), ("surface_k", surface_k, 100.0, 3500.0),
        ("inlet_k", inlet_k, 100.0, 3500.0), ("pressure_pa", pressure_pa, 1e-1, 1e7),
        ("velocity_m_s", velocity_m_s, 1e-6, 1e3), ("gap_m", gap_m, 1e-4, 10.0),
    ]:
        if not low <= value <= high:
            raise ValueError(f"{name} must be {low:g} … {high:g}, is {value:g}")
    if not 0.0 <= rotation_rad_s <= 1e4:
        raise ValueError(f"rotation_rad_s must be 0 … 10000, is {rotation_rad_s:g}")
    if not 16 <= nodes <= (NODES - 1) // 2:
        raise ValueError(f"nodes must be 16 … {(NODES - 1) // 2}, is {nodes}")
    cdef Gases g
    g.one, g.two = molecule_of(reactant), molecule_of(carrier)
    grown = film or (mechanism if isinstance(mechanism, str) else None) or (
        FILM_OF.get(reactant) if isinstance(reactant, str) else None)
    if grown is None:
        raise ValueError("name the film that grows: its density turns moles into metres")
    cdef double per = growth.consumed(grown, reactant) if isinstance(reactant, str) else 1.0
    cdef double film_mass = growth.MOLAR_MASS[grown] / per, film_volume = growth.MOLAR_VOLUME[grown] / per
    law = _law(mechanism, sticking, surface_k, pressure_pa, reactant, carrier, g.one.mass)
    # A film takes no more out of the gas than the reactant brings along, the rest comes from elsewhere
    cdef double film_share = min(film_mass / g.one.mass, 1.0) if stefan else 0.0
    cdef Flow* f = <Flow*>calloc(1, sizeof(Flow))
    if f == NULL:
        raise MemoryError("no memory for a flow")
    cdef double coarse, fine, mean
    cdef int i
    try:
        tabulate(&g, inlet_k, surface_k)
        mean = mole_fraction * g.one.mass + (1.0 - mole_fraction) * g.two.mass
        f.pressure, f.soret, f.spin = pressure_pa, soret, rotation_rad_s
        f.share = mole_fraction * g.one.mass / mean
        f.feed = velocity_m_s * pressure_pa * mean / (GAS_CONSTANT * inlet_k)
        coarse = _solve(f, &g, law, film_share, nodes, gap_m, surface_k, inlet_k, True)
        fine = _solve(f, &g, law, film_share, 2 * nodes, gap_m, surface_k, inlet_k, False)
        z = np.array([f.z[i] for i in range(f.last + 1)])
        temperature = np.array([f.t[i] for i in range(f.last + 1)])
        radial = np.array([f.v[i] for i in range(f.last + 1)])
        fraction = np.array([surface_share(&g, f.y[i]) for i in range(f.last + 1)])
        flow = np.array([0.5 * ((f.f[i - 1] if i else f.feed) + (f.f[i] if i < f.last else f.taken)) / f.rho[i]
                         for i in range(f.last + 1)])
        rate = (4.0 * fine - coarse) / 3.0  # second order: what Richardson leaves is of fourth
        limit = 0.0
        if fine > 0.0:
            surface = float(fraction[f.last])
            limit = 1.0 - min(1.0, surface / mole_fraction)
        return StagnationGrowth(
            rate * film_volume, rate, float(fraction[f.last]), limit,
            abs(fine - coarse) / (3.0 * fine) if fine else 0.0, z, temperature, flow, radial, fraction,
        )
    finally:
        free(f)


cdef double _solve(Flow* f, const Gases* g, object law, double film_share, int nodes, double gap, double hot,
                   double cold, bint first) except? -1.0:
    # Moles of reactant that react, mol/(m2·s), on a grid of that many nodes
    cdef double crowd, width, place
    cdef int i
    width = viscosity(&g.two, cold) / (f.feed + 1e-300) / gap  # 1/Reynolds
    crowd = 0.5 * log(1.0 / width) if width < 1.0 else 0.0
    if f.spin > 0.0:
        crowd = max(crowd, log(gap / sqrt(viscosity(&g.two, cold) * GAS_CONSTANT * cold
                                          / (f.pressure * g.two.mass) / f.spin) + 1e-300))
    crowd = min(max(crowd, 0.0), 5.0)
    f.last = nodes
    draw(f, gap, crowd)
    for i in range(nodes + 1):
        place = f.z[i] / gap
        f.t[i] = cold + (hot - cold) * place * place * place
        f.y[i] = f.share
        f.v[i] = 3.0 * place * (1.0 - place) * f.feed * GAS_CONSTANT * f.t[i] / (
            f.pressure * mean_mass(g, f.share) * gap)
        f.f[i] = f.feed * (1.0 - place)
        f.w[i] = f.spin * place
        f.flux[i] = 0.0
    f.taken = 0.0
    f.t[0], f.t[nodes], f.v[0], f.v[nodes] = cold, hot, 0.0, 0.0
    relax(f, g, law, film_share)
    return law(surface_share(g, f.y[nodes]))
