"""Panels that several dashboards show of sites and alarms, each asked for its own part of the city."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from boards import palette
from boards.influxql import ALARMS, BY_TIME, FIGURES, IN_RANGE, lately, name, select, table_target, target, text
from boards.links import of_row, to_console, to_device, to_site
from boards.palette import OF_PRIORITY
from boards.panels import BARS, STAIRS, Column, by_ref, color, not_finer, table, thresholds, tiles, timeline, trend
from boards.words import (
    DEVICE,
    PRIORITIES,
    PRIORITY,
    RAISED,
    RULE,
    SCENE,
    SITE,
    SITE_STATES,
    STATE,
    TYPE,
    both,
    say,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from boards.panels import Json

SITE_SPAN: Final = "5m"
"""Sites have figures each minute: what is older is not now."""
SILENT_SITE: Final = len(SITE_STATES) - 1
"""The state of a site all of whose devices are silent, the largest number there is."""
FIELDS: Mapping[str, str] = {
    "worst": STATE,
    **{f"standing_{p.value}": both(word) for p, word in PRIORITIES.items()},
    "silent": say("Silent devices", "无数据设备"),
    "devices": say("Devices", "设备数"),
}
"""Of a site, with the titles of their columns."""
_STANDING = name("standing")
_RAISED_LATELY: Final = say("Alarms raised, the newest first", "报警记录（最新在前）")
_VALUE: Final = Column(name="value", title=say("Value", "数值"))
_LASTED: Final = Column(name="lasted_s", title=say("Lasted", "持续"), unit="s")


def summary(where: str) -> Json:
    """How many sites, devices and standing alarms there are; always a number, also where nothing stands."""
    silent_site = f'floor("worst" / {SILENT_SITE})'  # 1 where it is silent, 0 for all that is less
    parts = (
        ("sites", "count", '"worst"', say("sites", "站点"), palette.NORMAL),
        ("silent_sites", "sum", silent_site, say("silent sites", "无数据站点"), palette.SILENT),
        ("devices", "sum", '"devices"', say("devices", "设备"), palette.NORMAL),
        ("silent", "sum", '"silent"', say("silent devices", "无数据设备"), palette.SILENT),
        *(
            (
                p.value,
                "sum",
                name(f"standing_{p.value}"),
                say(f"{word.en} alarms", f"{word.zh}报警"),
                OF_PRIORITY[p],
            )
            for p, word in PRIORITIES.items()
        ),
    )
    newest = select(
        ", ".join(f"last({name(field)}) AS {name(field)}" for field in FIELDS),
        '"site"',
        where,
        lately(SITE_SPAN),
        by=("scene", "site"),
    )
    targets = []
    for ref, how, what, alias, _ in parts:
        each = select(f'{what} AS "n"', f"({newest})")
        targets.append(target(ref, select(f'{how}("n")', f"({each})"), source=FIGURES, alias=alias))
    overrides = [by_ref(ref, thresholds=thresholds(_from_one(shade))) for ref, *_, shade in parts]
    return tiles(say("Sites, devices and standing alarms", "站点、设备与当前报警"), targets, overrides=overrides)


def _from_one(shade: str) -> list[Json]:
    """None is normal."""
    return [{"value": None, "color": palette.NORMAL}, {"value": 1, "color": shade}]


def sites_table(where: str) -> Json:
    """The worst sites first."""
    what = ", ".join(f"last({name(field)}) AS {name(field)}" for field in FIELDS)
    query = select(what, '"site"', where, lately(SITE_SPAN), by=("scene", "site"))
    links = [to_site(of_row("scene"), of_row("site"))]
    columns = [
        Column(name="worst", title=STATE, mappings=palette.site_states()),
        Column(name="scene", title=SCENE),
        Column(name="site", title=SITE, links=links),
        *(Column(name=field, title=title) for field, title in FIELDS.items() if field != "worst"),
    ]
    targets = [table_target("A", query, source=FIGURES)]
    return table(say("Sites, the worst first", "站点（最紧急在前）"), targets, columns, sort=STATE)


def standing_table(where: str) -> Json:
    """What stands now, whenever it was raised."""
    advice = [Column(name="advice_zh", title="处置建议"), Column(name="advice_en", title="First advice")]
    title = say("Standing alarms, the newest first", "当前报警（最新在前）")
    return _alarm_table(title, [*_places(), _VALUE, *advice], where, f"{_STANDING} = 1")


def alarms_table(where: str) -> Json:
    """What was raised in the dashboard's range."""
    return _alarm_table(_RAISED_LATELY, [*_places(), _VALUE, _LASTED], where, IN_RANGE)


