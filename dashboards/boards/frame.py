"""What every dashboard has around its panels: variables, links, alarms as annotations, time and refresh."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from boards import events
from boards.influxql import (
    ALARMS,
    FIGURES,
    IN_RANGE,
    NAMES,
    READINGS,
    TYPE,
    datasource,
    name,
    of_scene,
    select,
    text,
)
from boards.layout import Section, arrange
from boards.links import menu
from boards.marks import annotation
from boards.palette import OF_PRIORITY
from boards.words import DEVICE, PRIORITIES, SCENE, SITE, both, say
from scenewatch.model.level import Level

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from boards.panels import Json
    from scenewatch.model.rule import Priority
    from scenewatch.model.scene import DeviceType, Scene

SCHEMA: Final = 42
"""Of Grafana's dashboards; what is older is migrated by Grafana when it loads."""
TAG = "scenewatch"
HIDDEN: Final = 2
_ON_TIME_RANGE: Final = 2
_NATURAL: Final = 7


@dataclass(kw_only=True)
class Board:
    """One dashboard. `question` is what it answers."""

    uid: str
    title: str
    question: str
    sections: list[Section]
    variables: list[Json] = field(default_factory=list)
    alarms_where: str = ""
    """Which alarms are drawn on its trends; empty for none."""
    events_where: str = ""
    """Which events are drawn on its trends; empty for none."""
    more_links: list[Json] = field(default_factory=list)
    tags: tuple[str, ...] = ()
    refresh: str = "1m"
    since: str = "now-6h"

    def as_json(self, console_url: str) -> Json:
        return {
            "uid": self.uid,
            "title": self.title,
            "description": self.question,
            "tags": [TAG, *self.tags],
            "schemaVersion": SCHEMA,
            "version": 1,
            "editable": False,
            "graphTooltip": 1,
            "refresh": self.refresh,
            "time": {"from": self.since, "to": "now"},
            "timepicker": {"refresh_intervals": ["30s", "1m", "5m", "15m", "1h"]},
            "timezone": "browser",
            "links": [*menu(), *self.more_links],
            "annotations": {"list": [*self._annotations()]},
            "templating": {"list": [*self.variables, _console(console_url)]},
            "panels": arrange(self.sections),
        }

    def _annotations(self) -> Iterator[Json]:
        if self.alarms_where:
            yield from (_annotation(priority, self.alarms_where) for priority in PRIORITIES)
        if self.events_where:
            yield events.annotation(self.events_where)


# --- variables ---------------------------------------------------------------------------------------------


def scene_variable(*, many: bool) -> Json:
    return _query("scene", SCENE, 'SHOW TAG VALUES FROM "site" WITH KEY = "scene"', FIGURES, many=many)


def site_variable(*, many: bool) -> Json:
    where = '"scene" =~ /^$scene$/' if many else "\"scene\" = '$scene'"
    query = f'SHOW TAG VALUES FROM "site" WITH KEY = "site" WHERE {where}'
    return _query("site", SITE, query, FIGURES, many=many)


def device_variables(scene: Scene, device_type: DeviceType) -> list[Json]:
    """The sites that have devices of a type, and the chosen site's: nothing else is to be chosen."""
    return _places(scene, name(device_type.key), of_scene(scene), READINGS)


def speaking_variables(scene: Scene, device_type: DeviceType, measurements: Sequence[str]) -> list[Json]:
    """The same of a type without readings: those devices that have points in any of the measurements."""
    of_type = f"{of_scene(scene)} AND {name('type')} = {text(device_type.key)}"
    return _places(scene, ", ".join(map(name, measurements)), of_type, ALARMS)


def _places(scene: Scene, measurements: str, where: str, uid: str) -> list[Json]:
    every = f"SHOW TAG VALUES FROM {measurements} WITH KEY = "
    of_site = "\"site\" = '$site'"
    return [
        fixed("scene", scene.key),
        _query("site", SITE, f'{every}"site" WHERE {where}', uid, many=False),
        _query("device", DEVICE, f'{every}"device" WHERE {where} AND {of_site}', uid, many=False),
    ]


def level_variable() -> Json:
    """How coarse what the trends show is. The longer the span, the coarser."""
    names = "|".join(one.removeprefix("Scenewatch ") for one in NAMES.values())
    return {
        "name": "level",
        "label": say("Level", "数据粒度"),
        "type": "datasource",
        "query": TYPE,
        "regex": f"/^Scenewatch ({names})$/",
        "current": {"text": NAMES[Level.READING], "value": READINGS},
        "refresh": 1,
        "includeAll": False,
        "multi": False,
        "options": [],
    }


def fixed(key: str, value: str) -> Json:
    """A hidden variable with one value: links take it along like any other."""
    option = {"text": value, "value": value}
    return {"name": key, "type": "constant", "query": value, "hide": HIDDEN, "current": option, "options": [option]}


def _console(url: str) -> Json:
    return {**fixed("console", url), "skipUrlSync": True}


def _query(key: str, label: str, query: str, uid: str, *, many: bool) -> Json:
    found: Json = {
        "name": key,
        "label": label,
        "type": "query",
        "datasource": datasource(uid),
        "query": query,
        "refresh": _ON_TIME_RANGE,
        "sort": _NATURAL,
        "includeAll": many,
        "multi": many,
        "options": [],
    }
    if many:
        found |= {"allValue": ".*", "current": {"text": ["All"], "value": ["$__all"]}}
    return found


# --- annotations -------------------------------------------------------------------------------------------


def _annotation(priority: Priority, where: str) -> Json:
    """Alarms of one priority: a region from raised to cleared, a mark while it stands."""
    wanted = f"{name('priority')} = {text(priority)}"
    query = select('"text_en", "text_zh", "rule", "device", "cleared_ms"', '"alarm"', where, wanted, IN_RANGE)
    title = f"{say('Alarms', '报警')} ({both(PRIORITIES[priority])})"
    return annotation(title, OF_PRIORITY[priority], query, words="text", tags="rule,device", ends="cleared_ms")
