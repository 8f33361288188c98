"""Tools with a source of energy beside heat and plasma: hot wire, laser, lamp, burner."""

from chamber_modules import choice, contact, number, reading
from chamber_spec import Gas, Heat, Pair, Source, Spec, Vacuum

SILANE = Gas("SiH4", "silane", 200, detector_ppm=5, detector_why="REL and TLV")
HYDROGEN = Gas("H2", "hydrogen", 500, detector_ppm=4000, detector_why="a tenth of its lower explosion limit")
NITROGEN = Gas("N2", "nitrogen", 5000, inert=True)
FILM = ("reflectometer", "rate", "ellipsometer", "psi", "delta")
TURBO = {"throttle_closed_l_s": 1, "throttle_full_l_s": 800, "line_l_s": 2000, "dry_speed_l_s": 28,
         "booster_pressure_torr": 0.05, "booster_ultimate_torr": 1e-8}  # fmt: skip
LOOP = ["off", "manual", "auto"]
FIVE_DECADES = (
    (0.005, 25), (0.016, 30), (0.05, 50), (0.16, 150), (0.5, 500), (1.6, 700), (5, 1000), (16, 1500), (50, 2000),
    (160, 3500), (500, 5000),
)  # fmt: skip


def _off(*outputs: str) -> list[dict[str, object]]:
    """Effects that take outputs to 0."""
    return [{"output": name, "value": 0} for name in outputs]


_WIRE_OFF = _off("filament.enable", "filament.current_a", "gas_panel.sih4.valve", "gas_panel.sih4.setpoint_sccm")

HOT_WIRE = Spec(
    file="hwcvd_silicon", name="HWCVD-1", title="Hot-wire reactor 1",
    head=(
        "A cold-wall reactor with a tungsten wire of 0.6 m above a heated 150 mm wafer: silane, diluted in",
        "hydrogen, splits on the wire at 1600 to 2000 °C. The wire's temperature is controlled by its",
        "current, by a pyrometer.",
    ),
    model="HW-150", serial="SIM-0008", gases=(SILANE, HYDROGEN, NITROGEN),
    heat=Heat("susceptor", "Heated susceptor, 2 kW", 500, 540, 580, 2000, 200, kp=30, ti_s=150),
    vacuum=Vacuum(
        "turbo", 0.005, 0.5, 0.05, 1, kp=150, ti_s=0.8, base=0.0005, gas_limit=0.8, over=0.8, tolerance_pct=5,
        fill=0.5, empty=0.005,
    ),
    source=Source(
        "filament", "filament", "Hot wire", "Tungsten wire on its supply, with a pyrometer", 25, unit="A", rate=10,
        inputs=(
            reading("temperature_c", "Wire, by two-colour pyrometer", "°C", 0, 2800, 0.05, 0.5),
            reading("measured_a", "Current", "A", -1, 30, 0.05, 0.01),
            reading("voltage_v", "Voltage", "V", -1, 100, 0.05, 0.01),
            reading("measured_w", "Power", "W", -1, 3000, 0.05, 0.1),
            contact("lit", "Above 1300 °C, by photodiode", ["cold", "hot"], 0.05),
        ),
        outputs=(
            number("setpoint_c", "Set point of the wire", "°C", 20, 2200, initial=1700),
            choice("mode", "Mode of the wire's loop", LOOP),
        ),
        lit="filament.lit", settings="filament_settings", tolerance_pct=2, light_s=20,
        words={"power": "filament.setpoint_c", "load": "filament.temperature_c", "mode": "filament.mode"},
        danger="a supply in reach of hands",
    ),
    modes=("HWCVD Si",),
    films=(
        {"name": "µc-Si", "law": "uc-Si:H", "index": [3.6, 0.03], "needs": ["H2"], "least_share": 0.6},
        {"name": "a-Si:H", "law": "a-Si:H", "index": [3.9, 0.1]},
    ),
    cold=("filament.mode",),
    loops=(
        {
            "name": "wire", "pv": "filament.temperature_c", "sp": "filament.setpoint_c",
            "out": "filament.current_a", "mode": "filament.mode", "kp": 0.004, "ti_s": 0.6, "low": 0, "high": 20,
            "rate_per_s": 10, "off": 0,
        },
    ),
    interlocks=(
        {
            "name": "filament_too_hot", "class": "trip", "description": "Wire above 2300 °C",
            "when": "filament.temperature_c > 2300 °C", "hysteresis": "20 K", "on_delay_s": 0.2, "group": "source",
            "priority": "critical", "response_time_s": 60, "consequence": "The wire sags, breaks and sprays",
            "action": "Check pyrometer and supply",
            "effects": _WIRE_OFF,
        },
        {
            "name": "filament_broken", "class": "trip", "description": "Current asked for and none flows",
            "when": "filament.enable and filament.current_a > 2 A and filament.measured_a < 0.5 A", "on_delay_s": 1,
            "group": "source", "priority": "high", "response_time_s": 300, "consequence": "No radicals: no film",
            "action": "Change the wire",
            "effects": _WIRE_OFF,
        },
    ),
    metrology=(*FILM, "qcm", "qcm_rate"),
    parameters=TURBO | {
        "volume_l": 15, "booster_speed_l_s": 300, "throttle_full_l_s": 200, "source_lag_s": 0.05,
        "source_length_m": 0.05, "energy_share": 0.15, "growth_area_m2": 0.05, "wafer_diameter_m": 0.15,
        "wall_film_nm": 0, "radical_yield": 1.0, "wire_cooling_w_k": 0.1, "dome": 0.02, "trickle_sccm": 50,
    },
    seed=30246, purge_sccm=500, vent_sccm=2000,
)  # fmt: skip

