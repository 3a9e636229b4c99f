"""The points beside the readings, as a worker would have written them while the simulated days passed."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from scenewatch.model.alarm import Step
from scenewatch.model.flags import Test
from scenewatch.model.level import Level
from scenewatch.model.point import Point

if TYPE_CHECKING:
    from collections.abc import Iterator

STEP_MS = 60_000


def alarms(scene, devices, transitions) -> Iterator[Point]:
    for t in transitions:
        rule = scene.rule(t.rule.partition(".")[2])
        device = devices[t.device]
        raised = t.step is Step.RAISED
        value = {} if math.isnan(t.value) else {"value": t.value}
        yield Point(
            measurement="alarm",
            tags={
                "scene": device.scene, "site": device.site, "device": device.device, "rule": rule.key,
                "priority": rule.priority.name.lower(), "type": device.type,
            },
            t_ms=t.raised_at_ms,
            fields={
                "standing": int(raised), "cleared_ms": 0 if raised else t.at_ms,
                "lasted_s": 0.0 if raised else (t.at_ms - t.raised_at_ms) / 1000, **value,
                "title_en": rule.title.en, "title_zh": rule.title.zh,
                "advice_en": rule.advice.en, "advice_zh": rule.advice.zh,
                "text_en": f"{rule.title.en}: {device.device}", "text_zh": f"{rule.title.zh}：{device.device}",
            },
            keep=Level.DAY,
        )  # fmt: skip


def figures(devices, from_ms, to_ms) -> Iterator[Point]:
    sites = sorted({d.site for d in devices})
    for t in range(from_ms, to_ms, STEP_MS):
        n = (t - from_ms) // 30_000
        stand = {"standing_low": 1, "standing_medium": 0, "standing_high": 2}
        yield Point(measurement="pipeline", tags={"worker": "w-1"}, t_ms=t, keep=Level.MINUTE, fields={
            "received": n * 15, "stored": n * 15 - 4, "duplicate": 3, "dead": 1, "pending": 0,
            "readings_stored": n * 75, "readings_late": 0, "readings_duplicate": 9, "values_refused": 1, "lag_s": 0.2,
            "journal_bytes": n * 1500, "outbox_readings": 0, "journal_waiting": 0, "store_ok": 1, "source_ok": 1,
            "reconnects": 1, "sessions_lost": 0, "devices": 18, "silent": 1, **stand,
            **{f"flag_{x.name.lower()}": n for x in Test}, "cpu_s": n * 0.01, "memory_mib": 220.5})
        for s in sites:
            yield Point(measurement="site", tags={"scene": "kitchen", "site": s}, t_ms=t, keep=Level.MINUTE, fields={
                "received": n * 5, "stored": n * 5, "duplicate": 1, "dead": 0, "pending": 0, "missing": 2,
                "devices": 6, "silent": {"s001": 1, "s003": 1, "s005": 5}.get(s, 0), **stand, "worst": {"s001": 3, "s002": 2, "s003": 1, "s004": 0, "s005": 4}[s]})


def points(scene, devices, transitions, from_ms, to_ms):
    yield from alarms(scene, devices, transitions)
    yield from figures(devices, from_ms, to_ms)
