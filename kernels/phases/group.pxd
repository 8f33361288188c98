"""Phase 6, before the loops: groups of loops whose outputs a predictor moves together (kernels/mpc.pyx)."""

from kernels.mpc cimport begin_estimate, correct_estimate, find_moves, forget_moves
from kernels.phases.emit cimport emit
from kernels.phases.run cimport timers_go_on
from kernels.phases.state cimport GroupMemory, GroupPlan, Ramp, ScanState
from kernels.phases.write cimport clamp, is_bad, mode_of, present, write
from kernels.tables cimport (
    EVENT_CONTROL,
    GROUP_BAD_SENSOR,
    GROUP_INFEASIBLE,
    GROUP_MEMBERS,
    GROUP_MPC,
    GROUP_PID,
    GROUP_STALE,
    GROUP_WAITING,
    GroupRow,
    KIND_SETPOINT,
    LoopRow,
    MODE_AUTO,
    MemberRow,
    RUN_RUNNING,
)


cdef inline bint measurements_known(const ScanState* s, const GroupPlan* plan) noexcept nogil:
    cdef int i
    for i in range(plan.measured):
        if is_bad(s, plan.tag[i]):
            return False
    return True


cdef inline bint in_auto(const ScanState* s, const LoopRow* loop) noexcept nogil:
    return mode_of(s.value[loop.mode]) == MODE_AUTO and not is_bad(s, loop.sp)


cdef inline bint fit_for_control(const ScanState* s, const GroupRow* row, const GroupMemory* m) noexcept nogil:
    """Every loop in AUTO with a set point, an estimate that has settled, process values that the model is meant for."""
    cdef const MemberRow* member
    cdef double margin = 0.0 if m.state == GROUP_MPC else row.margin
    cdef double x
    cdef int i
    if m.settled < row.settle:
        return False
    for i in range(row.member_count):
        member = &s.members[row.member_start + i]
        if not (in_auto(s, &s.loops[member.outer]) and in_auto(s, &s.loops[member.inner])):
            return False
        x = s.value[s.loops[member.outer].pv]
        if x < row.low + margin or x > row.high - margin:
            return False
    return True


cdef inline bint is_stale(const GroupRow* row, const GroupPlan* plan, const GroupMemory* m) noexcept nogil:
    cdef int i
    if m.settled < row.settle:
        return False
    for i in range(plan.measured):
        if not plan.estimate.watch[i] <= row.stale:  # nor is what has become a NaN
            return True
    return False


cdef inline bint follow(ScanState* s, const GroupRow* row, GroupPlan* plan, GroupMemory* m) noexcept nogil:
    """Gather what is applied; once a sample correct the estimate. True in the scan of a sample."""
    cdef double measured[2 * GROUP_MEMBERS]
    cdef double applied[GROUP_MEMBERS]
    cdef int i
    if m.ready:
        for i in range(row.member_count):
            m.sum[i] = m.sum[i] + s.value[s.loops[s.members[row.member_start + i].inner].out]
        m.counted += 1
        if s.k - m.last < row.every:
            return False
    for i in range(plan.measured):
        measured[i] = s.value[plan.tag[i]]
    if m.ready and s.k - m.last < 2 * row.every:
        for i in range(row.member_count):
            applied[i] = m.sum[i] / <double>m.counted
        correct_estimate(&plan.predictor, &plan.estimate, measured, applied, row.watch)
        m.settled += m.settled < row.settle
    else:
        begin_estimate(&plan.predictor, &plan.estimate, measured)
        m.settled = 0
    m.ready = True
    m.last = s.k
    m.counted = 0
    for i in range(row.member_count):
        m.sum[i] = 0.0
    return True


cdef inline void look_ahead(ScanState* s, const GroupRow* row, const GroupPlan* plan) noexcept nogil:
    """Where the set points will be: a ramp that moves goes on to its target."""
    cdef const Ramp* ramp
    cdef bint program_moves = s.run.state == RUN_RUNNING or timers_go_on(&s.run)
    cdef double x, d, way
    cdef int i, j, tag, m = row.member_count
    for i in range(m):
        tag = s.loops[s.members[row.member_start + i].outer].sp
        x = s.value[tag]
        ramp = &s.ramp[tag]
        if ramp.on and s.tags[tag].kind == KIND_SETPOINT and (program_moves or ramp.auxiliary):
            d = ramp.target - x
            for j in range(row.points):
                way = ramp.increment * (plan.points[j] * <double>row.every)
                if (d if d > 0 else -d) <= way:
                    s.reference[j * m + i] = ramp.target
                else:
                    s.reference[j * m + i] = x + way if d > 0 else x - way
        else:
            for j in range(row.points):
                s.reference[j * m + i] = x


