"""Threads that do a small thing again and again, and wait longer and longer for a store that is away."""

from __future__ import annotations

import itertools

import pytest

from ends import HandClock, wait_for
from scenewatch.model.errors import TemporaryError
from scenewatch.worker import repeated
from scenewatch.worker.repeated import Delivery, Repeated


@pytest.fixture(autouse=True)
def _soon(monkeypatch):
    monkeypatch.setattr(repeated, "LOOK_S", 60.0)


def test_it_goes_on_at_once_while_there_is_more_and_once_more_at_its_end():
    done = []
    part = Repeated("part", lambda: done.append(1) or len(done) < 5)
    part.start()
    wait_for(lambda: len(done) == 5)
    part.end()
    part.join()
    assert len(done) == 6
    assert part.failure is None


def test_one_that_was_never_started_can_be_ended():
    part = Repeated("part", lambda: False)
    part.end()
    part.join()


def test_what_it_raises_is_its_failure(caplog):
    def broken():
        raise AssertionError("broken")

    part = Repeated("part", broken)
    part.start()
    wait_for(lambda: part.failure is not None)
    part.join()
    assert str(part.failure) == "broken"
    assert "part ended" in caplog.text


class Steady:
    """A steady clock that is moved by hand."""

    def __init__(self):
        self.s = 100.0

    def monotonic(self):
        return self.s


@pytest.mark.parametrize(
    ("wish_s", "pauses_s"), [(0.0, [1, 2, 5, 10, 30, 30]), (3.0, [3, 3, 5]), (999.0, [30, 30])]
)
def test_a_store_that_is_away_is_tried_less_and_less_often(monkeypatch, wish_s, pauses_s):
    steady = Steady()
    monkeypatch.setattr(repeated, "time", steady)
    tried_s = []

    def away():
        tried_s.append(steady.s)
        raise TemporaryError("away", retry_after_s=wish_s)

    delivery = Delivery("figures", away, HandClock(0))
    while len(tried_s) <= len(pauses_s):
        assert delivery.step() is False
        steady.s += 0.5
    assert [b - a for a, b in itertools.pairwise(tried_s)] == pauses_s


def test_when_it_is_back_all_begins_anew(monkeypatch, caplog):
    caplog.set_level("INFO")
    steady = Steady()
    monkeypatch.setattr(repeated, "time", steady)
    answers = [TemporaryError("away"), TemporaryError("away"), True, TemporaryError("away")]

    def deliver():
        answer = answers.pop(0)
        if isinstance(answer, TemporaryError):
            raise answer
        return answer

    delivery = Delivery("figures", deliver, HandClock(0))
    told = []
    for _ in range(4):
        told.append(delivery.step())
        steady.s += 100
    assert told == [False, False, True, False]
    assert caplog.messages == [
        "the store does not take figures, they wait: away",
        "the store takes figures again",
        "the store does not take figures, they wait: away",
    ]
