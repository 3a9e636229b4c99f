"""From the worker's views to the JSON shapes. Plain functions, called per request and by the stream."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from scenewatch.api import ruletables
from scenewatch.model.flags import Flag, Test
from scenewatch.model.rule import Priority
from scenewatch.model.ruleversion import version_of_scenes

if TYPE_CHECKING:
    from scenewatch.api.views import AlarmView, LedgerView, LetterView, Now, View
    from scenewatch.model.fault import Fault
    from scenewatch.model.level import Summaries
    from scenewatch.model.scene import Channel, Command, DeviceType, EventKind, Occasion, Scene
    from scenewatch.model.words import Text

FLAGS = {int(flag): flag.name.lower() for flag in Flag}
TESTS = {int(test): test.name.lower() for test in Test}
URGENCY = {priority: rank for rank, priority in enumerate(Priority)}

Json = dict[str, Any]


def scene_table(scene: Scene, written: Scene) -> Json:
    """`written` is the scene as its tables have it, before operators set other numbers."""
    return {
        "key": scene.key,
        "title": _text(scene.title),
        "site_title": _text(scene.site_title),
        "zone": scene.zone,
        "device_types": [_device_type(t) for t in scene.device_types],
        "rules": [ruletables.rule(scene, r, written.rule(r.key)) for r in scene.rules],
        "rules_version": version_of_scenes([scene]),
        "written_version": version_of_scenes([written]),
        "occasions": [_named(o) for o in scene.occasions],
        "faults": [_named(f) for f in scene.faults],
    }


def _text(text: Text) -> Json:
    return {"en": text.en, "zh": text.zh}


def _device_type(device_type: DeviceType) -> Json:
    return {
        "key": device_type.key,
        "title": _text(device_type.title),
        "every_ms": device_type.every,
        "channels": [_channel(c) for c in device_type.channels],
        "events": [_named(e) for e in device_type.events],
        "commands": [_command(c) for c in device_type.commands],
    }


def _named(entry: EventKind | Occasion | Fault) -> Json:
    return {"key": entry.key, "title": _text(entry.title)}


def _command(command: Command) -> Json:
    return {
        "key": command.key,
        "title": _text(command.title),
        "channel": command.channel,
        "to": command.to,
        "expires_after_s": command.expires_after / 1000,
    }


def _channel(channel: Channel) -> Json:
    expected = channel.expected
    return {
        "key": channel.key,
        "title": _text(channel.title),
        "unit": channel.unit,
        "quantity": str(channel.quantity),
        "states": [{"value": value, "text": _text(text)} for value, text in channel.states],
        "possible": {"low": channel.possible.low, "high": channel.possible.high},
        "expected": None if expected is None else {"low": expected.low, "high": expected.high},
        "every_ms": None if channel.derived is None else channel.derived.every,
    }


def sites(view: View) -> list[Json]:
    registry, now = view.registry, view.now()
    found: dict[str, Json] = {}
    for number in _active(view):
        device = registry.devices[number]
        site = found.setdefault(
            device.site_id,
            {
                "id": device.site_id,
                "scene": device.scene,
                "site": device.site,
                "devices": 0,
                "online": None,
                "standing": 0,
                "worst": None,
                "newest_at": None,
            },
        )
        site["devices"] += 1
        series = registry.series_of(number)
        newest = int(now.t_ms[series.start : series.stop].max(initial=0)) if len(now.t_ms) >= series.stop else 0
        site["newest_at"] = max(newest, site["newest_at"] or 0) or None
        online = view.online(number)
        if online is not None:
            site["online"] = online and site["online"] is not False
    for alarm in view.alarms("standing", MOST_ALARMS):
        site = found.get(alarm.device.rpartition(".")[0], {})
        if site:
            site["standing"] += 1
            worst = site["worst"]
            if worst is None or URGENCY[Priority(alarm.priority)] > URGENCY[Priority(worst)]:
                site["worst"] = alarm.priority
    return sorted(found.values(), key=lambda s: s["id"])


MOST_ALARMS = 100_000
PAYLOAD_SHOWN = 4096


def devices(view: View, site: str | None) -> list[Json]:
    now = view.now()
    registry = view.registry
    wanted = (
        n for n in _active(view) if site is None or site in (registry.devices[n].site_id, registry.devices[n].site)
    )
    return [device_now(view, number, now) for number in wanted]


def device_now(view: View, number: int, now: Now) -> Json:
    registry = view.registry
    device = registry.devices[number]
    return {
        "id": device.id,
        "scene": device.scene,
        "site": device.site,
        "device": device.device,
        "type": device.type,
        "parent": device.parent,
        "name": _text(device.name),
        "lat": device.lat,
        "lon": device.lon,
        "online": view.online(number),
        "missing": view.missing(number),
        "channels": [
            _channel_now(registry.channel_of(series).key, series, now) for series in registry.series_of(number)
        ],
    }


def _channel_now(key: str, series: int, now: Now) -> Json:
    if series >= len(now.t_ms) or now.t_ms[series] == 0:
        return {"key": key, "value": None, "at": None, "flag": FLAGS[Flag.MISSING], "test": TESTS[Test.NONE]}
    value, at, flag, test = value_now(series, now)
    return {"key": key, "value": value, "at": at, "flag": flag, "test": test}


def value_now(series: int, now: Now) -> tuple[float, int, str, str]:
    return (
        float(now.value[series]),
        int(now.t_ms[series]),
        FLAGS[int(now.flag[series])],
        TESTS[int(now.test[series])],
    )


def changed_values(view: View, before: Now | None, now: Now) -> dict[str, dict[str, tuple[float, int, str, str]]]:
    """Device id -> channel -> (value, time, flag, test) of every series with a newer reading than `before`."""
    t_before = np.zeros(len(now.t_ms), np.int64)
    if before is not None:
        t_before[: len(before.t_ms)] = before.t_ms[: len(t_before)]
    registry = view.registry
    out: dict[str, dict[str, tuple[float, int, str, str]]] = {}
    for series in np.flatnonzero(now.t_ms != t_before).tolist():
        number = registry.series_device[series]
        if registry.active[number]:
            channels = out.setdefault(registry.ids[number], {})
            channels[registry.channel_of(series).key] = value_now(series, now)
    return out


def online_states(view: View) -> dict[str, bool]:
    states = ((view.registry.ids[n], view.online(n)) for n in _active(view))
    return {device: online for device, online in states if online is not None}


def windows(s: Summaries) -> list[Json]:
    means = (None if mean != mean else mean for mean in s.mean.tolist())  # noqa: PLR0124  # NaN has no JSON
    columns = (s.t_ms.tolist(), s.low.tolist(), s.high.tolist(), means, s.count.tolist(), s.good.tolist())
    return [
        {"t": t, "low": low, "high": high, "mean": mean, "count": count, "good": good, "flag": FLAGS[flag]}
        for (t, low, high, mean, count, good), flag in zip(zip(*columns, strict=True), s.flag.tolist(), strict=True)
    ]


def alarm(a: AlarmView) -> Json:
    return {
        "rule": a.rule,
        "device": a.device,
        "state": a.state,
        "priority": a.priority,
        "raised_at": a.raised_at,
        "cleared_at": a.cleared_at,
        "value": a.value,
        "flag": a.flag,
        "acknowledged_by": a.acknowledged_by,
        "acknowledged_at": a.acknowledged_at,
        "version": a.version,
        "hidden": a.hidden,
        "cause": a.cause,
        "latched": a.latched,
    }


def dead_letter(view: LetterView) -> Json:
    """Bytes that are no UTF-8 are shown as escapes, a long payload by its beginning: the record keeps all of it."""
    letter = view.letter
    return {
        "position": letter.position,
        "received_at": letter.received_ms,
        "topic": letter.topic.decode("utf-8", "backslashreplace"),
        "reason": letter.reason,
        "payload": letter.payload[:PAYLOAD_SHOWN].decode("utf-8", "backslashreplace"),
        "bytes": len(letter.payload),
        "tries": view.tries,
        "asked_at": view.asked_at,
        "taken_at": view.taken_at,
    }


def ledger(entry: LedgerView) -> Json:
    return {
        "received": entry.received,
        "stored": entry.counts.stored,
        "duplicate": entry.counts.duplicate,
        "dead": entry.counts.dead,
        "pending": entry.pending,
        "readings": {
            "stored": entry.readings_stored,
            "late": entry.readings_late,
            "duplicate": entry.readings_duplicate,
            "refused": entry.values_refused,
            "by_test": entry.by_test,
        },
        "journal": {
            "head": entry.journal_head,
            "bytes": entry.journal_bytes,
            "state": entry.journal_state,
            "lost": entry.positions_lost,
        },
        "source": {"state": entry.source_state, "since": entry.source_since},
        "store": {"position": entry.store_position, "state": entry.store_state},
    }


def _active(view: View) -> list[int]:
    return [n for n, active in enumerate(view.registry.active) if active]
