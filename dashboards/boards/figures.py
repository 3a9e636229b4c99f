"""Panels that several dashboards show of sites and alarms, each asked for its own part of the city."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from boards import palette
from boards.influxql import ALARMS, FIGURES, IN_RANGE, lately, name, select, table_target, target, text
from boards.links import of_row, to_console, to_device, to_site
from boards.panels import BARS, Column, by_ref, color, table, tiles, trend
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
    both,
    say,
)
from scenewatch.model.scene import Priority

if TYPE_CHECKING:
    from boards.panels import Json

SITE_SPAN: Final = "5m"
"""Sites have figures each minute: what is older is not now."""
WORST: Final = (3, 2, 1, 4, 0)
"""Numbers of the states of a site, the most urgent first."""
_STATE_COLORS: Final = (palette.NORMAL, palette.SOON, palette.SERIOUS, palette.NOW, palette.SILENT)
_STANDING = name("standing")


def sites_by_state(where: str) -> Json:
    """How many sites are in each state."""
    newest = select('last("worst") AS "worst"', '"site"', where, lately(SITE_SPAN), by=("scene", "site"))
    targets = [
        target(
            f"state{number}",
            select('count("worst")', f"({newest})", f'"worst" = {number}'),
            source=FIGURES,
            alias=both(SITE_STATES[number]),
        )
        for number in WORST
    ]
    overrides = [by_ref(f"state{number}", color=color(_STATE_COLORS[number])) for number in WORST]
    return tiles(
        say("Sites by state", "各状态站点数"),
        targets,
        overrides=overrides,
        description=say(
            "A site counts by its most urgent standing alarm; it is silent when all its devices are.",
            "站点按其最紧急的未恢复报警计；全部设备无数据时计为无数据。",
        ),
    )


def sites_table(where: str) -> Json:
    """The worst sites first."""
    fields = {
        "worst": STATE,
        **{f"standing_{p.value}": both(word) for p, word in PRIORITIES.items()},
        "silent": say("Silent devices", "无数据设备"),
        "devices": say("Devices", "设备数"),
    }
    what = ", ".join(f"last({name(field)}) AS {name(field)}" for field in fields)
    query = select(what, '"site"', where, lately(SITE_SPAN), by=("scene", "site"))
    links = [to_site(of_row("scene"), of_row("site"))]
    columns = [
        Column(name="worst", title=STATE, mappings=palette.site_states()),
        Column(name="scene", title=SCENE),
        Column(name="site", title=SITE, links=links),
        *(Column(name=field, title=title) for field, title in fields.items() if field != "worst"),
    ]
    targets = [table_target("A", query, source=FIGURES)]
    return table(say("Sites, the worst first", "站点（最紧急在前）"), targets, columns, sort=STATE)


def standing_tiles(where: str) -> Json:
    """How many alarms stand, by priority."""
    targets = [
        target(
            p.value,
            select(
                f"count({_STANDING})", '"alarm"', where, f"{_STANDING} = 1", f"{name('priority')} = {text(p.value)}"
            ),
            source=ALARMS,
            alias=both(word),
        )
        for p, word in PRIORITIES.items()
    ]
    overrides = [
        by_ref(
            p.value,
            thresholds={
                "mode": "absolute",
                "steps": [{"value": None, "color": palette.NORMAL}, {"value": 1, "color": palette.OF_PRIORITY[p]}],
            },
            noValue="0",
        )
        for p in PRIORITIES
    ]
    return tiles(say("Standing alarms", "未恢复报警"), targets, overrides=overrides)


def standing_table(where: str) -> Json:
    """What stands now, whenever it was raised."""
    return _alarm_table(
        say("Standing alarms, the newest first", "未恢复报警（最新在前）"), where, f"{_STANDING} = 1", lasted=False
    )


def alarms_table(where: str) -> Json:
    """What was raised in the dashboard's range."""
    return _alarm_table(
        say("Alarms raised, the newest first", "报警记录（最新在前）"), where, IN_RANGE, lasted=True
    )


