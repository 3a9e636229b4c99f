"""Events as the store keeps them for charts and annotations, with the tables' words for them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from scenewatch.model.level import Level
from scenewatch.model.point import Point
from scenewatch.model.words import Text

if TYPE_CHECKING:
    from scenewatch.model.registry import Registry
    from scenewatch.store.events import EventRow

MEASUREMENT: Final = "event"


class EventPoints:
    """An event may be of a kind, or of a type of device, that the tables have no more."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry

    def known(self, row: EventRow) -> EventRow:
        """An event is recorded with all that is known of it."""
        return row

    def point(self, row: EventRow) -> Point:
        scene, site, device = row.device.split(".", 2)
        title = self._title(scene, row)
        fields: dict[str, float | int | str] = {
            "level": str(row.level),
            "text": row.text,
            "title_en": title.en,
            "title_zh": title.zh,
            "told_en": ", ".join(filter(None, (f"{device}: {title.en}", row.text))),
            "told_zh": "，".join(filter(None, (f"{device}：{title.zh}", row.text))),
            "media": row.media,
        }
        if row.lat is not None and row.lon is not None:
            fields |= {"lat": row.lat, "lon": row.lon}
        return Point(
            measurement=MEASUREMENT,
            tags={"scene": scene, "site": site, "device": device, "kind": row.kind, "type": row.device_type},
            t_ms=row.at_ms,
            fields=fields,
            keep=Level.DAY,
        )

    def _title(self, scene: str, row: EventRow) -> Text:
        found = self._registry.types.get((scene, row.device_type))
        kinds = () if found is None else found.events
        return next((kind.title for kind in kinds if kind.key == row.kind), Text(row.kind, row.kind))
