"""What figures rest on: how long messages are on their way, and which devices are silent."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scenewatch.model.level import Level
from scenewatch.worker import samples
from scenewatch.worker.samples import Ages, Heard, Sample

LOOK_MS = 1000


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), max_size=60))
def test_a_message_s_age_is_never_told_too_short_nor_a_look_too_long(steps):
    """Of steps of a second: so many messages come in each, and the store takes so many."""
    ages = Ages(0, 0)
    came_ms: list[int] = []
    stored = 0
    for n, (come, take) in enumerate(steps, 1):
        now_ms = n * LOOK_MS
        came_ms += [now_ms - LOOK_MS // 2] * come
        stored = min(stored + take, len(came_ms))
        ages.note(len(came_ms), stored, now_ms)
        told = ages.age_ms(stored, len(came_ms), now_ms)
        if stored == len(came_ms):
            assert told == 0
        else:
            age_ms = now_ms - came_ms[stored]
            assert age_ms <= told <= age_ms + LOOK_MS


def test_what_came_before_the_start_has_the_age_it_was_given():
    ages = Ages(5, 100)
    ages.note(9, 5, 1000)
    assert ages.age_ms(5, 9, 1000) == 900
    ages.note(12, 9, 3000)
    assert ages.age_ms(9, 12, 3000) == 2000


def test_a_long_outage_takes_little_memory(monkeypatch):
    monkeypatch.setattr(samples, "MOST_MARKS", 10)
    ages = Ages(0, 0)
    for n in range(1, 1000):
        ages.note(n, 0, n)
    assert len(ages._marks) <= 10
    assert ages.age_ms(0, 999, 1000) == 1000
    assert ages.age_ms(500, 999, 1000) >= 500


@pytest.fixture
def heard(vat_registry):
    return Heard(vat_registry)


def numbers(*values):
    return np.array(values, np.int64)


def test_a_device_is_silent_after_three_intervals_until_it_is_heard(heard):
    heard.look(numbers(0, 0, 5), 0)
    heard.look(numbers(0, 0, 5), 30_000)
    assert heard.silent.tolist() == [False, False, False]
    heard.look(numbers(0, 1, 5), 30_001)
    assert heard.silent.tolist() == [False, False, True]
    heard.look(numbers(0, 1, 6), 60_001)
    assert heard.silent.tolist() == [False, False, False]


def test_a_device_that_measures_nothing_is_never_silent(heard):
    heard.look(numbers(0, 0, 0), 0)
    heard.look(numbers(0, 0, 0), 10**9)
    assert heard.silent.tolist() == [False, True, True]
    assert heard.measuring.tolist() == [False, True, True]


def test_the_silence_of_a_device_that_is_new_begins_when_it_is_met(heard):
    heard.look(numbers(0, 0), 0)
    heard.look(numbers(0, 0, 0), 50_000)
    assert heard.silent.tolist() == [False, True, False]


def test_a_device_that_is_gone_is_neither_there_nor_silent(heard, vat_registry, vats):
    vat_registry.apply(vats[:2], at_ms=0)
    heard.look(numbers(0, 0, 0), 0)
    heard.look(numbers(0, 0, 0), 10**9)
    assert heard.active.tolist() == [True, True, False]
    assert heard.silent.tolist() == [False, True, False]


def test_a_sample_is_a_point_a_row():
    columns = {"n": numbers(1, 2), "s": np.array([0.5, 1.0])}
    sample = Sample(measurement="m", t_ms=7, keep=Level.MINUTE, tags=[{"a": "x"}, {"a": "y"}], columns=columns)
    assert len(sample) == 2
    assert [(p.tags["a"], p.t_ms, p.fields) for p in sample.points()] == [
        ("x", 7, {"n": 1, "s": 0.5}),
        ("y", 7, {"n": 2, "s": 1.0}),
    ]
