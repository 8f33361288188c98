"""Proof tests of interlocks, as data: how often, how, and by which forced input (IEC 61511-1, 16.3.1).

A proof test shows dangerous faults that nothing else would show. An interlock says how often it is due and what is
done; where its cause can be brought about by forcing one input, the controller does that and measures. What lies
before the input (the instrument, its line) and behind the output is what the procedure and the witness are for.
"""

from typing import Self

from pydantic import Field, model_validator

from config.base import Model, Seconds, TagName, Text


class Injection(Model):
    """A straight line that an input is forced along until the interlock acts."""

    tag: TagName
    """An input that the interlock reads."""
    begin: float = Field(alias="from")
    to: float
    over_s: Seconds = 5.0

    @model_validator(mode="after")
    def _moves(self) -> Self:
        if self.begin == self.to:
            raise ValueError("moves nothing: from and to are the same")
        if self.over_s <= 0:
            raise ValueError("over_s must be above 0: a trip value is measured on the way")
        return self


class ProofTest(Model):
    """How an interlock is tested, and how often."""

    every_days: float = Field(gt=0, le=3660)
    procedure: Text
    """What people do at the instrument and at the final elements."""
    inject: Injection | None = None
    """Without: the test is witnessed at the instrument alone."""
    early: float = Field(default=0.1, ge=0, lt=1)
    """Told as coming up in this last share of its interval."""
