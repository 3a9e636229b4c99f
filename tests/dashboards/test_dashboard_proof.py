"""Every question of every dashboard is answered, and Grafana's own code shows the answers as the tables have it.

The server is a real InfluxDB that a worker has filled. And the proof can fail: mistakes are found by each level.
"""

from __future__ import annotations

import copy
import random
import re

import pytest
from built import WORLDS
from dashboard_proof import NO_POINTS, missing, never_shown, shown, view
from filled_influx import ALARMED, DAY_MS, DEVICES, SPIKE, TELLING
from grafana_expand import escape
from grafana_time import TimeSpan, interval_ms, interval_text
from layout_checks import check_layout
from looks import LOOKS, picks_of, reader
from mistakes import MISTAKES

from boards import palette
from boards.links import device_uid
from scenewatch.model.insight import Departure, Usual
from scenewatch.scenes import KITCHEN

SPOILT = "sw-site"
STRUCK = [d for d in DEVICES if d.device in (*ALARMED, *TELLING)]
CALM = {device_uid(d.scene, d.type) for d in DEVICES} - {device_uid(d.scene, d.type) for d in STRUCK}
"""Dashboards of types no device of which had an alarm: what they ask of alarms is what those of other types ask."""


# --- the queries -------------------------------------------------------------------------------------------


def of_alarms(query):
    return ' FROM "alarm" ' in query


CHANNELS = {c.key: c for t in KITCHEN.device_types for c in t.channels}
LEARNT = {key for key, c in CHANNELS.items() if isinstance(c.derived, Departure | Usual)}
"""Told after a week of learning, of which there is little more than a day here."""
OF_A_DAY = {key for key, c in CHANNELS.items() if getattr(c.derived, "over", 0) >= DAY_MS}
"""Told once a day has passed: not in the first, which is the only one that is whole here."""


def asks_only(query, keys):
    """Whether the channels it asks are some of these, and no others."""
    named = set(re.findall(r"\w+", query))
    asked = {key for key in CHANNELS if named & {key, f"{key}_flag"}}
    return bool(asked) and asked <= keys


RAISED = {
    (device_uid(KITCHEN.key, t.key), r.priority)
    for t in KITCHEN.device_types
    for r in KITCHEN.rules
    if any(on.partition(".")[0] == t.key for on in r.on)
}
"""As what alarms of each type are raised; how urgent one grows is no point of its own."""


def never_raised(uid, query):
    """Whether it asks for alarms of a priority that no rule on the dashboard's type has."""
    priority = re.search("\"priority\" = '(.*?)'", query)
    return bool(priority) and uid.startswith("sw-device-") and (uid, priority[1]) not in RAISED


def excused(found):
    """A question that nothing recorded here can answer; an error never is."""
    if found.problem != NO_POINTS:
        return False
    untold = LEARNT | OF_A_DAY if found.span.endswith(" of sw-day") else LEARNT
    return asks_only(found.query, untold) or (of_alarms(found.query) and never_raised(found.dashboard, found.query))


@pytest.mark.parametrize("uid", sorted(WORLDS["committed"]))
def test_every_question_is_answered_with_points(boards, server, uid):
    board = boards[uid]
    found = []
    for span, level in LOOKS:
        views = [view(board, reader(server, span, level=level, **picks), server) for picks in picks_of(board)]
        calm = [one for one in missing(views) if not (uid in CALM and of_alarms(one.query))]
        found += [one for one in calm if not excused(one)]
    assert not found, "\n".join(dict.fromkeys(map(str, found)))


@pytest.mark.parametrize("device", STRUCK, ids=lambda device: device.device)
def test_nothing_is_empty_on_the_dashboard_of_a_device_that_had_alarms(boards, server, device):
    board = boards[device_uid(device.scene, device.type)]
    seen = view(board, reader(server, "day", site=device.site, device=device.device), server)
    found = [one for one in seen.found if not excused(one)]
    assert not found, "\n".join(map(str, found))


@pytest.mark.parametrize(("span", "level"), LOOKS)
def test_a_peak_of_one_reading_is_seen_at_every_level(boards, server, span, level):
    seen = view(boards["sw-site"], reader(server, span, level=level, site=SPIKE.site), server)
    trends = [frames for panel, frames in seen.panels().values() if panel["type"] == "timeseries"]
    highest = [max(v for v in f["fields"][1]["values"] if v is not None) for frames in trends for f in frames]
    assert SPIKE.value in highest


# --- the display -------------------------------------------------------------------------------------------


