"""The recipe book: versions that never change once approved, and who made, approved and retired them."""

import hashlib
import json
import uuid
from dataclasses import dataclass, replace
from typing import Any

from config.recipe import Recipe, RecipeDocument, is_open, load_recipe, recipe_document, with_version
from config.recipe_calls import Stored
from config.recipe_difference import changes, consequences
from config.recipe_parameters import Value, Values
from config.recipe_scaling import Past
from config.tool import Role, Tool
from opcua_model.interface import Caller, Entry, Refused
from supervisor.server.access.policy import Action, Policy, Weighty, other_eyes, permit
from supervisor.server.historian import arrow
from supervisor.server.records.modes import mode_id
from supervisor.server.store.rows import Connection, one

MOST = 1000
DOCUMENTS = (
    "temperature_profile", "pressure_setpoints", "gas_flows", "plasma_settings", "filament_settings", "laser_settings",
    "pulsing_scheme", "recipe_steps", "required_interlocks", "metadata",
)  # fmt: skip
_LISTED = (
    "id::VARCHAR AS recipe_id, version, name, film_target, thickness_target_nm, uniformity_target_pct, "
    "safety_hazard_level, status, created_by_id, created_at::VARCHAR AS created_at, approved_by_id, "
    "approval_date::VARCHAR AS approval_date, approval_comment, sha256"
)


@dataclass(frozen=True)
class Version:
    """A recipe version that may be run."""

    recipe_id: str
    version: int
    name: str
    status: str
    document: str
    sha256: str
    process_mode_id: str | None


def add(
    connection: Connection, org_id: str, caller: Caller, recipe: Recipe, approved: RecipeDocument | None = None
) -> dict[str, Any]:
    """Add a recipe as a draft: the next version where there is one of its name. Returns its listed fields.

    Args:
        connection: to the store.
        org_id: whose.
        caller: who adds it.
        recipe: with the defaults of its parameters.
        approved: its document with them open; None for a recipe without.
    """
    row = one(connection, "SELECT id, max(version) FROM recipes WHERE name = ? GROUP BY id", [recipe.name])
    recipe_id, version = (str(row[0]), int(row[1]) + 1) if row else (str(uuid.uuid4()), 1)
    document = recipe_document(recipe.model_copy(update={"version": version}))
    data: dict[str, Any] = json.loads(document)
    if approved is not None and is_open(json.loads(approved)):
        document = with_version(approved, version)
    values: dict[str, Any] = {
        "id": recipe_id,
        "org_id": org_id,
        "name": recipe.name,
        "version": version,
        "process_mode_id": mode_id(connection, recipe.process_mode),
        "film_target": recipe.film_target,
        "thickness_target_nm": recipe.thickness_target_nm,
        "uniformity_target_pct": recipe.uniformity_target_pct,
        "safety_hazard_level": recipe.safety_hazard_level,
        "status": "draft",
        "created_by_id": caller.user,
        "document": str(document),
        "sha256": document.sha256,
    }
    values |= {name: json.dumps(data[name]) if data.get(name) is not None else None for name in DOCUMENTS}
    names, marks = ", ".join(values), ", ".join("?" * len(values))
    connection.execute(f"INSERT INTO recipes ({names}) VALUES ({marks})", list(values.values()))  # noqa: S608
    return listed(connection, recipe_id, version)


def find(connection: Connection, recipe_id: str, version: int) -> Version:
    """Find a recipe version.

    Raises:
        Refused: there is none, or its document is not the one that its digest was made of.
    """
    row = one(
        connection,
        "SELECT id::VARCHAR, version, name, status, document, sha256, process_mode_id::VARCHAR FROM recipes "
        "WHERE id::VARCHAR = ? AND version = ?",
        [recipe_id.lower(), version],
    )
    if row is None:
        raise Refused("BadNotFound", f"there is no version {version} of recipe {recipe_id}")
    found = Version(*row)
    if hashlib.sha256(found.document.encode()).hexdigest() != found.sha256:
        raise Refused("BadDataEncodingInvalid", f"{found.name}, version {version}, was changed behind our back")
    return found


