"""The JSON of what operators do, for OpenAPI and for checking what they send."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from scenewatch.model.operators import LONGEST_TOKEN


class Asked(BaseModel):
    """A body that somebody sends: no more in it than is known, and nothing turned into another type."""

    model_config = ConfigDict(extra="forbid", strict=True, hide_input_in_errors=True)


class SignIn(Asked):
    """`POST /sessions`"""

    token: str = Field(max_length=LONGEST_TOKEN)


class SignedIn(BaseModel):
    """Who has signed in, and until when."""

    name: str
    expires_at: int


class SessionNow(BaseModel):
    """`GET /sessions/current`; nulls where nobody has signed in."""

    name: str | None
    expires_at: int | None


class Action(BaseModel):
    """Something that an operator did."""

    at: int
    by: str
    what: str
    target: str
    detail: str


class Actions(BaseModel):
    """`GET /audit`, newest first."""

    actions: list[Action]
