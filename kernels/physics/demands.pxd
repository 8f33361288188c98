"""What a number must be before physics is done with it: refused with its name, its limits and what it is.

Magnitudes end at 1e±100, so that no product of a few of them leaves the range of a double without anyone noticing.
"""

cdef extern from *:
    """
    #define CVD_SMALLEST 1e-100
    #define CVD_GREATEST 1e100
    """
    const double SMALLEST "CVD_SMALLEST"
    const double GREATEST "CVD_GREATEST"


cdef inline double above(str name, double value, double most=1e100) except? -1.0:
    if not SMALLEST <= value <= most:
        raise ValueError(f"{name} must be above 0 and finite ({SMALLEST:g} … {most:g}), is {value:g}")
    return value


cdef inline double nonnegative(str name, double value) except? -1.0:
    if not 0.0 <= value <= GREATEST:
        raise ValueError(f"{name} must not be negative and must be finite (up to {GREATEST:g}), is {value:g}")
    return value


cdef inline double share(str name, double value) except? -1.0:
    if not 0.0 <= value <= 1.0:
        raise ValueError(f"{name} must be 0 … 1, is {value:g}")
    return value


cdef inline double within(str name, double value, double low, double high) except? -1e308:
    if not low <= value <= high:
        raise ValueError(f"{name} must be {low:g} … {high:g}, is {value:g}")
    return value
