"""What all dashboards say: both languages in one line, since Grafana cannot switch contents by language."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scenewatch.model.rule import Priority
from scenewatch.model.scene import Severity
from scenewatch.model.words import Text

if TYPE_CHECKING:
    from collections.abc import Mapping


def both(text: Text) -> str:
    """Grafana would take a dollar sign for the beginning of a variable; the wide one is just a sign."""
    joined = text.zh if text.zh == text.en else f"{text.zh} · {text.en}"
    return joined.replace("$", "＄")


def say(en: str, zh: str) -> str:
    return both(Text(en, zh))


PRIORITIES: Mapping[Priority, Text] = {
    Priority.HIGH: Text("high", "紧急"),
    Priority.MEDIUM: Text("medium", "重要"),
    Priority.LOW: Text("low", "一般"),
}
"""The most urgent first."""

SEVERITIES: Mapping[Severity, Text] = {
    Severity.INFO: Text("notice", "提示"),
    Severity.WARNING: Text("warning", "警告"),
    Severity.ALARM: Text("alarm", "报警"),
}

SITE_STATES = (
    Text("normal", "正常"),
    Text("low", "一般"),
    Text("medium", "重要"),
    Text("high", "紧急"),
    Text("silent", "无数据"),
)
"""By the number in the field `worst` of a site."""

SCENE = say("Scene", "场景")
SITE = say("Site", "站点")
DEVICE = say("Device", "设备")
TYPE = say("Type", "类型")
STATE = say("State", "状态")
RULE = say("Rule", "规则")
PRIORITY = say("Priority", "优先级")
RAISED = say("Raised", "报警时间")
NO_DATA = say("no data", "无数据")
