"""Grafana's own code shows what the queries answer, in the units, words and colours of the scene tables."""

from __future__ import annotations

import random

import pytest

from boards import palette
from dashboard_proof import never_whole, shown, view
from grafana_expand import escape
from grafana_time import TimeSpan, interval_ms, interval_text
from looks import picks_of, reader


def test_every_panel_is_shown_without_a_complaint(boards, server, display):
    views = [
        view(board, reader(server, "day", **picks), server) for board in boards.values() for picks in picks_of(board)
    ]
    complaints = [str(one) for found in shown(views, display) for one in found]
    assert not complaints, "\n".join(dict.fromkeys(complaints))
    for uid in boards:
        assert not never_whole([one for one in views if one.dashboard["uid"] == uid]), uid


def device_panel(boards, type_title, kind="stat"):
    return next(p for p in boards["sw-device"]["panels"] if p["type"] == kind and type_title in p["title"])


def frame(ref_id, value):
    fields = [
        {"name": "Time", "type": "time", "values": [0], "config": {}},
        {"name": "Value", "type": "number", "values": [value], "config": {}},
    ]
    return {"refId": ref_id, "name": ref_id, "fields": fields}


@pytest.mark.parametrize(
    ("type_title", "channel", "value", "text", "colour"),
    [
        ("Fridge", "air_temp", 9.1, "9.1 °C", palette.NOW),
        ("Fridge", "air_temp", 7.8, "7.8 °C", palette.SOON),
        ("Fridge", "air_temp", 4.2, "4.2 °C", palette.NORMAL),
        ("Freezer", "air_temp", -11.9, "-11.9 °C", palette.NOW),
        ("Freezer", "air_temp", -18.3, "-18.3 °C", palette.NORMAL),
        ("Fridge", "battery", 3.61, "3.61 V", palette.NORMAL),
        ("Fridge", "compressor_power", 187, "187 W", palette.NORMAL),
        ("Fridge", "door", 1, "打开 · open", palette.ACCENT),
        ("Freezer", "defrost", 0, "停止 · off", palette.QUIET),
    ],
)
def test_a_value_has_the_unit_the_words_and_the_limit_of_its_table(
    boards, display, type_title, channel, value, text, colour
):
    panel = device_panel(boards, type_title)
    rest = [target["refId"] for target in panel["targets"] if target["refId"] != channel]
    frames = [frame(channel, value), *(frame(ref_id, 0) for ref_id in rest)]
    jobs = [{"do": "show", "panel": panel, "frames": frames, "theme": "dark"}]
    jobs.append({"do": "colour", "name": colour, "theme": "dark"})
    answer, expected = display.answers(jobs)
    assert not answer["mistakes"]
    seen = answer["values"][0]
    assert (seen["text"], seen["color"].lower()) == (text, expected.lower())


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