def _alarm_table(title: str, *where: str, lasted: bool) -> Json:
    place = (of_row("scene"), of_row("site"), of_row("device"))
    columns = [
        Column(name="Time", title=RAISED, unit="dateTimeAsIso", width=170),
        Column(name="priority", title=PRIORITY, mappings=palette.priorities(), width=110),
        Column(name="title_zh", title=RULE),
        Column(name="title_en", title="Rule"),
        Column(name="scene", title=SCENE),
        Column(name="site", title=SITE, links=[to_site(*place[:2])]),
        Column(name="device", title=DEVICE, links=[to_device(*place), to_console(*place)]),
        Column(name="value", title=say("Value", "数值")),
    ]
    if lasted:
        columns += [Column(name="lasted_s", title=say("Lasted", "持续"), unit="s")]
    else:
        columns += [Column(name="advice_zh", title="处置建议"), Column(name="advice_en", title="First advice")]
    what = ", ".join(name(column.name) for column in columns if column.name != "Time")
    query = select(what, '"alarm"', *where, more="ORDER BY time DESC LIMIT 200")
    return table(title, [table_target("A", query, source=ALARMS)], columns, sort=RAISED)


def alarms_over_time(where: str) -> Json:
    """How many were raised in each interval, by priority."""
    targets = [
        target(
            p.value,
            select(
                f"count({_STANDING})",
                '"alarm"',
                where,
                f"{name('priority')} = {text(p.value)}",
                IN_RANGE,
                by=("time($__interval)",),
                fill="0",
            ),
            source=ALARMS,
            alias=both(word),
        )
        for p, word in PRIORITIES.items()
    ]
    overrides = [by_ref(p.value, color=color(palette.OF_PRIORITY[p])) for p in PRIORITIES]
    title = say("Alarms raised", "新增报警")
    return trend(title, targets, unit="short", overrides=overrides, custom=BARS, interval="10m")


def sites_over_time(where: str) -> Json:
    """How many devices are silent and how many alarms stand, as sums over sites."""
    parts = [
        (f"standing_{p.value}", both(PRIORITIES[p]), palette.OF_PRIORITY[p])
        for p in (*Priority.__members__.values(),)
    ]
    parts.append(("silent", say("silent devices", "无数据设备"), palette.SILENT))
    targets = []
    for field, alias, _ in parts:
        inner = select(
            f'max({name(field)}) AS "n"', '"site"', where, IN_RANGE, by=("time($__interval)", "scene", "site")
        )
        query = select('sum("n")', f"({inner})", IN_RANGE, by=("time($__interval)",), fill="null")
        targets.append(target(field, query, source=FIGURES, alias=alias))
    overrides = [by_ref(field, color=color(shade)) for field, _, shade in parts]
    return trend(
        say("Standing alarms and silent devices", "未恢复报警与无数据设备"),
        targets,
        unit="short",
        overrides=overrides,
        custom={"lineInterpolation": "stepAfter"},
    )


def silent_sites(where: str) -> Json:
    """Sites with silent devices, those with the most first."""
    newest = select(
        'last("silent") AS "silent", last("devices") AS "devices"',
        '"site"',
        where,
        lately(SITE_SPAN),
        by=("scene", "site"),
    )
    query = select('"silent", "devices"', f"({newest})", '"silent" > 0', by=("scene", "site"))
    count = say("Silent devices", "无数据设备")
    columns = [
        Column(name="scene", title=SCENE),
        Column(name="site", title=SITE, links=[to_site(of_row("scene"), of_row("site"))]),
        Column(name="silent", title=count),
        Column(name="devices", title=say("Devices", "设备数")),
    ]
    return table(
        say("Sites with silent devices", "有无数据设备的站点"),
        [table_target("A", query, source=FIGURES)],
        columns,
        sort=count,
    )
