"""Tools whose energy is a plasma: dense, of two frequencies, of microwaves, remote."""

from chamber_modules import reading
from chamber_spec import Gas, Heat, Pair, Source, Spec, Vacuum
from chamber_tools_energy import FILM, NITROGEN, SILANE, TURBO

HDP = Spec(
    file="hdp_oxide", name="HDP-1", title="HDP reactor 1",
    head=(
        "A high-density plasma reactor for gap fill on 200 mm wafers: an inductive source of 5 kW at 2 MHz",
        "over a biased, cooled chuck, silane and oxygen in argon at a few millitorr; ions sputter while the",
        "oxide grows.",
    ),
    model="HDP-200", serial="SIM-0009",
    gases=(SILANE, Gas("O2", "oxygen", 500), Gas("Ar", "argon", 1000, inert=True)),
    purge="Ar",
    heat=Heat(
        "susceptor", "Electrostatic chuck, heated, 3 kW", 600, 640, 680, 3000, 250, kp=21, ti_s=120, tolerance_c=6,
    ),
    vacuum=Vacuum(
        "turbo", 0.002, 0.05, 0.006, 0.1, kp=3500, ti_s=0.4, base=0.00005, gas_limit=0.08, over=0.08,
        tolerance_pct=8, fill=0.05, empty=0.0005,
    ),
    source=Source(
        "rf", "rf", "Source generator", "Inductive source, 5 kW at 2 MHz", 5000, match=True, bias_w=2000,
        reflects=True, window=(0.001, 0.08), lit="metrology.plasma_lit", frequency_mhz=2.0, gas={"Ar": 100},
        rate=10000, tolerance_pct=6,
    ),
    maps=({"source": "rf.enable", "target": "bias.enable", "x": [0, 1], "y": [0, 1]},),
    modes=("HDP Oxide",),
    films=({"name": "SiO2", "law": "SiO2-plasma", "index": [1.46, 0.0]},),
    pairs=(
        Pair(
            "SiH4", "O2", "chamber.pressure_torr > 0.06 Torr or heater.zone1.temperature_c < 150 °C",
            "The pair may meet only at the pressure and temperature of its mode; elsewhere it collects and can ignite",
            "silane_oxygen_window",
        ),
    ),
    metrology=("lit", "density", "oes_sih4", "oes_o2", *FILM), plant_source="inductive",
    parameters=TURBO | {
        "volume_l": 40, "booster_speed_l_s": 1600, "throttle_full_l_s": 2500, "throttle_closed_l_s": 5,
        "line_l_s": 5000, "source_radius_m": 0.16, "source_length_m": 0.15, "strike_w": 200,
        "burns_from_torr": 0.0008, "burns_to_torr": 0.1, "energy_share": 0.02, "growth_area_m2": 0.05,
        "wall_share": 0.3, "sputter_m3": 1e-31, "radical_yield": 0.05, "dome": 0.015, "trickle_sccm": 5,
        "booster_pressure_torr": 0.1,
    },
    seed=30247, purge_sccm=200, vent_sccm=1000,
)  # fmt: skip

DUAL = Spec(
    file="pecvd_dual", name="PECVD-2", title="Dual-frequency PECVD reactor 2",
    head=(
        "A showerhead reactor for silicon nitride of chosen stress on 200 mm wafers: a generator of 600 W at 13.56 MHz",
        "makes the electrons, one of 300 W at 400 kHz on the wafer's electrode the energy of the ions.",
    ),
    model="DF-200", serial="SIM-0019",
    gases=(SILANE, Gas("NH3", "ammonia", 500, detector_ppm=25, detector_why="TWA"), NITROGEN),
    heat=Heat("susceptor", "Heated susceptor, 3 kW", 450, 490, 520, 3000, 200, kp=21, ti_s=120),
    vacuum=Vacuum("roots", 0.1, 8, 1, 10, 12, 0.8),
    source=Source(
        "rf", "rf", "High-frequency generator", "Generator of 600 W at 13.56 MHz", 600, match=True, bias_w=300,
        reflects=True, window=(0.08, 8.5), lit="metrology.plasma_lit", gas={"N2": 500}, rate=2000, tolerance_pct=6,
    ),
    maps=({"source": "rf.enable", "target": "bias.enable", "x": [0, 1], "y": [0, 1]},),
    modes=("Dual-frequency Nitride",),
    films=({"name": "Si3N4", "law": "Si3N4-plasma", "index": [2.0, 0.0], "needs_source": True},),
    modules=(
        {"name": "showerhead", "kind": "showerhead", "description": "Gas distribution and electrode", "tags": []},
    ),
    metrology=("lit", "density", "oes_n2", *FILM), plant_source="capacitive",
    parameters={"wall_film_nm": 0, "growth_area_m2": 0.06, "radical_yield": 0.145},
    seed=30257,
)  # fmt: skip

