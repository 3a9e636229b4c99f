"""The alarms themselves: can the people who answer them keep up?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from boards import figures, palette
from boards.frame import Board, scene_variable, site_variable
from boards.influxql import ALARMS, ANY_SITE, BY_TIME, IN_RANGE, name, select, table_target, target
from boards.layout import Section
from boards.links import ALARMS as UID
from boards.links import of_row, to_site
from boards.panels import BARS, Column, by_ref, not_finer, rising, table, thresholds, tiles, trend
from boards.words import RULE, SCENE, SITE, both, say

if TYPE_CHECKING:
    from collections.abc import Sequence

    from boards.panels import Json
    from scenewatch.model.scene import Scene

# Alarms in ten minutes, after ISA-18.2 and EEMUA 191: about one can be acted on, above two is too much to keep
# up for long, above ten is a flood.
ACCEPTABLE: Final = 1
MOST: Final = 2
FLOOD: Final = 10
BENCHMARK = say(
    "ISA-18.2: one alarm in ten minutes can be acted on, more than two is too much, more than ten is a flood.",
    "ISA-18.2：每十分钟约一条可从容处置，超过两条难以持续，超过十条即为报警泛滥。",
)
_COUNT = f"count({name('standing')})"


def board(scenes: Sequence[Scene]) -> Board:
    load = Section()
    load.add(figures.summary(ANY_SITE), width=14, height=5)
    load.add(_load(), width=10, height=5)
    load.add(figures.alarms_over_time(ANY_SITE), width=12, height=8)
    load.add(_ten_minutes(), width=12, height=8)
    load.add(_top(say("By rule", "按规则"), "rule", _rule_column(scenes)), width=12, height=8)
    load.add(_top(say("By site", "按站点"), "site", *_site_columns()), width=12, height=8)
    lists = Section(title=say("Lists", "列表"))
    lists.add(figures.standing_table(ANY_SITE), width=24, height=9)
    lists.add(figures.alarms_table(ANY_SITE), width=24, height=10)
    return Board(
        uid=UID,
        title=say("Alarms", "报警"),
        question=say(
            "Which alarms are there, and can the people who answer them keep up?",
            "有哪些报警？值守人员应付得过来吗？",
        ),
        sections=[load, lists],
        variables=[scene_variable(many=True), site_variable(many=True)],
        alarms_where=ANY_SITE,
        since="now-24h",
    )


def _load() -> Json:
    """How many alarms in ten minutes: on average and at the most."""
    # With the range in the outer query too, InfluxDB 1.8 answers nothing.
    counted = select(f'{_COUNT} AS "n"', '"alarm"', ANY_SITE, IN_RANGE, by=("time(10m)",), fill="0")
    median = select('median("lasted_s")', '"alarm"', ANY_SITE, '"standing" = 0', IN_RANGE)
    targets = [
        target("mean", select('mean("n")', f"({counted})"), source=ALARMS, alias=say("mean", "平均")),
        target("most", select('max("n")', f"({counted})"), source=ALARMS, alias=say("most", "最多")),
        target("lasted", median, source=ALARMS, alias=say("median duration", "持续时间中位数")),
    ]
    overrides = [
        by_ref("mean", decimals=2, thresholds=thresholds(rising(ACCEPTABLE, MOST))),
        by_ref("most", thresholds=thresholds(rising(MOST, FLOOD))),
        by_ref("lasted", unit="s"),
    ]
    return tiles(
        say("Alarms in ten minutes", "每十分钟报警数"), targets, overrides=overrides, description=BENCHMARK
    )


def _ten_minutes() -> Json:
    query = select(_COUNT, '"alarm"', ANY_SITE, IN_RANGE, by=(BY_TIME,), fill="0")
    panel = trend(
        say("Load: alarms in each ten minutes or more", "负荷：每十分钟（或更长时段）报警数"),
        [target("A", query, source=ALARMS, alias=say("alarms", "报警"))],
        steps=rising(MOST, FLOOD, normal=palette.UNDRAWN),
        style=BARS,
        description=BENCHMARK,
    )
    return not_finer("10m", panel)


def _top(title: str, key: str, *columns: Column) -> Json:
    """What raises the most, and for how long in all."""
    what = f'{_COUNT} AS "alarms", sum("lasted_s") AS "lasted"'
    by = {"rule": ("scene", "rule", "priority"), "site": ("scene", "site")}[key]
    query = select(what, '"alarm"', ANY_SITE, IN_RANGE, by=by)
    count = say("Alarms", "报警数")
    shown = [
        Column(name="scene", title=SCENE),
        *columns,
        Column(name="alarms", title=count),
        Column(name="lasted", title=say("Together", "累计时长"), unit="s"),
    ]
    return table(title, [table_target("A", query, source=ALARMS)], shown, sort=count)


def _rule_column(scenes: Sequence[Scene]) -> Column:
    """A rule by its title; the key of a rule that the tables no longer have stays as it is."""
    titles = {rule.key: both(rule.title) for scene in scenes for rule in scene.rules}
    rows = palette.words_of_names((key, title, palette.NORMAL) for key, title in sorted(titles.items()))
    return Column(name="rule", title=RULE, mappings=rows)


def _site_columns() -> tuple[Column, ...]:
    return (Column(name="site", title=SITE, links=[to_site(of_row("scene"), of_row("site"))]),)
