"""The operations wall: is anything wrong in the city, and where?"""

from __future__ import annotations

from boards import figures
from boards.frame import Board, scene_variable, site_variable
from boards.health import pipeline_tiles
from boards.influxql import ANY_SITE
from boards.layout import Section
from boards.links import WALL
from boards.words import say


def board() -> Board:
    now = Section()
    now.add(figures.summary(ANY_SITE), width=24, height=4)
    now.add(figures.sites_table(ANY_SITE), width=10, height=10)
    now.add(figures.standing_table(ANY_SITE), width=14, height=10)
    now.add(figures.alarms_over_time(ANY_SITE), width=12, height=7)
    now.add(figures.sites_over_time(ANY_SITE), width=12, height=7)
    now.add(pipeline_tiles(), width=24, height=4)
    return Board(
        uid=WALL,
        title=say("Operations wall", "运行总览"),
        question=say("Is anything wrong in the city, and where?", "全市现在哪里有问题？"),
        sections=[now],
        variables=[scene_variable(many=True), site_variable(many=True)],
        alarms_where=ANY_SITE,
        refresh="30s",
        since="now-24h",
    )
