"""What the reader of a backtest must know of its files: what was left out, or taken with care; counted, placed."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from enum import Enum
from itertools import islice
from typing import TYPE_CHECKING, Final

from scenewatch.model.words import Text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

NAMED: Final = 3
"""Of many places the first."""


class Trouble(Enum):
    """What is told of a file, in the order in which it is told. Each text has places for `count` and `at`."""

    ENCODING = Text("read as {at}", "按 {at} 编码读取")
    ZONE = Text(
        "times without an offset were taken for UTC: say zone in the map, or --zone",
        "无时区的时间按 UTC 处理；可在映射文件中用 zone 或用 --zone 指定",
    )
    SHORT = Text(
        "{count} rows with fewer cells than the head were left out: {at}", "{count} 行单元格少于表头，已略去：{at}"
    )
    LONG = Text(
        "{count} rows with more cells than the head were left out: {at}", "{count} 行单元格多于表头，已略去：{at}"
    )
    QUOTES = Text("{count} rows with a quote left open: {at}", "{count} 行引号未闭合：{at}")
    HEAD_AGAIN = Text("the head comes again {count} times: {at}", "表头重复 {count} 次：{at}")
    NO_TIME = Text(
        "{count} rows whose time is not one in the format were left out: {at}",
        "{count} 行时间不符合格式，已略去：{at}",
    )
    OUT_OF_RANGE = Text(
        "{count} rows with a time before 2000 or after 2100 were left out (seconds for milliseconds?): {at}",
        "{count} 行时间早于 2000 年或晚于 2100 年，已略去（是否把秒当成毫秒？）：{at}",
    )
    NOT_THERE = Text(
        "{count} rows with a local time that the clocks skipped were left out (if the logger knows of no summer "
        "time, give its offset as zone): {at}",
        "{count} 行处于夏令时跳过的时段，已略去；记录仪若不用夏令时，请以固定偏移作 zone：{at}",
    )
    TWICE_THERE = Text(
        "{count} rows with a local time that came twice, put in their places by the order of the rows: {at}",
        "{count} 行处于夏令时重复的时段，已按行序归位：{at}",
    )
    DOUBTFUL = Text(
        "{count} rows with a local time that came twice, and nothing tells which; taken for the first: {at}",
        "{count} 行处于夏令时重复的时段，无法判断，按第一次处理：{at}",
    )
    NO_DEVICE = Text("{count} rows without a device were left out: {at}", "{count} 行没有设备，已略去：{at}")
    NOT_A_NUMBER = Text(
        "{count} cells are no numbers and were left out (decimal, thousands and missing are said in the map): {at}",
        "{count} 个单元格不是数字，已略去（可在映射文件中设置 decimal、thousands、missing）：{at}",
    )
    MISSING = Text("{count} cells are empty", "{count} 个单元格为空")
    UNKNOWN_CHANNEL = Text(
        "{count} readings of channels that nothing is known of were left out: {at}",
        "{count} 个读数属于未知通道，已略去：{at}",
    )
    CONVERTED = Text("converted: {at}", "已换算：{at}")
    AGAIN = Text("{count} readings came more than once, alike: {at}", "{count} 个读数重复且相同：{at}")
    CONFLICT = Text(
        "{count} readings have the time of another one with a different value; the first in the file counts: {at}",
        "{count} 个读数与同一时刻的另一读数数值不同，以文件中先出现者为准：{at}",
    )
    RENAMED = Text("called otherwise, because of their letters: {at}", "因字符限制而改名：{at}")
    GAP = Text(
        "{count} silences of a month or longer; what is learnt before is taken up again as it was: {at}",
        "{count} 段一个月以上的缺测；之后沿用之前学得的规律：{at}",
    )
    NOT_YET = Text(
        "{count} silences before a device's first reading, or behind its last, are left out",
        "已略去 {count} 次首个读数之前或末个读数之后的缺测",
    )
    INTERVAL = Text("reporting intervals as measured: {at}", "实测上报间隔：{at}")


@dataclass(slots=True)
class _Told:
    count: int = 0
    places: list[str] = field(default_factory=list)


class Notes:
    """Counts by file and trouble. The order of telling is the files', then that of `Trouble`."""

    def __init__(self) -> None:
        self._told: defaultdict[tuple[str, Trouble], _Told] = defaultdict(_Told)

    def tell(self, file: str, trouble: Trouble, count: int = 1, at: Iterable[str] = ()) -> None:
        """`at` are places or words; more than `NAMED` of them are counted only."""
        if count:
            told = self._told[file, trouble]
            told.count += count
            told.places += islice(at, NAMED + 1 - len(told.places))

    def count(self, file: str, *troubles: Trouble) -> int:
        return sum(self._told[file, trouble].count for trouble in troubles if (file, trouble) in self._told)

    def of(self, file: str, *troubles: Trouble) -> Iterator[Text]:
        return (_text(file, t, self._told[file, t]) for t in troubles if (file, t) in self._told)

    def __iter__(self) -> Iterator[Text]:
        files = list(dict.fromkeys(file for file, _ in self._told))
        for file in files:
            yield from self.of(file, *Trouble)


def _text(file: str, trouble: Trouble, told: _Told) -> Text:
    more = len(told.places) > NAMED
    words = {"count": f"{told.count:,}", "at": ", ".join(told.places[:NAMED]) + (" …" if more else "")}
    said = trouble.value
    en, zh = said.en.format(**words), said.zh.format(**words)
    return Text(f"{file}: {en.rstrip(': ')}", f"{file}：{zh.rstrip('：')}") if file else Text(en, zh)
