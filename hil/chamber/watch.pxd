"""What instruments in situ see: thicknesses with their rates, reflectance, ellipsometric angles, light, masses."""

from libc.math cimport sqrt

from hil.chamber.state cimport HISTORY, Chamber, FilmKind
from kernels.physics.constants cimport PI
from kernels.physics.optics cimport reflected

cdef extern from "<complex.h>" nogil:
    double cabs(double complex)
    double carg(double complex)

cdef extern from "<math.h>" nogil:
    double atan(double)


cdef inline void optics(Chamber* f) noexcept nogil:
    # Reflectance at normal incidence, ψ and Δ at 70°, of the film that grows last on its substrate
    cdef double complex index, substrate = f.watch.substrate_real + 1j * f.watch.substrate_imaginary, p, s
    cdef double thickness = f.surface.thickness[0], sine = 0.9396926207859084
    cdef FilmKind* film = &f.surface.film[f.surface.active if f.surface.active >= 0 else 0]
    index = film.real + 1j * film.imaginary
    p = reflected(&index, &thickness, 1, substrate, 1.0, 0.0, f.watch.wavelength, False)
    f.watch.reflectance = p.real * p.real + p.imag * p.imag
    thickness = f.surface.thickness[1]
    p = reflected(&index, &thickness, 1, substrate, 1.0, sine, f.watch.wavelength, True)
    s = reflected(&index, &thickness, 1, substrate, 1.0, sine, f.watch.wavelength, False)
    f.watch.psi = atan(cabs(p) / cabs(s)) * 180.0 / PI
    f.watch.delta = carg(p / s) * 180.0 / PI
    f.watch.delta += 360.0 if f.watch.delta < 0.0 else 0.0


cdef inline void watch_step(Chamber* f) noexcept nogil:
    # Every second
    cdef int slot = <int>((f.rack.step // f.watch.period) % HISTORY), i, k
    cdef double total = f.gas.pressure
    f.watch.middle, f.watch.half = f.surface.thickness[0], f.surface.thickness[1]
    f.watch.middle_rate = (f.watch.middle - f.watch.middle_history[(slot + 1) % HISTORY]) / f.watch.interval
    f.watch.crystal_rate = (f.watch.crystal - f.watch.crystal_history[(slot + 1) % HISTORY]) / f.watch.interval
    f.watch.middle_history[slot] = f.watch.middle
    f.watch.crystal_history[slot] = f.watch.crystal
    optics(f)
    for i in range(f.gas.kinds):
        # A sampled gas behind an orifice, in which every gas leaves pieces at other masses; light as k·n_e·n
        f.watch.residual[i] = 0.0
        for k in range(f.gas.kinds):
            f.watch.residual[i] += f.watch.cracking[i][k] * f.gas.partial[k]
        f.watch.emission[i] = 2e-12 * f.energy.density * f.gas.partial[i] / total if total > 0.0 else 0.0


cdef inline void crystal_step(Chamber* f) noexcept nogil:
    # A microbalance beside the wafer, or in the wall: film, and a layer of the first precursor while it is there
    f.watch.crystal = f.surface.wall * f.watch.crystal_share + f.watch.crystal_mass * f.surface.coverage
