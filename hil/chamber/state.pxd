"""Everything that the simulated chamber is at one moment. SI units, kelvin; tags are indices, below 0: not there."""

from hil.parts.bottle cimport Bottle
from hil.parts.instruments cimport Rack
from hil.parts.lines cimport Feed, Panel
from hil.parts.load_lock cimport LoadLock
from hil.parts.orders cimport ORDER_OWN, Orders
from hil.parts.pumps cimport Pumps
from kernels.physics.films cimport GASES
from kernels.similarity cimport SherwoodCurve

cdef enum:
    LINES = 12  # gas lines
    SPECIES = 24
    ZONES = 3
    RINGS = 3  # radii at which the film is kept
    FILMS = 4
    NEEDS = 4  # gases without which a film does not grow
    TABLE = 64  # entries of a film's table over temperature
    SITUATIONS = 48
    HISTORY = 31  # readings of reflectometer and crystal for their rates

cdef enum:  # what a line carries beside or instead of its own gas
    GAS = 0
    BUBBLER = 1  # its flow is a carrier, which takes vapour along
    BOAT = 2  # its gas becomes another one over a hot source
    MIST = 3  # its flow is a carrier, which takes droplets along
    GENERATOR = 4  # its gas is made out of its flow, two molecules out of three (ozone)

# Contacts and supplies, as they stand; hil.chamber.script names them. Detectors of the lines follow at DETECTORS.
cdef enum:
    OVERTEMPERATURE_OK = 0
    DOOR_CLOSED = 1
    WAFER_IN = 2
    EXHAUST_OK = 3
    ABATEMENT_OK = 4
    WATER = 5  # L/min
    N2_SUPPLY = 6  # kPa
    AIR_SUPPLY = 7  # kPa
    CABINET_OK = 8
    DETECTOR_OK = 9
    EMO_OK = 10
    MAINS_OK = 11
    PUMP_OK = 12
    BOOSTER_OK = 13
    SOURCE_OK = 14  # generator, laser, lamp or burner without a fault
    BIAS_OK = 15
    ARCING = 16
    DARK = 17  # the source does not light
    SHIELD_CLOSED = 18  # of the beam, the lamp, the microwaves
    ROTATION_OK = 19
    BYPASS_OK = 20  # seal of a load lock's slit valve
    ROBOT_OK = 21
    LINE_LEAK = 22  # sccm that leave each line from a bottle
    LOCK_PUMP_OK = 23
    DETECTORS = 24

# What an order of the fault script changes beside what every plant has; `index` and `value` are said beside each.
cdef enum:
    ORDER_FEED = ORDER_OWN  # line, sccm that it is stuck at; NaN: not stuck
    ORDER_LEAK = ORDER_OWN + 1  # -, sccm of air at atmospheric pressure outside
    ORDER_THROTTLE = ORDER_OWN + 2  # -, opening 0…1 that it is stuck at, below 0: where it is; NaN: not stuck
    ORDER_MATCH = ORDER_OWN + 3  # -, position 0…1 that both drives are stuck at; NaN: not stuck
    ORDER_LOAD = ORDER_OWN + 4  # -: new wafers
    ORDER_ELEMENT = ORDER_OWN + 5  # zone, share of its power that it still makes
    ORDER_BATH = ORDER_OWN + 6  # line, K that its bath is off
    ORDER_LEVEL = ORDER_OWN + 7  # line, mol that are left of its source
    ORDER_FILAMENT = ORDER_OWN + 8  # -, resistance over that of a new wire; infinite: broken

cdef enum:  # sources of energy
    NO_SOURCE = 0
    CAPACITIVE = 1
    INDUCTIVE = 2
    REMOTE = 3
    MICROWAVE = 4
    HOT_WIRE = 5
    LASER = 6
    LAMP = 7
    BURNER = 8

cdef struct Line:
    Feed feed
    int setpoint, valve, bath_setpoint
    int kind, made, carrier  # species that it makes, and that carries it
    bint vents  # its flow goes to the vent while its valve is shut
    bint purge  # inert gas, of the purge supply
    bint bottled  # comes from a bottle that can be changed
    Bottle bottle
    int bypass  # tag: the carrier goes past the bubbler
    double run  # share that goes into the chamber
    double antoine_a, antoine_b  # log10 p(Torr) = a − b/T
    double bath, bath_error, bath_lag, bubbler_pressure  # K, K, s, Pa
    double level, filled  # mol of the source
    double mist  # mol of the dissolved precursor that a mol of carrier takes along
    double diameter, residence, evaporation  # m, s, m²/s at 300 K
    double precursor  # mol/s that leave the source
    double vented  # mol since the start

cdef struct Zone:
    int power
    double capacity, full_power, loss, radiation, lag, drive_lag  # J/K, W, W/K, m², s, s
    double element  # share of its power
    double temperature, control, guard, drive  # K, K, K, W

cdef struct Heat:
    int zones, wafer_zone, source_zone
    Zone zone[ZONES]
    double coupling, wall, gas_share, wafer_drop  # W/K between neighbours, K, share, share of (T − wall)
    double snap  # K at which the independent controller opens
    double energy_share  # share of the source's power that heats the susceptor
    double wafer, gas  # K
    double delivered, lost  # J since the start
    int rotation  # tag of its set point
    double spin, spin_lag  # rad/s, s
    double rpm
    double pyrometer

