"""Texts of the page that explains one alarm."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scenewatch.model.words import Text

if TYPE_CHECKING:
    from collections.abc import Mapping

TEXTS_ALARM: Mapping[str, Text] = {
    "explain.title": Text("Why this alarm", "报警说明"),
    "explain.none": Text("There is no such alarm.", "没有该报警。"),
    "explain.to_alarms": Text("To the alarms", "返回报警列表"),
    "explain.skip": Text("Skip to the reason", "跳到报警原因"),
    "explain.why": Text("Why it was raised", "为什么报警"),
    "explain.first": Text("What to do first", "首先怎么做"),
    "explain.rule": Text("Rule", "规则"),
    "explain.to_rule": Text("The rule in its table", "在规则表中查看"),
    "explain.source": Text("Source of the limit", "限值依据"),
    "explain.changed": Text("The rule has changed since. It is now:", "该规则此后已修改，现为："),
    "explain.as_now": Text(
        "How the rule was when it raised this is not on record: it is shown as it is now.",
        "报警时的规则没有记录，此处显示当前规则。",
    ),
    "explain.gone": Text("The rule is no longer in the tables.", "该规则已不在规则表中。"),
    "explain.unknown_rule": Text("Nothing is known of this rule any more.", "该规则已无任何记录。"),
    "explain.version": Text("Version {version}", "版本 {version}"),
    "explain.values": Text("Values when it was raised", "报警时的数值"),
    "explain.values.none": Text("No channel is on record for it.", "没有相关测点的记录。"),
    "explain.source_of": Text("what that is derived from", "推算依据"),
    "explain.before": Text("{span} before", "早 {span}"),
    "explain.quality": Text("Quality in the hour before", "此前一小时的数据质量"),
    "explain.quality.of": Text(
        "{good} % good, {suspect} % suspect, {fail} % failed; {readings} of about {expected} readings came.",
        "正常 {good}%，可疑 {suspect}%，无效 {fail}%；应到约 {expected} 个读数，实到 {readings} 个。",
    ),
    "explain.quality.none": Text("No readings came.", "没有收到读数。"),
    "explain.causes": Text("What usually causes it", "常见原因"),
    "explain.causes.none": Text("The tables name no fault for this rule.", "表中没有列出该规则对应的故障。"),
    "explain.causes.minimum": Text("shows after about {span}", "约 {span}后显现"),
    "explain.course": Text("Its course", "处理经过"),
    "explain.step.raised": Text("raised", "触发"),
    "explain.step.acknowledged": Text("acknowledged", "确认"),
    "explain.step.again": Text("wants to be seen again", "再次提醒"),
    "explain.step.returned": Text("condition over, waits for a reset", "条件已消除，等待复位"),
    "explain.step.cleared": Text("cleared", "解除"),
    "explain.stands": Text("stands", "持续中"),
    "explain.latched": Text("Its condition is over; it waits for a reset.", "条件已消除，等待人工复位。"),
    "explain.hidden.shelved": Text(
        "Shelved: it is not shown in the lists of standing alarms.", "已搁置：不在当前报警中显示。"
    ),
    "explain.hidden.out_of_service": Text("The rule is out of service for this device.", "该设备的此规则已停用。"),
    "explain.hidden.maintenance": Text("Raised or standing during maintenance.", "维护期间的报警。"),
    "explain.raised_as": Text("raised as {priority}", "触发时为{priority}"),
    "explain.related": Text("Cause and consequences", "起因与后果"),
    "explain.cause": Text("It follows from", "起因"),
    "explain.follows": Text("From it follow", "由此引起"),
    "explain.similar": Text("Similar alarms before", "此前的类似报警"),
    "explain.similar.none": Text("None before it, at this device or site.", "该设备和站点此前没有。"),
    "explain.similar.count": Text("{n} at this device in the 30 days before.", "该设备此前 30 天内 {n} 次。"),
    "explain.chart": Text("Before, during and after", "前后曲线"),
    "explain.to_device": Text("All channels of the device at that time", "该时段的全部测点"),
    "explain.back": Text("Back to the alarm", "回到报警时段"),
    "explain.now": Text("Now", "当前"),
    "shortcuts.acknowledge": Text("acknowledge", "确认"),
}
