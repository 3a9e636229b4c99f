"""Every text of the console, in English and Chinese. Pages and scripts take theirs from here by key."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from scenewatch.console.texts_alarm import TEXTS_ALARM
from scenewatch.console.texts_desk import SIGNS_DESK, TEXTS_DESK
from scenewatch.console.texts_hold import TEXTS_HOLD
from scenewatch.console.texts_load import LOAD_SIGNS, TEXTS_LOAD
from scenewatch.console.texts_pages import PAGES_SIGNS, PAGES_TEXTS
from scenewatch.model.words import Text

if TYPE_CHECKING:
    from collections.abc import Mapping


class Language(StrEnum):
    """What people read the pages in."""

    EN = "en"
    ZH = "zh"

    @property
    def tag(self) -> str:
        """For HTML: Chinese is in simplified characters."""
        return {"en": "en", "zh": "zh-CN"}[self.value]

    @property
    def own_name(self) -> str:
        """What its readers call it."""
        return {"en": "EN", "zh": "中文"}[self.value]


TEXTS: Mapping[str, Text] = {
    **PAGES_TEXTS,
    # frame
    "product": Text("Scenewatch", "Scenewatch"),
    "tagline": Text("City sensors, watched", "城市传感器值守"),
    "language": Text("Language", "语言"),
    "theme": Text("Appearance", "外观"),
    "theme.auto": Text("Auto", "自动"),
    "theme.light": Text("Light", "浅色"),
    "theme.dark": Text("Dark", "深色"),
    "notice": Text("Licences of third-party parts", "第三方组件许可"),
    "api": Text("API", "接口"),
    # connection
    "pages": Text("Pages", "页面"),
    "page.overview": Text("Overview", "总览"),
    "page.ledger": Text("Ledger", "消息台账"),
    "page.letters": Text("Dead letters", "死信"),
    "connection.live": Text("Live", "实时"),
    "connection.lost": Text("Connection lost", "连接中断"),
    "connection.worker": Text("Worker away", "后台服务中断"),
    "connection.broker": Text("Broker lost", "消息服务中断"),
    "connection.starting": Text("Starting", "启动中"),
    "connection.connecting": Text("Connecting", "连接中"),
    "history": Text("Writing history", "正在写入历史数据"),
    "data_age": Text("data {age} old", "数据 {age}前"),
    "no_data_yet": Text("no data yet", "尚无数据"),
    # sums
    "summary": Text("Summary", "概况"),
    "sites": Text("Sites", "站点"),
    "n_devices": Text("{n} devices", "{n} 台设备"),
    "devices": Text("Devices", "设备"),
    "devices_online": Text("Devices online", "在线设备"),
    "standing": Text("Standing alarms", "当前报警"),
    "readings_per_s": Text("Readings per second", "每秒读数"),
    "nothing_yet": Text("Nothing to show yet.", "暂无内容。"),
    "starting_hint": Text(
        "The pages fill by themselves as soon as the worker answers.",
        "后台服务就绪后，页面会自动显示内容。",
    ),
    # states: one word beside every sign
    "state.high": Text("High", "紧急"),
    "state.medium": Text("Medium", "重要"),
    "state.low": Text("Low", "一般"),
    "state.offline": Text("Offline", "离线"),
    "state.partly": Text("Partly offline", "部分离线"),
    "state.unknown": Text("No word yet", "未知"),
    "state.normal": Text("Normal", "正常"),
    # devices
    "old": Text("{age} old", "{age}前"),
    "no_value": Text("no value", "无数值"),
    "flag.good": Text("good", "正常"),
    "flag.not_evaluated": Text("not evaluated", "未评估"),
    "flag.suspect": Text("suspect", "可疑"),
    "flag.fail": Text("failed", "无效"),
    "flag.missing": Text("missing", "缺失"),
    "test.clock": Text("device clock is wrong", "设备时钟错误"),
    "test.possible": Text("outside what the sensor can measure", "超出传感器量程"),
    "test.expected": Text("outside the expected span", "超出预期范围"),
    "test.fastest": Text("changed too fast", "变化过快"),
    "test.stuck": Text("value is stuck", "数值卡滞"),
    "test.gap": Text("first after a gap", "中断后的首个读数"),
    # chart
    "in_grafana": Text("History in Grafana", "在 Grafana 查看历史"),
    "span": Text("Time span", "时间范围"),
    "span.1h": Text("1 h", "1 小时"),
    "span.6h": Text("6 h", "6 小时"),
    "span.24h": Text("24 h", "24 小时"),
    "span.7d": Text("Week", "一周"),
    "span.30d": Text("Month", "一月"),
    "span.1y": Text("Year", "一年"),
    "span.2y": Text("2 years", "两年"),
    "chart": Text("Chart", "曲线"),
    "chart.loading": Text("Reading the record …", "正在读取记录…"),
    "chart.failed": Text("The record cannot be read now; it is tried again.", "暂时无法读取记录，将自动重试。"),
    "chart.empty": Text("No readings in this time span.", "该时间范围内没有读数。"),
    "chart.truncated": Text("Only the earliest readings are shown.", "仅显示最早的部分读数。"),
    "chart.summary": Text(
        "{channel}: {count} readings. {when} {last}, lowest {low}, highest {high}; {flagged} flagged.",
        "{channel}：{count} 个读数。{when} {last}，最低 {low}，最高 {high}；{flagged} 个被标记。",
    ),
    "chart.summary_state": Text(
        "{channel}: {count} readings. {when} {last}; {changes} changes; {flagged} flagged.",
        "{channel}：{count} 个读数。{when} {last}；变化 {changes} 次；{flagged} 个被标记。",
    ),
    "chart.summary_windows": Text(
        "{channel}: {count} readings, {width} a span. {when} {last}, lowest {low}, highest {high}; "
        "{flagged} flagged.",
        "{channel}：{count} 个读数，每段 {width}。{when} {last}，最低 {low}，最高 {high}；{flagged} 段被标记。",
    ),
    "chart.window": Text("{low} to {high}, {count} readings", "{low} 至 {high}，{count} 个读数"),
    "chart.table": Text("Readings as a table", "读数表"),
    "chart.table_note": Text("The newest {n}, and every flagged one", "最新 {n} 个及所有被标记的读数"),
    "chart.table_note_windows": Text(
        "The newest {n} spans with mean and extremes, and every flagged one",
        "最新 {n} 段的平均值与最低、最高值，及所有被标记的段",
    ),
    "chart.script": Text("The chart needs scripts to be allowed.", "显示曲线需要启用脚本。"),
    "column.time": Text("Time", "时间"),
    "column.value": Text("Value", "数值"),
    "column.quality": Text("Quality", "质量"),
    "limit": Text("Limit", "限值"),
    "mark.document": Text("read in the document", "已核对原文"),
    "mark.web": Text("from the web", "网络资料"),
    "mark.code": Text("read in code", "源自代码"),
    "mark.to be confirmed": Text("to be confirmed", "待确认"),
    "mark.proposal": Text("our proposal", "本项目建议"),
    # alarms
    "alarms": Text("Alarms", "报警"),
    "alarms.none": Text("No alarm stands.", "当前没有报警。"),
    "alarms.recent": Text("Recent", "近期报警"),
    "alarm.new": Text("New alarm, {priority}: {title}, {device}", "新报警（{priority}）：{title}，{device}"),
    "alarm.since": Text("since", "开始于"),
    "alarm.lasted": Text("lasted", "持续"),
    "alarm.at": Text("At the alarm", "报警时"),
    "alarm.now": Text("Now", "当前"),
    "alarm.unacknowledged": Text("unacknowledged", "未确认"),
    "alarm.acknowledged": Text("acknowledged", "已确认"),
    "alarm.returned_unacknowledged": Text("returned, unacknowledged", "已恢复，未确认"),
    "alarm.normal": Text("returned to normal", "已恢复"),
    "alarm.shelved": Text("shelved", "已搁置"),
    "alarm.suppressed": Text("suppressed", "已抑制"),
    # ledger
    "ledger": Text("Ledger", "消息台账"),
    "ledger.balanced": Text("Balanced", "平衡"),
    "ledger.unbalanced": Text("Not balanced", "不平衡"),
    "ledger.received": Text("Received", "接收"),
    "ledger.stored": Text("Stored", "已存储"),
    "ledger.duplicate": Text("Duplicate", "重复"),
    "ledger.dead": Text("Dead letters", "死信"),
    "ledger.pending": Text("Pending", "处理中"),
    "ledger.readings": Text("Readings stored", "已存读数"),
    "ledger.late": Text("of these late", "其中迟到"),
    "ledger.repeated": Text("Repeated readings", "重复读数"),
    "ledger.source": Text("Source", "数据源"),
    "ledger.journal": Text("Journal", "日志"),
    "ledger.store": Text("Store", "存储"),
    "ledger.missing": Text("Missing numbers", "缺失序号"),
    "ledger.reused": Text("Reused numbers", "重用序号"),
    "ledger.by_site": Text("By site", "按站点"),
    "ledger.by_device": Text("Devices of {site}", "{site} 的设备"),
    "ledger.site": Text("Site", "站点"),
    "ledger.device": Text("Device", "设备"),
    "ledger.unassigned": Text("No known device", "未知设备"),
    "ledger.total": Text("In all", "合计"),
    "ledger.hint": Text(
        "Received = stored + duplicate + dead letters + pending, to the message. Missing are numbers that a device "
        "skipped. Reused are duplicates by their number that brought new readings: the device counts wrongly.",
        "接收 = 已存储 + 重复 + 死信 + 处理中，逐条相符。缺失序号是设备跳过的序号；"
        "重用序号是序号重复却带来新读数的消息，说明设备计数有误。",
    ),
    "record.away": Text(
        "The worker does not answer; this page is filled when it does.", "后台服务未响应，恢复后此处会自动显示。"
    ),
    # dead letters
    "letters": Text("Dead letters", "死信"),
    "letters.by_reason": Text("By reason", "按原因"),
    "letters.all_reasons": Text("All reasons", "全部原因"),
    "letters.state": Text("State", "状态"),
    "letters.state.dead": Text("Dead", "未接收"),
    "letters.state.taken": Text("Taken at last", "已补收"),
    "letters.state.all": Text("All", "全部"),
    "letters.none": Text("No dead letters.", "没有死信。"),
    "letters.none_here": Text("None that fit.", "没有符合条件的死信。"),
    "letters.new": Text("New ones have come: show the newest", "有新的死信：显示最新"),
    "letters.older": Text("Older", "更早"),
    "letters.newest": Text("Newest", "最新"),
    "letters.pages": Text("Older and newer", "翻页"),
    "letters.position": Text("Position {n}", "位置 {n}"),
    "letters.bytes": Text("{n} bytes", "{n} 字节"),
    "letters.tries": Text("tried again {n}×", "已重试 {n} 次"),
    "letters.asked": Text("to be tried again", "等待重试"),
    "letters.taken": Text("taken at last", "已补收"),
    "letters.empty": Text("empty", "空"),
    "letters.retry": Text("Try again", "重试"),
    "letters.retry_hint": Text(
        "After the inventory or a decoder was mended, on the worker's machine. What can be taken now is stored at "
        "its own time and raises no alarm.",
        "修正设备清单或解码器后，在后台服务所在的机器上执行。现在能接收的消息按其原有时间存储，不触发报警。",
    ),
    "part.connected": Text("connected", "已连接"),
    "part.lost": Text("lost", "已断开"),
    "part.ok": Text("working", "正常"),
    "part.waiting": Text("waiting:", "等待："),
    "part.writing": Text("working", "正常"),
    "part.holding": Text("full, holding back", "已满，暂缓接收"),
    "part.failing": Text("failing:", "故障："),
    **TEXTS_DESK,
    **TEXTS_ALARM,
    **TEXTS_LOAD,
    **TEXTS_HOLD,
}

SIGNS: Mapping[str, str] = {
    **PAGES_SIGNS,
    "high": "▲",
    "medium": "◆",
    "low": "■",
    "offline": "○",
    "partly": "◐",
    "unknown": "?",
    "normal": "✓",
    "lost": "✕",
    "starting": "…",
    "suspect": "△",
    "fail": "✕",
    "missing": "–",
    "not_evaluated": "",
    "good": "",
    "auto": "◐",
    "light": "☀",
    "dark": "☾",
    **SIGNS_DESK,
    **LOAD_SIGNS,
}
"""A shape for every state, so that colour is never the only sign; and for the appearances, on small screens."""


def translate(key: str, language: Language, **parts: object) -> str:
    """Raises KeyError on an unknown key."""
    text: str = getattr(TEXTS[key], language)
    return text.format(**parts) if parts else text


def catalogue(language: Language) -> dict[str, str]:
    """All texts in one language, for the scripts."""
    return {key: getattr(text, language) for key, text in TEXTS.items()}
