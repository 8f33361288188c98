# Memory and tables of gain schedules and of groups of loops. Included by scan.pyx, before it takes its own.


cdef void size_predictor(Predictor* p, object row, int measured) noexcept:
    """Set the sizes and weights of a predictor by a row of GROUP."""
    p.states, p.channels, p.measured = row["states"], row["member_count"], measured
    p.points, p.blocks, p.iterations = row["points"], row["blocks"], row["iterations"]
    p.rho, p.sigma, p.relax = row["rho"], row["sigma"], row["relax"]


cdef size_t estimates_of(object t) except? 0:
    """Return the numbers that all estimates take."""
    cdef Predictor p
    cdef size_t total = 0
    for row in t.groups:
        size_predictor(&p, row, len(measured_tags(t, row)))
        total += estimate_numbers(&p)
    return total


cdef void lay_out_groups(ScanState* s, Arena* arena, object t) except *:
    cdef size_t widest = 0
    for row in t.groups:
        widest = max(widest, int(row["points"]) * int(row["member_count"]))
    s.groups = <GroupRow*>take(arena, len(t.groups) * sizeof(GroupRow))
    s.group_plans = <GroupPlan*>take(arena, len(t.groups) * sizeof(GroupPlan))
    s.members = <MemberRow*>take(arena, len(t.members) * sizeof(MemberRow))
    s.numbers = <double*>take(arena, len(t.numbers) * sizeof(double))
    s.reference = <double*>take(arena, widest * sizeof(double))


cdef void fill_loops(ScanState* s, object t) except *:
    """Give the loops their gains, and those with a schedule its rows."""
    cdef int i, loop
    copy_rows(s.schedules, t.schedules, sizeof(ScheduleRow))
    for i, loop in enumerate(t.schedules["loop"].tolist()):
        if s.loop_plans[loop].count == 0:
            s.loop_plans[loop].start = i
        s.loop_plans[loop].count += 1
    for i in range(s.loop_count):
        s.loop_memory[i].kp, s.loop_memory[i].ki, s.loop_memory[i].kd = s.loops[i].kp, s.loops[i].ki, s.loops[i].kd
        s.loop_memory[i].tuned_p = s.loop_memory[i].tuned_i = 1.0


cdef void fill_groups(ScanState* s, object t) except *:
    cdef GroupPlan* plan
    cdef double* memory = s.estimates
    cdef int index, i, tag
    s.group_count = len(t.groups)
    copy_rows(s.groups, t.groups, sizeof(GroupRow))
    copy_rows(s.members, t.members, sizeof(MemberRow))
    copy_rows(s.numbers, t.numbers, sizeof(double))
    for index, row in enumerate(t.groups):
        plan = &s.group_plans[index]
        tags = measured_tags(t, row)
        plan.measured = len(tags)
        for i, tag in enumerate(tags):
            plan.tag[i] = tag
        size_predictor(&plan.predictor, row, plan.measured)
        plan.points = s.numbers + <int>row["numbers"]
        place_predictor(&plan.predictor, plan.points + <int>row["points"])
        place_estimate(&plan.predictor, &plan.estimate, memory)
        memory += estimate_numbers(&plan.predictor)
