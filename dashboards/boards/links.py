"""Where a click leads: wall, scene, site, device, then the console. Time and variables are taken along."""

from __future__ import annotations

from typing import TYPE_CHECKING

from boards.panels import link
from boards.words import say

if TYPE_CHECKING:
    from boards.panels import Json
    from scenewatch.model.scene import Scene

WALL, SITE = "sw-wall", "sw-site"
ALARMS, QUALITY, PIPELINE = "sw-alarms", "sw-quality", "sw-pipeline"
SCENES_TAG, DEVICES_TAG = "scenewatch-scene", "scenewatch-device"
"""Carried by the dashboards of single scenes, and of single device types."""
CONSOLE = "${console}"
KEEP_LEVEL = "&${level:queryparam}"
"""In a link between dashboards that both have the variable."""


def scene_uid(scene: Scene) -> str:
    return f"sw-scene-{scene.key}"


def device_uid(scene: str, device_type: str) -> str:
    """Of two keys, or of what stands for them in a row: so it is joined and never cut.

    Grafana takes 40 characters; scenes with longer keys do not pass their check.
    """
    return f"sw-device-{scene}-{device_type}"


def to_site(scene: str, site: str, *, more: str = "") -> Json:
    """`scene` and `site`: what stands for them in the row or series that was clicked."""
    url = f"/d/{SITE}?${{__url_time_range}}&var-scene={scene}&var-site={site}{more}"
    return link(say("Open the site", "打开站点"), url)


def to_device(device_type: str, scene: str, site: str, device: str, *, more: str = "") -> Json:
    """The dashboard of the device's type, with the device chosen."""
    uid = device_uid(scene, device_type)
    url = f"/d/{uid}?${{__url_time_range}}&var-site={site}&var-device={device}{more}"
    return link(say("Open the device", "打开设备"), url)


def to_console(scene: str, site: str, device: str, channel: str = "") -> Json:
    """The console's page of one device."""
    query = f"device={scene}.{site}.{device}" + (f"&channel={channel}" if channel else "")
    return link(say("Open in the console", "在值守台打开"), f"{CONSOLE}/?{query}")


def of_row(key: str) -> str:
    """A cell of the clicked row of a table, by the name its column has in the answer."""
    return f"${{__data.fields.{key}}}"


def menu() -> list[Json]:
    """At the top of every dashboard."""
    return [
        _board(say("Wall", "总览"), WALL, "home"),
        _boards(say("Scenes", "场景"), SCENES_TAG),
        _board(say("Site", "站点"), SITE, "dashboard"),
        _boards(say("Devices", "设备"), DEVICES_TAG),
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


def _boards(title: str, tag: str) -> Json:
    """All that carry a tag, to choose from."""
    return {**_common(title), "type": "dashboards", "tags": [tag], "asDropdown": True}


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