def listed(connection: Connection, recipe_id: str, version: int) -> dict[str, Any]:
    """Return the fields of a recipe version that lists show."""
    found = arrow.records(
        connection,
        f"SELECT {_LISTED} FROM recipes WHERE id::VARCHAR = ? AND version = ?",  # noqa: S608
        [recipe_id.lower(), version],
    )
    if not found:
        raise Refused("BadNotFound", f"there is no version {version} of recipe {recipe_id}")
    return found[0]


def get(connection: Connection, recipe_id: str, version: int) -> dict[str, Any]:
    """Return a recipe version: its listed fields, its document, and who did what with it."""
    found = find(connection, recipe_id, version)
    history = arrow.records(
        connection,
        "SELECT time_ns, user_name AS user, action, status, detail FROM audit WHERE target = ? ORDER BY seq",
        [target(found.recipe_id, version)],
    )
    return {**listed(connection, recipe_id, version), "recipe": json.loads(found.document), "history": history}


def list_versions(connection: Connection, status: str = "", skip: int = 0, limit: int = 0) -> list[dict[str, Any]]:
    """List recipe versions, newest first."""
    return arrow.records(
        connection,
        f"SELECT {_LISTED} FROM recipes WHERE (? = '' OR status = ?) "  # noqa: S608
        "ORDER BY recipes.created_at DESC, version DESC LIMIT ? OFFSET ?",
        [status, status, min(limit or MOST, MOST), skip],
    )


def approve(
    connection: Connection, policy: Policy, caller: Caller, recipe_id: str, version: int, comment: str
) -> dict[str, Any]:
    """Approve a draft.

    Raises:
        Refused: it is no draft, or the caller wrote it and the policy asks for four eyes.
    """
    permit(policy, caller, Action.RECIPE_APPROVE)
    found = find(connection, recipe_id, version)
    if found.status != "draft":
        raise Refused(
            "BadInvalidState", f"{found.name}, version {version}, is {found.status}; only a draft is approved"
        )
    author = listed(connection, recipe_id, version)["created_by_id"]
    other_eyes(policy, caller, author, Weighty.APPROVE, f"the approval of {found.name}, version {version},")
    connection.execute(
        "UPDATE recipes SET status = 'approved', approval_date = now(), approved_by_id = ?, approval_comment = ?, "
        "updated_at = now() WHERE id = ? AND version = ?",
        [caller.user, comment, found.recipe_id, version],
    )
    return listed(connection, recipe_id, version)


def retire(connection: Connection, policy: Policy, caller: Caller, recipe_id: str, version: int) -> dict[str, Any]:
    """Withdraw a version: it stays to be read, and is never run again.

    Raises:
        Refused: it is withdrawn already.
    """
    permit(policy, caller, Action.RECIPE_APPROVE)
    found = find(connection, recipe_id, version)
    if found.status == "retired":
        raise Refused("BadInvalidState", f"{found.name}, version {version}, is retired already")
    connection.execute(
        "UPDATE recipes SET status = 'retired', updated_at = now() WHERE id = ? AND version = ?",
        [found.recipe_id, version],
    )
    return listed(connection, recipe_id, version)


def runnable(
    connection: Connection, policy: Policy, caller: Caller, recipe_id: str, version: int
) -> tuple[Version, bool]:
    """Return a version that the caller may run, and whether that is an engineering run.

    Raises:
        Refused: it is retired, or a draft and the caller no engineer.
    """
    permit(policy, caller, Action.RUN)
    found = find(connection, recipe_id, version)
    if found.status == "retired":
        raise Refused("BadInvalidState", f"{found.name}, version {version}, is retired")
    if found.status == "approved":
        return found, False
    if Role.ENGINEER not in caller.roles:
        raise Refused(
            "BadUserAccessDenied",
            f"{found.name}, version {version}, is a draft: another engineer than its author approves it, "
            "or an engineer runs it as an engineering run",
        )
    permit(policy, caller, Action.RUN_DRAFT)
    return found, True


