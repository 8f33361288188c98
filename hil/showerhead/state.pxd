"""Everything that the simulated showerhead reactor is at one moment. SI units, kelvin."""

from hil.parts.bottle cimport Bottle
from hil.parts.handling cimport Handling
from hil.parts.instruments cimport Rack
from hil.parts.lines cimport Feed, Panel
from hil.parts.orders cimport ORDER_OWN, Orders
from hil.parts.pumps cimport Pumps
from kernels.physics.equipment cimport Match

cdef enum:
    FEEDS = 5  # SiH4, NH3, N2O, NF3, N2
    RINGS = 3  # radii at which the film is kept
    SITUATIONS = 32
    HISTORY = 31  # readings of reflectometer and crystal for their rates

cdef enum:  # species; the first ones are those of the feeds, in their order
    SIH4 = 0
    NH3 = 1
    N2O = 2
    NF3 = 3
    N2 = 4
    H2 = 5
    SIF4 = 6
    AIR = 7
    SPECIES = 8

# Contacts and supplies, as they stand; hil.showerhead.script names them.
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
    SILANE_PPM = 9
    DETECTOR_OK = 10
    EMO_OK = 11
    MAINS_OK = 12
    PUMP_OK = 13
    BOOSTER_OK = 14
    GENERATOR_OK = 15
    AMMONIA_PPM = 16
    FLUORIDE_PPM = 17
    ARCING = 18
    DARK = 19  # the discharge does not light
    ROBOT_OK = 20
    WATER_DRY = 21
    MAINS_V = 22  # V
    EXHAUST_PA = 23  # Pa against the room
    EMO_FRONT_OK = 24
    EMO_REAR_OK = 25
    LINE_LEAK = 26  # sccm out of the silane line

# What an order of the fault script changes beside what every plant has; `index` and `value` are said beside each.
cdef enum:
    ORDER_FEED = ORDER_OWN  # feed, sccm that it is stuck at; NaN: not stuck
    ORDER_LEAK = ORDER_OWN + 1  # -, sccm of air at atmospheric pressure outside
    ORDER_THROTTLE = ORDER_OWN + 2  # -, opening 0…1 that it is stuck at, below 0: where it is; NaN: not stuck
    ORDER_MATCH = ORDER_OWN + 3  # -, position 0…1 that both drives are stuck at; NaN: not stuck
    ORDER_LOAD = ORDER_OWN + 4  # -: a new wafer

cdef struct Heat:
    double capacity, full_power, loss, radiation  # J/K, W, W/K, m²
    double wall, lag, plasma_share  # K, s, share of the plasma's power that heats the susceptor
    double susceptor, control, guard, face  # K
    double delivered, lost  # J since the start

cdef struct Gas:
    Panel panel
    double volume
    double trickle, outgassing, holes  # mol/s, mol/s, Pa²·s/mol of the face plate
    double manometer_lag, wide_gain
    Feed feed[FEEDS]
    Pumps pumps
    double trickle_valve
    Bottle bottle  # of silane
    double accepts  # contact of the abatement
    double accepting  # s for which it has been asked
    double amount[SPECIES]
    double temperature, pressure, upstream
    double leak  # mol/s
    double manometer, wide
    double consumed[SPECIES]  # mol/s, negative where set free
    double fed[SPECIES]
    double pumped[SPECIES]
    double reacted[SPECIES]  # mol since the start

cdef struct Discharge:
    # parameters
    double radius, gap  # m, of the electrodes
    double collision_energy, efficiency  # eV lost in collisions for each ion, share of the load that reaches the gas
    double bias_gain, bias_pressure  # V/√W, Pa
    double shunt_full, series_full  # S, Ω, at 100 % of the capacitors' way
    double strike  # W
    double generator_lag, probe_lag  # s
    # state
    Match match
    double load_position, tune_position  # 0…1
    double stuck  # both drives, 0…1; NaN: not
    double forward, reflected, absorbed  # W
    double asked  # W
    double strike_at  # s of power that the gas still waits for its first electron
    double density, electron_ev  # 1/m³
    double resistance, reactance, impedance  # Ω
    double bias  # V
    double on, lit
    double emission_n2, emission_sih, emission_f  # counts
    double proxy
    long long strikes

cdef struct Film:
    # parameters
    double nitride_yield, oxide_yield, fluorine_yield
    double dissociation, loss_probability, etch  # m³/s; of SiH3 at a wall; m of film an atom/m² of fluorine
    double growth_area, wall_share  # m², rate at the wall over rate at the wafer
    double dome, depletion_dome, tilt_x, tilt_y, wafer_factor
    double ageing  # 1/m of wall film
    # state
    double thickness[RINGS]
    double wall  # m
    double rate, wall_rate  # m/s at the middle
    double radicals, fluorine  # 1/m³
    double nitrided, total, bias_moment, temperature_moment, oxide  # ∫R·x, ∫R, ∫R·V, ∫R·T, ∫R of oxide
    double etched_mol, deposited_mol
    long long loads

cdef struct Tags:
    int power
    int setpoint[FEEDS]
    int valve[FEEDS]
    int trickle_shut, throttle, isolation_shut, dry_stop, booster_stop
    int abatement_wanted
    int enable, watts, duty, automatic, load_preset, tune_preset, tuner

cdef struct Reactor:
    Rack rack
    Orders orders
    int slow  # scans a step of heat and of film
    Tags tags
    Heat heat
    Gas gas
    Discharge discharge
    Film film
    Handling handling
    double emo  # contact of the whole chain
    double situation[SITUATIONS]
    double at_atmosphere
    double middle, half  # m, as the optical instruments see them
    double middle_rate, crystal_rate  # m/s over the history
    double middle_history[HISTORY]
    double crystal_history[HISTORY]
    double interval  # s between the ends of the history
    int history_period
