"""Low-pressure discharges, volume-averaged; electron temperatures in eV. Every function runs without the GIL.

Argon and oxygen: M. A. Lieberman and A. J. Lichtenberg, Principles of Plasma Discharges and Materials Processing, 2nd
ed. (2005), tables 3.3 and 8.2 (argon's three coefficients agree with independent public codes; oxygen's are from
memory). The other gases: Maxwellian averages of cross-sections, fitted to A·T^B·exp(−C/T) over 1 … 10 eV within 6 %;
points and sources stand in docs/reference/physics-plasma.md and a test averages them again. Edge densities,
capacitive sheaths and their heating: ibid., eq. 10.2 and section 11.2.
"""

from libc.math cimport exp, fabs, log, pow, sqrt

from kernels.physics.constants cimport BOLTZMANN, GAS_CONSTANT, PI

cdef extern from *:
    """
    #define CVD_CHARGE 1.602176634e-19          /* C, exact */
    #define CVD_ELECTRON_MASS 9.1093837015e-31  /* kg, CODATA 2018 */
    #define CVD_VACUUM_PERMITTIVITY 8.8541878128e-12  /* F/m, CODATA 2018 */
    typedef struct {
        double mass;          /* kg */
        double ionise[4];     /* A m3/s, B, C eV, threshold eV */
        double attach[3];     /* A m3/s, B, C eV */
        double dissociate[4]; /* A m3/s, B, C eV, energy eV */
        double excite[4];     /* A m3/s, B, C eV, energy eV: what else electrons lose */
        double elastic[4];    /* A m3/s, B, and the factors of ln2 and ln3 */
    } cvd_collider;
    static const cvd_collider cvd_colliders[] = {
        /* Ar */ {6.6335e-26, {2.34e-14, 0.59, 17.44, 15.76}, {0.0, 0.0, 0.0}, {0.0, 0.0, 0.0, 0.0},
                  {2.48e-14, 0.33, 12.78, 12.14}, {2.336e-14, 1.609, 0.0618, -0.1171}},
        /* O2 */ {5.3135e-26, {2.34e-15, 1.03, 12.29, 12.06}, {1.07e-16, -1.391, 6.26}, {6.86e-15, 0.0, 6.29, 6.0},
                  {0.0, 0.0, 0.0, 0.0}, {4.7e-14, 0.5, 0.0, 0.0}},
        /* N2 */ {4.6517e-26, {5.374e-15, 0.916, 15.428, 15.58}, {0.0, 0.0, 0.0}, {5.170e-15, 0.767, 10.588, 9.75},
                  {1.0e-14, 0.0, 7.5, 7.0}, {5.0e-14, 0.5, 0.0, 0.0}},
        /* H2 */ {3.3474e-27, {7.704e-15, 0.572, 15.562, 15.43}, {0.0, 0.0, 0.0}, {2.848e-14, -0.137, 9.818, 8.8},
                  {5.0e-15, 0.0, 1.0, 0.52}, {6.0e-14, 0.5, 0.0, 0.0}},
        /* NH3 */ {2.8280e-26, {6.546e-15, 0.943, 9.838, 10.07}, {1.0e-16, -1.0, 5.5}, {1.563e-14, 0.640, 6.573, 5.6},
                   {1.0e-14, 0.0, 1.0, 0.4}, {6.0e-14, 0.5, 0.0, 0.0}},
        /* SiH4 */ {5.3331e-26, {3.219e-14, 0.654, 12.195, 11.9}, {1.0e-16, -1.0, 7.0}, {1.053e-13, 0.521, 9.116, 8.4},
                    {3.0e-14, 0.0, 1.0, 0.2}, {8.0e-14, 0.5, 0.0, 0.0}},
        /* NF3 */ {1.1790e-25, {2.909e-15, 1.102, 12.840, 13.0}, {6.424e-15, -0.6798, 0.0724}, {1.2e-14, 0.0, 5.0, 4.0},
                   {1.0e-14, 0.0, 1.0, 0.1}, {1.912e-13, 0.4511, 0.0, 0.0}},
    };
    """
    const double CHARGE "CVD_CHARGE"
    const double ELECTRON_MASS "CVD_ELECTRON_MASS"
    const double VACUUM_PERMITTIVITY "CVD_VACUUM_PERMITTIVITY"
    ctypedef struct Collider "cvd_collider":
        double mass
        double ionise[4]
        double attach[3]
        double dissociate[4]
        double excite[4]
        double elastic[4]
    const Collider* COLLIDERS "cvd_colliders"

