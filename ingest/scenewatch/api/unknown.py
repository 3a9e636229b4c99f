"""Devices that speak and are in no inventory, and how an operator takes them in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Protocol

from fastapi import Depends, HTTPException, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from scenewatch.api.answers import NOT_SIGNED_IN, WRONG_QUERY, json_answer, refusals
from scenewatch.api.guard import operator
from scenewatch.model.errors import ConfigurationError, InUseError, RefusedError
from scenewatch.model.place import Device
from scenewatch.model.words import Text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fastapi import FastAPI

    from scenewatch.api.views import View

NOT_ADOPTED = NOT_SIGNED_IN | refusals(
    _404="Nothing was heard of such a device.",
    _409="The inventory has it otherwise.",
    _422="What is wrong with it, all at once.",
    _503="It is in the inventory, and the worker has not taken it yet: ask again.",
)


@dataclass(frozen=True, kw_only=True, slots=True)
class StrangerView:
    """A device of which nothing is known but what it said."""

    scene: str
    site: str
    device: str
    site_known: bool
    """Whether the inventory has other devices there."""
    messages: int
    first_at: int
    last_at: int
    channels: Sequence[str]
    """What its newest readings are of."""
    suggested_type: str | None
    types: Sequence[str]
    """All of its scene, those that fit first."""
    sample: str
    """How its newest message begins."""


@dataclass(frozen=True, slots=True)
class StrangersView:
    """Those heard of last; `beyond` counts the topics of others, which were too many to look at."""

    strangers: Sequence[StrangerView]
    beyond: int


@dataclass(frozen=True, slots=True)
class Adopted:
    """A device that the inventory has now, and how many of its kept messages are tried again."""

    device: str
    retried: int


class Unknown(Protocol):
    """What the worker does about them. Any thread."""

    def unknown(self) -> StrangersView: ...

    def adopt(self, device: Device) -> Adopted:
        """Raises ConfigurationError, RefusedError, InUseError or TemporaryError, by what is in the way."""
        ...


class UnknownDevice(BaseModel):
    """Everything known of it."""

    scene: str
    site: str
    device: str
    site_known: bool
    messages: int
    first_at: int
    last_at: int
    channels: list[str]
    suggested_type: str | None
    types: list[str]
    sample: str


class UnknownDevices(BaseModel):
    """`GET /unknown-devices`: those heard of last come first."""

    unknown_devices: list[UnknownDevice]
    beyond: int = Field(description="topics of further ones, too many to be listed")


class Name(BaseModel):
    """In both languages."""

    model_config = ConfigDict(extra="forbid")
    en: str = ""
    zh: str = ""


class Adoption(BaseModel):
    """Which device it is, and as what it comes into the inventory."""

    model_config = ConfigDict(extra="forbid")
    scene: str
    site: str
    device: str
    type: str
    parent: str = Field(default="", description="its gateway within the site")
    name: Name = Name()


class AdoptedDevice(BaseModel):
    """`retried`: how many of its kept messages are tried again, at their own times and as history."""

    device: str
    retried: int


def add(app: FastAPI, view: View) -> None:
    @app.get("/api/v1/unknown-devices", tags=["live"], response_model=UnknownDevices, responses=WRONG_QUERY)
    def unknown_devices(limit: Annotated[int, Query(ge=1, le=4000)] = 500) -> Response:
        """Devices that speak and are in no inventory. All they sent is kept."""
        seen = view.strangers.unknown()
        return json_answer({"unknown_devices": seen.strangers[:limit], "beyond": seen.beyond})

    @app.post(
        "/api/v1/unknown-devices/adopt", tags=["operators"], response_model=AdoptedDevice, responses=NOT_ADOPTED
    )
    def adopt(wanted: Adoption, by: Annotated[str, Depends(operator)]) -> Response:
        """Take a device into the inventory; what it sent before is tried again."""
        name = Text(wanted.name.en, wanted.name.zh)
        adopted = _adopted(view.strangers, Device(name=name, **wanted.model_dump(exclude={"name"})))
        view.controls.audit.note(by, "adopt", adopted.device, f"as {wanted.type}")
        return json_answer(adopted)


def _adopted(strangers: Unknown, device: Device) -> Adopted:
    try:
        return strangers.adopt(device)
    except ConfigurationError as error:
        raise HTTPException(422, "; ".join(mistake.what for mistake in error.mistakes)) from error
    except RefusedError as error:
        raise HTTPException(404, str(error)) from error
    except InUseError as error:
        raise HTTPException(409, str(error)) from error