cdef struct GasPart:
    Panel panel
    int lines, kinds, nitrogen, air
    Line line[LINES]
    double volume, trickle, outgassing
    bint to_atmosphere  # an exhaust with a check valve instead of pumps
    double exhaust_pressure
    double manometer_lag, wide_gain, manometer_full
    Pumps pumps
    double trickle_valve
    double amount[SPECIES]
    double partial[SPECIES]  # Pa
    double mass[SPECIES]  # kg/mol
    int law[SPECIES]  # in kernels.physics.films, below 0: none
    int collider[SPECIES]  # in kernels.physics.discharge
    double pressure, leak
    double manometer, wide
    double consumed[SPECIES]  # mol/s, negative where set free
    double fed[SPECIES]
    double pumped[SPECIES]
    double reacted[SPECIES]  # mol since the start

cdef struct Energy:
    int kind
    int enable, power, duty, automatic, load_preset, tune_preset, tuner  # tags
    int bias_enable, bias_power, scan_speed, ignition
    # parameters
    double radius, length  # m, of the discharge
    double ions, efficiency  # m² for ions in their gas, share of the load that reaches the gas
    double bias_gain, bias_pressure  # V/√W, Pa
    double shunt_full, series_full, strike, least, most  # S, Ω, W, Pa, Pa: where it burns
    double lag, probe_lag, decay  # s, s, share of radicals that a remote source's tube leaves
    double wire_length, wire_diameter, emissivity, area, hardness, warm_up  # of filament or beam; A per unit of power
    double spot, conductivity, absorbed_share, track  # m, W/(m·K), share, m
    double cross_section, quantum, wavelength, window_ageing  # m², -, m, 1/m
    double split  # of remote or lit gas, m³/s at electrons or as said beside its use
    double cooling  # W/K of gas at 100 Pa at a filament
    # state
    double asked, forward, reflected, absorbed, on, lit, strike_at
    double load_position, tune_position, stuck
    double density, electron_ev  # 1/m³, eV
    double resistance, reactance, impedance, bias
    double bias_forward, bias_on, ion_flux
    double own  # V of self-bias that the first frequency of a capacitive discharge makes by itself
    double filament, ageing, current, volts  # K, -, A, V
    double peak  # K above the surface under the beam
    double energy  # J in a scan line or pulse
    double position  # m of the beam along its track
    double window  # share of light that passes
    double gas_k, hydrogen  # K, mole fraction of H
    double ratio  # of oxygen over fuel
    double proxy, window_light
    double starved
    long long strikes

cdef struct FilmKind:
    int law
    bint cycled, needs_radicals, needs_source
    int needs[NEEDS]
    double share[NEEDS]  # of the gas, that each must have at least
    int count
    int first, second  # species of the half-reactions
    int limiting  # species whose transport counts
    double factor, per  # calibration, mol of the limiting gas for a mol of film
    double volume  # m³/mol
    double uses[SPECIES]  # mol for a mol of film
    double lowest, step  # K of the table
    double table[TABLE]  # m a cycle, or mol/(m²·s) under a flame
    bint tabulated  # the rate itself is the table
    double first_rate, second_rate  # 1/(s·Pa) of a bare site at 300 K
    double site_mass  # mol/m² of the first precursor in a full layer
    double open  # share of the wafer that a mask leaves open
    double real, imaginary  # index at the instruments' wavelength

cdef struct Surface:
    int films, active
    FilmKind film[FILMS]
    double area, wall_share, dome, depletion_dome, tilt_x, tilt_y, wafer_factor, ageing, zone_dome
    double radical_yield, radical_loss, dissociation, etch, fluorine_yield, sputter, methyl, hydrogen_left
    double soret, diffusivity, strain, viscosity  # share, m²/s at 300 K and 1 atm, 1/s, Pa·s at 300 K
    int transport  # 0: none, 1: rotating disk, 2: stagnation
    SherwoodCurve curve
    int silane, fluoride, etch_product, methane
    # state
    double thickness[RINGS]
    double by_film[FILMS]
    double coverage  # of the first half-reaction
    double cycles
    double dose  # of the first half-reaction, in e-folds of a bare flat surface
    double wall, rate, wall_rate, radicals, fluorine, transfer
    double total, temperature_moment, bias_moment, ratio_moment, hydrogen_moment, growth_s
    double partial_moment[SPECIES]
    double deposited, etched
    long long loads

cdef struct Watch:
    double middle, half, crystal
    double middle_rate, crystal_rate
    double middle_history[HISTORY]
    double crystal_history[HISTORY]
    double interval
    int period
    double crystal_share, crystal_mass  # m of film for a full layer of the first precursor
    double reflectance, psi, delta  # share, degrees
    double wavelength, substrate_real, substrate_imaginary
    double emission[SPECIES]
    double residual[SPECIES]  # Pa that the mass spectrometer reads at each parent peak
    double cracking[SPECIES][SPECIES]  # what it reads there for a pascal of each species

cdef struct Tags:
    int trickle_shut, throttle, isolation_shut, dry_stop, booster_stop

cdef struct Chamber:
    Rack rack
    Orders orders
    int slow, half_slow  # scans a step of heat and of film, and half of them
    Tags tags
    Heat heat
    GasPart gas
    Energy energy
    Surface surface
    Watch watch
    LoadLock lock
    double situation[SITUATIONS]
    double at_atmosphere
    double pressures[GASES]  # for a rate law


cdef inline double asked_of(const double* values, int tag, double otherwise) noexcept nogil:
    return values[tag] if tag >= 0 else otherwise
