"""A batch in its binary form, selected and joined: nothing is lost, and damage is named."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scenewatch.model.batch import COLUMNS, Batch
from scenewatch.model.errors import CorruptError
from scenewatch.model.flags import Flag, Place
from scenewatch.model.ledger import Counts, DeadLetter

NUMBERS = st.integers(0, 2**40)
COUNTS = st.builds(Counts, NUMBERS, NUMBERS, NUMBERS, NUMBERS)
LETTERS = st.builds(
    DeadLetter, NUMBERS, NUMBERS, st.binary(max_size=20), st.binary(max_size=20), st.text(max_size=9)
)
ROWS = st.tuples(st.integers(0, 2**31 - 1), st.integers(-(2**53), 2**53), st.floats(), st.sampled_from(Flag))


@st.composite
def batches(draw):
    rows = draw(st.lists(ROWS, max_size=8))
    series, t_ms, value, flag = zip(*rows, strict=True) if rows else ((), (), (), ())
    batch = Batch.of(np.array(series, np.int32), np.array(t_ms, np.int64), np.array(value, np.float64))
    batch.flag[:] = flag
    batch.live[:] = draw(st.booleans())
    batch.first = draw(st.integers(0, 2**20))
    batch.position = draw(NUMBERS)
    batch.counts = draw(COUNTS)
    batch.dead = draw(st.lists(LETTERS, max_size=3))
    return batch


def columns(batch):
    """Bit for bit, so that not-a-number is itself."""
    return {name: getattr(batch, name).tobytes() for name, _ in COLUMNS}


@settings(deadline=None)
@given(batches())
def test_the_binary_form_keeps_everything(batch):
    again = Batch.from_bytes(batch.to_bytes())
    assert columns(again) == columns(batch)
    assert (again.first, again.position) == (batch.first, batch.position)
    assert (again.counts, again.dead) == (batch.counts, batch.dead)
    again.flag[:] = Flag.FAIL  # quality writes into what came from disk


@settings(deadline=None)
@given(batches(), st.data())
def test_what_is_no_batch_is_named(batch, data):
    whole = batch.to_bytes()
    cut = data.draw(st.integers(0, len(whole) - 1))
    with pytest.raises(CorruptError, match="not a batch"):
        Batch.from_bytes(whole[:cut])


@pytest.mark.parametrize("body", [b"\xc0", b"\x01", b"\x80", b"\x90", b"\x81\xa6series\x01"])
def test_another_thing_is_no_batch(body):
    with pytest.raises(CorruptError, match="not a batch"):
        Batch.from_bytes(body)


def test_columns_of_unlike_lengths_are_no_batch():
    batch = Batch.of(np.arange(3), np.arange(3), np.arange(3.0))
    batch.value = batch.value[:2]
    with pytest.raises(CorruptError, match="not a batch"):
        Batch.from_bytes(batch.to_bytes())


@settings(deadline=None)
@given(st.lists(batches(), min_size=1, max_size=4))
def test_joined_batches_have_all_readings_and_the_sum_of_the_accounts(parts):
    whole = Batch.concat(parts)
    for name in columns(whole).keys() - {"message"}:
        assert columns(whole)[name] == b"".join(columns(part)[name] for part in parts)
    assert whole.positions().tolist() == [p for part in parts for p in part.positions().tolist()]
    assert whole.counts.positions == sum(part.counts.positions for part in parts)
    assert whole.dead == [letter for part in parts for letter in part.dead]
    assert (whole.first, whole.position) == (parts[0].first, parts[-1].position)


def test_history_of_an_earlier_form_is_read():
    batch = Batch.of(np.arange(3), np.arange(3), np.arange(3.0), position=9)
    body = msgspec.msgpack.decode(batch.to_bytes())
    del body["first"]
    assert columns(Batch.from_bytes(msgspec.msgpack.encode(body))) == columns(batch)


def test_a_selection_keeps_the_account():
    batch = Batch.of(np.array([0, 1, 2]), np.array([5, 6, 7]), np.array([1.0, 2.0, 3.0]), position=9)
    batch.counts, batch.first = Counts(stored=3), 6
    some = batch.select(np.array([True, False, True]))
    assert (some.series.tolist(), some.t_ms.tolist(), some.message.tolist()) == ([0, 2], [5, 7], [0, 2])
    assert (len(some), some.position, some.counts) == (2, 9, Counts(stored=3))
    assert some.positions().tolist() == [6, 8]


def test_unchecked_readings_are_live_new_and_received_when_measured():
    batch = Batch.of(np.array([1]), np.array([5]), np.array([2.0]))
    assert (batch.live.all(), batch.received_ms[0], batch.flag[0], batch.place[0]) == (
        True,
        5,
        Flag.NOT_EVALUATED,
        Place.NEW,
    )
