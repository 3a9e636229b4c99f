"""What is told of a fleet that does not keep pace, and of one that only catches up."""

import multiprocessing

import pytest

from scenewatch.devices.pace import LOOK_MS, Figures, Pace, joined
from scenewatch.devices.processes import Slot

SECOND = 1000


def told(caplog, lags_s, *, speed=1.0, messages=1000):
    """The lines after looks ten seconds apart, at which so much lag was found."""
    pace = Pace(every_ms=30 * SECOND, speed=speed, asked_a_second=250)
    for n, lag_s in enumerate(lags_s):
        pace.tell(Figures(messages * n, 7, None if lag_s is None else lag_s * SECOND), (n + 1) * LOOK_MS)
    return [r.message for r in caplog.records]


def test_a_lag_that_grows_is_told_at_each_look_until_it_is_over(caplog):
    rest = "100 of 250 messages/s go out, 7 samples lost so far"
    assert told(caplog, [0, 50, 70, 90, 80, 20, 0]) == [
        f"devices are 70 s behind: {rest}",
        f"devices are 90 s behind: {rest}",
        f"devices are 80 s behind: {rest}",
        "devices are on time again; 7 samples were lost",
    ]


def test_in_fast_time_the_lag_is_told_in_the_walls(caplog):
    assert told(caplog, [0, 9 * 60, 70 * 60], speed=60) == [
        "devices are 70 s behind: 100 of 250 messages/s go out, 7 samples lost so far"
    ]


@pytest.mark.parametrize(
    "lags_s", [[3600, 2000, 500, 0], [0, None, None, 900, 300, 0]], ids=["from the past", "after an outage"]
)
def test_catching_up_is_no_news(caplog, lags_s):
    assert told(caplog, lags_s) == []


def test_thousands_on_their_way_in_are_told_of_as_long_as_there_are_more(caplog):
    caplog.set_level("INFO")
    pace = Pace(every_ms=30 * SECOND, speed=1, asked_a_second=1)
    for n, (lag_ms, connected) in enumerate([(None, 0), (None, 40), (None, 40), (0, 90), (None, 10), (None, 50)]):
        pace.tell(Figures(0, 0, lag_ms, connected, 90), (n + 1) * LOOK_MS)
    assert [r.message for r in caplog.records] == ["40 of 90 gateways are connected"]


def test_the_lag_is_looked_at_now_and_then():
    pace = Pace(every_ms=30 * SECOND, speed=1, asked_a_second=1)
    looked = []
    for t in range(LOOK_MS, 3 * LOOK_MS, LOOK_MS // 4):
        if pace.due(t):
            pace.tell(Figures(0, 0, 0), t)
            looked.append(t)
    assert looked == [LOOK_MS, 2 * LOOK_MS]


def test_of_several_processes_the_slowest_counts():
    parts = [Figures(10, 1, 5000, 3, 4), Figures(20, 0, 0, 2, 2)]
    assert joined(parts) == Figures(30, 1, 5000, 5, 6)
    assert joined([*parts, Figures(5, 0, None)]) == Figures(35, 1, None, 5, 6), "one has no broker yet"


@pytest.mark.parametrize("figures", [Figures(3, 2, 1, 4, 5), Figures(2**40, 0, None), Figures(0, 0, 0)])
def test_a_child_tells_its_parent(figures):
    slot = Slot(multiprocessing.get_context("spawn"))
    assert slot.figures.lag_ms is None, "it has not connected yet"
    assert slot.due(5000)
    slot.tell(figures, 5000)
    assert slot.figures == figures
    assert not slot.due(5999)
    assert slot.due(6000)
