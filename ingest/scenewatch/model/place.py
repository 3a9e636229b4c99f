"""Devices as the inventory knows them, and the topics they speak on."""

from __future__ import annotations

import re
from collections.abc import Mapping  # noqa: TC003 - msgspec reads the annotations when it decodes a Device
from dataclasses import dataclass, field
from enum import StrEnum

from scenewatch.model.words import Text

ID = re.compile(r"[A-Za-z0-9_-]{1,64}\Z")
"""Ids go into topics, so nothing that MQTT or a file system reads as a sign."""


UNNAMED = Text("", "")


@dataclass(frozen=True, kw_only=True, slots=True)
class Device:
    """One row of the inventory. `parent` is the device id of its gateway within the site, or empty."""

    scene: str
    site: str
    device: str
    type: str
    parent: str = ""
    name: Text = UNNAMED
    lat: float | None = None
    lon: float | None = None
    properties: Mapping[str, str] = field(default_factory=dict)

    @property
    def id(self) -> str:
        return f"{self.scene}.{self.site}.{self.device}"

    @property
    def site_id(self) -> str:
        return f"{self.scene}.{self.site}"


class Kind(StrEnum):
    """The last level of a device's topic."""

    TELEMETRY = "telemetry"
    EVENT = "event"
    STATUS = "status"
    COMMAND = "command"
    RESULT = "result"


SUBSCRIBED = (Kind.TELEMETRY, Kind.EVENT, Kind.STATUS, Kind.RESULT)
"""What the worker reads: never `#`, or it would read its own alarms."""


def device_topic(root: str, device: Device, kind: Kind) -> str:
    return f"{root}/{device.scene}/{device.site}/{device.device}/{kind}"


def subscriptions(root: str) -> tuple[str, ...]:
    return tuple(f"{root}/+/+/+/{kind}" for kind in SUBSCRIBED)


def alarm_topic(root: str, device: Device, rule: str) -> str:
    return f"{root}/{device.scene}/{device.site}/alarm/{rule}/{device.device}"


def alarm_filter(root: str) -> str:
    return f"{root}/+/+/alarm/+/+"
