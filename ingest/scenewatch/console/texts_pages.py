"""Texts of the overview, site and device pages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scenewatch.model.words import Text

if TYPE_CHECKING:
    from collections.abc import Mapping

PAGES_TEXTS: Mapping[str, Text] = {
    # overview
    "overview.search": Text("Search sites", "搜索站点"),
    "overview.search_hint": Text("Name, alarm or device", "名称、报警或设备"),
    "overview.find": Text("Search", "搜索"),
    "overview.any_state": Text("All", "全部"),
    "overview.state": Text("State", "状态"),
    "overview.shown": Text("{n} of {all}", "{n} / {all}"),
    "overview.none_fit": Text("No site fits.", "没有符合条件的站点。"),
    "skip.sites": Text("Skip to the sites", "跳到站点列表"),
    "skip.site": Text("Skip to the devices", "跳到设备列表"),
    "skip.readings": Text("Skip to the readings", "跳到读数"),
    "why.silent": Text("Silent since", "无数据，自"),
    "why.offline": Text("All devices offline", "全部设备离线"),
    "why.partly": Text("{n} of {all} devices offline", "{all} 台设备中 {n} 台离线"),
    "why.unknown": Text("Nothing has come yet", "尚未收到数据"),
    "why.more": Text("+{n} more", "另有 {n} 个"),
    # site
    "site.none": Text("There is no such site.", "没有该站点。"),
    "site.to_overview": Text("To the overview", "返回总览"),
    "site.devices_online": Text("{n} of {all} devices online", "{all} 台设备中 {n} 台在线"),
    "site.alarms": Text("All its alarms", "该站点的全部报警"),
    "site.ledger": Text("Its messages", "该站点的消息台账"),
    "events": Text("Events", "事件"),
    "events.today": Text("Events of today", "今日事件"),
    "events.recent": Text("Newest events", "最新事件"),
    "events.none_today": Text("None today.", "今日没有事件。"),
    "events.none": Text("None in the record.", "没有记录。"),
    "events.away": Text("The record cannot be read now.", "暂时无法读取记录。"),
    "events.media": Text("Picture or film", "图片或视频"),
    "level.info": Text("Note", "提示"),
    "level.warning": Text("Warning", "警告"),
    "level.alarm": Text("Alarm", "报警"),
    "spark": Text("Last 6 hours", "最近 6 小时"),
    # device
    "device.none": Text("There is no such device.", "没有该设备。"),
    "device.gateway": Text("Through", "经由"),
    "device.values": Text("Values now", "当前数值"),
    "device.all_channels": Text("All channels", "全部测点"),
    "device.all_alarms": Text("All its alarms", "该设备的全部报警"),
    "device.rules": Text("Rules on this device", "该设备的规则"),
    "device.alarms": Text("Alarms of this device", "该设备的报警"),
    "zoom": Text("Move and zoom", "移动与缩放"),
    "zoom.earlier": Text("Earlier", "更早"),
    "zoom.later": Text("Later", "更晚"),
    "zoom.in": Text("Closer", "放大"),
    "zoom.out": Text("Wider", "缩小"),
    "zoom.now": Text("Now", "回到现在"),
    "zoom.hint": Text("Drag over the chart to look closer", "在曲线上拖动可放大"),
    "chart.between": Text("{from} to {to}", "{from} 至 {to}"),
    "chart.now": Text("Now", "当前"),
    "chart.end": Text("Last", "最后"),
    "chart.event": Text("Event", "事件"),
    "chart.follows": Text("the last {span}", "最近 {span}"),
    # keyboard
    "shortcuts": Text("Keyboard", "键盘操作"),
    "shortcuts.search": Text("go to the search", "转到搜索"),
    "shortcuts.clear": Text("clear the search", "清除搜索"),
    "shortcuts.move": Text("earlier, later", "更早、更晚"),
    "shortcuts.zoom": Text("closer, wider", "放大、缩小"),
    "shortcuts.now": Text("back to now", "回到现在"),
    "shortcuts.tab": Text("to the next link", "到下一个链接"),
    # time zones
    "zone": Text("Times are in {zone}.", "时间为 {zone} 时区。"),
    "zone.local": Text(
        "Times are in {zone}; at the site it is {time}, {day} ({site}).",
        "时间为 {zone} 时区；站点当地时间为 {day} {time}（{site}）。",
    ),
}
PAGES_SIGNS: Mapping[str, str] = {"info": "•", "warning": "◇", "alarm": "▲"}
