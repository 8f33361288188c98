"""What a simulated chamber is made of. A tool file may change any of it (`[plant] parameters`).

Values are usual ones of a single-wafer reactor unless a source stands beside them; a tool's own geometry, pumps and
source are its file's. SI units unless the name says otherwise.
"""

from dataclasses import dataclass

from hil.parts.parameters import GasParameters, ParameterError, require_positive


@dataclass(frozen=True)
class Parameters(GasParameters):
    """Everything about a chamber that is a number."""

    # -------------------------------------------------------------------------------------------------------- heat
    full_power_w: float = 3000.0
    """Of each zone."""
    capacity_j_k: float = 5000.0
    loss_w_k: float = 1.8
    radiation_m2: float = 0.03
    """Area times emissivity of a zone."""
    source_full_power_w: float = 0.0
    """Of the last zone where it is a source zone (a boat); 0: as the others."""
    coupling_w_k: float = 0.0
    """Between neighbouring zones."""
    drive_lag_s: float = 0.5
    """Thyristor 0.5, lamps 1 to 2, inductor 0.2."""
    thermocouple_lag_s: float = 2.0
    wall_c: float = 70.0
    idle_c: float = 300.0
    """What the zones have idled at before the first scan."""
    source_idle_c: float = 0.0
    """The same of the source zone; 0: as the others."""
    wafer_zone: float = 1.0
    """Zone that the wafers lie on."""
    source_zone: float = 1.0
    """Zone whose temperature boats and mist see."""
    gas_share: float = 0.35
    """Gas temperature between wall and susceptor."""
    wafer_drop: float = 0.02
    """What wafers are colder than their susceptor, as a share of susceptor minus wall."""
    snap_c: float = 520.0
    """Where the independent over-temperature controller opens."""
    energy_share: float = 0.3
    """Share of the source's power that heats the susceptor."""
    spin_lag_s: float = 3.0

    # --------------------------------------------------------------------------------------------------------- gas
    volume_l: float = 12.0
    exhaust_torr: float = 0.0
    """Of the exhaust duct of a tool without pumps; 0: pumps."""
    trickle_sccm: float = 100.0
    leak_sccm: float = 0.002
    outgassing_sccm: float = 0.002
    manometer_full_torr: float = 10.0
    fine_manometer_full_torr: float = 0.0
    """Of a second head for the low end; 0: none."""
    bath_lag_s: float = 120.0
    lock_volume_l: float = 8.0
    """Of a load lock, where the tool has one."""
    lock_speed_l_s: float = 5.0
    lock_ultimate_torr: float = 1e-6
    lock_vent_sccm: float = 20000.0
    lock_slit_l_s: float = 200.0
    """Conductance of the open slit valve."""

    # ------------------------------------------------------------------------------------------------------ energy
    source_radius_m: float = 0.12
    source_length_m: float = 0.02
    """Of the discharge (gap), of the microwave ball (radius), of the space below a wire or a lamp."""
    ion_cross_section_m2: float = 1e-18
    """Of ions in their gas, a usual value."""
    coupling: float = 0.8
    """Share of the load that reaches gas or light."""
    bias_v_per_root_w: float = 21.5
    bias_pressure_pa: float = 133.0
    load_full_s: float = 0.1
    tune_full_ohm: float = 270.0
    strike_w: float = 25.0
    """Least power that lights; of a lamp its nominal power."""
    burns_from_torr: float = 0.03
    burns_to_torr: float = 20.0
    source_lag_s: float = 0.02
    probe_lag_s: float = 0.03
    remote_decay: float = 0.6
    """Share of atoms that a remote source's tube leaves."""
    wire_length_m: float = 0.6
    wire_diameter_m: float = 0.0005
    wire_emissivity: float = 0.33
    """Tungsten near 2300 K (usual)."""
    wire_cooling_w_k: float = 0.02
    """W/K of gas at 100 Pa (usual order)."""
    lamp_area_m2: float = 0.05
    warm_up_s: float = 60.0
    spot_m: float = 50e-6
    """1/e radius."""
    track_m: float = 0.01
    absorbed_share: float = 0.6
    conductivity_w_m_k: float = 148.0
    """Of the substrate under the spot: silicon at 300 K."""
    cross_section_m2: float = 1e-22
    quantum_yield: float = 1.0
    wavelength_nm: float = 185.0
    window_ageing_1_m: float = 1e5
    """Light that a metre of film on the window would take, as exponent."""

    # -------------------------------------------------------------------------------------------------------- film
    growth_area_m2: float = 0.06
    """Wafer, susceptor's edge and whatever else grows at the wafer's rate."""
    wall_share: float = 0.35
    wall_film_nm: float = 200.0
    ageing_1_m: float = 0.0
    """Relative change of the rate for each metre of wall film."""
    dome: float = 0.012
    depletion_dome: float = 0.05
    tilt_spread: float = 0.003
    wafer_spread: float = 0.003
    wafer_diameter_m: float = 0.2
    wafers: float = 1.0
    radical_yield: float = 1.0
    """Declared calibration: radicals at the wafer for each broken molecule."""
    radical_loss: float = 0.35
    """β of SiH3 at a film, 0.30–0.47 (published range)."""
    fluorine_yield: float = 2.0
    etch_m3: float = 4.5e-32
    sputter_m3: float = 0.0
    """Film that an ion takes away for each root of a volt above threshold, m³ (usual order 3e-31)."""
    methyl_constant: float = 14.0
    """Of H + CH4 ⇌ CH3 + H2 (usual)."""
    hydrogen_left: float = 0.1
    """Share of the atoms that recombination leaves at the wafer."""
    transport: float = 0.0
    """0: the surface alone, 1: rotating disk, 2: stagnation."""
    strain_1_s: float = 30.0
    diffusivity_m2_s: float = 3.5e-5
    """Of the precursor at 300 K and 1 atm."""
    viscosity_pa_s: float = 9.0e-6
    """Of the gas at 300 K: hydrogen."""
    soret: float = 0.75
    """What thermal diffusion leaves of the transport to a hot surface (−20 to −36 % for heavy molecules)."""
    oxygen_over_acetylene: float = 0.95
    """Of the burner's table."""

    # ------------------------------------------------------------------------------------------------- instruments
    thermocouple_offset_k: float = 0.5
    thermocouple_drift_k_h: float = 0.005
    pyrometer_noise_k: float = 0.3
    manometer_noise: float = 5e-6
    """Of full scale."""
    manometer_zero: float = 1e-5
    """Spread of the zero, of full scale."""
    power_noise: float = 0.002
    emission_noise: float = 0.01
    ellipsometer_noise_nm: float = 0.03
    crystal_noise_nm: float = 0.005
    crystal_drift_nm_h: float = 0.3
    crystal_share: float = 1.0
    """Film on the crystal for each metre on the wall."""
    crystal_layer_nm: float = 0.0
    """What a full layer of the first half-reaction weighs on the crystal, as film."""
    probe_wavelength_nm: float = 632.8
    substrate_index: float = 3.8808
    substrate_extinction: float = 0.0187

    def __post_init__(self) -> None:
        """Refuse what no chamber can be."""
        super().__post_init__()
        require_positive(
            self,
            "capacity_j_k", "thermocouple_lag_s", "drive_lag_s", "spin_lag_s", "bath_lag_s", "source_radius_m",
            "source_length_m", "source_lag_s", "probe_lag_s", "bias_pressure_pa", "load_full_s", "tune_full_ohm",
            "wire_length_m", "wire_diameter_m", "lamp_area_m2", "warm_up_s", "spot_m", "track_m", "conductivity_w_m_k",
            "wavelength_nm", "growth_area_m2", "radical_loss", "diffusivity_m2_s", "viscosity_pa_s", "wafers",
            "probe_wavelength_nm", "manometer_full_torr", "strain_1_s", "lock_volume_l",
        )  # fmt: skip
        if self.radical_loss > 1.0 or self.transport not in {0.0, 1.0, 2.0}:
            raise ParameterError("plant.parameters: radical_loss is at most 1, transport is 0, 1 or 2")
