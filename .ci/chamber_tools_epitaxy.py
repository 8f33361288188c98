"""Reactors for crystals and their kin: arsenide, silicon on a pancake, nitride with a plasma; oxide from TEOS."""

from chamber_spec import Gas, Heat, Source, Spec, Vacuum
from chamber_tools_thermal import OPTICS

FLAMMABLE = "a tenth of its lower explosion limit"
HYDROGEN = Gas("H2", "hydrogen", 20000, detector_ppm=4000, detector_why=FLAMMABLE)
NITROGEN = Gas("N2", "nitrogen", 20000, inert=True)
REACTOR = {
    "volume_l": 12, "throttle_closed_l_s": 0.02, "throttle_full_l_s": 30, "dry_speed_l_s": 60,
    "booster_speed_l_s": 60, "wall_c": 60, "gas_share": 0.4, "wall_share": 0.05, "wall_film_nm": 0,
    "trickle_sccm": 500, "dome": 0.015,
}  # fmt: skip
"""Pumps and vessel that the epitaxial reactors share."""

ARSENIDE = Spec(
    file="omcvd_gaas", name="OMCVD-1", title="Arsenide reactor 1",
    head=(
        "A horizontal cold-wall reactor for gallium and aluminium gallium arsenide on 75 mm wafers:",
        "lamp-heated graphite, arsine, trimethylgallium and trimethylaluminium from bubblers through",
        "a run/vent manifold.",
    ),
    model="HZ-75", serial="SIM-0015",
    gases=(
        Gas("TMGa", "trimethylgallium", 50, bubbler_c=(-15, 20, -10), vents=True, line={"carrier": "H2"}),
        Gas("TMAl", "trimethylaluminium", 100, bubbler_c=(10, 30, 18), vents=True, line={"carrier": "H2"}),
        Gas("AsH3", "arsine", 500, detector_ppm=0.05, detector_why="PEL"),
        HYDROGEN,
        NITROGEN,
    ),
    heat=Heat("lamp", "Lamp bank of 6 kW under the susceptor", 850, 900, 950, 6000, 300, per_min=60, kp=1.6, ti_s=60),
    vacuum=Vacuum("roots", 30, 600, 76, 1000, 0.5, 6, base=0.2, gas_limit=720, over=700, fill=100, empty=1),
    modes=("OMCVD GaAs",),
    films=(
        {"name": "AlGaAs", "law": "GaAs", "alloy": "AlGaAs", "index": [3.5, 0.1], "needs": ["TMAl"]},
        {"name": "GaAs", "law": "GaAs", "index": [3.85, 0.19]},
    ),
    metrology=OPTICS,
    parameters=REACTOR | {
        "capacity_j_k": 800, "drive_lag_s": 1.5, "loss_w_k": 1.5, "radiation_m2": 0.012, "transport": 2,
        "strain_1_s": 20, "growth_area_m2": 0.008, "wafer_diameter_m": 0.075, "substrate_index": 3.85,
        "substrate_extinction": 0.19,
    },
    seed=30253, purge_sccm=10000, vent_sccm=20000, purge_s=60,
)  # fmt: skip

PANCAKE = Spec(
    file="epi_pancake", name="EPI-1", title="Pancake reactor 1",
    head=(
        "A vertical pancake reactor for silicon epitaxy: an inductively heated, slowly turning susceptor under a bell,",
        "dichlorosilane and trichlorosilane in hydrogen, hydrogen chloride for selective growth.",
    ),
    model="PC-200", serial="SIM-0016",
    gases=(
        Gas("SiH2Cl2", "dichlorosilane", 1000, detector_ppm=5, detector_why="as hydrogen chloride, its ceiling"),
        Gas("SiHCl3", "trichlorosilane", 5000, detector_ppm=5, detector_why="as hydrogen chloride, its ceiling"),
        Gas("HCl", "hydrogen chloride", 1000, detector_ppm=5, detector_why="ceiling"),
        HYDROGEN,
        NITROGEN,
    ),
    heat=Heat(
        "induction_heater", "Inductor of 40 kW at 20 kHz", 1200, 1250, 1280, 40000, 400, per_min=60, kp=0.8,
        ti_s=60, tolerance_c=4,
    ),
    vacuum=Vacuum("roots", 30, 600, 80, 1000, 0.5, 6, base=0.2, gas_limit=720, over=700, fill=100, empty=1),
    rotation=60, running={"rotation.setpoint_rpm": 10}, modes=("Epi Si", "Selective Epi Si"),
    films=(
        # Hydrogen chloride in the gas: wafers with an oxide mask that leaves 30 % open
        {"name": "epi-Si", "law": "epi-Si", "index": [3.88, 0.02], "needs": ["HCl"], "open_share": 0.3},
        {"name": "epi-Si", "law": "epi-Si", "index": [3.88, 0.02]},
        {"name": "epi-Si", "law": "epi-Si-SiHCl3", "index": [3.88, 0.02]},
    ),
    metrology=("pyrometer", "reflectometer", "rate", "rga_hcl"),
    parameters=REACTOR | {
        "capacity_j_k": 2400, "drive_lag_s": 0.2, "loss_w_k": 6, "radiation_m2": 0.08, "volume_l": 40,
        "transport": 2, "strain_1_s": 15, "diffusivity_m2_s": 4e-5, "growth_area_m2": 0.1, "wafer_diameter_m": 0.1,
        "wafers": 5,
    },
    seed=30254, purge_sccm=15000, vent_sccm=20000, purge_s=90,
)  # fmt: skip

