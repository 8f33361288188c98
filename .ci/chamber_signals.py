"""The guide's telemetry signals of a chamber tool, which follow from its source of energy and its instruments."""

from chamber_spec import Source, Spec

INSTRUMENTS = {
    "reflectometer": ("reflectometer_thickness_nm", "reflectometer_thickness_nm"),
    "ellipsometer": ("ellipsometer_thickness_nm", "ellipsometer_thickness_nm"),
    "rate": ("deposition_rate_nm_per_min", "deposition_rate_nm_min"),
    "qcm": ("qcm_thickness_nm", "qcm_thickness_nm"),
    "qcm_rate": ("qcm_rate_nm_per_s", "qcm_rate_nm_per_s"),
    "density": ("plasma_density_proxy", "plasma_density_proxy"),
}
"""Signal and tag by instrument."""
POINTS = {
    "rf": {"rf_power_w": "forward_w"},
    "remote_plasma": {"rf_power_w": "forward_w"},
    "microwave": {"microwave_power_w": "forward_w"},
    "filament": {"filament_temp_c": "temperature_c", "filament_current_a": "measured_a"},
    "laser": {"laser_power_w": "measured_w", "laser_energy_mj": "energy_mj"},
}
"""Signals of a source by its kind, and its tags that they are."""


def signals(spec: Spec) -> dict[str, str]:
    """Tag by signal."""
    of = _source(spec.source) if spec.source is not None else {}
    return of | {
        signal: f"metrology.{tag}" for name, (signal, tag) in INSTRUMENTS.items() if name in spec.metrology
    }  # fmt: skip


def _source(source: Source) -> dict[str, str]:
    found = {signal: f"{source.name}.{tag}" for signal, tag in POINTS.get(source.kind, {}).items()}
    if source.reflects:
        found["rf_reflected_w"] = f"{source.name}.reflected_w"
    if source.bias_w:
        found["dc_bias_v"] = "bias.bias_v"
    if source.match:
        found["plasma_impedance_ohm"] = "match.impedance_ohm"
    return found