LASER = Spec(
    file="lcvd_tungsten", name="LCVD-1", title="Laser writing reactor 1",
    head=(
        "A chamber with a window for writing tungsten lines: a focused beam of 5 W scans to and fro over its",
        "track, and tungsten hexafluoride is reduced by hydrogen only where the silicon under the spot is",
        "hot.",
    ),
    model="LW-100", serial="SIM-0012",
    gases=(
        Gas("WF6", "tungsten hexafluoride", 50, detector_ppm=3, detector_why="as hydrogen fluoride, its REL"),
        HYDROGEN,
        NITROGEN,
    ),
    heat=Heat("susceptor", "Heated stage, 0.5 kW", 300, 330, 360, 500, 100, kp=20, ti_s=120),
    vacuum=Vacuum(
        "roots", 0.004, 600, 10, 1000, kp=4, ti_s=4, base=0.02, gas_limit=80, over=70, fill=40, empty=0.5, fine=1,
        usual=FIVE_DECADES,
    ),
    source=Source(
        "laser", "laser", "Laser", "Continuous laser of 5 W at 532 nm with scanner", 5,
        inputs=(
            reading("measured_w", "Power behind the shutter", "W", -0.1, 6, 0.05, 0.001),
            reading("energy_mj", "Energy in the time that the spot takes over its own radius", "mJ", 0, 1000, 0.1),
            reading("position_mm", "Place of the spot on its track, there and back", "mm", -1, 1000, 0.05, 0.001),
            contact("lit", "Photodiode behind the shutter", ["dark", "light"], 0.05),
        ),
        outputs=(number("scan_mm_s", "Speed of the spot", "mm/s", 0, 100, "output", safe=0),),
        lit="laser.lit", settings="laser_settings", tolerance_pct=3, light_s=5,
        words={"load": "laser.measured_w", "scan": "laser.scan_mm_s"},
        danger="a beam in reach of eyes",
    ),
    shield=True, modes=("LCVD Tungsten",),
    films=({"name": "W", "law": "W-laser", "factor": 1.0, "index": [3.6, 2.9]},),
    metrology=("pyrometer", "reflectometer", "rate"),
    parameters={
        "capacity_j_k": 800, "loss_w_k": 0.5, "radiation_m2": 0.01, "wall_c": 25, "volume_l": 3,
        "throttle_full_l_s": 250, "throttle_closed_l_s": 0.02, "line_l_s": 1000, "dry_speed_l_s": 10,
        "booster_speed_l_s": 400, "spot_m": 5e-6, "track_m": 2e-4, "absorbed_share": 0.6, "conductivity_w_m_k": 148,
        "growth_area_m2": 4e-9, "wall_share": 0, "wall_film_nm": 0, "wafer_diameter_m": 0.1, "dome": 0.02,
        "energy_share": 0, "trickle_sccm": 50,
    },
    seed=30250, purge_sccm=500, vent_sccm=1000,
)  # fmt: skip