PLASMA_NITRIDE = Spec(
    file="pemocvd_gan", name="PEMOCVD-1", title="Plasma nitride reactor 1",
    head=(
        "A reactor for gallium nitride below 700 °C: trimethylgallium from a bubbler meets ammonia and nitrogen in a",
        "capacitive discharge of 1 kW, whose nitrogen atoms stand for the heat that thermal growth needs.",
    ),
    model="PM-100", serial="SIM-0017",
    gases=(
        Gas("TMGa", "trimethylgallium", 50, bubbler_c=(-15, 20, -10), vents=True, line={"carrier": "N2"}),
        Gas("NH3", "ammonia", 500, detector_ppm=25, detector_why="TWA"),
        Gas("N2", "nitrogen", 5000, inert=True),
    ),
    heat=Heat("susceptor", "Heated susceptor, 4 kW", 720, 760, 800, 4000, 400, per_min=30, kp=13),
    vacuum=Vacuum("roots", 0.1, 8, 1, 10, 12, 0.8),
    source=Source(
        "rf", "rf", "Generator", "Generator of 1 kW at 13.56 MHz", 1000, match=True, reflects=True,
        window=(0.08, 8.5), lit="metrology.plasma_lit", gas={"N2": 500}, rate=2000, tolerance_pct=6,
    ),
    modes=("PEMOCVD GaN",),
    films=({"name": "GaN", "law": "GaN", "factor": 1.0, "index": [2.3, 0.0], "needs_source": True},),
    metrology=("lit", "density", "oes_n2", *OPTICS[1:]),
    parameters={
        "wall_film_nm": 0, "growth_area_m2": 0.03, "wafer_diameter_m": 0.1, "wall_share": 0.2, "energy_share": 0.2,
        "substrate_index": 1.766, "substrate_extinction": 0,
    },
    seed=30255,
)  # fmt: skip

SUBATMOSPHERIC = Spec(
    file="sacvd_oxide", name="SACVD-1", title="Sub-atmospheric oxide reactor 1",
    head=(
        "A cold-wall reactor for silicon dioxide at some hundred Torr on 200 mm wafers: TEOS from a warm bubbler,",
        "ozone out of a generator in the line of oxygen, a showerhead above a ceramic heater at up to 750 °C. The flow",
        "of ozone in a recipe is that of the oxygen which its generator takes.",
    ),
    model="SA-200", serial="SIM-0018",
    gases=(
        Gas("TEOS", "TEOS", 2000, bubbler_c=(20, 80, 60), vents=True, line={"carrier": "N2"}),
        Gas(
            "O3", "ozone", 5000, detector_ppm=0.1, detector_why="ceiling",
            line={"kind": "generator", "carrier": "O2", "mist": 0.08},
        ),
        Gas("O2", "oxygen", 5000),
        NITROGEN,
    ),
    heat=Heat("susceptor", "Ceramic heater, 6 kW", 760, 800, 840, 6000, 400, per_min=30, kp=6, ti_s=100),
    vacuum=Vacuum("roots", 50, 700, 400, 1000, 0.5, 6, base=0.2, gas_limit=740, over=730, fill=100, empty=1),
    modes=("SACVD Oxide",),
    films=(
        {"name": "SiO2", "law": "SiO2-O3TEOS", "factor": 1.0, "index": [1.45, 0.0]},
        {"name": "SiO2", "law": "SiO2-TEOS", "factor": 1.0, "index": [1.45, 0.0]},
    ),
    modules=(
        {"name": "showerhead", "kind": "showerhead", "description": "Gas distribution above the wafer", "tags": []},
    ),
    metrology=OPTICS,
    parameters=REACTOR | {
        "capacity_j_k": 2800, "loss_w_k": 2.5, "radiation_m2": 0.03, "volume_l": 5, "transport": 2,
        "strain_1_s": 20, "diffusivity_m2_s": 6e-6, "viscosity_pa_s": 1.8e-5, "growth_area_m2": 0.035,
        "wafer_diameter_m": 0.2,
    },
    seed=30256, purge_sccm=10000, vent_sccm=20000,
)  # fmt: skip

SPECS = (ARSENIDE, PANCAKE, PLASMA_NITRIDE, SUBATMOSPHERIC)