cdef enum:
    # Order of COLLIDERS
    ARGON, OXYGEN, NITROGEN, DIHYDROGEN, AMMONIA, SILANE, NITROGEN_FLUORIDE
    COLLIDER_COUNT

cdef struct Rates:
    # m3/s, weighted with the shares of the gases
    double ionise
    double attach
    double momentum
    double cost  # eV lost in collisions for each electron, × m3/s

cdef struct Discharge:
    double electrons  # 1/m3, mean
    double temperature  # eV; below 0: no discharge is sustained
    double ions  # 1/(m2·s), mean on the walls
    double mass  # kg, mean of the gas

cdef struct Capacitive:
    double sheath_v  # amplitude at the powered electrode; below 0: no discharge is sustained
    double ground_v  # amplitude at the grounded one
    double sheath_m  # thickness at the powered electrode
    double current_a  # amplitude
    double resistance
    double reactance
    double bulk_ohm
    double bias_v
    double edge_m3
    double temperature

cdef struct Microwave:
    double gas_k  # below 0: outside of 300 … 6000 K
    double hydrogen  # mole fraction of H


cdef inline double coefficient(const double* k, double t) noexcept nogil:
    return k[0] * pow(t, k[1]) * exp(-k[2] / t) if k[0] > 0.0 else 0.0


cdef inline double elastic(const double* k, double t) noexcept nogil:
    cdef double l = log(t)
    return k[0] * pow(t, k[1]) * exp(k[2] * l * l + k[3] * l * l * l)


cdef inline double dissociation(int gas, double t) noexcept nogil:
    return coefficient(COLLIDERS[gas].dissociate, t)


cdef inline Rates rates(const double* shares, double t) noexcept nogil:
    cdef Rates r
    cdef double iz, at, el
    cdef int i
    r.ionise = r.attach = r.momentum = r.cost = 0.0
    for i in range(COLLIDER_COUNT):
        if shares[i] <= 0.0:
            continue
        iz, at = coefficient(COLLIDERS[i].ionise, t), coefficient(COLLIDERS[i].attach, t)
        el = elastic(COLLIDERS[i].elastic, t)
        r.ionise += shares[i] * iz
        r.attach += shares[i] * at
        r.momentum += shares[i] * el
        r.cost += shares[i] * (
            COLLIDERS[i].ionise[3] * iz + COLLIDERS[i].dissociate[3] * coefficient(COLLIDERS[i].dissociate, t)
            + COLLIDERS[i].excite[3] * coefficient(COLLIDERS[i].excite, t)
            + 3.0 * ELECTRON_MASS / COLLIDERS[i].mass * t * el)
    return r


cdef inline double mean_mass(const double* shares) noexcept nogil:
    cdef double mass = 0.0
    cdef int i
    for i in range(COLLIDER_COUNT):
        mass += shares[i] * COLLIDERS[i].mass
    return mass


cdef inline double bohm_speed(double t, double mass) noexcept nogil:
    return sqrt(CHARGE * t / mass)


cdef inline double axial_edge(double length, double free_path) noexcept nogil:
    # Edge over centre density at an end of the cylinder
    return 0.86 / sqrt(3.0 + 0.5 * length / free_path)


cdef inline double effective_area(double radius, double length, double free_path) noexcept nogil:
    # Wall area times edge over centre density
    return 2.0 * PI * radius * (radius * axial_edge(length, free_path)
                                + length * 0.80 / sqrt(4.0 + radius / free_path))