LAMP = Spec(
    file="photo_cvd_silicon", name="PHOTO-1", title="Photo-CVD reactor 1",
    head=(
        "A cold-wall reactor under a xenon resonance lamp at 147 nm, whose photons split silane without any",
        "ion: gentle growth of hydrogenated silicon. The window's coating takes light away; a trickle of",
        "nitrogen keeps it clear.",
    ),
    model="UV-150", serial="SIM-0013", gases=(SILANE, HYDROGEN, NITROGEN),
    heat=Heat("susceptor", "Heated susceptor, 2 kW", 400, 430, 470, 2000, 200, kp=30, ti_s=150),
    vacuum=Vacuum("roots", 0.5, 8, 2, 10, kp=12, ti_s=1.5, gas_limit=10, over=9),
    source=Source(
        "lamp", "uv_lamp", "Lamp", "Xenon resonance lamp of 500 W with its supply", 500,
        inputs=(
            reading("measured_w", "Electrical power", "W", -1, 600, 0.1, 0.1),
            reading("irradiance_w_cm2", "Light behind the window", "W/cm²", 0, 10, 0.5, 0.00001),
            contact("lit", "Photodiode behind the window", ["dark", "light"], 0.05),
        ),
        lit="lamp.lit", settings="laser_settings", tolerance_pct=4, light_s=60, words={"load": "lamp.measured_w"},
        danger="ultraviolet in reach of eyes",
    ),
    shield=True, modes=("Photo-CVD Si",),
    films=({"name": "a-Si:H", "law": "a-Si:H", "index": [3.9, 0.1]},),
    metrology=FILM,
    parameters={
        "coupling": 0.0005, "lamp_area_m2": 0.03, "warm_up_s": 3, "strike_w": 100, "wavelength_nm": 147,
        "cross_section_m2": 1e-21, "quantum_yield": 0.5, "source_length_m": 0.04, "energy_share": 0.05,
        "growth_area_m2": 0.04, "wafer_diameter_m": 0.15, "wall_film_nm": 0, "wall_share": 0.1,
        "radical_yield": 1.0, "dome": 0.02,
    },
    seed=30251,
)  # fmt: skip

_FLAME_OFF = _off(
    *(f"gas_panel.{gas}.{what}" for gas in ("c2h2", "o2") for what in ("valve", "setpoint_sccm")), "burner.enable"
)

