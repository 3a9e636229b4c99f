"""The inventory as GeoJSON that maps read: a point a device, what is no place is in its properties (RFC 7946)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from scenewatch.inventory.checks import COLUMNS, Checks
from scenewatch.inventory.csvfile import property_names

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scenewatch.model.place import Device

GIVEN = tuple(column for column in COLUMNS if column not in ("lat", "lon"))
NEEDED = ("scene", "site", "device", "type")
TOO_FAR = 1e6
"""Degrees that nobody means; smaller ones that are wrong are told as such."""
HEAD = b'{"type": "FeatureCollection", "features": [\n'


def parse_features(text: str, checks: Checks) -> None:
    """Hand every feature to `checks`. They are counted from 1."""
    try:
        whole = msgspec.json.decode(text)
    except (msgspec.MsgspecError, RecursionError) as error:
        checks.word = ""
        checks.wrong(0, f"not JSON: {str(error)[:120]}")
        return
    features = whole.get("features") if isinstance(whole, dict) else None
    if not isinstance(features, list) or whole.get("type") != "FeatureCollection":
        checks.word = ""
        checks.wrong(0, "not a FeatureCollection of GeoJSON")
        return
    checks.word = "feature"
    for number, feature in enumerate(features, 1):
        faults: list[str] = []
        cells = _cells(feature, faults)
        for fault in faults:
            checks.wrong(number, fault)
        if not faults:
            checks.add(number, cells)


def format_features(devices: Sequence[Device]) -> str:
    """A feature a line, so that a person sees what changed."""
    property_names(devices)
    rows = (msgspec.json.encode(_feature(device)) for device in devices)
    return (HEAD + b",\n".join(rows) + b"\n]}\n").decode()


def _feature(d: Device) -> dict[str, Any]:
    words = (d.scene, d.site, d.device, d.type, d.parent, d.name.en, d.name.zh)
    point = None if d.lat is None else {"type": "Point", "coordinates": [d.lon, d.lat]}
    return {
        "type": "Feature",
        "id": d.id,
        "geometry": point,
        "properties": dict(zip(GIVEN, words, strict=True)) | dict(d.properties),
    }


def _cells(feature: Any, faults: list[str]) -> dict[str, str]:
    """As a row of the CSV file would have them."""
    properties = feature.get("properties") if isinstance(feature, dict) else None
    if not isinstance(properties, dict):
        faults.append("is no Feature with properties")
        return {}
    cells = dict.fromkeys(COLUMNS, "")
    for name, value in properties.items():
        if name in ("lat", "lon"):
            faults.append(f"{name} stands among the properties: the geometry alone says where it is")
        elif isinstance(value, str):
            cells[name] = value
        elif value is not None and not isinstance(value, dict | list):
            cells[name] = msgspec.json.encode(value).decode()
        elif value is not None:
            faults.append(f"{name[:80]} is neither text nor number: make it one")
    missing = [name for name in NEEDED if name not in properties]
    if missing:
        faults.append(f"has no {', '.join(missing)} among its properties")
    cells["lat"], cells["lon"] = _point(feature.get("geometry"), faults)
    return cells


def _point(geometry: Any, faults: list[str]) -> tuple[str, str]:
    if geometry is None:
        return "", ""
    match geometry:
        case {"type": "Point", "coordinates": [lon, lat] | [lon, lat, _]} if _is_number(lon) and _is_number(lat):
            return repr(float(lat)), repr(float(lon))
    faults.append("its geometry is no Point of [longitude, latitude]")
    return "", ""


def _is_number(x: Any) -> bool:
    """One that a float can hold."""
    return isinstance(x, int | float) and not isinstance(x, bool) and abs(x) < TOO_FAR