cdef inline double electron_temperature(const double* shares, double density, double mass, double volume,
                                        double area) noexcept nogil:
    # Where (K_iz − K_att)·n_g·V = u_B·A_eff, by halving ln T; −1 when that is not between 0.3 and 100 eV
    cdef double low = log(0.3), high = log(100.0), middle, t, gain
    cdef Rates r
    cdef int k
    for k in range(-2, 60):
        middle = low if k == -2 else (high if k == -1 else 0.5 * (low + high))
        t = exp(middle)
        r = rates(shares, t)
        gain = (r.ionise - r.attach) * density * volume - bohm_speed(t, mass) * area
        if (k == -2 and gain > 0.0) or (k == -1 and gain < 0.0):
            return -1.0
        if k >= 0:
            if gain > 0.0:
                high = middle
            else:
                low = middle
    return exp(0.5 * (low + high))


cdef inline double floating_potential(double t, double mass) noexcept nogil:
    return t * log(sqrt(mass / (2.0 * PI * ELECTRON_MASS)))


cdef inline Discharge discharge(const double* shares, double power, double density, double radius, double length,
                                double ion_cross_section) noexcept nogil:
    # Particle and power balance of a cylinder; shares add up to 1
    cdef Discharge d
    cdef double volume = PI * radius * radius * length, walls = 2.0 * PI * radius * (radius + length)
    cdef double area = effective_area(radius, length, 1.0 / (density * ion_cross_section)), speed
    cdef Rates r
    d.mass = mean_mass(shares)
    d.electrons = d.ions = 0.0
    d.temperature = electron_temperature(shares, density, d.mass, volume, area)
    if d.temperature < 0.0:
        return d
    r = rates(shares, d.temperature)
    speed = bohm_speed(d.temperature, d.mass)
    # Each electron costs r.cost·n_g in the volume, and what it and its ion carry to the walls
    d.electrons = power / (CHARGE * (r.cost * density * volume + speed * area * (
        2.5 * d.temperature + floating_potential(d.temperature, d.mass))))
    d.ions = d.electrons * speed * area / walls
    return d


cdef inline double wall_life(double diffusivity, double length, double volume, double area, double speed,
                             double loss) noexcept nogil:
    # Λ²/D + 2V(2 − β)/(A·v̄·β)
    return length * length / diffusivity + 2.0 * volume * (2.0 - loss) / (area * speed * loss)


cdef inline double decay(double distance, double speed, double life) noexcept nogil:
    return exp(-distance / (speed * life))


cdef inline Capacitive driven(Capacitive c, double volts, double ratio, double area, double gap, double turn,
                              double mass, double losses, double edge, double collisions,
                              double free_path) noexcept nogil:
    # The discharge whose powered sheath has this amplitude; its power is ½·I²·R
    cdef double speed = bohm_speed(c.temperature, mass), mean = 0.83 * volts, ground = c.ground_v / c.sheath_v * volts
    # Child's law, J = e·n·u_B: s² = 0.82·ε0·√(2e/M)·V̄^1.5/J; where ions collide, s^2.5 = 1.68·…·√λ: both in one
    cdef double child = 0.82 * VACUUM_PERMITTIVITY * sqrt(2.0 * CHARGE / mass) * mean * sqrt(mean) / (CHARGE * speed)
    cdef double swing = turn * 2.452 * VACUUM_PERMITTIVITY * volts  # J1·s
    # Resistance × density × area: of the bulk, which is denser than its edge, and of what swings through the sheaths,
    # half of the time at about half of that density
    cdef double drag = ELECTRON_MASS * collisions / (CHARGE * CHARGE), bulk = drag * gap * edge, sheaths = drag * (
        1.0 + ground / volts)
    cdef double still = 0.45 * sqrt(ELECTRON_MASS / CHARGE) * VACUUM_PERMITTIVITY * turn * turn * (
        sqrt(c.temperature) * (volts + ratio * ground))
    cdef double ohmic = 0.5 * swing * swing, each = CHARGE * speed * losses * (1.0 + ratio), power
    cdef double s = 0.1 * gap, n = 1.0
    cdef int _k
    for _k in range(40):
        # Stochastic heat and ohmic heat, as 1/(s²·n), pay for n·each
        n = (still + sqrt(still * still + 4.0 * each * ohmic * (bulk + sheaths * s) / (s * s))) / (2.0 * each)
        s = sqrt(child / (n * sqrt(1.0 + 0.238 * s / free_path)))
    c.sheath_v, c.ground_v = volts, ground
    c.edge_m3, c.sheath_m = n, s
    c.current_a = area * swing / s
    c.bulk_ohm = bulk / (n * area)
    power = area * (n * each + CHARGE * n * speed * 0.83 * (volts + ratio * ground))
    c.resistance = 2.0 * power / (c.current_a * c.current_a)
    c.reactance = -(volts + ground) / c.current_a
    c.bias_v = 0.83 * (volts - ground)
    return c


