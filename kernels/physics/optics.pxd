"""Light on a stack of thin films, by the characteristic matrix (M. Born and E. Wolf, Principles of Optics, 1.6).

Time goes as exp(−iωt), so that indices n + ik with k above 0 absorb; the r of p is that of the electric field in
Fresnel's convention (both reflections alike at normal incidence: r_p = −r_s).
"""

from kernels.physics.constants cimport PI

cdef extern from "<complex.h>" nogil:
    double complex csqrt(double complex)
    double complex cexp(double complex)


cdef inline double complex cosine(double complex index, double complex sine) noexcept nogil:
    # index·cos θ in a medium, sine = n0·sin θ0 preserved by Snell's law; the root that decays
    cdef double complex root = csqrt(index * index - sine * sine)
    return -root if root.imag < 0.0 else root


cdef inline double complex reflected(const double complex* indices, const double* thicknesses, Py_ssize_t films,
                                     double complex substrate, double ambient, double sine, double wavelength,
                                     bint parallel) noexcept nogil:
    # Amplitude of one polarisation, from the substrate up: r = (r01 + r·e)/(1 + r01·r·e), e = exp(2iβ), which never
    # overflows, for the light only decays
    cdef double complex below = substrate, above, lower = cosine(substrate, sine), upper, r = 0.0, face, turn
    cdef Py_ssize_t k
    for k in range(films, -1, -1):
        above = indices[k - 1] if k > 0 else ambient
        upper = cosine(above, sine)
        if parallel:
            face = (below * below * upper - above * above * lower) / (below * below * upper + above * above * lower)
        else:
            face = (upper - lower) / (upper + lower)
        r = (face + r) / (1.0 + face * r) if k < films else face
        if k > 0:
            turn = cexp(4j * PI * upper * thicknesses[k - 1] / wavelength)
            r = r * turn
        below, lower = above, upper
    return r
