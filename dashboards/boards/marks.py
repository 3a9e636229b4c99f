"""Marks over all trends of a dashboard, as a query of the store gives them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from boards.influxql import ALARMS, datasource

if TYPE_CHECKING:
    from boards.panels import Json


def annotation(title: str, color: str, query: str, *, words: str, tags: str, ends: str = "") -> Json:
    """`words` begins the two columns with the words of each language; `ends` is the column of an end, if any."""
    return {
        "name": title,
        "datasource": datasource(ALARMS),
        "enable": True,
        "hide": False,
        "iconColor": color,
        "target": {
            "refId": "Anno",
            "datasource": datasource(ALARMS),
            "query": query,
            "rawQuery": True,
            "resultFormat": "table",
            "fromAnnotations": True,
            "textColumn": f"{words}_zh",
            "tagsColumn": tags,
            **({"timeEndColumn": ends} if ends else {}),
            "titleColumn": f"{words}_en",
            "name": "",
        },
    }
