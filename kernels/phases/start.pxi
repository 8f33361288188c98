# The memory of a scan, and everything in it as it is before the first one. Included by scan.pyx, behind groups.pxi.


cdef ScanState* lay_out_state(Arena* arena, ScanState* draft, object t) except NULL:
    """Take the memory of tables and state: one arena, so that it is locked as a whole."""
    cdef size_t n = len(t.tags)
    cdef size_t conditions = len(t.conditions)
    cdef size_t inputs = np.count_nonzero(t.tags["kind"] == KIND_INPUT)
    cdef size_t words = (inputs + 63) // 64
    cdef size_t rates = len(_rates(t))
    cdef int i
    cdef ScanState* s = <ScanState*>take(arena, sizeof(ScanState))
    if s == NULL:
        s = draft
    s.tags = <TagRow*>take(arena, n * sizeof(TagRow))
    s.conditions = <ConditionRow*>take(arena, conditions * sizeof(ConditionRow))
    s.plans = <ConditionPlan*>take(arena, conditions * sizeof(ConditionPlan))
    s.effects = <EffectRow*>take(arena, len(t.effects) * sizeof(EffectRow))
    s.loops = <LoopRow*>take(arena, len(t.loops) * sizeof(LoopRow))
    s.maps = <MapRow*>take(arena, len(t.maps) * sizeof(MapRow))
    s.rates = <RatePlan*>take(arena, rates * sizeof(RatePlan))
    s.schedules = <ScheduleRow*>take(arena, len(t.schedules) * sizeof(ScheduleRow))
    s.loop_plans = <LoopPlan*>take(arena, len(t.loops) * sizeof(LoopPlan))
    lay_out_groups(s, arena, t)
    lay_out_expressions(&s.expressions, arena, t.expressions)
    s.computed = <int*>take(arena, n * sizeof(int))
    s.outputs = <int*>take(arena, n * sizeof(int))
    s.writable = <int*>take(arena, n * sizeof(int))
    s.stamped = <int*>take(arena, n * sizeof(int))
    s.value = <double*>take(arena, n * sizeof(double))
    s.status = <unsigned int*>take(arena, n * sizeof(int))
    s.source = <long long*>take(arena, n * sizeof(long long))
    s.demand = <double*>take(arena, n * sizeof(double))
    s.ramp = <Ramp*>take(arena, n * sizeof(Ramp))
    s.saved_value = <double*>take(arena, n * sizeof(double))
    s.saved_ramp = <Ramp*>take(arena, n * sizeof(Ramp))
    s.forced = <unsigned char*>take(arena, n)
    s.forced_value = <double*>take(arena, n * sizeof(double))
    s.inputs = <Input*>take(arena, inputs * sizeof(Input))
    s.input_due = <long long*>take(arena, inputs * sizeof(long long))
    s.input_of = <int*>take(arena, n * sizeof(int))
    s.mail = <Mailbox*>take(arena, inputs * sizeof(Mailbox))
    s.mail_flags = <u64*>take(arena, words * sizeof(u64))
    s.plant_value = <double*>take(arena, inputs * sizeof(double))
    s.plant_status = <unsigned int*>take(arena, inputs * sizeof(int))
    s.plant_flags = <u64*>take(arena, words * sizeof(u64))
    s.corrections = <Correction*>take(arena, 2 * inputs * sizeof(Correction))
    s.correction_at = <u64*>take(arena, inputs * sizeof(u64))
    s.flag_words = words
    s.condition = <ConditionStateRow*>take(arena, conditions * sizeof(ConditionStateRow))
    s.condition_memory = <ConditionMemory*>take(arena, conditions * sizeof(ConditionMemory))
    s.group_members = <int*>take(arena, conditions * sizeof(int))
    s.loop_memory = <LoopMemory*>take(arena, len(t.loops) * sizeof(LoopMemory))
    s.rate_memory = <RateMemory*>take(arena, rates * sizeof(RateMemory))
    s.group_memory = <GroupMemory*>take(arena, len(t.groups) * sizeof(GroupMemory))
    s.estimates = <double*>take(arena, estimates_of(t) * sizeof(double))
    s.effect_row = <int*>take(arena, n * sizeof(int))
    s.effect_scan = <long long*>take(arena, n * sizeof(long long))
    s.commands = <CommandRow*>take(arena, COMMAND_QUEUE * sizeof(CommandRow))
    s.shown_value = <double*>take(arena, n * sizeof(double))
    s.shown_status = <unsigned int*>take(arena, n * sizeof(int))
    for i in range(2):
        s.copies[i].value = <double*>take(arena, n * sizeof(double))
        s.copies[i].status = <unsigned int*>take(arena, n * sizeof(int))
        s.copies[i].source = <long long*>take(arena, n * sizeof(long long))
        s.copies[i].conditions = <ConditionStateRow*>take(arena, conditions * sizeof(ConditionStateRow))
    return s


