"""The JSON of what operators do, for OpenAPI and for checking what they send."""

from __future__ import annotations

from typing import Any, Literal

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


class Unhold(Asked):
    """`POST /alarms/unshelve` and `/alarms/put-back`: which rule of which device."""

    rule: str
    device: str


class TakeOut(Unhold):
    """`POST /alarms/take-out`"""

    reason: str


class Shelve(TakeOut):
    """`POST /alarms/shelve`"""

    until: int


class Maintain(Asked):
    """`POST /maintenance`: of a device, or of all devices of a site. `from` may be past: it then begins now."""

    target: str
    from_: int = Field(alias="from", default=0)
    until: int
    reason: str


class EndMaintenance(Asked):
    """`DELETE /maintenance`"""

    target: str


class Hold(BaseModel):
    """What keeps alarms from being shown: of one rule of a device, or in maintenance of all rules."""

    kind: Literal["shelved", "out_of_service", "maintenance"]
    rule: str | None
    target: str
    by: str
    at: int
    from_: int = Field(alias="from")
    until: int | None
    reason: str


class Holds(BaseModel):
    """`GET /holds`: those in force, then those that are planned."""

    holds: list[Hold]


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
