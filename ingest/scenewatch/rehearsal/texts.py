"""Every text of a run's page, in English and Chinese."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scenewatch.rehearsal.report import Named

if TYPE_CHECKING:
    from collections.abc import Mapping

TEXTS: Mapping[str, Named] = {
    "rehearsal": Named("Rehearsal", "规则演练"),
    "backtest": Named("Backtest", "历史回测"),
    "compared": Named("Two sets of rules on the same data", "两套规则，同一数据"),
    "language": Named("Language", "语言"),
    "theme": Named("Appearance", "外观"),
    "theme.auto": Named("Auto", "自动"),
    "theme.light": Named("Light", "浅色"),
    "theme.dark": Named("Dark", "深色"),
    # about
    "about.span": Named("Time", "时间"),
    "about.learning": Named("Learning until", "学习期至"),
    "about.raised": Named("{n} alarms, not judged", "{n} 条报警，不评判"),
    "about.places": Named("Sites, devices", "站点、设备"),
    "about.readings": Named("Readings", "读数"),
    "about.seed": Named("Seed", "随机种子"),
    "about.files": Named("Files", "文件"),
    "about.took": Named("Took", "用时"),
    "about.zone": Named("Times are in {zone}.", "时间为 {zone} 时区。"),
    "notes": Named("What to know first", "阅读须知"),
    # headline
    "head": Named("In short", "概要"),
    "head.recall": Named("Recall", "检出率"),
    "head.recall.what": Named(
        "{n} of {all} faults that can be found were found in time.", "{all} 个可检出的故障中，{n} 个按时检出。"
    ),
    "head.precision": Named("Precision", "准确率"),
    "head.precision.what": Named(
        "{n} of {all} alarms belong to a fault; {neutral} more belong to faults too small to judge by.",
        "{all} 条报警中，{n} 条对应真实故障；另有 {neutral} 条对应过小而不计的故障。",
    ),
    "head.median": Named("Delay, median", "检出延迟（中位）"),
    "head.median.what": Named(
        "Half of what was found was found within this time.", "半数检出的故障在此时间内发现。"
    ),
    "head.p95": Named("Delay, 95 of 100", "检出延迟（95%）"),
    "head.p95.what": Named("Of a hundred that were found, 95 sooner.", "每百个检出的故障中，95 个更早发现。"),
    "head.worst": Named("Delay, worst", "检出延迟（最长）"),
    "head.worst.what": Named("The slowest that still counts as found.", "仍算检出的最慢一例。"),
    "head.false": Named("False alarms", "误报"),
    "head.false.what": Named(
        "For a device and month; {n} in all, of them {nuisance} repeats.",
        "每台设备每月；共 {n} 条，其中重复 {nuisance} 条。",
    ),
    "head.load": Named("Alarms to read", "需查看的报警"),
    "head.load.what": Named(
        "For an operator and ten minutes on average; {peak} in the worst ten. At most 1 and 10 are acceptable.",
        "每位值班员平均每十分钟；最忙的十分钟 {peak} 条。可接受的上限为 1 条和 10 条。",
    ),
    "head.chance": Named("By chance", "随机对照"),
    "head.chance.what": Named(
        "Recall and precision of the same alarms moved in time at random; if high, those above are worthless.",
        "把同样的报警随机移动时间后的检出率和准确率：若此值偏高，上面的数字就没有意义。",
    ),
    "head.raised": Named("Alarms", "报警"),
    "head.raised.what": Named("Nothing is labelled here, so none is judged.", "没有标注故障，因此不作评判。"),
    # kinds
    "kinds": Named("By kind of fault", "按故障类型"),
    "kind": Named("Fault", "故障"),
    "found": Named("Found", "检出"),
    "delays": Named("Delays of each", "每例延迟"),
    "delays.what": Named(
        "A dot is one fault that was found; the line is the median. Time grows by the power of ten.",
        "每个圆点是一例检出的故障，竖线为中位数；横轴为对数刻度。",
    ),
    # plain
    "plain": Named("Beside plain limits", "与普通限值对比"),
    "plain.what": Named(
        "The same limits applied to every reading, with the one delay of {delay} that comes nearest our recall; "
        "thermal faults only.",
        "用同样的限值逐条判断读数，统一延迟 {delay}（最接近本规则检出率的一档）；仅统计温度类故障。",
    ),
    "plain.ours": Named("These rules", "本规则"),
    "plain.plain": Named("Plain limits", "普通限值"),
    "plain.faults": Named("Thermal faults", "温度类故障"),
    "plain.times": Named("Times our false alarms", "误报倍数"),
    "plain.without": Named("Raised without any delay", "无延迟时的报警数"),
    "plain.a_day": Named("the same, for a cooling device and day", "其中每台制冷设备每天"),
    # load
    "load": Named("What operators have to read", "值班员的报警负荷"),
    "load.figure": Named("Figure", "指标"),
    "load.value": Named("Here", "实际"),
    "load.at_most": Named("Acceptable", "可接受上限"),
    "load.met": Named("met", "达标"),
    "load.not_met": Named("exceeded", "超出"),
    "load.unjudged": Named("too few to judge", "数量过少，不评"),
    "load.bars": Named("Alarms in each {step}", "每 {step} 的报警数"),
    "load.grouped": Named(
        "{grouped} follow from a cause and are shown beneath it; {hidden} were hidden on purpose.",
        "{grouped} 条由上级原因引起，折叠显示；{hidden} 条被主动隐藏。",
    ),
    "load.frequent": Named("Most frequent", "最频繁"),
    "mean_10_min": Named("Alarms an operator and 10 minutes", "每人每 10 分钟报警"),
    "peak_10_min": Named("In the worst 10 minutes", "最忙 10 分钟"),
    "over_10_share": Named("Share of 10 minutes with more than 10", "超过 10 条的 10 分钟占比"),
    "flood_share": Named("Share of time in a flood", "报警泛滥时间占比"),
    "chattering": Named("Alarms that chatter", "抖动报警"),
    "fleeting": Named("Over within a minute", "一分钟内自行消失"),
    "stale": Named("Standing for more than a day", "持续超过一天"),
    "most_frequent_share": Named("Share of the ten most frequent", "最频繁十项占比"),
    "priority_high": Named("Share of high priority", "紧急占比"),
    "priority_medium": Named("Share of medium priority", "重要占比"),
    # rules
    "rules": Named("Rules", "规则"),
    "rule": Named("Rule", "规则"),
    "rule.text": Named("Condition", "条件"),
    "rule.source": Named("Source", "依据"),
    "rule.raised": Named("Raised", "报警"),
    "rule.owned": Named("right", "正确"),
    "rule.false": Named("false", "误报"),
    "version": Named("Version", "版本"),
    # quality
    "quality": Named("Doubts about readings", "读数质量判断"),
    "quality.test": Named("Test", "检查"),
    "quality.spoilt": Named("Spoilt", "被破坏"),
    "quality.flagged": Named("Flagged", "被标记"),
    "quality.right": Named("rightly", "正确标记"),
    "quality.flags": Named("Readings by flag", "按质量标记的读数"),
    "flag.good": Named("good", "正常"),
    "flag.not_evaluated": Named("not evaluated", "未评估"),
    "flag.suspect": Named("suspect", "可疑"),
    "flag.fail": Named("failed", "无效"),
    "flag.missing": Named("missing", "缺失"),
    "test.clock": Named("wrong clock", "设备时钟错误"),
    "test.possible": Named("impossible value", "超出量程"),
    "test.expected": Named("unexpected value", "超出预期"),
    "test.fastest": Named("changed too fast", "变化过快"),
    "test.stuck": Named("stuck", "数值卡滞"),
    "test.gap": Named("gap", "数据中断"),
    # excerpts
    "excerpts": Named("Looked at closely", "典型片段"),
    "excerpts.what": Named(
        "What was missed, false, slow and usual. Shaded: a fault. Triangle and bar: an alarm. Dashed: a limit.",
        "漏报、误报、迟报和常见的例子。阴影为故障，三角和横条为报警，虚线为限值。",
    ),
    # tables
    "faults": Named("Every fault", "全部故障"),
    "alarms": Named("Every alarm", "全部报警"),
    "faults.none": Named("No fault is labelled.", "没有标注的故障。"),
    "alarms.none": Named("No alarm was raised.", "没有报警。"),
    "some": Named(
        "{n} of {all} are shown, all that was missed or false among them first; the JSON has every one.",
        "显示 {all} 条中的 {n} 条，优先包含漏报和误报；JSON 中有全部。",
    ),
    "device": Named("Device", "设备"),
    "from": Named("From", "开始"),
    "lasted": Named("Lasted", "持续"),
    "size": Named("Size", "大小"),
    "outcome": Named("Outcome", "结果"),
    "by": Named("By", "由"),
    "delay": Named("Delay", "延迟"),
    "raised": Named("Raised", "报警时间"),
    "priority": Named("Priority", "优先级"),
    "high": Named("high", "紧急"),
    "medium": Named("medium", "重要"),
    "low": Named("low", "一般"),
    "belongs": Named("Belongs to", "对应"),
    "beneath": Named("beneath {cause}", "上级原因：{cause}"),
    "stands": Named("stands", "未消除"),
    "is.found": Named("found", "检出"),
    "is.missed": Named("missed", "漏报"),
    "is.small": Named("too small to count", "过小，不计"),
    "is.small_found": Named("too small to count, and found", "过小，不计，但检出"),
    "is.cut": Named("too near the end to count", "临近结束，不计"),
    "is.right": Named("right", "正确"),
    "is.false": Named("false", "误报"),
    "is.repeat": Named("repeat", "重复"),
    "is.neutral": Named("neutral", "中性"),
    "is.unjudged": Named("not judged", "未评判"),
    "all": Named("All", "全部"),
    "filter": Named("Show", "显示"),
    "search": Named("Search", "查找"),
    # comparing
    "before": Named("Before", "修改前"),
    "after": Named("After", "修改后"),
    "change": Named("Change", "变化"),
    "same": Named("Same", "相同"),
    "new": Named("New", "新增"),
    "gone": Named("Gone", "消失"),
    "compared.same": Named("Alarms that both sets of rules raise.", "两套规则都会发出的报警。"),
    "compared.new": Named("Raised by the new rules alone.", "只有新规则发出。"),
    "compared.gone": Named("Raised by the old rules alone.", "只有旧规则发出。"),
    "compared.shift": Named("Median over those that both raise.", "两者共有报警的中位数。"),
    "new.title": Named("New alarms", "新增的报警"),
    "gone.title": Named("Alarms that are gone", "消失的报警"),
    "scores": Named("Scores", "评分"),
    "standings": Named("By rule", "按规则"),
    "sooner": Named("Same alarms come sooner by", "相同报警提前"),
    "later": Named("Same alarms come later by", "相同报警推后"),
    "faults.gained": Named("Found only after", "修改后才检出"),
    "faults.lost": Named("Found only before", "修改前才检出"),
    "nothing.new": Named("None.", "没有。"),
}
SIGNS: Mapping[str, str] = {
    "found": "✓",
    "missed": "✕",
    "small": "○",
    "small_found": "◐",
    "cut": "⋯",
    "right": "✓",
    "false": "✕",
    "repeat": "↻",
    "neutral": "○",
    "unjudged": "–",
    "met": "✓",
    "not_met": "✕",
}
"""A shape for every outcome, so that colour is never the only sign."""


def text(key: str, **parts: object) -> Named:
    """Raises KeyError on an unknown key. Parts may be in both languages."""
    found = TEXTS[key]
    if not parts:
        return found
    en = {name: part.en if isinstance(part, Named) else part for name, part in parts.items()}
    zh = {name: part.zh if isinstance(part, Named) else part for name, part in parts.items()}
    return Named(found.en.format(**en), found.zh.format(**zh))
