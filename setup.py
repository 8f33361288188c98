"""Build of the Cython kernels; everything else about the package is in pyproject.toml.

Every ``.pyx`` below ``kernels/`` and ``hil/`` becomes one extension module of the same dotted name, so that a new
kernel needs no entry here. Only what changed is translated and compiled again::

    python setup.py build_ext --inplace

Environment:

``CVD_COVERAGE=1``
    an unoptimised build with gcov counters whose line numbers are those of the ``.pyx``. Its objects live in a build
    folder of their own, but the modules replace the others: `make kernel-coverage` builds it in a copy of the tree.
``CVD_WITHOUT_KERNELS=1``
    leaves the extensions out. Used by the Makefile for the editable install, which pip would compile in a temporary
    folder, only for `build_ext --inplace` to do it again.
"""

import os
from pathlib import Path

import numpy as np
from Cython.Build import cythonize
from setuptools import Extension, setup

ROOT = Path(__file__).resolve().parent
ROOMS_WITH_KERNELS = ("kernels", "hil")
COVERAGE = os.environ.get("CVD_COVERAGE") == "1"
WITHOUT_KERNELS = os.environ.get("CVD_WITHOUT_KERNELS") == "1"
JOBS = min(4, len(os.sched_getaffinity(0)))

# Replay must be bit-identical on another processor, hence no contraction into FMA, no -march=native and no fast-math.
NUMERICS = ["-ffp-contract=off", "-fno-fast-math"]
QUIET = ["-Wno-unused-function", "-Wno-unreachable-code"]
DIRECTIVES = {
    "language_level": 3,
    "boundscheck": False,
    "wraparound": False,
    "cdivision": True,
    "initializedcheck": False,
    # Signatures stay visible to `inspect`, so that the typed stubs can be checked against the built modules.
    "binding": True,
    "embedsignature": True,
    "embedsignature.format": "python",
}


def extension(source: Path) -> Extension:
    """Describe the extension module built from one ``.pyx`` file, given relative to the repository."""
    optimisation = ["-O0", "-g", "--coverage"] if COVERAGE else ["-O2"]
    return Extension(
        ".".join(source.with_suffix("").parts),
        [str(source)],
        include_dirs=[np.get_include(), *ROOMS_WITH_KERNELS],
        define_macros=[("NPY_NO_DEPRECATED_API", "NPY_1_7_API_VERSION"), ("_GNU_SOURCE", None)],
        extra_compile_args=[*optimisation, *NUMERICS, *QUIET],
        extra_link_args=["--coverage"] if COVERAGE else [],
        libraries=["pthread", "rt", "m"],
        depends=[str(header.relative_to(ROOT)) for header in sorted((ROOT / source.parts[0]).rglob("*.h"))],
    )


def extensions() -> list[Extension]:
    """Find and translate every kernel."""
    sources = [path for room in ROOMS_WITH_KERNELS for path in sorted((ROOT / room).rglob("*.pyx"))]
    if WITHOUT_KERNELS or not sources:
        return []
    return cythonize(
        [extension(path.relative_to(ROOT)) for path in sources],
        build_dir="build/cython-coverage" if COVERAGE else "build/cython",
        compiler_directives=DIRECTIVES,
        emit_linenums=COVERAGE,
        nthreads=JOBS if len(sources) > 1 else 0,
        quiet=True,
    )


setup(
    ext_modules=extensions(),
    options={
        "build_ext": {"parallel": str(JOBS)},
        "build": {"build_base": "build/coverage" if COVERAGE else "build"},
    },
)
