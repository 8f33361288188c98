"""Door, boat, rotation and the robot that hands wafers over: what moves when the tool asks, how its contacts stand.

The robot speaks the signal set of SEMI E84 from its side: it answers L_REQ or U_REQ with CS_0 and VALID, asks with
TR_REQ, moves while BUSY once READY is given, and says COMPT until READY falls. A robot that is lost stands still with
its signals as they were.
"""

from hil.parts.lines cimport bounded, stroke

cdef enum:
    ROBOT_IDLE = 0
    ROBOT_SELECTED = 1
    ROBOT_ASKING = 2
    ROBOT_MOVING = 3
    ROBOT_DONE = 4

cdef extern from *:
    """
    #define CVD_ROBOT_COMES_S 2.0
    #define CVD_ROBOT_ASKS_S 1.0
    #define CVD_ROBOT_MOVES_S 20.0
    #define CVD_DOOR_S 8.0
    #define CVD_BOAT_S 60.0
    #define CVD_SPIN_S 5.0
    """
    const double COMES_S "CVD_ROBOT_COMES_S"
    const double ASKS_S "CVD_ROBOT_ASKS_S"
    const double MOVES_S "CVD_ROBOT_MOVES_S"
    const double DOOR_S "CVD_DOOR_S"
    const double BOAT_S "CVD_BOAT_S"
    const double SPIN_S "CVD_SPIN_S"

cdef struct Handling:
    # tags, −1 where the tool has none
    int unlock, open, insert, withdraw, rotate
    int l_req, u_req, ready, ho_avbl, es
    # state: shares of the way
    double door, boat, spin
    int robot
    double since  # s in the robot's state
    # contacts
    double door_closed, door_opened, boat_in, boat_out, rotating, present, there
    double valid, cs_0, tr_req, busy, compt


cdef inline bint asked(const double* values, int tag) noexcept nogil:
    return tag >= 0 and values[tag] > 0.5


cdef inline void robot_step(Handling* h, const double* values, double dt) noexcept nogil:
    cdef bint wanted = asked(values, h.l_req) or asked(values, h.u_req)
    cdef bint allowed = asked(values, h.ho_avbl) and asked(values, h.es)
    h.since += dt
    if h.robot == ROBOT_IDLE:
        if wanted and allowed:
            if h.since >= COMES_S:
                h.robot, h.since, h.cs_0, h.valid = ROBOT_SELECTED, 0.0, 1.0, 1.0
        else:
            h.since = 0.0
    elif not allowed and h.robot != ROBOT_DONE:
        # The tool takes its permission back: let go at once, wherever it is.
        h.robot, h.since = ROBOT_IDLE, 0.0
        h.cs_0 = h.valid = h.tr_req = h.busy = h.compt = 0.0
    elif h.robot == ROBOT_SELECTED and h.since >= ASKS_S:
        h.robot, h.since, h.tr_req = ROBOT_ASKING, 0.0, 1.0
    elif h.robot == ROBOT_ASKING and asked(values, h.ready):
        h.robot, h.since, h.busy = ROBOT_MOVING, 0.0, 1.0
    elif h.robot == ROBOT_MOVING:
        if h.since >= 0.5 * MOVES_S and wanted:
            h.present = 1.0 if asked(values, h.l_req) else 0.0
        if h.since >= MOVES_S and not wanted:
            h.robot, h.since, h.busy, h.tr_req, h.compt = ROBOT_DONE, 0.0, 0.0, 0.0, 1.0
    elif h.robot == ROBOT_DONE and not asked(values, h.ready):
        h.robot, h.since = ROBOT_IDLE, 0.0
        h.cs_0 = h.valid = h.compt = 0.0


cdef inline void handling_step(
    Handling* h, const double* values, bint closed, bint inside, bint robot, double pressure, double dt
) noexcept nogil:
    # `closed` and `inside` are what a fault script leaves of the contacts; a door opens only against no vacuum
    cdef bint opens = asked(values, h.open) and asked(values, h.unlock) and pressure > 95000.0
    h.door = stroke(h.door, opens, dt / DOOR_S)
    if h.door > 0.99:
        if asked(values, h.insert):
            h.boat = bounded(h.boat + dt / BOAT_S, 0.0, 1.0)
        elif asked(values, h.withdraw):
            h.boat = bounded(h.boat - dt / BOAT_S, 0.0, 1.0)
    h.spin = bounded(h.spin + (dt if asked(values, h.rotate) else -dt) / SPIN_S, 0.0, 1.0)
    if robot:
        robot_step(h, values, dt)
    h.door_closed = 1.0 if closed and h.door < 0.01 else 0.0
    h.door_opened = 1.0 if h.door > 0.99 else 0.0
    h.boat_in = 1.0 if inside and h.boat > 0.999 else 0.0
    h.boat_out = 1.0 if h.boat < 0.001 else 0.0
    h.there = h.present if inside else 0.0
    h.rotating = 1.0 if h.spin > 0.9 else 0.0
