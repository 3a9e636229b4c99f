"""When to read: arithmetic on a clock that the test moves."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scenewatch.source.timing import Pace


def simulate(per_second, seconds=2.0, size=160):
    """Reads a second, and the longest a message waited, when messages come evenly."""
    pace, now, waiting, reads, longest, at = Pace(), 0.0, [], 0, 0.0, 0.0
    while now < seconds:
        if not waiting:
            now = max(now, at)
        now += max(0.0, pace.wait_s(now))
        while at <= now:
            waiting.append(at)
            at += 1 / per_second
        longest = max(longest, now - waiting[0])
        pace.read(now, messages=len(waiting), size=len(waiting) * size)
        reads, waiting = reads + 1, []
    return reads / seconds, longest


def test_a_message_after_a_silence_is_read_at_once():
    pace = Pace()
    pace.read(10.0, messages=1, size=150)
    assert pace.wait_s(10.1) <= 0
    assert 0 < pace.wait_s(10.001) <= 0.005


@pytest.mark.parametrize(
    ("per_second", "reads_a_second"), [(50, 10), (600, 10), (5_000, 10), (10_000, 20), (20_000, 40)]
)
def test_a_steady_stream_is_read_by_the_hundreds(per_second, reads_a_second):
    reads, longest = simulate(per_second)
    assert 0.9 * reads_a_second <= reads <= 1.3 * reads_a_second + 2
    assert longest <= 0.101


def test_a_backlog_is_read_without_a_pause():
    pace = Pace()
    pace.read(10.0, messages=6000, size=1_000_000)
    assert pace.wait_s(10.0) <= 0


@given(st.floats(0.5, 8_000))
def test_nobody_waits_longer_than_the_tick(per_second):
    reads, longest = simulate(per_second, seconds=1.0)
    assert longest <= 0.101
    assert reads <= 52
