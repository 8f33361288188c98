"""Tools that heat alone activates: nitride reactors, atomic layers, mist at atmospheric pressure, ultra-high vacuum."""

import chamber_lock
from chamber_spec import Gas, Heat, Spec, Vacuum

OPTICS = ("pyrometer", "reflectometer", "rate", "reflectance", "ellipsometer", "psi", "delta")

MOCVD = Spec(
    file="mocvd_rdr", name="MOCVD-1", title="MOCVD reactor 1",
    head=(
        "A rotating-disk reactor for nitrides on 100 mm wafers: resistively heated susceptor at up to 1150",
        "°C, ammonia, hydrogen and nitrogen, trimethylgallium, trimethylindium and trimethylaluminium from",
        "bubblers through a run/vent manifold. A recipe's flow of a metal-organic is that of the carrier",
        "through its bubbler.",
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
    heat=Heat(
        "susceptor", "Graphite susceptor over a tungsten heater of 15 kW", 1150, 1200, 1250, 15000, 400, per_min=60,
        kp=0.7, ti_s=60, tolerance_c=4,
    ),
    vacuum=Vacuum(
        "roots", 30, 600, 76, 1000, kp=0.5, ti_s=6, base=0.2, gas_limit=720, over=700, tolerance_pct=4, fill=100,
        empty=1,
    ),
    rotation=1500, modes=("MOCVD GaN", "MOCVD InGaN", "Pulsed MOCVD GaN"),
    films=(
        {"name": "InGaN", "law": "GaN", "factor": 1.0, "alloy": "InGaN", "index": [2.5, 0.0], "needs": ["TMIn"]},
        {"name": "GaN", "law": "GaN", "factor": 1.0, "index": [2.38, 0.0]},
    ),
    metrology=OPTICS, running={"rotation.setpoint_rpm": 1000},
    parameters={
        "capacity_j_k": 900, "loss_w_k": 2.0, "radiation_m2": 0.03, "wall_c": 60, "wafer_drop": 0.03,
        "gas_share": 0.4, "volume_l": 20, "throttle_closed_l_s": 0.02, "throttle_full_l_s": 30, "dry_speed_l_s": 60,
        "booster_speed_l_s": 60, "growth_area_m2": 0.0177, "wafer_diameter_m": 0.1, "transport": 1,
        "wall_share": 0.05, "wall_film_nm": 0, "substrate_index": 1.766, "substrate_extinction": 0,
        "trickle_sccm": 500, "dome": 0.01, "wafers": 1,
    },
    seed=30241, purge_sccm=10000, vent_sccm=20000, purge_s=60,
)  # fmt: skip

ALD = Spec(
    file="ald_showerhead", name="ALD-1", title="ALD reactor 1",
    head=(
        "A showerhead reactor for atomic layers on 200 mm wafers: trimethylaluminium, titanium tetrachloride",
        "and water from bubblers, ammonia, each through a fast valve that sends its flow to the vent while it",
        "is shut, so that a pulse begins with a steady flow. A microbalance in the chamber's floor sees every",
        "half-reaction.",
    ),
    model="SH-200-ALD", serial="SIM-0004",
    gases=(
        Gas(
            "TMAl", "trimethylaluminium", 200, bubbler_c=(10, 40, 20), vents=True,
            line={"carrier": "N2", "pressure_torr": 30},
        ),
        Gas(
            "TiCl4", "titanium tetrachloride", 200, detector_ppm=5,
            detector_why="as hydrogen chloride, its ceiling", bubbler_c=(10, 40, 20), vents=True,
            line={"carrier": "N2", "pressure_torr": 30},
        ),
        Gas(
            "H2O", "water vapour", 200, bubbler_c=(10, 40, 20), vents=True, vent="vent_water",
            line={"carrier": "N2", "pressure_torr": 40},
        ),
        Gas(
            "TDMAT", "tetrakis(dimethylamido)titanium", 200, bubbler_c=(20, 70, 50), vents=True,
            line={"carrier": "N2", "pressure_torr": 30},
        ),
        Gas("NH3", "ammonia", 500, detector_ppm=25, detector_why="TWA", vents=True),
        Gas("N2", "nitrogen", 2000, inert=True),
    ),
    heat=Heat(
        "susceptor", "Heated susceptor, 3 kW", 480, 520, 550, 3000, 200, per_min=20, kp=21, ti_s=120, tolerance_c=3,
    ),
    vacuum=Vacuum("roots", 0.1, 5, 1, 10, kp=5, ti_s=0.4, base=0.02, tolerance_pct=25),
    modes=("ALCVD Alumina", "ALCVD Barrier", "Hybrid CVD-ALD TiN"),
    films=(
        {"name": "Al2O3", "law": "Al2O3", "index": [1.64, 0.0]},
        {"name": "TiN", "law": "TiN", "index": [1.4, 1.5]},
        {"name": "TiN", "law": "TiN-TDMAT", "index": [1.4, 1.5]},
    ),
    apart_s=0.5, mixing=0.9,
    modules=(
        {"name": "showerhead", "kind": "showerhead", "description": "Gas distribution above the wafer", "tags": []},
    ),
    metrology=(
        "pyrometer", "reflectometer", "rate", "ellipsometer", "psi", "delta", "qcm", "qcm_rate", "rga_tmal",
        "rga_h2o",
    ),
    parameters={
        "volume_l": 0.6, "valve_s": 0.02, "growth_area_m2": 0.08, "wall_share": 1, "wall_film_nm": 0,
        "crystal_layer_nm": 0.06, "dome": 0.004, "trickle_sccm": 50, "throttle_full_l_s": 60, "wall_c": 100,
        "leak_sccm": 0.0001, "outgassing_sccm": 0.0002,
    },
    manifold="pulse_valves", seed=30242, purge_sccm=1000, vent_sccm=2000, purge_s=30,
)  # fmt: skip

HVPE = Spec(
    file="hvpe_gan", name="HVPE-1", title="HVPE reactor 1",
    head=(
        "A horizontal hot-wall tube at atmospheric pressure for thick gallium nitride: hydrogen chloride over",
        "a boat of gallium in the source zone makes gallium chloride, which meets ammonia at the wafer in the",
        "growth zone.",
    ),
    model="HT-50-HVPE", serial="SIM-0005",
    gases=(
        Gas(
            "HCl", "hydrogen chloride", 200, detector_ppm=5, detector_why="ceiling",
            line={"kind": "boat", "makes": "GaCl", "carrier": "H2", "residence_s": 2, "content_mol": 50},
        ),
        Gas("NH3", "ammonia", 5000, detector_ppm=25, detector_why="TWA"),
        Gas("H2", "hydrogen", 5000, detector_ppm=4000, detector_why="a tenth of its lower explosion limit"),
        Gas("N2", "nitrogen", 10000, inert=True),
    ),
    heat=Heat(
        "resistive_heater", "Two zones of 6 kW around the tube", 1120, 1160, 1200, 6000, 600, per_min=20, kp=8,
        ti_s=120, zones=2, names=("source", "growth"), tolerance_c=4,
    ),
    vacuum=Vacuum("exhaust", 740, 790, 762, 1000, kp=0.7, ti_s=0.4, gas_limit=800, over=795, tolerance_pct=1),
    modes=("HVPE GaN",),
    films=({"name": "GaN", "law": "GaN-HVPE", "factor": 1.0, "index": [2.38, 0.0]},),
    before=("cycle_purge",),
    metrology=("reflectometer", "rate", "reflectance", "rga_hcl"),
    parameters={
        "capacity_j_k": 4000, "loss_w_k": 2.0, "radiation_m2": 0.02, "wall_c": 50, "wafer_zone": 2,
        "source_zone": 1, "coupling_w_k": 1.0, "gas_share": 0.9, "wafer_drop": 0.005, "volume_l": 4,
        "exhaust_torr": 755, "throttle_closed_l_s": 0.05, "throttle_full_l_s": 60, "transport": 2, "strain_1_s": 5,
        "growth_area_m2": 0.02, "wafer_diameter_m": 0.05, "wall_film_nm": 0, "wall_share": 0.3,
        "substrate_index": 1.766, "substrate_extinction": 0, "soret": 0.9, "dome": 0.02, "trickle_sccm": 500,
    },
    seed=30243, purge_sccm=5000, vent_sccm=10000, purge_s=60,
)  # fmt: skip

AEROSOL = Spec(
    file="aacvd_oxide", name="AACVD-1", title="Aerosol-assisted reactor 1",
    head=(
        "A cold-wall reactor at atmospheric pressure for silicon dioxide from a mist of TEOS in ethanol: an",
        "ultrasonic nebuliser, whose carrier takes droplets of some micrometres through a warm line, where",
        "they evaporate.",
    ),
    model="AA-150", serial="SIM-0006",
    gases=(
        Gas(
            "TEOS", "TEOS mist", 5000,
            line={"kind": "mist", "carrier": "N2", "mist": 0.004, "residence_s": 3, "droplet_um": 3, "content_mol": 5},
        ),
        Gas("O2", "oxygen", 5000),
        Gas("N2", "nitrogen", 20000, inert=True),
    ),
    heat=Heat(
        "susceptor", "Heated susceptor, 6 kW", 800, 840, 880, 6000, 300, per_min=40, kp=5, ti_s=100, tolerance_c=4,
    ),
    vacuum=Vacuum("exhaust", 740, 790, 760, 1000, kp=0.7, ti_s=0.4, gas_limit=800, over=795, tolerance_pct=1),
    modes=("AACVD Oxide",),
    films=({"name": "SiO2", "law": "SiO2-TEOS", "factor": 1.0, "index": [1.45, 0.0]},),
    before=("cycle_purge",), metrology=OPTICS,
    parameters={
        "capacity_j_k": 2500, "loss_w_k": 2.0, "radiation_m2": 0.03, "wall_c": 60, "gas_share": 0.5, "volume_l": 2,
        "exhaust_torr": 752, "throttle_closed_l_s": 0.05, "throttle_full_l_s": 60, "transport": 2, "strain_1_s": 10,
        "diffusivity_m2_s": 6e-6, "viscosity_pa_s": 1.8e-5, "growth_area_m2": 0.018, "wafer_diameter_m": 0.15,
        "wall_film_nm": 0, "dome": 0.02, "trickle_sccm": 500,
    },
    seed=30244, purge_sccm=10000, vent_sccm=20000, purge_s=45,
)  # fmt: skip

UHV_GASES = (
    Gas("SiH4", "silane", 200, detector_ppm=5, detector_why="REL and TLV"),
    Gas("GeH4", "germane", 50, detector_ppm=0.2, detector_why="REL"),
    Gas("H2", "hydrogen", 500, detector_ppm=4000, detector_why="a tenth of its lower explosion limit"),
    Gas("N2", "nitrogen", 2000, inert=True),
)
UHV = Spec(
    file="uhvcvd_sige", name="UHVCVD-1", title="UHV reactor 1",
    head=(
        "A hot-wall reactor in ultra-high vacuum for epitaxial silicon-germanium: silane, germane and",
        "hydrogen at millitorr, a turbo pump, wafers through a load lock.",
    ),
    model="UHV-200", serial="SIM-0007", gases=UHV_GASES,
    heat=Heat(
        "resistive_heater", "Furnace of 4 kW around the tube", 800, 850, 900, 4000, 400, per_min=20, kp=19,
        ti_s=150, tolerance_c=2,
    ),
    vacuum=Vacuum(
        "turbo", 0.0005, 0.05, 0.001, 0.1, kp=4500, ti_s=0.4, base=0.00002, gas_limit=0.08, over=0.08,
        tolerance_pct=5, fill=0.05, empty=0.0005,
    ),
    modes=("UHVCVD SiGe",),
    films=(
        {"name": "SiGe", "law": "poly-Si", "factor": 1.0, "alloy": "SiGe", "index": [4.1, 0.1], "needs": ["GeH4"]},
        {"name": "Si", "law": "poly-Si", "factor": 1.0, "index": [3.88, 0.02]},
    ),
    modules=(chamber_lock.module(),),
    interlocks=chamber_lock.interlocks(
        [output for gas in UHV_GASES if not gas.inert for output in (gas.valve, gas.setpoint)], hot_c=450,
    ),
    maps=chamber_lock.MAPS, operations=chamber_lock.operations(), still=chamber_lock.STILL,
    metrology=("reflectometer", "rate", "rga_h2", "rga_sih4", "rga_geh4"),
    parameters={
        "capacity_j_k": 6000, "loss_w_k": 0.6, "radiation_m2": 0.03, "wall_c": 40, "gas_share": 0.9,
        "wafer_drop": 0.002, "volume_l": 30, "throttle_closed_l_s": 2, "throttle_full_l_s": 800, "line_l_s": 2000,
        "dry_speed_l_s": 28, "booster_speed_l_s": 900, "booster_pressure_torr": 0.05, "booster_ultimate_torr": 1e-9,
        "dry_ultimate_torr": 0.015, "leak_sccm": 1e-6, "outgassing_sccm": 1e-6, "trickle_sccm": 2,
        "growth_area_m2": 0.15, "wall_film_nm": 0, "wafers": 1, "dome": 0.005,
    },
    seed=30245, purge_sccm=200, vent_sccm=2000, purge_s=45,
)  # fmt: skip

SPECS = (MOCVD, ALD, HVPE, AEROSOL, UHV)
