"""Laws of quality for any stream: it equals the plain-Python oracle, however the stream is split or interrupted."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from quality_oracle import START_MS, Oracle, batch_of, registry

from scenewatch.quality.quality import Quality

KNOWN = registry("box", "slow")

VALUES = st.sampled_from([5.0, 5.0, 5.0, 5.0, 5.5, 6.0, 20.0, 31.0, 60.0, 61.0, -40.5, float("nan")])
"""Few values, so that standstills and steps are common."""


@st.composite
def streams(draw):
    """Mostly one reading an interval, with silences, late, double, future, ancient and history readings."""
    now_ms = START_MS
    readings = []
    for _ in range(draw(st.integers(0, 80))):
        now_ms += draw(st.sampled_from([0, 1_000, 30_000, 30_000, 30_000, 90_000, 90_001, 700_000]))
        off_ms = draw(st.sampled_from([0, 0, 0, 0, 0, 0, -30_000, -60_000, 60_000, 60_001, -(10**12), 10**12]))
        live = draw(st.integers(0, 9)) > 0
        readings.append((draw(st.sampled_from([0, 0, 0, 1, 2])), now_ms + off_ms, draw(VALUES), now_ms, live))
    return readings


def cuts(draw, n):
    return sorted(draw(st.lists(st.integers(0, n), max_size=6)))


def split(readings, at):
    return [readings[a:b] for a, b in zip([0, *at], [*at, len(readings)], strict=True)]


def grown():
    made = Quality()
    made.grow(KNOWN)
    return made


def checked(quality, readings):
    batch = batch_of(readings)
    quality.check(batch)
    return [tuple(int(x) for x in row) for row in zip(batch.t_ms, batch.flag, batch.test, batch.place, strict=True)]


@settings(deadline=None, max_examples=200)
@given(st.data())
def test_any_stream_in_any_batches_is_judged_as_the_oracle_does(data):
    readings = data.draw(streams())
    parts = split(readings, cuts(data.draw, len(readings)))
    quality, oracle = grown(), Oracle(KNOWN)
    assert [row for part in parts for row in checked(quality, part)] == [oracle.judge(*r) for r in readings]


@settings(deadline=None, max_examples=60)
@given(st.data())
def test_stopping_and_going_on_from_a_snapshot_changes_nothing(data):
    readings = data.draw(streams())
    parts = split(readings, cuts(data.draw, len(readings)))
    through = grown()
    expected = [row for part in parts for row in checked(through, part)]

    now, found = grown(), []
    for part in parts:
        found += checked(now, part)
        saved = b"".join(now.snapshot())
        now = grown()
        now.restore(saved)
    assert found == expected
    assert b"".join(now.snapshot()) == b"".join(through.snapshot())
    assert np.array_equal(now.counts, through.counts)


@settings(deadline=None, max_examples=60)
@given(streams())
def test_every_reading_is_counted_once(readings):
    quality = grown()
    checked(quality, readings)
    assert quality.counts.sum() == len(readings)
