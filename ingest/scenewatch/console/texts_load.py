"""Texts of the page of alarm load."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scenewatch.model.words import Text

if TYPE_CHECKING:
    from collections.abc import Mapping

TEXTS_LOAD: Mapping[str, Text] = {
    "page.load": Text("Alarm load", "报警负荷"),
    "load.title": Text("Alarm load", "报警负荷"),
    "load.hint": Text(
        "How much alarms asked of one operator, beside what EEMUA 191 and ISA-18.2 call acceptable. What is shown "
        "beneath its cause is in no rate, and what was hidden on purpose in no figure.",
        "每位值班员的报警负荷，对照 EEMUA 191 与 ISA-18.2 的可接受水平。"
        "折叠在原因之下的报警不计入速率，主动隐藏的报警不计。",
    ),
    "load.site": Text("Of {site} alone", "仅 {site}"),
    "load.all_sites": Text("All sites", "全部站点"),
    "load.of_site": Text("Its alarm load", "该站点的报警负荷"),
    "load.1d": Text("Day", "一天"),
    "load.7d": Text("Week", "一周"),
    "load.30d": Text("Month", "一月"),
    "load.figures": Text("Figures", "指标"),
    "load.figure": Text("Figure", "指标"),
    "load.here": Text("Here", "实际"),
    "load.at_most": Text("Acceptable", "可接受上限"),
    "load.verdict": Text("Verdict", "结论"),
    "load.met": Text("met", "达标"),
    "load.not_met": Text("exceeded", "超出"),
    "load.unjudged": Text("too few to judge", "数量过少，不评"),
    "load.mean_10_min": Text("Alarms an operator and 10 minutes", "每人每 10 分钟报警"),
    "load.peak_10_min": Text("In the worst 10 minutes", "最忙 10 分钟"),
    "load.over_10_share": Text("10 minutes with more than 10", "超过 10 条的 10 分钟占比"),
    "load.flood_share": Text("Time in a flood", "报警泛滥时间占比"),
    "load.chattering": Text("Alarms that chatter", "抖动报警"),
    "load.fleeting": Text("Over within a minute", "一分钟内自行消失"),
    "load.stale": Text("Standing for more than a day", "持续超过一天"),
    "load.most_frequent_share": Text("The ten most frequent, of all", "最频繁十项占比"),
    "load.priority_high": Text("Of high priority", "紧急占比"),
    "load.priority_medium": Text("Of medium priority", "重要占比"),
    "load.raised": Text("Raised", "报警数"),
    "load.standing": Text("Standing at the end", "末尾仍在"),
    "load.standing_peak": Text("Most at one time", "同时最多"),
    "load.floods": Text("Floods", "报警泛滥次数"),
    "load.grouped": Text("Beneath a cause", "折叠于原因之下"),
    "load.hidden": Text("Hidden on purpose", "主动隐藏"),
    "load.over_time": Text("Alarms in each {step}", "每 {step}的报警数"),
    "load.most_at": Text("The worst ten minutes begin", "最忙的十分钟始于"),
    "load.bar": Text("{count} alarms", "{count} 条报警"),
    "load.frequent": Text("Ten most frequent", "最频繁的十项"),
    "load.chatter": Text("Three times or more within a minute", "一分钟内三次及以上"),
    "load.count": Text("Count", "次数"),
    "load.share": Text("Share", "占比"),
    "load.rule": Text("Rule", "规则"),
    "load.device": Text("Device", "设备"),
    "load.none": Text("No alarm was raised in this time.", "该时间内没有报警。"),
}
LOAD_SIGNS: Mapping[str, str] = {"met": "✓", "not_met": "✕", "unjudged": "–"}