BURNER = Spec(
    file="ccvd_diamond", name="CCVD-1", title="Combustion diamond reactor 1",
    head=(
        "A flame of acetylene and oxygen at atmospheric pressure over a water-cooled stage: diamond grows in",
        "the feather at 800 to 1000 °C. The igniter sparks whenever acetylene is asked for; gas without a",
        "flame trips in seconds.",
    ),
    model="CF-25", serial="SIM-0014",
    gases=(
        Gas("C2H2", "acetylene", 5000, detector_ppm=2500, detector_why="a tenth of its lower explosion limit"),
        Gas("O2", "oxygen", 5000),
        Gas("N2", "nitrogen", 20000, inert=True),
    ),
    heat=Heat(
        "susceptor", "Water-cooled stage with a trim heater of 2 kW", 1050, 1100, 1150, 2000, 100, per_min=120,
        kp=2, ti_s=30, tolerance_c=8,
    ),
    vacuum=Vacuum("exhaust", 740, 790, 760, 1000, kp=0.7, ti_s=1, gas_limit=800, over=795, tolerance_pct=2),
    source=Source(
        "burner", "burner", "Burner", "Burner with igniter and flame guard", 0,
        inputs=(
            contact("lit", "Flame guard, by its ultraviolet", ["out", "burns"], 0.05),
            reading("oxygen_ratio", "Oxygen over acetylene, by both controllers", "1", 0, 10, 0.1, 0.001),
        ),
        outputs=(number("igniter", "Igniter: above 0.5 it sparks", "1", 0, 1, "output", safe=0, hazardous=True),),
        lit="burner.lit", settings="", light_s=30, danger="an open flame",
    ),
    cold=("burner.igniter",),
    maps=(
        {"source": "gas_panel.c2h2.valve", "target": "burner.igniter", "x": [0, 1], "y": [0, 1]},
        {"source": "gas_panel.c2h2.valve", "target": "burner.enable", "x": [0, 1], "y": [0, 1]},
    ),
    pairs=(
        Pair(
            "C2H2", "O2", "chamber.pressure_torr > 800 Torr", "The mixture detonates where it is not burnt",
            "acetylene_oxygen_window",
        ),
    ),
    interlocks=(
        {
            "name": "flame_out", "class": "trip", "description": "Acetylene open for 4 s without a flame",
            "when": "gas_panel.c2h2.valve and not burner.lit", "on_delay_s": 4, "group": "source",
            "priority": "critical", "response_time_s": 60,
            "consequence": "Acetylene and oxygen fill chamber and duct: explosion",
            "action": "Purge; check igniter and controllers before the next attempt", "effects": _FLAME_OFF,
        },
        {
            "name": "flame_ratio", "class": "trip",
            "description": "Oxygen over acetylene outside of 0.7 to 1.5 while it burns",
            "when": "burner.lit and (burner.oxygen_ratio < 0.7 or burner.oxygen_ratio > 1.5)", "on_delay_s": 5,
            "group": "source", "priority": "critical", "response_time_s": 60,
            "consequence": "The flame soots, blows back or goes out", "action": "Check both controllers",
            "effects": _FLAME_OFF,
        },
    ),
    modes=("Combustion Diamond",),
    films=({"name": "diamond", "law": "diamond", "factor": 1.0, "index": [2.41, 0.0]},),
    before=("cycle_purge",),
    modules=(
        {
            "name": "cold_finger", "kind": "cold_finger",
            "description": "Water-cooled finger that carries the stage into the flame",
            "tags": [],
        },
    ),
    metrology=("pyrometer", "reflectometer", "rate"),
    parameters={
        "capacity_j_k": 150, "loss_w_k": 0.6, "radiation_m2": 0.003, "wall_c": 30, "wafer_drop": 0,
        "gas_share": 0.5, "volume_l": 20, "exhaust_torr": 752, "throttle_closed_l_s": 0.05, "throttle_full_l_s": 60,
        "coupling": 1.0, "source_lag_s": 0.5, "energy_share": 0.3, "growth_area_m2": 0.0005,
        "wafer_diameter_m": 0.025, "wall_film_nm": 0, "wall_share": 0, "strain_1_s": 3000,
        "oxygen_over_acetylene": 0.95, "dome": 0.05, "trickle_sccm": 500,
    },
    seed=30252, purge_sccm=10000, vent_sccm=20000,
)  # fmt: skip

SPECS = (HOT_WIRE, LASER, LAMP, BURNER)
