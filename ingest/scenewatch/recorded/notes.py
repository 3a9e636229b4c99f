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
    """What is told of a file, in the order in which it is told."""

    ENCODING = Text("encoding", "编码")
    ZONE = Text(
        "times without an offset were taken for UTC: say zone in the map, or --zone",
        "无时区的时间按 UTC 处理；可在映射文件中用 zone 或用 --zone 指定",
    )
    SHORT = Text("rows with fewer cells than the head, left out", "单元格少于表头的行，已略去")
    LONG = Text("rows with more cells than the head, left out", "单元格多于表头的行，已略去")
    QUOTES = Text("rows with a quote left open, left out", "引号未闭合的行，已略去")
    HEAD_AGAIN = Text("the head once more, left out", "重复的表头，已略去")
    NO_TIME = Text("rows whose time is not one in the format, left out", "时间不符合格式的行，已略去")
    OUT_OF_RANGE = Text(
        "rows with a time before 2000 or after 2100 (seconds for milliseconds?), left out",
        "时间早于 2000 年或晚于 2100 年的行（是否把秒当成毫秒？），已略去",
    )
    NOT_THERE = Text(
        "rows with a local time that the clocks skipped (if the logger knows of no summer time, give its offset as "
        "zone), left out",
        "处于夏令时跳过时段的行（记录仪若不用夏令时，请以固定偏移作 zone），已略去",
    )
    TWICE_THERE = Text(
        "rows with a local time that came twice, told apart by the order of the rows",
        "处于夏令时重复时段的行，已按行序归位",
    )
    DOUBTFUL = Text(
        "rows with a local time that came twice, and nothing tells them apart; taken for the first",
        "处于夏令时重复时段的行，无法判断，按第一次处理",
    )
    NO_DEVICE = Text("rows without a device, left out", "没有设备的行，已略去")
    NOT_A_NUMBER = Text(
        "cells that are no numbers (decimal, thousands and missing are said in the map), left out",
        "不是数字的单元格（可在映射文件中设置 decimal、thousands、missing），已略去",
    )
    MISSING = Text("cells without a value", "空单元格")
    UNKNOWN_CHANNEL = Text("readings of channels that nothing is known of, left out", "未知通道的读数，已略去")
    DERIVED = Text(
        "readings of derived channels, left out: they are derived anew", "派生通道的读数，已略去并重新计算"
    )
    CONVERTED = Text("converted", "已换算")
    AGAIN = Text("readings that come once more alike, left out", "完全相同的重复读数，已略去")
    CONFLICT = Text(
        "readings that have the time of an earlier one and another value, left out: the first one counts",
        "与先出现的读数同一时刻而数值不同的读数，已略去，以先出现者为准",
    )
    RENAMED = Text("called otherwise, because of their letters", "因字符限制而改名")
    GAP = Text(
        "silences of a month or longer; what was learnt before goes on behind them",
        "一个月以上的缺测；之后沿用之前学得的规律",
    )
    NOT_YET = Text(
        "silences before a device's first reading or behind its last, not counted",
        "首个读数之前或末个读数之后的缺测，不计",
    )
    NO_EVENTS = Text(
        "rules on events were not tried: files have readings alone", "文件中只有读数，事件类规则未参与回测"
    )
    INTERVAL = Text("reporting intervals as measured", "实测上报间隔")


WORDS: Final = frozenset(
    {Trouble.ENCODING, Trouble.ZONE, Trouble.CONVERTED, Trouble.RENAMED, Trouble.NO_EVENTS, Trouble.INTERVAL}
)
"""Told by what they are, not by how many."""


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
    places = ", ".join(told.places[:NAMED]) + (" …" if len(told.places) > NAMED else "")
    if trouble in WORDS:
        said = f": {places}" if places else ""
    else:
        said = f": {told.count:,}" + (f" ({places})" if places else "")
    of = f"{file}: " if file else ""
    return Text(f"{of}{trouble.value.en}{said}", f"{of}{trouble.value.zh}{said}")
