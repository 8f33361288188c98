"""What the simulated furnace is made of. A tool file may change any of it (`[plant] parameters`).

Values are usual ones of a 150 mm horizontal tube unless a source stands beside them; none is fitted except the film
factors, which say so. SI units unless the name says otherwise.
"""

from dataclasses import dataclass

from hil.parts.parameters import GasParameters, ParameterError, require_positive


@dataclass(frozen=True)
class Parameters(GasParameters):
    """Everything about the furnace that is a number."""

    # ------------------------------------------------------------------------------------------- heat, a zone each
    full_power_w: float = 9000.0
    element_capacity_j_k: float = 7000.0
    """Coil, and the inner face of a low-mass fibre insulation."""
    tube_capacity_j_k: float = 2400.0
    """2.2 kg of quartz (200 mm bore, 5 mm wall, 0.3 m) at 1.1 kJ/(kg·K)."""
    load_capacity_j_k: float = 1600.0
    """Wafers (25 × 28 g of silicon), boat, paddle and baffles."""
    element_tube_m2: float = 0.16
    """0.2 m² between coil and tube times an exchange factor of 0.8."""
    tube_load_m2: float = 0.12
    """0.19 m² of bore times 0.6: at 800 °C the load follows the tube in 50 s, at 350 °C in 4 min."""
    tube_axial_m2: float = 0.012
    load_axial_m2: float = 0.005
    tube_end_m2: float = 0.004
    """Through the baffles to the flanges."""
    element_axial_w_k: float = 3.0
    loss_w_k: float = 3.6
    """2.8 kW through the insulation at 800 °C."""
    ambient_c: float = 25.0
    flange_c: float = 60.0
    idle_c: float = 700.0
    """What the furnace has idled at before the first scan."""
    spike_lag_s: float = 3.0
    profile_lag_s: float = 8.0
    boat_lag_s: float = 5.0
    spike_share: float = 0.6
    """How much of the element a spike thermocouple sees, the tube for the rest."""
    profile_share: float = 0.6
    """How much of the tube a profile thermocouple sees, the load for the rest."""

    # --------------------------------------------------------------------------------------------------------- gas
    volume_l: float = 41.0
    cold_volume_l: float = 12.7
    cold_c: float = 77.0
    """Mean of the two cold ends."""
    trickle_sccm: float = 300.0
    leak_sccm: float = 0.005
    """Of a tight tube: about 0.2 mTorr/min."""
    outgassing_sccm: float = 0.005

    # -------------------------------------------------------------------------------------------------------- film
    wafers: float = 25.0
    wafer_diameter_m: float = 0.15
    pitch_m: float = 0.00952
    """Every second slot of a 4.76 mm boat."""
    zone_length_m: float = 0.3
    bore_m: float = 0.2
    entrance_baffles_m2: float = 0.05
    boat_area_m2: float = 0.002
    """Of the boat, a wafer's share."""
    diffusivity_m2_pa_s: float = 1.3
    """Silane in nitrogen at 300 K, times pressure (1.3e-5 m²/s at 1 atm; a usual value)."""
    poly_silicon_factor: float = 0.666
    """Declared calibration of the demonstration furnace: its 620 °C recipe makes 100 nm in 600 s. 1 is the law."""
    slot_spread: float = 0.0012
    """Of growth from slot to slot."""
    tilt_spread: float = 0.0015
    """Of growth from one edge of a wafer to its middle."""

    # ------------------------------------------------------------------------------------------------- instruments
    thermocouple_offset_k: float = 0.12
    """Spread after the furnace has been profiled; type R itself is good to 1.5 K (IEC 60584-1 class 2)."""
    thermocouple_drift_k_h: float = 0.002
    """Spread; type R loses 1 to 2 K in 1000 h."""
    manometer_noise_torr: float = 0.00005
    manometer_zero_torr: float = 0.0001
    """Spread of the zero."""

    def __post_init__(self) -> None:
        """Refuse what no furnace can be."""
        super().__post_init__()
        if self.wafers != int(self.wafers) or not 1 <= self.wafers <= 64:
            raise ParameterError(f"plant.parameters.wafers must be a whole number of 1 … 64, is {self.wafers:g}")
        load = (self.wafers - 1) * self.pitch_m
        if load > 2.5 * self.zone_length_m:
            raise ParameterError(f"plant.parameters: {self.wafers:g} wafers need {load:.2f} m of the tube")
        require_positive(
            self,
            "element_capacity_j_k", "tube_capacity_j_k", "load_capacity_j_k", "zone_length_m", "pitch_m", "spike_lag_s",
            "profile_lag_s", "boat_lag_s", "diffusivity_m2_pa_s",
        )  # fmt: skip