cdef inline bint move(ScanState* s, const GroupRow* row, GroupPlan* plan, GroupMemory* m) noexcept nogil:
    """Search the moves and make the first one; False when there is none within the bounds."""
    cdef double now[GROUP_MEMBERS]
    cdef double low[GROUP_MEMBERS]
    cdef double high[GROUP_MEMBERS]
    cdef double rate[GROUP_MEMBERS]
    cdef const MemberRow* member
    cdef double residual, step
    cdef int i
    for i in range(row.member_count):
        member = &s.members[row.member_start + i]
        now[i] = present(s, s.loops[member.inner].out)
        low[i], high[i], rate[i] = member.low, member.high, member.rate
        if now[i] < low[i] - rate[i] or now[i] > high[i] + rate[i]:
            return False
    look_ahead(s, row, plan)
    residual = find_moves(&plan.predictor, &plan.estimate, s.reference, now, low, high, rate)
    m.unsolved = 0 if residual <= row.tolerance else m.unsolved + 1
    if m.unsolved > row.patience:
        return False
    for i in range(row.member_count):
        if plan.estimate.moves[i] != plan.estimate.moves[i]:
            return False
    for i in range(row.member_count):
        step = clamp(plan.estimate.moves[i], -rate[i], rate[i])
        write(s, s.loops[s.members[row.member_start + i].inner].out, clamp(now[i] + step, low[i], high[i]))
    return True


cdef inline void track(ScanState* s, const GroupRow* row) noexcept nogil:
    """Hold the outer loops where the inner ones have no error: PID takes over from there."""
    cdef const MemberRow* member
    cdef const LoopRow* outer
    cdef const LoopRow* inner
    cdef int i
    for i in range(row.member_count):
        member = &s.members[row.member_start + i]
        if member.outer != member.inner:
            outer = &s.loops[member.outer]
            inner = &s.loops[member.inner]
            write(s, outer.out, present(s, outer.out) + (s.value[inner.pv] - s.value[inner.sp]))


cdef inline int next_state_of_group(
    ScanState* s, const GroupRow* row, GroupPlan* plan, GroupMemory* m, bint known, bint sampled
) noexcept nogil:
    cdef bint acts = m.state == GROUP_MPC
    if is_bad(s, row.select) or mode_of(s.value[row.select]) != 1:
        return m.state if m.state > GROUP_WAITING else GROUP_PID
    if not known:
        return GROUP_BAD_SENSOR if acts else GROUP_WAITING
    if is_stale(row, plan, m):
        m.ready = False  # begins again: what was wrong may have been put right
        m.settled = 0
        return GROUP_STALE if acts else GROUP_WAITING
    if not fit_for_control(s, row, m):
        return GROUP_WAITING
    if not acts:
        if not sampled:
            return GROUP_WAITING  # it takes over with a move, or not at all
        forget_moves(&plan.predictor, &plan.estimate)
        m.unsolved = 0
    if sampled and not move(s, row, plan, m):
        return GROUP_INFEASIBLE
    return GROUP_MPC


cdef inline void run_group(ScanState* s, int index) noexcept nogil:
    cdef const GroupRow* row = &s.groups[index]
    cdef GroupPlan* plan = &s.group_plans[index]
    cdef GroupMemory* m = &s.group_memory[index]
    cdef bint known = measurements_known(s, plan)
    cdef bint sampled = False
    cdef bint acts
    cdef int i, state
    if known:
        sampled = follow(s, row, plan, m)
    else:
        m.ready = False
        m.settled = 0
    state = next_state_of_group(s, row, plan, m, known, sampled)
    acts = state == GROUP_MPC
    if state > GROUP_WAITING:
        write(s, row.select, 0.0)
    if acts:
        track(s, row)
    for i in range(row.member_count):
        s.loop_memory[s.members[row.member_start + i].outer].held = acts
        s.loop_memory[s.members[row.member_start + i].inner].held = acts
    if state != m.state:
        emit(s, EVENT_CONTROL, index, <double>state, <double>m.state)
        m.state = state
        write(s, row.report, <double>state)


cdef inline void run_groups(ScanState* s) noexcept nogil:
    cdef int i
    for i in range(s.group_count):
        run_group(s, i)
