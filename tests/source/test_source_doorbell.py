"""The bell that wakes the I/O thread."""

from __future__ import annotations

import select
import threading
from collections import deque

import pytest

from scenewatch.source.doorbell import Doorbell


@pytest.fixture
def bell():
    bell = Doorbell()
    yield bell
    bell.close()


def rung(bell):
    return bool(select.select([bell], [], [], 0)[0])


def test_nobody_is_woken_who_does_not_sleep(bell):
    bell.ring()
    assert not rung(bell)


def test_many_rings_are_one(bell):
    bell.listen()
    for _ in range(100):
        bell.ring()
    assert rung(bell)
    bell.hush()
    assert not rung(bell)


def test_a_ring_on_a_closed_bell_is_nothing(bell):
    bell.listen()
    bell.close()
    bell.ring()


def test_a_wait_ends_without_a_ring_when_its_time_is_over(bell):
    bell.listen()
    bell.wait(0.01)
    assert not rung(bell)


def test_nothing_that_is_left_after_listening_is_overlooked(bell):
    """Without a time-out anywhere: an overlooked item would hang the test."""
    left, taken = deque(), []

    def leave(first):
        for n in range(first, first + 3000):
            left.append(n)
            bell.ring()

    threads = [threading.Thread(target=leave, args=(first,)) for first in (0, 3000)]
    for thread in threads:
        thread.start()
    while len(taken) < 6000:
        bell.listen()
        while left:
            taken.append(left.popleft())
        if len(taken) < 6000:
            bell.wait(None)
    for thread in threads:
        thread.join()
    assert sorted(taken) == list(range(6000))
