"""Table `[server.policy]` of the settings file: the one place where an installation says who may do what.

[server.policy]
four_eyes = ["approve", "bypass"]
signatures = ["approve"]

[server.policy.permissions]
"Recipes/ApproveRecipe" = ["administrator"]
"Equipment/heater" = ["maintenance"]
"""

from dataclasses import replace
from typing import Annotated

from pydantic import Field

from config.base import Model
from config.tool import Role
from supervisor.server.access.policy import DEFAULT, Policy, Weighty

Path = Annotated[str, Field(min_length=1, max_length=500)]


class PolicyTable(Model):
    """What is left out stays as it is by default; nothing here permits more than the contract does."""

    four_eyes: tuple[Weighty, ...] = tuple(sorted(DEFAULT.four_eyes))
    """What a second person decides: whoever wrote or asked for it cannot."""
    signatures: tuple[Weighty, ...] = ()
    """What somebody signs: by giving the password again, with the meaning of the signature."""
    signed_recipes: bool = False
    """Recipes are added as packages only that somebody on the list of signers has signed."""
    permissions: dict[Path, Annotated[tuple[Role, ...], Field(min_length=1)]] = Field(default_factory=dict)
    """Objects, methods and tags by path, and the only roles that call or write there and below. The longest path
    decides; a role that the contract does not name there gains nothing."""

    def policy(self) -> Policy:
        """Return the rules."""
        return replace(
            DEFAULT,
            four_eyes=frozenset(self.four_eyes),
            signatures=frozenset(self.signatures),
            signed_recipes=self.signed_recipes,
        )