def test_every_panel_is_shown_without_a_complaint(boards, server, display):
    views = [
        view(board, reader(server, "day", **picks), server)
        for board in boards.values()
        for picks in picks_of(board)
    ]
    complaints = [str(one) for found in shown(views, display, boards) for one in found]
    assert not complaints, "\n".join(dict.fromkeys(complaints))
    for uid in boards:
        own = [one for one in views if one.dashboard["uid"] == uid]
        asked = [one for each in own for one, _ in each.pairs]
        empty = [one for one in asked if asks_only(one.query, LEARNT) or (uid in CALM and of_alarms(one.query))]
        assert never_shown(own) <= {(one.place, one.ref_id) for one in empty}, uid


def device_panel(boards, type_key, kind="stat"):
    return next(p for p in boards[f"sw-device-kitchen-{type_key}"]["panels"] if p["type"] == kind)


def frame(ref_id, value):
    fields = [
        {"name": "Time", "type": "time", "values": [0], "config": {}},
        {"name": "Value", "type": "number", "values": [value], "config": {}},
    ]
    return {"refId": ref_id, "name": ref_id, "fields": fields}


SEEN = (
    ("fridge", "air_temp", 9, "9.0 °C", palette.SERIOUS),
    ("fridge", "air_temp", 7.84, "7.8 °C", palette.SOON),
    ("fridge", "air_temp", 4.2, "4.2 °C", palette.NORMAL),
    ("freezer", "air_temp", -11.9, "-11.9 °C", palette.SERIOUS),
    ("freezer", "air_temp", -18.3, "-18.3 °C", palette.NORMAL),
    ("fridge", "battery", 3.61, "3.61 V", palette.NORMAL),
    ("fridge", "compressor_power", 187, "187 W", palette.NORMAL),
    ("fridge", "door", 1, "打开 · open", palette.ACCENT),
    ("freezer", "defrost", 0, "停止 · off", palette.QUIET),
)
"""Of a device's type and channel, how a value is shown by the tables' limits and words."""


def test_a_value_has_the_unit_the_words_and_the_limit_of_its_table(boards, display):
    jobs = []
    for type_key, channel, value, _, colour in SEEN:
        panel = device_panel(boards, type_key)
        jobs.append({"do": "show", "panel": panel, "frames": [frame(channel, value)], "theme": "dark"})
        jobs.append({"do": "colour", "name": colour, "theme": "dark"})
    answers = display.answers(jobs)
    for (*case, text, _), shown_value, expected in zip(SEEN, answers[::2], answers[1::2], strict=True):
        [seen] = shown_value["values"]
        assert (seen["text"], seen["color"]) == (text, expected), case


def test_our_interval_and_escaping_are_grafanas(display):
    chance = random.Random(5)
    asked = [(chance.randrange(1, 10 ** chance.randrange(1, 13)), chance.randrange(1, 3_000)) for _ in range(500)]
    texts = ["a.b/c-d", r"\^$*+?.()|[]{}/", "厨房 s001", "a&b#c'd\"e"]
    jobs = [{"do": "interval", "from": 0, "to": to, "points": n, "least": "30s"} for to, n in asked]
    answers = display.answers(jobs + [{"do": "escape", "text": text} for text in texts])
    for (to, n), answer in zip(asked, answers, strict=False):
        ours = interval_ms(TimeSpan("", 0, to), n, "30s")
        assert answer == {"intervalMs": ours, "interval": interval_text(ours)}
    assert [escape(text) for text in texts] == answers[len(asked) :]


# --- the proof itself --------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def levels(boards, sources, server, display, grafana_types):
    """Of each mistake, the levels that found it, each with its complaints."""
    spoilt = {name: copy.deepcopy(boards[SPOILT]) for name in ["none", *MISTAKES]}
    for name, (spoil, _) in MISTAKES.items():
        spoil(spoilt[name])
    views = {name: view(one, reader(server, "week", level="sw-hour"), server) for name, one in spoilt.items()}
    seen = dict(zip(views, shown(list(views.values()), display, boards), strict=True))
    return {
        name: {
            "schema": grafana_types.check(one),
            "layout": check_layout(one, boards | {SPOILT: one}, sources.names),
            "queries": [one for one in missing([views[name]]) if not excused(one)],
            "display": seen[name],
        }
        for name, one in spoilt.items()
    }


def test_the_good_one_has_no_mistake(levels):
    assert not any(levels["none"].values()), levels["none"]


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_found_by_the_levels_that_are_there_for_it(levels, mistake):
    found = {level for level, complaints in levels[mistake].items() if complaints}
    assert found == MISTAKES[mistake][1], levels[mistake]
