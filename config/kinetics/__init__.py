"""Tables of detailed chemistry: a Cantera mechanism in, a table that a kernel interpolates out, its error measured.

The plan says over which temperatures, pressures and mole fractions; the mechanism is evaluated at every point and at
held-out points between them; kernels.lookup keeps the result. Cantera is an optional extra of the distribution and is
imported only here, when a table is made. It may import `kernels` and its siblings in `config`.
"""

from config.kinetics.plan import Grid, KineticsError, Plan, parse_grid
from config.kinetics.tabulate import tabulate

__all__ = ["Grid", "KineticsError", "Plan", "parse_grid", "tabulate"]
