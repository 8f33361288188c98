"""Constants: exact values of the SI (BIPM, 9th edition, 2019) and what follows from them."""

cdef extern from *:
    """
    #define CVD_GAS_CONSTANT 8.31446261815324      /* J/(mol K), k N_A, exact */
    #define CVD_STEFAN_BOLTZMANN 5.670374419e-8    /* W/(m2 K4), CODATA 2018 */
    #define CVD_BOLTZMANN 1.380649e-23              /* J/K, exact */
    #define CVD_AVOGADRO 6.02214076e23              /* 1/mol, exact */
    #define CVD_PLANCK 6.62607015e-34               /* J s, exact */
    #define CVD_LIGHT 299792458.0                   /* m/s, exact */
    #define CVD_PI 3.14159265358979323846
    #define CVD_TORR (101325.0 / 760.0)            /* Pa */
    #define CVD_ZERO_CELSIUS 273.15                /* K */
    /* Amount of an ideal gas in 1 cm3 at 0 degC and 101 325 Pa, a minute (SEMI E12): 7.4358e-7 mol/s. */
    #define CVD_SCCM (101325.0e-6 / (CVD_GAS_CONSTANT * CVD_ZERO_CELSIUS) / 60.0)
    """
    const double GAS_CONSTANT "CVD_GAS_CONSTANT"
    const double STEFAN_BOLTZMANN "CVD_STEFAN_BOLTZMANN"
    const double BOLTZMANN "CVD_BOLTZMANN"
    const double AVOGADRO "CVD_AVOGADRO"
    const double PLANCK "CVD_PLANCK"
    const double LIGHT "CVD_LIGHT"
    const double PI "CVD_PI"
    const double TORR "CVD_TORR"
    const double ZERO_CELSIUS "CVD_ZERO_CELSIUS"
    const double SCCM "CVD_SCCM"
