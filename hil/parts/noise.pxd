"""Random numbers: xoshiro256++ (D. Blackman and S. Vigna, ACM Trans. Math. Softw. 47, 36 (2021)), seeded by
splitmix64 as its authors advise; normal ones by Marsaglia's polar method (SIAM Review 6, 260 (1964)).
"""

from libc.math cimport log, sqrt

ctypedef unsigned long long word

cdef struct Noise:
    word s[4]
    double spare
    bint has_spare


cdef inline word split(word* seed) noexcept nogil:
    seed[0] += <word>0x9E3779B97F4A7C15ULL
    cdef word z = seed[0]
    z = (z ^ (z >> 30)) * <word>0xBF58476D1CE4E5B9ULL
    z = (z ^ (z >> 27)) * <word>0x94D049BB133111EBULL
    return z ^ (z >> 31)


cdef inline void seed_noise(Noise* noise, word seed) noexcept nogil:
    cdef int i
    for i in range(4):
        noise.s[i] = split(&seed)
    noise.has_spare = False


cdef inline word rotated(word x, int k) noexcept nogil:
    return (x << k) | (x >> (64 - k))


cdef inline word next_word(Noise* noise) noexcept nogil:
    cdef word* s = noise.s
    cdef word result = rotated(s[0] + s[3], 23) + s[0]
    cdef word t = s[1] << 17
    s[2] ^= s[0]
    s[3] ^= s[1]
    s[1] ^= s[2]
    s[0] ^= s[3]
    s[2] ^= t
    s[3] = rotated(s[3], 45)
    return result


cdef inline double uniform(Noise* noise) noexcept nogil:
    # [0, 1) with 53 bits
    return <double>(next_word(noise) >> 11) * (1.0 / 9007199254740992.0)


cdef inline double normal(Noise* noise) noexcept nogil:
    cdef double u, v, s
    if noise.has_spare:
        noise.has_spare = False
        return noise.spare
    while True:
        u = 2.0 * uniform(noise) - 1.0
        v = 2.0 * uniform(noise) - 1.0
        s = u * u + v * v
        if 0.0 < s < 1.0:
            break
    s = sqrt(-2.0 * log(s) / s)
    noise.spare = v * s
    noise.has_spare = True
    return u * s
