"""Phase 7: let demands through to the outputs, as far as forces, rates, arming and effects permit."""

from kernels.phases.state cimport ScanState
from kernels.phases.write cimport cancel_ramp, clamp, write
from kernels.tables cimport ConditionRow, EffectRow, GOOD, GOOD_LOCAL_OVERRIDE, HAZARDOUS, MODE_OFF, TagRow


cdef inline bint gather_effects(ScanState* s) noexcept nogil:
    """Note for each output the first effect of a condition in force; False when there is none at all."""
    cdef const ConditionRow* row
    cdef const EffectRow* effect
    cdef int i, j
    cdef bint any_effect = False
    for i in range(s.condition_count):
        if not s.condition_memory[i].in_force:
            continue
        row = &s.conditions[i]
        for j in range(row.effect_start, row.effect_start + row.effect_count):
            effect = &s.effects[j]
            any_effect = True
            if s.effect_scan[effect.output] != s.k:
                s.effect_scan[effect.output] = s.k
                s.effect_row[effect.output] = j
    return any_effect


cdef inline void release(ScanState* s, int tag, double x) noexcept nogil:
    """Forget what was asked of an output, so that nothing comes back by itself."""
    cdef int loop = s.tags[tag].loop
    s.demand[tag] = x
    cancel_ramp(s, tag)
    if loop >= 0:
        write(s, s.loops[loop].mode, <double>MODE_OFF)
        s.loop_memory[loop].ready = False


cdef inline void gate(ScanState* s, int tag, bint effects) noexcept nogil:
    cdef const TagRow* row = &s.tags[tag]
    cdef double x = s.demand[tag]
    cdef unsigned int status = GOOD
    if s.forced[tag]:
        x = clamp(s.forced_value[tag], row.low, row.high)
        status = GOOD_LOCAL_OVERRIDE
    if row.rate > 0:
        x = clamp(x, s.value[tag] - row.rate, s.value[tag] + row.rate)
    if row.flags & HAZARDOUS and not s.armed:
        x = row.safe
        status = GOOD
        release(s, tag, x)
    if effects and s.effect_scan[tag] == s.k:
        x = s.effects[s.effect_row[tag]].value
        status = GOOD
        release(s, tag, x)
    s.value[tag] = x
    s.status[tag] = status


cdef inline void gate_outputs(ScanState* s) noexcept nogil:
    cdef int i
    cdef bint effects = s.counts.in_force > 0 and gather_effects(s)
    for i in range(s.output_count):
        gate(s, s.outputs[i], effects)