MICROWAVE = Spec(
    file="mpcvd_diamond", name="MPCVD-1", title="Microwave diamond reactor 1",
    head=(
        "A microwave plasma reactor for diamond on 50 mm wafers: 6 kW at 2.45 GHz in hydrogen with some",
        "methane at about 100 Torr. The ball of plasma heats gas and wafer; a stage heater trims the wafer's",
        "temperature.",
    ),
    model="MW-50", serial="SIM-0010",
    gases=(
        Gas("CH4", "methane", 50, detector_ppm=5000, detector_why="a tenth of its lower explosion limit"),
        Gas("H2", "hydrogen", 1000, detector_ppm=4000, detector_why="a tenth of its lower explosion limit"),
        Gas("N2", "nitrogen", 1000, inert=True),
    ),
    heat=Heat(
        "susceptor", "Stage with a trim heater of 2 kW", 1000, 1060, 1100, 2000, 300, per_min=60, kp=3, ti_s=40,
        tolerance_c=6,
    ),
    vacuum=Vacuum(
        "roots", 10, 200, 100, 1000, kp=2.4, ti_s=25, base=0.1, gas_limit=250, over=250, tolerance_pct=4, fill=50,
        empty=1,
    ),
    source=Source(
        "microwave", "microwave", "Microwave generator", "Magnetron of 6 kW at 2.45 GHz with its tuner", 6000,
        reflects=True, window=(5, 230), lit="metrology.plasma_lit", frequency_mhz=2450, gas={"N2": 200}, rate=3000,
        tolerance_pct=6, danger="microwaves leak",
        inputs=(reading("gas_k", "Gas in the ball, by the band of C2", "K", 0, 7000, 0.5, 1),),
    ),
    shield=True, modes=("MPCVD Diamond",),
    films=({"name": "diamond", "law": "diamond", "factor": 1.0, "index": [2.41, 0.0]},),
    metrology=("lit", "density", "pyrometer", "oes_h2", "oes_ch4", "reflectometer", "rate", "ellipsometer"),
    parameters={
        "capacity_j_k": 400, "loss_w_k": 0.8, "radiation_m2": 0.008, "wall_c": 40, "wafer_drop": 0,
        "gas_share": 0.5, "volume_l": 3, "throttle_closed_l_s": 0.005, "throttle_full_l_s": 4, "dry_speed_l_s": 20,
        "booster_speed_l_s": 20, "source_radius_m": 0.03, "coupling": 0.9, "energy_share": 0.1, "strike_w": 500,
        "burns_from_torr": 5, "burns_to_torr": 230, "source_lag_s": 0.05, "hydrogen_left": 0.03,
        "methyl_constant": 0.4, "growth_area_m2": 0.003, "wafer_diameter_m": 0.05, "wall_film_nm": 0,
        "wall_share": 0.01, "dome": 0.03, "trickle_sccm": 50,
    },
    seed=30248, purge_sccm=500, vent_sccm=1000,
)  # fmt: skip

