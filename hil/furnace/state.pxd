"""Everything that the simulated furnace is at one moment. SI units, kelvin."""

from hil.parts.bottle cimport Bottle
from hil.parts.handling cimport Handling
from hil.parts.instruments cimport Rack
from hil.parts.lines cimport Feed, Panel
from hil.parts.orders cimport ORDER_OWN, Orders
from hil.parts.pumps cimport Pumps

cdef enum:
    ZONES = 3
    FEEDS = 3  # SiH4, N2O, N2
    WAFERS = 64  # at most
    RINGS = 3  # radii at which the film is kept
    SITUATIONS = 24
    HISTORY = 31  # readings of the reflectometer for its rate

cdef enum:  # species
    SIH4 = 0
    N2O = 1
    N2 = 2
    H2 = 3
    AIR = 4
    SPECIES = 5

# Contacts and supplies, as they stand.
cdef enum:
    OVERTEMPERATURE_OK = 0
    DOOR_CLOSED = 1
    BOAT_IN = 2
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
    ROBOT_OK = 15
    WATER_DRY = 16
    MAINS_V = 17  # V
    EXHAUST_PA = 18  # Pa against the room
    EMO_FRONT_OK = 19
    EMO_REAR_OK = 20
    LINE_LEAK = 21  # sccm out of the silane line

# What an order of the fault script changes beside what every plant has; `index` and `value` are said beside each.
cdef enum:
    ORDER_FEED = ORDER_OWN  # feed, sccm that it is stuck at; NaN: not stuck
    ORDER_LEAK = ORDER_OWN + 1  # -, sccm of air at atmospheric pressure outside
    ORDER_THROTTLE = ORDER_OWN + 2  # -, opening 0…1 that it is stuck at, below 0: where it is; NaN: not stuck
    ORDER_ELEMENT = ORDER_OWN + 3  # zone, share of its power that arrives
    ORDER_LOAD = ORDER_OWN + 4  # -: new wafers

cdef struct Heat:
    # parameters
    double element_capacity, tube_capacity, load_capacity  # J/K a zone
    double element_tube, tube_load, tube_axial, load_axial, tube_end  # effective areas of radiation, m²
    double element_axial, loss  # W/K
    double ambient, flange  # K
    double full_power  # W a zone
    double spike_lag, profile_lag, boat_lag  # s
    double spike_share, profile_share  # of the hotter node in what a thermocouple sees
    # state
    double element[ZONES]
    double tube[ZONES]
    double load[ZONES]
    double spike[ZONES]
    double profile[ZONES]
    double boat
    double health[ZONES]
    double delivered, lost  # J since the start

cdef struct Gas:
    # parameters
    Panel panel
    double volume, cold_volume, cold_temperature
    double trickle, outgassing  # mol/s
    double manometer_lag, manometer_limit  # s, Pa
    double wide_gain
    # state
    Feed feed[FEEDS]
    Pumps pumps
    double trickle_valve
    Bottle bottle  # of silane
    double accepts  # contact of the abatement
    double accepting  # s for which it has been asked
    double amount[SPECIES]
    double temperature  # effective, of the whole volume
    double pressure
    double leak  # mol/s
    double manometer, wide
    double exit[SPECIES]  # outlet composition over mean composition
    double consumed[SPECIES]  # mol/s, negative where set free
    double fed[SPECIES]
    double pumped[SPECIES]
    double reacted[SPECIES]  # mol since the start

cdef struct Film:
    # parameters
    int wafers
    double pitch, first  # m: between wafers, of the first one from the inlet
    double zone_length
    double wafer_area, entrance_area, exit_area  # m² a station
    double radius, gap
    double diffusivity  # m²·Pa/s at 300 K; grows as T^1.75 / P
    double silicon_factor
    double entrance_share, load_share  # of the moles of gas in the tube
    # state
    double slot[WAFERS]  # seeded factor of each slot
    double tilt_x[WAFERS]
    double tilt_y[WAFERS]
    double silicon[WAFERS * RINGS]
    double oxide[WAFERS * RINGS]  # m
    double oxidant_moment, total_rate  # ∫ R·x dt and ∫ R dt of the monitor wafer, for the index
    double silane_moment  # ∫ R·p_SiH4 dt there, for the step coverage
    double temperature_moment  # ∫ R·T dt
    double mean_over_inlet[SPECIES]  # of the last march
    double deposited  # mol of silicon since the start
    long long loads

cdef struct Tags:
    int power[ZONES]
    int setpoint[FEEDS]
    int valve[FEEDS]
    int trickle_shut, throttle, isolation_shut, dry_stop, booster_stop
    int abatement_wanted

cdef struct Furnace:
    Rack rack
    Orders orders
    int slow  # scans a step of heat and of film
    Tags tags
    Heat heat
    Gas gas
    Film film
    Handling handling
    double emo  # contact of the whole chain
    double situation[SITUATIONS]
    double at_atmosphere
    double thickness, rate  # of the monitor wafer: m, m/s over the history
    double history[HISTORY]
    double interval  # s between two entries of the history
    int history_period
