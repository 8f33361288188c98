"""Interpolation in a table over up to six axes, cubic along each (four points, Lagrange), for code without the GIL.

Axes are given in the coordinate in which they are interpolated (T as 1/T, pressures and fractions as logarithms).
Outside of the table nothing is said: the result is NaN and the status 1.
"""

from libc.math cimport NAN

cdef enum:
    AXES = 6

cdef struct Lookup:
    int axes
    int size[AXES]
    const double* grid[AXES]  # rising
    int outputs
    const double* value  # [size[0], …, outputs]


cdef inline int place(const double* grid, int size, double x, int* first, double* weight) noexcept nogil:
    # The four (or fewer, of a short axis) points around x; 1 outside
    cdef int low = 0, high = size - 1, middle, points = 4 if size > 4 else size, i, j
    if size == 1:
        first[0], weight[0] = 0, 1.0
        return 0
    if not grid[0] <= x <= grid[high]:
        return 1
    while high - low > 1:
        middle = (low + high) // 2
        if grid[middle] <= x:
            low = middle
        else:
            high = middle
    low = low - 1 if points == 4 else 0
    low = 0 if low < 0 else (size - points if low > size - points else low)
    first[0] = low
    for i in range(points):
        weight[i] = 1.0
        for j in range(points):
            if j != i:
                weight[i] *= (x - grid[low + j]) / (grid[low + i] - grid[low + j])
    return 0


cdef inline int look_up(const Lookup* t, const double* at, double* result) noexcept nogil:
    cdef int first[AXES]
    cdef int count[AXES]
    cdef int step[AXES]
    cdef double weight[AXES][4]
    cdef int i, k, o, status = 0
    cdef long long index
    cdef double w
    for o in range(t.outputs):
        result[o] = NAN
    for i in range(t.axes):
        count[i] = 4 if t.size[i] > 4 else t.size[i]
        step[i] = 0
        status |= place(t.grid[i], t.size[i], at[i], &first[i], weight[i])
    if status:
        return 1
    for o in range(t.outputs):
        result[o] = 0.0
    while True:
        index, w = 0, 1.0
        for i in range(t.axes):
            index = index * t.size[i] + first[i] + step[i]
            w *= weight[i][step[i]]
        for o in range(t.outputs):
            result[o] += w * t.value[index * t.outputs + o]
        k = t.axes - 1
        while k >= 0:
            step[k] += 1
            if step[k] < count[k]:
                break
            step[k] = 0
            k -= 1
        if k < 0:
            return 0
