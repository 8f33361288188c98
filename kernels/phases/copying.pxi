# Checked tables and programs into memory of the scan's own. Included by scan.pyx.


cdef void copy_rows(void* to, object rows, size_t size) except *:
    """Copy a checked table; its dtype and size were proved."""
    cdef const unsigned char[::1] content
    contiguous = np.ascontiguousarray(rows)
    if contiguous.nbytes != size * len(contiguous):
        raise ValueError(f"a row has {contiguous.itemsize} bytes where {size} are expected")
    if len(contiguous) == 0:
        return
    content = contiguous.view(np.uint8)
    memcpy(to, &content[0], contiguous.nbytes)


cdef void lay_out_expressions(Expressions* e, Arena* arena, object rows) except *:
    e.rows = <Expression*>take(arena, len(rows) * sizeof(Expression))
    e.code = <Operation*>take(arena, int(rows["length"].sum()) * sizeof(Operation))


cdef void fill_expressions(Expressions* e, object rows, object code) except *:
    cdef const CodeRow[::1] source = np.ascontiguousarray(code)
    cdef int i, start, length, used = 0
    for i, (start, length) in enumerate(rows.tolist()):
        e.rows[i].start = used
        e.rows[i].length = prepare(&source[start], length, e.code + used)
        used += e.rows[i].length


cdef ProgramTables* lay_out_program(Arena* arena, object program) except? NULL:
    """Take a program's memory; in the pass that adds up, the result only tells that nothing failed."""
    cdef ProgramTables draft
    cdef ProgramTables* p = <ProgramTables*>take(arena, sizeof(ProgramTables))
    cdef ProgramTables* into = &draft if p == NULL else p
    into.instructions = <InstructionRow*>take(arena, len(program.instructions) * sizeof(InstructionRow))
    into.steps = <StepRow*>take(arena, len(program.steps) * sizeof(StepRow))
    lay_out_expressions(&into.expressions, arena, program.expressions)
    return p


cdef ProgramTables* build_program(object program) except NULL:
    """Copy a checked program into memory of its own."""
    cdef Arena arena
    cdef ProgramTables* p
    cdef int i
    memset(&arena, 0, sizeof(arena))
    lay_out_program(&arena, program)
    if not map_arena(&arena):
        raise MemoryError(f"no memory for a program of {len(program.instructions)} instructions")
    p = lay_out_program(&arena, program)
    p.arena = arena
    p.count = len(program.instructions)
    p.channel_count = len(program.channels)
    for i in range(p.channel_count):
        p.channels[i] = program.channels[i]
    try:
        copy_rows(p.instructions, program.instructions, sizeof(InstructionRow))
        copy_rows(p.steps, program.steps, sizeof(StepRow))
        fill_expressions(&p.expressions, program.expressions, program.code)
    except BaseException:
        free_program(p)
        raise
    return p


cdef void free_program(ProgramTables* p) noexcept:
    cdef Arena arena
    if p != NULL:
        arena = p.arena  # which holds p itself
        unmap_arena(&arena)


def _rates(t):
    """Return what the tool's rates are of, (computed, tag, window), in the order in which they are followed."""
    rows = t.code[t.code["op"] == Op.RATE]
    return sorted({
        (bool(t.tags["kind"][tag] == TagKind.COMPUTED), tag, int(window))
        for tag, window in zip(rows["arg"].tolist(), rows["value"].tolist())
    })


def _code_with_rates(t, rates):
    """Return the tool's code with the place of each rate in `count`."""
    code = t.code.copy()
    place = {(tag, window): index for index, (_, tag, window) in enumerate(rates)}
    for at in np.flatnonzero(code["op"] == Op.RATE).tolist():
        code["count"][at] = place[int(code["arg"][at]), int(code["value"][at])]
    return code


cdef void fill_rates(ScanState* s, object rates) except *:
    cdef RatePlan* plan
    cdef long long window, points
    cdef int index
    s.rate_count = len(rates)
    for index, (computed, tag, whole) in enumerate(rates):
        window = whole
        plan = &s.rates[index]
        plan.tag = tag
        plan.every = (window + RATE_POINTS - 1) // RATE_POINTS
        points = (window + plan.every - 1) // plan.every
        plan.points = <int>points
        plan.divisor = <double>(points * (points * points - 1) // 6) * (<double>plan.every * s.period_s)
        s.plain_rates += not computed
        s.rate_memory[index].last = -1
        s.rate_memory[index].value = quiet_nan()
        s.rate_memory[index].quality = 2
