"""One palette for all dashboards: neutral when normal, amber soon, red now; silence is purple, never green."""

from __future__ import annotations

from typing import TYPE_CHECKING

from boards.influxql import number
from boards.words import PRIORITIES, SEVERITIES, SITE_STATES, both, say
from scenewatch.model.flags import Flag
from scenewatch.model.rule import Priority

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from boards.panels import Json
    from scenewatch.model.words import Text

NOW = "#d64541"
SERIOUS = "#e8702a"
SOON = "#e5a50a"
MINOR = "#4a86c5"
"""An alarm that may wait; unlike the amber of what is about to be one."""
NORMAL = "text"
"""The colour of all other text, so that it is neutral on a light ground and on a dark one."""
UNDRAWN = "transparent"
"""Where a chart is normal. Beside it Grafana takes a step below it for a lower limit, and draws its line so."""
QUIET = "#7b8794"
SILENT = "#8e6bbf"
ACCENT = "#3d8fb5"

OF_PRIORITY: Mapping[Priority, str] = {Priority.HIGH: NOW, Priority.MEDIUM: SERIOUS, Priority.LOW: MINOR}


def words_of_numbers(rows: Iterable[tuple[float, str, str]]) -> list[Json]:
    """A value mapping of numbers to a word and a colour each."""
    options = {
        number(value): {"text": word, "color": color, "index": index}
        for index, (value, word, color) in enumerate(rows)
    }
    return [{"type": "value", "options": options}]


def words_of_names(rows: Iterable[tuple[str, str, str]]) -> list[Json]:
    """A value mapping of texts."""
    options = {
        name: {"text": word, "color": color, "index": index} for index, (name, word, color) in enumerate(rows)
    }
    return [{"type": "value", "options": options}]


def site_states() -> list[Json]:
    colors = (QUIET, MINOR, SERIOUS, NOW, SILENT)
    rows = zip(SITE_STATES, colors, strict=True)
    return words_of_numbers((state, both(word), color) for state, (word, color) in enumerate(rows))


def priorities() -> list[Json]:
    return words_of_names((p.value, both(word), OF_PRIORITY[p]) for p, word in PRIORITIES.items())


def severities() -> list[Json]:
    colors = (QUIET, SOON, NOW)
    rows = zip(SEVERITIES.items(), colors, strict=True)
    return words_of_names((s.value, both(word), color) for (s, word), color in rows)


def flags() -> list[Json]:
    """Of the worst flag of each interval; none at all is silence."""
    return words_of_numbers(
        (
            (0, say("silent", "无数据"), SILENT),
            (Flag.GOOD, say("good", "正常"), QUIET),
            (Flag.NOT_EVALUATED, say("not evaluated", "未评估"), QUIET),
            (Flag.SUSPECT, say("suspect", "可疑"), SOON),
            (Flag.FAIL, say("failed", "无效"), NOW),
            (Flag.MISSING, say("missing", "缺失"), SILENT),
        )
    )


def yes_or_no(yes: Text, no: Text) -> list[Json]:
    """1 is well, 0 is not."""
    return words_of_numbers(((1, both(yes), QUIET), (0, both(no), NOW)))