def compare(a: Version, b: Version, tool: Tool) -> list[dict[str, Any]]:
    """Compare two versions: each change with its path, both values and words, and what it comes to on the tool."""
    found = changes(json.loads(a.document), json.loads(b.document))
    if found:
        found += consequences(recipe_of(a), recipe_of(b), tool)
    return [change.to_json() for change in found]


def recipe_of(version: Version) -> Recipe:
    """Read a stored document, its parameters at their defaults."""
    return load_recipe(version.document, file=version.name)


def bound(version: Version, values: Values) -> tuple[Version, dict[str, Value]]:
    """Write the values of a run into a version; its document and digest become the run's own.

    Raises:
        ConfigError: a value is not one that was approved.
    """
    if not is_open(json.loads(version.document)):
        if values:
            load_recipe(version.document, values=values, file=version.name)  # tells that it has no such parameter
        return version, {}
    recipe = load_recipe(version.document, values=values, file=version.name)
    document = recipe_document(recipe)
    used = {name: one.value for name, one in recipe.parameters.items() if one.value is not None}
    return replace(version, document=str(document), sha256=document.sha256), used


def past(connection: Connection, recipe_id: str, parameter: str, runs: int) -> list[Past]:
    """Return the last completed and measured runs of a recipe, whatever its version, with what they used."""
    rows = connection.execute(
        "SELECT runs.run_number, run_documents.parameters, results.thickness_mean_nm FROM runs "
        "JOIN run_documents ON run_documents.run_id = runs.id::VARCHAR "
        "JOIN results ON results.cvd_run_id = runs.id "
        "WHERE runs.cvd_recipe_id::VARCHAR = ? AND runs.kind = 'recipe' AND runs.status = 'COMPLETE' "
        "AND results.thickness_mean_nm > 0 ORDER BY runs.end_time DESC LIMIT ?",
        [recipe_id, runs],
    ).fetchall()
    found = [(str(number), json.loads(parameters).get(parameter), float(nm)) for number, parameters, nm in rows]
    return [Past(number, float(value), nm) for number, value, nm in found if isinstance(value, int | float)]


@dataclass(frozen=True)
class StoreLibrary:
    """The stored recipes that another one may call: all that are not retired."""

    rows: tuple[tuple[str, str, int, str, str], ...]
    """Id, name, version, document, digest."""

    def find(self, recipe: str, version: int) -> Stored | None:
        """Find a version by the recipe's name or id."""
        for number, name, its, document, sha256 in self.rows:
            if its == version and recipe in {name, number}:
                return Stored(name, its, document, sha256)
        return None

    def versions(self, recipe: str) -> tuple[int, ...]:
        """Versions that there are of it."""
        return tuple(sorted(its for number, name, its, _, _ in self.rows if recipe in {name, number}))


def library(connection: Connection) -> StoreLibrary:
    """Return the stored recipes."""
    rows = connection.execute(
        "SELECT id::VARCHAR, name, version, document, sha256 FROM recipes WHERE status <> 'retired'"
    ).fetchall()
    return StoreLibrary(tuple((str(a), str(b), int(c), str(d), str(e)) for a, b, c, d, e in rows))


def target(recipe_id: str, version: int) -> str:
    """Name a version in the audit trail."""
    return f"recipe {recipe_id}/{version}"


def entry(row: dict[str, Any]) -> Entry:
    """Make the object of the address space."""
    return Entry(
        "Recipes",
        f"{row['name']} v{row['version']}",
        {
            "RecipeId": row["recipe_id"],
            "Version": int(row["version"]),
            "Name": row["name"],
            "Status": row["status"],
            "FilmTarget": row["film_target"],
            "ThicknessTargetNm": float(row["thickness_target_nm"]),
            "UniformityTargetPct": float(row["uniformity_target_pct"]),
            "SafetyHazardLevel": int(row["safety_hazard_level"]),
            "CreatedBy": row["created_by_id"],
            "CreatedAt": row["created_at"],
            "ApprovedBy": row["approved_by_id"] or "",
            "ApprovedAt": row["approval_date"] or "",
            "Sha256": row["sha256"],
        },
        f"{row['film_target']}, {row['thickness_target_nm']:g} nm",
    )
