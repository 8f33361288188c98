"""Everything that the simulated furnace is at one moment. SI units, kelvin."""

from hil.furnace.noise cimport Noise

cdef enum:
    ZONES = 3
    FEEDS = 3  # SiH4, N2O, N2
    WAFERS = 64  # at most
    RINGS = 3  # radii at which the film is kept
    DELAY = 64  # scans of an MFC's dead time at most
    SENSORS = 64
    SITUATIONS = 16
    ORDERS = 256
    HISTORY = 31  # readings of the reflectometer for its rate

cdef enum:  # species
    SIH4 = 0
    N2O = 1
    N2 = 2
    H2 = 3
    AIR = 4
    SPECIES = 5

# What an instrument's fault does.
cdef enum:
    HEALTHY = 0
    OPEN = 1  # posts Bad
    SILENT = 2  # posts nothing
    NOT_A_NUMBER = 3
    FROZEN = 4

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

# What an order of the fault script changes; `index` and `value` are said beside each.
cdef enum:
    ORDER_SITUATION = 0  # situation, its value
    ORDER_SENSOR = 1  # sensor, SensorFault
    ORDER_OFFSET = 2  # sensor, what is added to its reading
    ORDER_DRIFT = 3  # sensor, what is added a second
    ORDER_FEED = 4  # feed, sccm that it is stuck at; NaN: not stuck
    ORDER_LEAK = 5  # -, sccm of air at atmospheric pressure outside
    ORDER_THROTTLE = 6  # -, opening 0…1 that it is stuck at, below 0: where it is; NaN: not stuck
    ORDER_ELEMENT = 7  # zone, share of its power that arrives
    ORDER_LOAD = 8  # -: new wafers

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

cdef struct Feed:
    int species
    double gain  # true flow over indicated flow
    double flow  # indicated, mol/s
    double slope
    double valve  # 0…1
    double stuck  # mol/s, NaN: not
    double asked[DELAY]

cdef struct Gas:
    # parameters
    double volume, cold_volume, cold_temperature, pump_temperature
    double dead_scans, frequency, damping  # of the MFCs
    double valve_speed, throttle_speed, isolation_speed  # strokes a second
    double throttle_closed, throttle_full, line  # m³/s
    double dry_speed, booster_speed, booster_pressure  # m³/s, m³/s, Pa at which the booster's share is halved
    double dry_ultimate, booster_ultimate  # Pa
    double trickle, outgassing  # mol/s
    double manometer_lag, manometer_limit  # s, Pa
    double wide_gain
    # state
    Feed feed[FEEDS]
    double trickle_valve
    double amount[SPECIES]
    double temperature  # effective, of the whole volume
    double pressure
    double throttle, isolation  # open share
    double throttle_stuck
    double leak  # mol/s
    double dry, booster  # share of speed
    double flow_out  # mol/s
    double foreline
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
    double temperature_moment  # ∫ R·T dt
    double mean_over_inlet[SPECIES]  # of the last march
    double deposited  # mol of silicon since the start
    long long loads

cdef struct Sensor:
    int tag
    int fault
    double* source
    double scale, shift  # reading = source × scale + shift
    double noise, relative, quantum, offset, drift, frozen
    double minimum, maximum  # where the instrument saturates

cdef struct Order:
    long long at
    int kind
    int index
    double value

cdef struct Tags:
    int power[ZONES]
    int setpoint[FEEDS]
    int valve[FEEDS]
    int trickle_shut, throttle, isolation_shut, dry_stop, booster_stop

cdef struct Furnace:
    double dt
    long long step
    int slow  # scans a step of heat and of film
    Noise noise
    Tags tags
    Heat heat
    Gas gas
    Film film
    double situation[SITUATIONS]
    double running, booster_running, at_atmosphere
    double thickness, rate  # of the monitor wafer: m, m/s over the history
    double history[HISTORY]
    double interval  # s between two entries of the history
    int history_period
    int sensors
    Sensor sensor[SENSORS]
    int slots  # scans until the pattern of postings repeats
    int* slot_start  # [slots + 1]
    int* slot_sensor
    # orders: `ring` is filled by Python, drained by the step; `waiting` is the step's own
    unsigned long long ring_in
    unsigned long long ring_out
    Order ring[ORDERS]
    int waiting_count
    long long next_at
    Order waiting[ORDERS]
