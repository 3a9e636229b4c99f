"""Alarms as the store keeps them for charts and annotations: what happened, with the tables' words for it."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

from scenewatch.model.conditions import watched_types
from scenewatch.model.level import Level
from scenewatch.model.point import Point
from scenewatch.model.rule import Above, Below
from scenewatch.model.spans import amount
from scenewatch.model.speech import condition_text
from scenewatch.model.words import Text

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from scenewatch.model.registry import Registry
    from scenewatch.model.rule import Rule
    from scenewatch.model.scene import Channel
    from scenewatch.store.alarms import AlarmRow

MEASUREMENT = "alarm"
NOBODY_KNOWS = "unknown"
"""Type of a device that is in no inventory any more, where its alarm is of an older release."""


class AlarmPoints:
    """`rules` gives those in force by `<scene>.<rule>`; an alarm may be of a rule that is there no more."""

    def __init__(self, registry: Registry, rules: Callable[[], Mapping[str, Rule]]) -> None:
        self._registry = registry
        self._rules = rules

    def known(self, row: AlarmRow) -> AlarmRow:
        """With its device type, which is part of its place in the store and must not be another one later."""
        if row.device_type:
            return row
        number = self._registry.number(row.device)
        return replace(row, device_type=NOBODY_KNOWS if number is None else self._registry.type_of(number).key)

    def point(self, row: AlarmRow) -> Point:
        """Of a row whose device type is known."""
        scene, site, device = row.device.split(".", 2)
        rule = self._rules().get(row.rule)
        rule_key = row.rule.partition(".")[2]
        title = Text(rule_key, rule_key) if rule is None else rule.title
        advice = Text("", "") if rule is None else rule.advice
        told = title if rule is None else self._told(scene, rule, row)
        lasted_ms = 0 if row.cleared_at_ms is None else row.cleared_at_ms - row.raised_at_ms
        fields: dict[str, float | int | str] = {
            "standing": int(row.cleared_at_ms is None),
            "cleared_ms": row.cleared_at_ms or 0,
            "lasted_s": lasted_ms / 1000,
            "title_en": title.en,
            "title_zh": title.zh,
            "advice_en": advice.en,
            "advice_zh": advice.zh,
            "text_en": f"{device}: {told.en}",
            "text_zh": f"{device}：{told.zh}",
        }
        fields |= {name: text for name, text in (("version", row.version), ("cause", row.cause)) if text}
        if math.isfinite(row.value):
            fields["value"] = float(row.value)
        return Point(
            measurement=MEASUREMENT,
            tags={
                "scene": scene,
                "site": site,
                "device": device,
                "rule": rule_key,
                "priority": str(row.raised_priority),
                "type": row.device_type,
            },
            t_ms=row.raised_at_ms,
            fields=fields,
            keep=Level.DAY,
        )

    def _told(self, scene: str, rule: Rule, row: AlarmRow) -> Text:
        """One line for a chart's annotation: what was measured and its limit, or else the condition."""
        title, of = rule.title, self._registry.scenes[scene]
        if all(t.key != row.device_type for t in watched_types(of, rule)):
            return title
        channel = self._channel(scene, rule, row.device_type)
        by_number = channel is not None and not channel.states and math.isfinite(row.value)
        if channel is not None and by_number and isinstance(rule.when, Above | Below):
            value, limit = (amount(number, channel.unit) for number in (row.value, rule.when.limit))
            return Text(f"{title.en}, {value} (limit {limit})", f"{title.zh}，{value}（限值 {limit}）")
        condition = condition_text(of, rule)
        return Text(f"{title.en}, {condition.en}", f"{title.zh}，{condition.zh}")

    def _channel(self, scene: str, rule: Rule, device_type: str) -> Channel | None:
        """What the rule watches of this type of device."""
        found = self._registry.types.get((scene, device_type))
        channels = () if found is None else found.channels
        return next((c for c in channels if f"{device_type}.{c.key}" in rule.on), None)