CLEAN_OFF = {
    "remote.enable": 0,
    "remote.power_w": 0,
    "remote.requested": 0,
} | {f"gas_panel.{gas}.{what}": 0 for gas in ("sih4", "nh3", "nf3") for what in ("valve", "setpoint_sccm")}
CLEAN_PURGE = {
    "vacuum.isolation_valve.shut": 0,
    "vacuum.throttle_valve.mode": 1,
    "vacuum.throttle_valve.position_pct": 100,
    "gas_panel.n2.setpoint_sccm": 2000,
    "gas_panel.n2.valve": 1,
}
CLEAN = {
    "name": "chamber_clean", "title": "Chamber clean",
    "description": (
        "Removes the film from the empty chamber's walls with the fluorine of the remote source, until the "
        "crystal in the wall is bare; purged before and after"
    ),
    "bound_s": 4300, "hold": CLEAN_OFF,
    "steps": [
        {
            "name": "purge before", "set": CLEAN_OFF | CLEAN_PURGE, "min_s": 30,
            "check": [
                {"that": "not wafer_handling.wafer_in", "otherwise": "stop", "reason": "a wafer is in the chamber"},
            ],
        },
        {
            "name": "gas and pressure",
            "set": {
                "gas_panel.n2.setpoint_sccm": 300, "gas_panel.nf3.valve": 1, "gas_panel.nf3.setpoint_sccm": 200,
                "vacuum.throttle_valve.mode": 2, "chamber.pressure_setpoint_torr": 1,
            },
            "min_s": 3,
            "until": (
                "chamber.pressure_torr > 0.95 Torr and chamber.pressure_torr < 1.05 Torr and "
                "gas_panel.nf3.flow_sccm > 190 sccm"
            ),
            "timeout_s": 90,
        },
        {
            "name": "light the source",
            "set": {"remote.power_w": 2000, "remote.enable": 1, "remote.requested": 1},
            "min_s": 1, "until": "metrology.plasma_lit and remote.load_w > 1900 W", "timeout_s": 15,
        },
        {
            "name": "clean", "min_s": 20,
            "until": "metrology.qcm_thickness_nm < 5 nm and metrology.qcm_rate_nm_per_s > -0.5 nm/s",
            "timeout_s": 3600,
        },
        {"name": "overetch", "min_s": 30},
        {"name": "put out and purge", "set": CLEAN_OFF | CLEAN_PURGE, "min_s": 60},
        {
            "name": "trickle",
            "set": {"gas_panel.n2.valve": 0, "gas_panel.n2.setpoint_sccm": 0, "gas_panel.purge.shut": 0},
            "min_s": 1,
        },
    ],
}  # fmt: skip
"""Clean of the remote plasma reactor."""

REMOTE = Spec(
    file="rpcvd_nitride", name="RPCVD-1", title="Remote plasma reactor 1",
    head=(
        "A cold-wall reactor with a toroidal remote source of 3 kW at 400 kHz: its atoms reach the chamber",
        "through a tube, where silane meets them without ions; the same source cleans the empty chamber with",
        "nitrogen trifluoride.",
    ),
    model="RP-200", serial="SIM-0011",
    gases=(
        SILANE,
        Gas("NH3", "ammonia", 500, detector_ppm=25, detector_why="TWA"),
        Gas("NF3", "nitrogen trifluoride", 500, detector_ppm=10, detector_why="REL"),
        NITROGEN,
    ),
    heat=Heat("susceptor", "Heated susceptor, 3 kW", 450, 480, 520, 3000, 300),
    vacuum=Vacuum("roots", 0.1, 8, 0.5, 10, kp=20, ti_s=0.6, gas_limit=10, over=9),
    source=Source(
        "remote", "remote_plasma", "Remote source", "Toroidal source, 3 kW at 400 kHz", 3000, reflects=True,
        window=(0.08, 9), lit="metrology.plasma_lit", frequency_mhz=0.4, gas={"N2": 500}, rate=5000,
    ),
    modes=("RPCVD Nitride",),
    films=({"name": "Si3N4", "law": "Si3N4-plasma", "index": [1.95, 0.0]},),
    metrology=("lit", "oes_n2", *FILM, "qcm", "qcm_rate", "rga_sif4"),
    parameters={
        "strike_w": 100, "radical_yield": 0.00104, "energy_share": 0.0, "growth_area_m2": 0.1, "wall_film_nm": 100,
        "fluorine_yield": 0.05, "burns_to_torr": 10,
    },
    seed=30249, operations=(CLEAN,),
)  # fmt: skip

SPECS = (HDP, DUAL, MICROWAVE, REMOTE)
