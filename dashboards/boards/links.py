"""Where a click leads: wall, scene, site, device, then the console. Time and variables are taken along."""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING, Final

from boards.panels import link
from boards.words import say

if TYPE_CHECKING:
    from boards.panels import Json
    from scenewatch.model.scene import Scene

WALL, SITE, DEVICE = "sw-wall", "sw-site", "sw-device"
ALARMS, QUALITY, PIPELINE = "sw-alarms", "sw-quality", "sw-pipeline"
SCENES_TAG = "scenewatch-scene"
"""Carried by the dashboards of single scenes."""
CONSOLE = "${console}"
KEEP_LEVEL = "&${level:queryparam}"
"""In a link between dashboards that both have the variable."""
MOST_UID: Final = 40
_DIGEST: Final = 4


def scene_uid(scene: Scene) -> str:
    """A key that is too long for Grafana is cut and made unique again."""
    uid = f"sw-scene-{scene.key}"
    if len(uid) <= MOST_UID:
        return uid
    digest = blake2b(scene.key.encode(), digest_size=_DIGEST).hexdigest()
    return f"{uid[: MOST_UID - len(digest) - 1]}-{digest}"


def to_site(scene: str, site: str, *, more: str = "") -> Json:
    """`scene` and `site`: what stands for them in the row or series that was clicked."""
    url = f"/d/{SITE}?${{__url_time_range}}&var-scene={scene}&var-site={site}{more}"
    return link(say("Open the site", "打开站点"), url)


def to_device(scene: str, site: str, device: str, *, more: str = "") -> Json:
    url = f"/d/{DEVICE}?${{__url_time_range}}&var-scene={scene}&var-site={site}&var-device={device}{more}"
    return link(say("Open the device", "打开设备"), url)


def to_console(scene: str, site: str, device: str, channel: str = "") -> Json:
    """The console's page of one device."""
    query = f"device={scene}.{site}.{device}" + (f"&channel={channel}" if channel else "")
    return link(say("Open in the console", "在值守台打开"), f"{CONSOLE}/?{query}")


def of_row(key: str) -> str:
    """A cell of the clicked row of a table, by the name its column has in the answer."""
    return f"${{__data.fields.{key}}}"


def of_series(tag: str) -> str:
    """A tag of the clicked series."""
    return f"${{__field.labels.{tag}}}"


def menu() -> list[Json]:
    """At the top of every dashboard."""
    return [
        _board(say("Wall", "总览"), WALL, "home"),
        {**_common(say("Scenes", "场景")), "type": "dashboards", "tags": [SCENES_TAG], "asDropdown": True},
        _board(say("Site", "站点"), SITE, "dashboard"),
        _board(say("Device", "设备"), DEVICE, "dashboard"),
        _board(say("Alarms", "报警"), ALARMS, "bell"),
        _board(say("Quality", "质量"), QUALITY, "dashboard"),
        _board(say("Pipeline", "管道"), PIPELINE, "dashboard"),
    ]


def console_menu(query: str, title: str) -> Json:
    """The last step out of Grafana; Grafana's own variables mean nothing there."""
    return {
        **_common(title),
        "type": "link",
        "url": f"{CONSOLE}/{query}",
        "targetBlank": True,
        "includeVars": False,
        "keepTime": False,
    }


def _board(title: str, uid: str, icon: str) -> Json:
    return {**_common(title, icon), "type": "link", "url": f"/d/{uid}"}


def _common(title: str, icon: str = "external link") -> Json:
    return {
        "title": title,
        "tooltip": "",
        "icon": icon,
        "tags": [],
        "asDropdown": False,
        "targetBlank": False,
        "includeVars": True,
        "keepTime": True,
    }
