"""A store that is away is told of in few lines, however it behaves."""

import pytest

from ends import HandClock
from scenewatch.worker.outage import MOST_LINES, WITHIN, Outage


@pytest.fixture
def clock():
    return HandClock(0)


@pytest.fixture
def outage(clock):
    return Outage(clock)


def lines(caplog):
    return [f"{record.levelname} {record.message}" for record in caplog.records]


@pytest.fixture(autouse=True)
def _all_levels(caplog):
    caplog.set_level("INFO", "scenewatch")


def test_it_begins_changes_and_ends_with_a_line_each(outage, caplog):
    for reason in ("away", "away", "full", "full", "full"):
        outage.goes_on(reason)
    assert outage.reason == "full"
    outage.is_over()
    outage.is_over()
    assert outage.reason == ""
    assert lines(caplog) == [
        "WARNING the store does not take batches, they wait: away",
        "WARNING the store still takes no batches, now: full",
        "INFO the store takes batches again",
    ]


def test_reasons_that_never_repeat_do_not_fill_the_log(outage, clock, caplog):
    for request in range(1000):
        clock.ms += 100
        outage.goes_on(f"request {request} failed")
    assert len(lines(caplog)) == MOST_LINES
    clock.ms += WITHIN
    outage.goes_on("at last")
    assert lines(caplog)[MOST_LINES:] == ["WARNING the store still takes no batches, now: at last"]


def test_a_store_that_comes_and_goes_does_not_fill_the_log(outage, clock, caplog):
    for _ in range(1000):
        clock.ms += 100
        outage.goes_on("away")
        outage.is_over()
    assert len(lines(caplog)) == 2 * MOST_LINES


def test_an_outage_that_was_not_told_is_told_when_it_lasts(outage, clock, caplog):
    for _ in range(MOST_LINES + 1):
        outage.goes_on("away")
        outage.is_over()
    caplog.clear()
    outage.goes_on("away")
    assert lines(caplog) == []
    clock.ms += WITHIN
    outage.goes_on("away")
    assert lines(caplog) == ["WARNING the store does not take batches, they wait: away"]
