"""Tools that heat alone activates: a rotating-disk reactor for nitrides."""

from chamber_spec import Gas, Heat, Spec, Vacuum

OPTICS = ("pyrometer", "reflectometer", "rate", "reflectance", "ellipsometer", "psi", "delta")
SIGNALS = {"reflectometer_thickness_nm": "metrology.reflectometer_thickness_nm",
           "ellipsometer_thickness_nm": "metrology.ellipsometer_thickness_nm",
           "deposition_rate_nm_per_min": "metrology.deposition_rate_nm_min"}  # fmt: skip

MOCVD = Spec(
    file="mocvd_rdr",
    name="MOCVD-1",
    title="MOCVD reactor 1",
    head=(
        "A rotating-disk reactor for nitrides on 100 mm wafers: resistively heated susceptor at up to 1150 °C,",
        "ammonia, hydrogen and nitrogen, trimethylgallium, trimethylindium and trimethylaluminium from bubblers",
        "through a run/vent manifold. A recipe's flow of a metal-organic is that of the carrier through its bubbler.",
    ),
    model="RDR-100", serial="SIM-0003",
    gases=(
        Gas("TMGa", "trimethylgallium", 100, bubbler_c=(-10, 25, 2.3), vents=True, line={"carrier": "H2"}),
        Gas("TMIn", "trimethylindium", 500, bubbler_c=(10, 40, 20), vents=True, line={"carrier": "N2"}),
        Gas("TMAl", "trimethylaluminium", 100, bubbler_c=(10, 30, 18), vents=True, line={"carrier": "H2"}),
        Gas("NH3", "ammonia", 10000, detector_ppm=25, detector_why="TWA"),
        Gas("H2", "hydrogen", 20000, detector_ppm=4000, detector_why="a tenth of its lower explosion limit"),
        Gas("N2", "nitrogen", 20000, inert=True),
    ),
    heat=Heat("susceptor", "Graphite susceptor over a tungsten heater of 15 kW", 1150, 1200, 1250, 15000, 400,
              per_min=60, kp=0.35, ti_s=60, tolerance_c=4),
    vacuum=Vacuum("roots", 30, 600, 76, 1000, kp=0.5, ti_s=6, base=0.2, gas_limit=720, over=700, tolerance_pct=4,
                  fill=100, empty=1, volume_l=20),
    rotation=1500,
    modes=("MOCVD GaN", "MOCVD InGaN"),
    films=(
        {"name": "InGaN", "law": "GaN", "factor": 1.0, "alloy": "InGaN", "index": [2.5, 0.0], "needs": ["TMIn"]},
        {"name": "GaN", "law": "GaN", "factor": 1.0, "index": [2.38, 0.0]},
    ),
    metrology=OPTICS,
    signals=SIGNALS,
    running={"rotation.setpoint_rpm": 1000},
    parameters={
        "full_power_w": 15000, "capacity_j_k": 900, "loss_w_k": 2.0, "radiation_m2": 0.03, "wall_c": 60, "idle_c": 400,
        "snap_c": 1250, "wafer_drop": 0.03, "gas_share": 0.4, "volume_l": 20, "manometer_full_torr": 1000,
        "throttle_closed_l_s": 0.02, "throttle_full_l_s": 30, "dry_speed_l_s": 60, "booster_speed_l_s": 60,
        "growth_area_m2": 0.0177, "wafer_diameter_m": 0.1, "transport": 1, "wall_share": 0.05, "wall_film_nm": 0,
        "substrate_index": 1.766, "substrate_extinction": 0, "trickle_sccm": 500, "dome": 0.01, "wafers": 1,
    },
    seed=30241, purge_sccm=10000, vent_sccm=20000, purge_s=60,
)  # fmt: skip

SPECS = (MOCVD,)
