"""What a device writes, what it keeps, and the clocks and waits around it."""

import json
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scenewatch.devices.clock import SpeedClock
from scenewatch.devices.payload import MOST_SAMPLES, SampleBuffer, offline, online


def buffer_of(samples, capacity=10_000):
    buffer = SampleBuffer(("a", "b"), boot="x1", capacity=capacity)
    for t in samples:
        buffer.add(t, t, (t / 10, 1.0))
    return buffer


def test_one_sample_is_a_plain_message():
    assert json.loads(buffer_of([7]).take()) == {"t": 7, "b": "x1", "n": 0, "v": {"a": 0.7, "b": 1.0}}


def test_several_samples_are_arrays_under_one_number():
    assert json.loads(buffer_of([1, 2]).take()) == {
        "t": [1, 2],
        "b": "x1",
        "n": 0,
        "v": {"a": [0.1, 0.2], "b": [1, 1]},
    }


@settings(deadline=None, max_examples=50)
@given(st.lists(st.integers(1, 300), max_size=6), st.integers(1, 500))
def test_nothing_is_lost_but_what_is_counted_and_numbers_have_no_holes(portions, capacity):
    buffer = buffer_of([], capacity)
    at, seen, numbers = 0, [], []
    for portion in portions:
        for _ in range(portion):
            buffer.add(at, at, (0.0, 0.0))
            at += 1
        body = json.loads(buffer.take())
        seen += body["t"] if isinstance(body["t"], list) else [body["t"]]
        numbers.append(body["n"])
    while buffer:
        assert buffer.oldest_ms == seen[-1] + 1
        body = json.loads(buffer.take())
        seen += body["t"] if isinstance(body["t"], list) else [body["t"]]
        numbers.append(body["n"])
        assert len(seen) <= at
    assert numbers == list(range(len(numbers)))
    assert seen == sorted(set(seen))
    assert len(seen) + buffer.dropped == at


def test_a_message_holds_no_more_than_its_measure():
    buffer = buffer_of(range(MOST_SAMPLES + 5))
    assert len(json.loads(buffer.take())["t"]) == MOST_SAMPLES
    assert len(buffer) == 5


def test_status_is_what_the_topic_contract_says():
    assert json.loads(online(5)) == {"t": 5, "state": "online"}
    assert json.loads(offline(6)) == {"t": 6, "state": "offline"}


# --- time


def test_simulated_time_hurries_until_it_meets_the_walls(hand_clock):
    wall = hand_clock(100_000)
    clock = SpeedClock(10_000, 10, wall)
    seen = []
    for wall.at_ms in range(100_000, 115_000, 1_000):
        seen.append(clock.now_ms())
    assert seen[:3] == [10_000, 20_000, 30_000]
    assert seen[-3:] == [112_000, 113_000, 114_000]
    assert all(a < b for a, b in pairwise(seen))


def test_simulated_time_is_never_ahead(hand_clock):
    wall = hand_clock(1_000)
    assert SpeedClock(5_000, 60, wall).now_ms() == 1_000


def test_time_slower_than_the_walls_is_refused(hand_clock):
    with pytest.raises(ValueError, match="at least 1"):
        SpeedClock(0, 0.5, hand_clock(0))
