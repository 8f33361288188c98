"""What the simulated showerhead reactor is made of. A tool file may change any of it (`[plant] parameters`).

Values are usual ones of a single-wafer reactor for 200 mm unless a source stands beside them; none is fitted except the
yields, which say so. SI units unless the name says otherwise.
"""

from dataclasses import dataclass

from hil.parts.parameters import GasParameters, ParameterError, require_positive


@dataclass(frozen=True)
class Parameters(GasParameters):
    """Everything about the reactor that is a number."""

    # -------------------------------------------------------------------------------------------------------- heat
    full_power_w: float = 3000.0
    susceptor_capacity_j_k: float = 5000.0
    """5.5 kg of aluminium."""
    loss_w_k: float = 1.8
    """Through stem and gas."""
    radiation_m2: float = 0.03
    """Both faces times a small emissivity."""
    wall_c: float = 70.0
    idle_c: float = 300.0
    """What the susceptor has idled at before the first scan."""
    thermocouple_lag_s: float = 2.0
    plasma_heat: float = 0.4
    """Share of the plasma's power that ends in the susceptor; the rest goes into the water of the walls."""

    # --------------------------------------------------------------------------------------------------------- gas
    volume_l: float = 12.0
    trickle_sccm: float = 100.0
    leak_sccm: float = 0.002
    """Of a tight chamber: about 0.2 mTorr/min."""
    outgassing_sccm: float = 0.002
    face_plate_pa2_s_mol: float = 3e9
    """Pressure behind the face plate, P² − P0² over the flow: 13 Torr at 1.2 slm."""

    # --------------------------------------------------------------------------------------------- high frequency
    electrode_radius_m: float = 0.12
    gap_m: float = 0.02
    coupling: float = 0.8
    """Share of the load power that reaches the gas; match and cable take the rest."""
    collision_energy_ev: float = 3000.0
    """For each ion pair in nitrogen at 1 Torr, vibration and dissociation included: a usual order, unverified."""
    bias_v_per_root_w: float = 21.5
    """Greatest self-bias over the root of the power at low pressure: about −170 V at 300 W and 1 Torr."""
    bias_pressure_pa: float = 133.0
    """Half of it is left at this pressure."""
    load_full_s: float = 0.1
    tune_full_ohm: float = 270.0
    strike_w: float = 25.0
    generator_lag_s: float = 0.02
    probe_lag_s: float = 0.03
    frequency_mhz: float = 13.56

    # -------------------------------------------------------------------------------------------------------- film
    nitride_yield: float = 0.02264
    """Declared calibration of the demonstration reactor: the guide's recipe makes its 50 nm in 300 s."""
    oxide_yield: float = 0.2528
    """Declared calibration of the demonstration reactor: its oxide recipe makes 55 nm/min."""
    dissociation_m3_s: float = 1e-14
    """Of silane at electrons, × exp(−8.8 eV/T_e): 3e-16 m³/s at 2.5 eV (a usual order)."""
    radical_loss: float = 0.35
    """β of SiH3 at a film, 0.30–0.47 (physics of silane plasmas, published range)."""
    fluorine_yield: float = 2.0
    etch_m3: float = 4.5e-32
    """Film that a fluorine atom at the wall takes away, m³: a few in a thousand react (usual order)."""
    growth_area_m2: float = 0.13
    """Wafer, susceptor's edge, face plate and wall."""
    wall_share: float = 0.35
    """Rate at the wall over rate at the wafer."""
    wall_film_nm: float = 200.0
    """Film on the wall at the start."""
    ageing_1_m: float = 4000.0
    """Relative change of the rate for each metre of wall film: 0.4 % a µm."""
    dome: float = 0.012
    """How much less grows at the edge than in the middle."""
    depletion_dome: float = 0.08
    """The same, for all of the silane used up."""
    tilt_spread: float = 0.003
    """Of growth from one edge of the wafer to its middle."""
    wafer_spread: float = 0.003
    """Of growth from run to run (seed to seed)."""
    wafer_diameter_m: float = 0.2

    # ------------------------------------------------------------------------------------------------- instruments
    thermocouple_offset_k: float = 0.5
    """Spread; type K itself is good to 2.5 K (IEC 60584-1 class 2)."""
    thermocouple_drift_k_h: float = 0.005
    manometer_noise_torr: float = 0.00005
    manometer_zero_torr: float = 0.0001
    """Spread of the zero."""
    power_noise: float = 0.002
    """Of reading."""
    emission_noise: float = 0.01
    """Of reading."""
    ellipsometer_noise_nm: float = 0.03
    crystal_noise_nm: float = 0.02
    crystal_drift_nm_h: float = 0.3
    """Spread: the crystal's temperature."""

    def __post_init__(self) -> None:
        """Refuse what no reactor can be."""
        super().__post_init__()
        require_positive(
            self,
            "susceptor_capacity_j_k", "thermocouple_lag_s", "gap_m", "electrode_radius_m", "generator_lag_s",
            "probe_lag_s", "bias_pressure_pa", "load_full_s", "tune_full_ohm", "collision_energy_ev", "frequency_mhz",
        )  # fmt: skip
        if not 0.0 < self.radical_loss <= 1.0:
            raise ParameterError(
                f"plant.parameters.radical_loss must be above 0 and at most 1, is {self.radical_loss:g}"
            )
