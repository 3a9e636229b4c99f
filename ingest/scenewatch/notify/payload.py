"""What the outside is told of one alarm: topic and JSON."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import msgspec

from scenewatch.model.flags import Flag
from scenewatch.model.place import alarm_topic
from scenewatch.model.rule import Above, Below
from scenewatch.model.speech import condition_text

if TYPE_CHECKING:
    from scenewatch.model.alarm import AlarmState, Transition
    from scenewatch.model.registry import Registry
    from scenewatch.model.rule import Rule


def topic_of(root: str, registry: Registry, device: int, rule: str) -> str:
    """The scene stands in the topic already, so the rule is named by its key alone."""
    return alarm_topic(root, registry.devices[device], rule.partition(".")[2])


def payload_of(registry: Registry, rule: Rule, alarm: Transition, state: AlarmState) -> bytes:
    """One alarm as JSON, the same bytes for the same alarm: comparing them tells whether a broker knows it.

    `rule` is the alarm's, with the limit that is in force.
    """
    device = registry.devices[alarm.device]
    condition = condition_text(registry.scenes[device.scene], rule)
    return msgspec.json.encode(
        {
            "rule": alarm.rule,
            "device": device.id,
            "site": device.site,
            "scene": device.scene,
            "priority": alarm.priority or rule.priority,
            "version": alarm.version,
            "cause": alarm.cause or None,
            "title": {"en": rule.title.en, "zh": rule.title.zh},
            "advice": {"en": rule.advice.en, "zh": rule.advice.zh},
            "raised_at": alarm.raised_at_ms,
            "value": alarm.value if math.isfinite(alarm.value) else None,
            "unit": _unit(registry, alarm.device, rule),
            "condition": {"en": condition.en, "zh": condition.zh},
            "limit": rule.when.limit if isinstance(rule.when, Above | Below) else None,
            "flag": Flag(alarm.flag).name.lower(),
            "state": state,
            "path": _path(alarm, device.id),
        },
    )


def _path(alarm: Transition, device: str) -> str:
    """Of the page that explains it, in whatever console the reader has."""
    return f"/alarm?{urlencode({'rule': alarm.rule, 'device': device, 'raised_at': alarm.raised_at_ms})}"


def _unit(registry: Registry, device: int, rule: Rule) -> str:
    """Of the channel that the rule watches on this type of device; empty for an alarm about the device as such."""
    kind = registry.type_of(device)
    return next((c.unit for c in kind.channels if f"{kind.key}.{c.key}" in rule.on), "")