def device_alarms_table(where: str) -> Json:
    """What was raised in the dashboard's range by the one device that the whole dashboard is about."""
    return _alarm_table(_RAISED_LATELY, [_VALUE, _LASTED], where, IN_RANGE)


def _places() -> list[Column]:
    """Where it was: alarms are of several types, so a row's own type says to which dashboard it leads."""
    place = (of_row("scene"), of_row("site"), of_row("device"))
    return [
        Column(name="scene", title=SCENE),
        Column(name="site", title=SITE, links=[to_site(*place[:2])]),
        Column(name="device", title=DEVICE, links=[to_device(of_row("type"), *place), to_console(*place)]),
        Column(name="type", title=TYPE),
    ]


def _alarm_table(title: str, more: Sequence[Column], *where: str) -> Json:
    columns = [
        Column(name="Time", title=RAISED, unit="dateTimeAsIso", width=170),
        Column(name="priority", title=PRIORITY, mappings=palette.priorities(), width=110),
        Column(name="title_zh", title=RULE),
        Column(name="title_en", title="Rule"),
        *more,
    ]
    what = ", ".join(name(column.name) for column in columns if column.name != "Time")
    query = select(what, '"alarm"', *where, more="ORDER BY time DESC LIMIT 200")
    return table(title, [table_target("A", query, source=ALARMS)], columns, sort=RAISED)


def alarms_over_time(where: str) -> Json:
    """How many were raised in each interval, by priority."""
    targets = []
    for priority, word in PRIORITIES.items():
        wanted = f"{name('priority')} = {text(priority)}"
        query = select(f"count({_STANDING})", '"alarm"', where, wanted, IN_RANGE, by=(BY_TIME,), fill="0")
        targets.append(target(priority, query, source=ALARMS, alias=both(word)))
    overrides = [by_ref(p, color=color(OF_PRIORITY[p])) for p in PRIORITIES]
    return not_finer("10m", trend(say("Alarms raised", "新增报警"), targets, overrides=overrides, style=BARS))


def sites_over_time(where: str) -> Json:
    """How many alarms stand and devices are silent, as sums over sites."""
    parts = [(f"standing_{p}", both(word), OF_PRIORITY[p]) for p, word in PRIORITIES.items()]
    parts.append(("silent", say("silent devices", "无数据设备"), palette.SILENT))
    targets = []
    for field, alias, _ in parts:
        each = select(f'max({name(field)}) AS "n"', '"site"', where, IN_RANGE, by=(BY_TIME, "scene", "site"))
        query = select('sum("n")', f"({each})", IN_RANGE, by=(BY_TIME,), fill="null")
        targets.append(target(field, query, source=FIGURES, alias=alias))
    overrides = [by_ref(field, color=color(shade)) for field, _, shade in parts]
    title = say("Standing alarms and silent devices", "当前报警与无数据设备")
    return trend(title, targets, overrides=overrides, style=STAIRS)


def states_over_time(where: str) -> Json:
    """The state of each site."""
    query = select('max("worst")', '"site"', where, IN_RANGE, by=(BY_TIME, "site"), fill="null")
    targets = [target("A", query, source=FIGURES, alias="$tag_site")]
    panel = timeline(say("States of the sites", "站点状态"), targets, mappings=palette.site_states())
    return {**panel, "options": {**panel["options"], "perPage": 20}}
