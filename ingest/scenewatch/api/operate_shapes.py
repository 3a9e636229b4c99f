"""The JSON of what operators do, for OpenAPI and for checking what they send."""

from __future__ import annotations

from typing import Any

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


class Acknowledge(Asked):
    """`POST /alarms/acknowledge`: which alarm."""

    rule: str
    device: str
    raised_at: int


class SendCommand(Asked):
    """`POST /commands`"""

    device: str
    name: str
    args: dict[str, Any] = {}


class Command(BaseModel):
    """A command to a device. `text` is what the device answered; `late` when that came after `expires_at`.

    `state` is waiting, done, refused, expired or unsent; `answers` is how often the device has answered.
    """

    id: str
    device: str
    name: str
    args: dict[str, Any]
    state: str
    asked_by: str
    asked_at: int
    expires_at: int
    answered_at: int | None
    text: str
    answers: int
    late: bool


class Commands(BaseModel):
    """`GET /commands`, newest first."""

    commands: list[Command]
