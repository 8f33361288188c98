"""The methods of `Recipes` and `ProcessModes`."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import anyio

from opcua_model.interface import Caller, Refused
from supervisor.server.access.packages import SIGNERS, RecipeSignature, unpack
from supervisor.server.access.policy import Action, Weighty, permit
from supervisor.server.calls.desk import Desk
from supervisor.server.calls.judging import judge, sound
from supervisor.server.errors import PackageError
from supervisor.server.records import modes, recipes


class RecipeCalls:
    """Carries them out."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def add(self, caller: Caller, _path: str, text: str) -> tuple[str, int]:
        """`AddRecipe`."""
        desk = self._desk
        permit(desk.policy, caller, Action.RECIPE_EDIT)
        text, signatures = await anyio.to_thread.run_sync(_unpacked, desk, text)
        recipe, document, _ = await anyio.to_thread.run_sync(sound, text, desk.layout.tool, await self._library(text))
        row = await desk.deed(
            caller,
            "add_recipe",
            lambda connection: recipes.add(connection, desk.identity.org_id, caller, recipe, document),
            lambda added: recipes.target(added["recipe_id"], added["version"]),
            **({"signatures": [asdict(one) for one in signatures]} if signatures else {}),
        )
        await desk.show(recipes.entry(row))
        return row["recipe_id"], int(row["version"])

    async def _library(self, text: str) -> recipes.StoreLibrary | None:
        """The stored recipes, for a document that calls any."""
        return await self._desk.store.read(recipes.library) if '"call"' in text else None

    async def get(self, _caller: Caller, _path: str, recipe_id: str, version: int) -> tuple[str]:
        """`GetRecipe`."""
        found = await self._desk.store.read(lambda connection: recipes.get(connection, recipe_id, version))
        return (_json(found),)

    async def list(self, _caller: Caller, _path: str, status: str, skip: int, limit: int) -> tuple[str]:
        """`ListRecipes`."""
        found = await self._desk.store.read(lambda connection: recipes.list_versions(connection, status, skip, limit))
        return (_json(found),)

    async def validate(self, _caller: Caller, _path: str, text: str) -> tuple[bool, str]:
        """`ValidateRecipe`."""
        found = await anyio.to_thread.run_sync(judge, text, self._desk.layout.tool, await self._library(text))
        return found.ok, _json(found.report())

    async def approve(self, caller: Caller, _path: str, recipe_id: str, version: int, comment: str) -> tuple[()]:
        """`ApproveRecipe`: judged again, since the tool file may be another than when it was added."""
        desk = self._desk
        permit(desk.policy, caller, Action.RECIPE_APPROVE)
        found = await desk.store.read(lambda connection: recipes.find(connection, recipe_id, version))
        await anyio.to_thread.run_sync(sound, found.document, desk.layout.tool)
        signed = desk.signatures.use(caller, Weighty.APPROVE)
        row = await desk.deed(
            caller,
            "approve_recipe",
            lambda connection: recipes.approve(connection, desk.policy, caller, recipe_id, version, comment),
            lambda changed: recipes.target(changed["recipe_id"], changed["version"]),
            comment=comment,
            sha256=found.sha256,
            **signed,
        )
        await desk.show(recipes.entry(row))
        return ()

    async def retire(self, caller: Caller, _path: str, recipe_id: str, version: int, comment: str) -> tuple[()]:
        """`RetireRecipe`."""
        desk = self._desk
        row = await desk.deed(
            caller,
            "retire_recipe",
            lambda connection: recipes.retire(connection, desk.policy, caller, recipe_id, version),
            lambda changed: recipes.target(changed["recipe_id"], changed["version"]),
            comment=comment,
        )
        await desk.show(recipes.entry(row))
        return ()

    async def diff(self, _caller: Caller, _path: str, recipe_id: str, a: int, b: int) -> tuple[str]:
        """`DiffRecipes`."""
        desk = self._desk
        first, second = [
            await desk.store.read(lambda connection, version=version: recipes.find(connection, recipe_id, version))
            for version in (a, b)
        ]
        return (_json(await anyio.to_thread.run_sync(recipes.compare, first, second, desk.layout.tool)),)

    async def create_mode(self, caller: Caller, _path: str, text: str) -> tuple[str]:
        """`CreateProcessMode`."""
        desk = self._desk
        permit(desk.policy, caller, Action.RECIPE_EDIT)
        mode = modes.read_mode(text)
        number = await desk.deed(
            caller,
            "create_process_mode",
            lambda connection: modes.add_mode(connection, desk.identity.org_id, mode),
            lambda _: f"process mode {mode.name}",
        )
        rows = await desk.store.read(modes.list_modes)
        for entry in modes.mode_entries([row for row in rows if row["id"] == number]):
            await desk.show(entry)
        return (number,)

    async def list_modes(
        self, _caller: Caller, _path: str, pressure: str, energy: str, skip: int, limit: int
    ) -> tuple[str]:
        """`ListProcessModes`."""
        found = await self._desk.store.read(
            lambda connection: modes.list_modes(connection, pressure, energy, skip, limit)
        )
        return (_json(found),)


def _unpacked(desk: Desk, text: str) -> tuple[str, Sequence[RecipeSignature]]:
    """Take a recipe out of its package; refuse what the policy does not let in."""
    try:
        recipe, signatures = unpack(text, desk.data / SIGNERS)
    except PackageError as error:
        raise Refused("BadSecurityChecksFailed", str(error)) from error
    if desk.policy.signed_recipes and not signatures:
        raise Refused(
            "BadSecurityChecksFailed", "this tool takes signed recipes only: `cvd recipe sign` makes a package"
        )
    return recipe, signatures


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)
