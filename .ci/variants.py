"""A page for each kind of CVD in docs/reference/process-modes: ``variants.py --write`` simulates what they show.

Words come from config/variants.toml, tools, modes and recipes; figures and curves from one simulated run of each
recipe, kept in docs/reference/process-modes/runs.json. Without ``--write`` nothing is simulated: the pages are
compared with what the files say now, and a recipe that was changed since its run is a fault.
"""

import argparse
import json
import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from config.gases import species
from config.layout import Layout
from config.loading import load_tool, shipped_recipe, shipped_tool
from config.process_mode import ProcessMode, process_mode
from config.recipe import load_recipe, recipe_document
from config.recipe_model import Recipe, RecipeStep
from config.tool import Tool
from config.variants import Variant, VariantGroup, shipped_variants
from supervisor.controller.simulate import simulate

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "docs" / "reference" / "process-modes"
RUNS = FOLDER / "runs.json"
POINTS = 240
WIDTH, HEIGHT, MARGIN = 720, 110, 60
GROUPS = {
    VariantGroup.PRESSURE: "By pressure",
    VariantGroup.ACTIVATION: "By activation",
    VariantGroup.REACTOR: "By reactor",
    VariantGroup.CHEMISTRY: "By chemistry",
    VariantGroup.ADVANCED: "Advanced kinds",
}
ENERGIES = ("rf", "microwave", "remote_plasma", "filament", "laser", "uv_lamp", "burner")
HEATERS = ("resistive_heater", "susceptor", "lamp", "induction_heater")
SHOWN = {"temperature": ("°C",), "pressure": ("Torr",), "film": ("nm",)}


def slug(variant: Variant) -> str:
    """Name of a variant's page."""
    words = "".join(c if c.isalnum() else "-" for c in f"{variant.group.value} {variant.name}".lower())
    return "-".join(part for part in words.split("-") if part)


def curves_of(tool: Tool) -> dict[str, str]:
    """Choose the tags that are drawn: telemetry's own names say which they are."""
    names = Layout(tool).tags
    wanted = {
        "temperature": ("heater.zone1.temperature_c", "heater.zone2.temperature_c"),
        "pressure": ("chamber.pressure_torr",),
        "film": ("metrology.reflectometer_thickness_nm", "metrology.qcm_thickness_nm"),
    }
    found = {what: next((name for name in some if name in names), "") for what, some in wanted.items()}
    return {what: name for what, name in found.items() if name}