cdef void fill_state(ScanState* s, object t) except *:
    """Copy the tables and set everything as the specification wants it before the first scan."""
    cdef int i
    s.period_s = t.period_s
    s.k = -1
    s.digest = FNV_OFFSET
    for i in range(2 * np.count_nonzero(t.tags["kind"] == KIND_INPUT)):
        s.corrections[i].gain = 1.0
    s.log_every = 1
    s.tag_count = len(t.tags)
    s.condition_count = len(t.conditions)
    s.loop_count = len(t.loops)
    s.map_count = len(t.maps)
    copy_rows(s.tags, t.tags, sizeof(TagRow))
    copy_rows(s.conditions, t.conditions, sizeof(ConditionRow))
    copy_rows(s.effects, t.effects, sizeof(EffectRow))
    copy_rows(s.loops, t.loops, sizeof(LoopRow))
    copy_rows(s.maps, t.maps, sizeof(MapRow))
    fill_loops(s, t)
    fill_groups(s, t)
    rates = _rates(t)
    fill_rates(s, rates)
    fill_expressions(&s.expressions, t.expressions, _code_with_rates(t, rates))
    for i in range(s.tag_count):
        start_tag(s, i)
    groups = {group: index for index, group in enumerate(np.unique(t.conditions["group"]).tolist()) if group >= 0}
    # unique() sorts, so -1 comes first and the dense indices still fit into `group_members`.
    for i in range(s.condition_count):
        s.condition[i].last_trip = -1
        s.plans[i].expression = s.expressions.rows[s.conditions[i].expression]
        s.plans[i].logic = is_logic(s.expressions.code, s.plans[i].expression)
        s.plans[i].limit = 2 if s.conditions[i].flags & FLAG_ACCEPT_UNCERTAIN else 1
        s.plans[i].group = groups.get(s.conditions[i].group, -1)
    fill_logic(s)
    s.run.state = RUN_IDLE
    s.run.step = -1
    s.run.slot = -1
    show_all(s)


cdef void start_tag(ScanState* s, int tag) noexcept:
    """Set a tag as before the first scan, and put it into the list of its kind."""
    cdef const TagRow* row = &s.tags[tag]
    cdef int kind = row.kind
    s.effect_scan[tag] = -1
    s.input_of[tag] = -1
    if kind == KIND_INPUT or kind == KIND_COMPUTED:
        s.value[tag] = quiet_nan()
        s.status[tag] = BAD_WAITING_FOR_INITIAL_DATA
        if kind == KIND_COMPUTED and row.flags & OTHERWISE:
            s.value[tag] = row.initial
            s.status[tag] = GOOD
    elif kind == KIND_SETPOINT:
        s.value[tag] = row.initial
    elif kind == KIND_OUTPUT:
        s.value[tag] = row.safe
        s.demand[tag] = row.safe
    elif tag == TAG_STEP:
        s.value[tag] = -1.0
    if kind == KIND_INPUT:
        start_input(s, tag)
    elif kind == KIND_COMPUTED:
        s.computed[s.computed_count] = tag
        s.computed_count += 1
    else:
        s.stamped[s.stamped_count] = tag
        s.stamped_count += 1
        if kind != KIND_SYSTEM:
            s.writable[s.writable_count] = tag
            s.writable_count += 1
        if kind == KIND_OUTPUT:
            s.outputs[s.output_count] = tag
            s.output_count += 1


cdef void start_input(ScanState* s, int tag) noexcept:
    cdef Input* input = &s.inputs[s.input_count]
    input.tag = tag
    input.arrival = -1
    input.low = s.tags[tag].low
    input.high = s.tags[tag].high
    input.age_uncertain = s.tags[tag].age_uncertain
    input.age_bad = s.tags[tag].age_bad
    s.input_of[tag] = s.input_count
    s.input_count += 1