cdef inline Capacitive capacitive(const double* shares, double power, double density, double area, double gap,
                                  double frequency, double ratio, double exponent,
                                  double ion_cross_section) noexcept nogil:
    # Two sheaths and the bulk between them; power is absorbed
    cdef Capacitive c
    cdef double radius = sqrt(area / PI), free_path = 1.0 / (density * ion_cross_section)
    cdef double mass = mean_mass(shares), low = -7.0, high = 14.0, middle, losses, edge, speed
    cdef double wide = effective_area(radius, gap, free_path)
    cdef Rates r
    cdef int _k
    edge = axial_edge(gap, free_path)
    c.temperature = electron_temperature(shares, density, mass, area * gap, wide)
    c.sheath_v, c.ground_v = 1.0, pow(ratio, -exponent)
    if c.temperature < 0.0:
        c.sheath_v = -1.0
        return c
    r = rates(shares, c.temperature)
    speed = bohm_speed(c.temperature, mass)
    losses = r.cost * density * area * gap / (speed * wide) + 2.0 * c.temperature
    for _k in range(60):
        middle = 0.5 * (low + high)
        c = driven(c, exp(middle), ratio, area, gap, 2.0 * PI * frequency, mass, losses, edge, r.momentum * density,
                   free_path)
        if 0.5 * c.current_a * c.current_a * c.resistance < power:
            low = middle
        else:
            high = middle
    return c


cdef inline double hydrogen_split(double t, double pressure) noexcept nogil:
    # Mole fraction of H in equilibrium with H2; van 't Hoff about 3000 K: K = 0.0246 bar [K], 2·230 kJ/mol
    cdef double k = 0.0246e5 * exp(-460e3 / GAS_CONSTANT * (1.0 / t - 1.0 / 3000.0)) / pressure
    return 2.0 * k / (k + sqrt(k * k + 4.0 * k))


cdef inline double hydrogen_diffusion(double t, double pressure) noexcept nogil:
    # H in H2, m2/s: 1.5e-4 at 298 K and 1 atm, T^1.75 [K]
    return 1.5e-4 * pow(t / 298.15, 1.75) * 101325.0 / pressure


cdef inline double microwave_atoms(double t, double density, double pressure, double length,
                                   double share) noexcept nogil:
    # Thermal equilibrium, and what electrons split that diffuses away
    cdef double x = hydrogen_split(t, pressure) + 2.0 * share * density * length * length / (
        436e3 * hydrogen_diffusion(t, pressure) * pressure / (GAS_CONSTANT * t))
    return x if x < 1.0 else 1.0


cdef inline Microwave microwave(double density, double pressure, double length, double wall_k,
                                double share) noexcept nogil:
    # Power density = [λ·(T − T_w) + D·n·x_H·218 kJ/mol]/Λ², λ of H2 between the two temperatures
    cdef Microwave m
    cdef double low = wall_k, high = 6000.0, t, x, lost
    cdef int k
    m.gas_k, m.hydrogen = -1.0, 0.0
    for k in range(-1, 60):
        t = high if k < 0 else 0.5 * (low + high)
        x = microwave_atoms(t, density, pressure, length, share)
        # ∫λ dT with λ = 0.182·(T/300)^0.8 W/(m·K) [K]
        lost = 0.182 * 300.0 / 1.8 * (pow(t / 300.0, 1.8) - pow(wall_k / 300.0, 1.8))
        lost += hydrogen_diffusion(t, pressure) * pressure / (GAS_CONSTANT * t) * x * 218e3
        if k < 0 and lost < density * length * length:
            return m
        if k >= 0:
            if lost < density * length * length:
                low = t
            else:
                high = t
    m.gas_k = 0.5 * (low + high)
    m.hydrogen = microwave_atoms(m.gas_k, density, pressure, length, share)
    return m
