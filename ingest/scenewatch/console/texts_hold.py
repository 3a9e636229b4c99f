"""Texts of what operators keep from being shown, of latched alarms, and of those that follow from others."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scenewatch.model.words import Text

if TYPE_CHECKING:
    from collections.abc import Mapping

TEXTS_HOLD: Mapping[str, Text] = {
    # buttons that ask for it
    "hold.shelve": Text("Shelve…", "搁置…"),
    "hold.take_out": Text("Out of service…", "停用…"),
    "hold.maintain": Text("Maintenance…", "维护…"),
    # the form
    "hold.title.shelve": Text("Shelve this alarm", "搁置此报警"),
    "hold.title.take_out": Text("Take this alarm out of service", "停用此报警"),
    "hold.title.maintain": Text("Maintenance", "维护"),
    "hold.hint.shelve": Text(
        "It is judged and recorded as ever, and not shown until the time is up.",
        "期间照常判断和记录，到时再显示。",
    ),
    "hold.hint.take_out": Text(
        "It is judged and recorded as ever, and not shown until it is put back.",
        "期间照常判断和记录，恢复前不显示。",
    ),
    "hold.hint.maintain": Text(
        "All alarms here are judged and recorded as ever, and not shown meanwhile.",
        "此处所有报警照常判断和记录，维护期间不显示。",
    ),
    "hold.what": Text("Alarm", "报警"),
    "hold.where": Text("Where", "位置"),
    "hold.for": Text("For how long", "时长"),
    "hold.begins": Text("Begins", "开始"),
    "hold.now": Text("now", "现在"),
    "hold.in": Text("in {span}", "{span}后"),
    "hold.reason": Text("Reason", "原因"),
    "hold.do.shelve": Text("Shelve", "搁置"),
    "hold.do.take_out": Text("Take out of service", "停用"),
    "hold.do.maintain": Text("Maintain", "开始维护"),
    "hold.cancel": Text("Cancel", "取消"),
    "hold.none": Text("There is no such alarm, device or site.", "没有该报警、设备或站点。"),
    "hold.done.shelve": Text("Shelved for {span}.", "已搁置{span}。"),
    "hold.done.take_out": Text("Out of service until it is put back.", "已停用，直至恢复。"),
    "hold.done.maintain": Text("In maintenance for {span}.", "维护{span}。"),
    # what there is
    "held.title": Text("Not shown", "未显示的报警"),
    "held.shelved": Text("Shelved", "已搁置"),
    "held.out_of_service": Text("Out of service", "已停用"),
    "held.maintenance": Text("In maintenance", "维护中"),
    "held.planned": Text("Maintenance planned", "计划维护"),
    "held.all": Text("all alarms", "全部报警"),
    "held.from": Text("from", "自"),
    "held.until": Text("until", "至"),
    "held.open": Text("until it is put back", "直至恢复"),
    "held.by": Text("by", "操作人"),
    "held.undo": Text("Undo", "撤销"),
    "held.undone": Text("It is shown again.", "已恢复显示。"),
    # latching, and what follows
    "alarms.let_go": Text("Reset", "复位"),
    "alarms.latched": Text("over, waits for a reset", "条件已恢复，待复位"),
    "alarms.reset": Text("{n} reset", "已复位 {n} 条"),
    "alarms.reset_some": Text("{n} reset, {failed} not: {why}", "已复位 {n} 条，{failed} 条未复位：{why}"),
    "alarms.follow": Text("and {n} more that follow", "及其引起的 {n} 条"),
    "alarms.state.shelved": Text("Shelved", "已搁置"),
    "alarms.state.suppressed": Text("Out of service, maintenance", "停用、维护"),
}