def run(job: tuple[str, str]) -> dict[str, Any]:
    """Simulate a recipe on a tool."""
    tool_name, recipe_name = job
    tool = load_tool(shipped_tool(tool_name))
    recipe = load_recipe(shipped_recipe(recipe_name))
    layout, chosen = Layout(tool), curves_of(tool)
    times: list[float] = []
    seen: dict[str, list[float]] = {what: [] for what in chosen}

    def watch(at_s: float, values: NDArray[np.float64]) -> None:
        if at_s >= 0:
            times.append(at_s)
            for what, tag in chosen.items():
                seen[what].append(float(values[layout.index[tag]]))

    result = simulate(tool, recipe, seed=1, watch=watch)
    step = max(1, len(times) // POINTS)
    return {
        "tool": tool_name,
        "recipe": recipe_name,
        "sha256": recipe_document(recipe).sha256,
        "state": result.state,
        "duration_s": round(result.duration_s),
        "thickness_nm": round(float(result.metrology["thickness_mean_nm"]), 2),
        "uniformity_pct": round(float(result.metrology["thickness_uniformity_pct"] or 0.0), 2),
        "gas_use_scc": {gas: round(used) for gas, used in result.gas_use_scc.items() if used >= 1},
        "times_s": [round(t) for t in times[::step]],
        "curves": {what: [float(f"{v:.4g}") for v in values[::step]] for what, values in seen.items()},
    }


def plot(found: dict[str, Any]) -> str:
    """Draw a run: one band for each curve."""
    bands = list(found["curves"].items())
    height = HEIGHT * len(bands) + 30
    last = max(found["times_s"][-1], 1)
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" style="font: 11px sans-serif">']
    for at, (what, values) in enumerate(bands):
        there = [v for v in values if v == v]  # noqa: PLR0124 - NaN is not itself
        low, high = (min(there), max(there)) if there else (0.0, 1.0)
        span = (high - low) or 1.0
        top = at * HEIGHT + 14
        inner = HEIGHT - 24
        line = " ".join(
            f"{MARGIN + (WIDTH - MARGIN - 10) * t / last:.1f},{top + inner * (1 - (v - low) / span):.1f}"
            for t, v in zip(found["times_s"], values, strict=True)
            if v == v  # noqa: PLR0124
        )
        parts += [
            f'<text x="2" y="{top + 4}">{high:.4g}</text><text x="2" y="{top + inner}">{low:.4g}</text>',
            f'<text x="{MARGIN}" y="{top - 4}">{what}, {SHOWN[what][0]}</text>',
            f'<rect x="{MARGIN}" y="{top}" width="{WIDTH - MARGIN - 10}" height="{inner}" fill="none" stroke="#bbb"/>',
            f'<polyline points="{line}" fill="none" stroke="#0a5" stroke-width="1.5"/>',
        ]
    parts.append(f'<text x="{MARGIN}" y="{height - 8}">0 … {last:.0f} s</text></svg>')
    return "\n".join(parts) + "\n"


def schematic(tool: Tool) -> str:
    """Draw the way of the gas through the modules of a tool."""
    gases = ", ".join(gas.name for gas in tool.gases)
    kinds = {module.kind.value: module.name for module in tool.modules}
    energy = [name for name in ENERGIES if name in kinds]
    heat = next((name for name in HEATERS if name in kinds), "heater")
    chamber = "chamber over " + heat.replace("_", " ")
    out = "pumps" if any("pump" in tag.name for module in tool.modules for tag in module.tags) else "exhaust line"
    indent = " " * (len(gases) + 7)
    above = f"{indent}{' and '.join(energy).replace('_', ' ')}\n{indent}↓\n" if energy else ""
    return f"{above}{gases}  →  [ {chamber} ]  →  {out}  →  abatement"


def steps(recipe: Recipe) -> list[str]:
    """Rows of the recipe's steps."""
    rows = ["| step | least time, s | gas on |", "|---|---|---|"]

    def row(one: RecipeStep, depth: int) -> None:
        rows.append(f"| {'· ' * depth}{one.name} | {one.duration_s or 0:g} | {'yes' if one.flows_active else ''} |")
        for inner in one.steps or ():
            row(inner, depth + 1)

    for one in recipe.recipe_steps:
        row(one, 0)
    return rows


def window(mode: ProcessMode) -> list[str]:
    """Say where a mode works."""
    rows = []
    for key, unit in (("temperature_range_c", "°C"), ("pressure_range_torr", "Torr")):
        span = mode.capabilities.get(key)
        if span:
            rows.append(f"- {key.partition('_')[0]}: {span[0]:g} … {span[1]:g} {unit}")
    for pair in mode.pairs:
        how = "as separated pulses, " if pair.separated else ""
        rows.append(f"- {' with '.join(pair.gases)}: only {how}in the chamber ({pair.source})")
    return rows or ["- as the recipe's limits say"]


def hazards(recipe: Recipe) -> list[str]:
    """Say what the gases of a recipe can do."""
    rows = []
    for gas in recipe.gas_flows.gases:
        known = species(gas.name)
        if known is not None:
            words = [word.replace("_", " ") for word in sorted(known.hazards)]
            rows.append(f"- {gas.name}: {', '.join(words) or 'asphyxiant'}")
    return rows


def page(variant: Variant, found: dict[str, Any]) -> str:
    """Write a variant's page."""
    tool, recipe = load_tool(shipped_tool(variant.tool)), load_recipe(shipped_recipe(variant.recipe))
    mode = process_mode(variant.mode)
    if mode is None:
        raise SystemExit(f"variants.toml, {variant.name}: there is no process mode {variant.mode!r}")
    off = 100.0 * (found["thickness_nm"] / recipe.thickness_target_nm - 1.0)
    use = ", ".join(f"{gas} {used} scc" for gas, used in found["gas_use_scc"].items())
    kinds = (mode.pressure_mode, mode.energy_mode, mode.reactor_type, mode.chemistry_type, mode.variant or "")
    file = f"config/tools/{variant.tool}.toml"
    target = f"{recipe.thickness_target_nm:g} nm of {recipe.film_target}"
    film = f"{found['thickness_nm']:g} nm ({off:+.1f} % of the target), uniformity {found['uniformity_pct']:g} %"
    lines = [
        f"# {variant.title}",
        "",
        f"{variant.name}, {GROUPS[variant.group].lower()}. Made by `.ci/variants.py` from the files that it names.",
        "",
        variant.definition,
        "",
        f"Shown by **{tool.name}** (`{file}`) in the mode **{mode.name}**. {variant.because}",
        "",
        "| pressure | activation | reactor | chemistry | variant |",
        "|---|---|---|---|---|",
        f"| {' | '.join(kinds)} |",
        "",
        "```text",
        schematic(tool),
        "```",
        "",
        "## Window",
        "",
        *window(mode),
        "",
        "## Hazards",
        "",
        *hazards(recipe),
        f"- level {recipe.safety_hazard_level} of the recipe; the tool's matrix guards them: `cvd interlocks {file}`",
        "",
        f"## Recipe: {recipe.name}",
        "",
        f"`config/recipes/{variant.recipe}.json`: {target}, uniformity within {recipe.uniformity_target_pct:g} %.",
        "",
        *steps(recipe),
        "",
        "## Simulated run",
        "",
        f"{film}, in {found['duration_s']} s. Gas: {use}.",
        "",
        f"![temperature, pressure and film over time](runs/{variant.recipe}.svg)",
        "",
    ]
    return "\n".join(lines)


def index() -> str:
    """Write the page that leads to the others."""
    words = "Every kind that the platform guide names, and the shipped tool, mode and recipe that show it."
    lines = ["# Kinds of CVD", "", words, ""]
    for group, title in GROUPS.items():
        lines += [f"## {title}", "", "| kind | tool | mode | recipe |", "|---|---|---|---|"]
        lines += [
            f"| [{one.name}]({slug(one)}.md) | `{one.tool}` | {one.mode} | `{one.recipe}` |"
            for one in shipped_variants()
            if one.group is group
        ]
        lines.append("")
    return "\n".join(lines)


def made(runs: dict[str, dict[str, Any]]) -> dict[Path, str]:
    """Everything that is made, by file."""
    files = {FOLDER / "index.md": index()}
    for variant in shipped_variants():
        files[FOLDER / f"{slug(variant)}.md"] = page(variant, runs[variant.recipe])
    for name, found in runs.items():
        files[FOLDER / "runs" / f"{name}.svg"] = plot(found)
    return files


def main() -> int:
    """Make or compare."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true")
    write = parser.parse_args().write
    jobs = sorted({(one.tool, one.recipe) for one in shipped_variants()})
    if write:
        with ProcessPoolExecutor(2) as pool:
            runs = {found["recipe"]: found for found in pool.map(run, jobs)}
        (FOLDER / "runs").mkdir(parents=True, exist_ok=True)
        RUNS.write_text(json.dumps(runs, indent=None, separators=(",", ":"), sort_keys=True) + "\n", encoding="utf-8")
    runs = json.loads(RUNS.read_text(encoding="utf-8"))
    faults = [f"{recipe}: no run is kept" for _, recipe in jobs if recipe not in runs]
    faults += [
        f"{recipe}: changed since its run was simulated"
        for _, recipe in jobs
        if recipe in runs and recipe_document(load_recipe(shipped_recipe(recipe))).sha256 != runs[recipe]["sha256"]
    ]
    for file, text in ({} if faults else made(runs)).items():
        if write:
            file.write_text(text, encoding="utf-8")
        elif not file.exists() or file.read_text(encoding="utf-8") != text:
            faults.append(f"{file.relative_to(ROOT)} is not what the files say")
    print(*faults, sep="\n")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
