"""Single messages read once more, long after the pipeline: the right ones, wherever they lie."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from journal_tools import SMALL, HandClock, append_durably, opened, some, until

from scenewatch.journal import reader
from scenewatch.model.ports import RecordKind
from scenewatch.model.words import Duration

RECORDS, EACH = 40, 5
CONTROL = RECORDS * EACH


@pytest.fixture(scope="module")
def journal(tmp_path_factory):
    """Many segments of five messages a record, and a control record behind them."""
    with opened(tmp_path_factory.mktemp("journal"), SMALL) as journal:
        for record in range(RECORDS):
            append_durably(journal, some(EACH, f"r{record}", size=100, received_ms=record))
        journal.append_record(RecordKind.TICK, b"", 7)
        assert len(journal._folder.segments) > 5
        yield journal


@settings(deadline=None)
@given(wanted=st.lists(st.lists(st.integers(0, CONTROL - 1), max_size=9), max_size=4))
def test_any_positions_in_any_order_give_their_messages(journal, wanted):
    for positions in wanted:
        found = journal.messages_at(positions)
        assert found.keys() == set(positions)
        for position, message in found.items():
            record, i = divmod(position, EACH)
            assert (message.position, message.received_ms) == (position, record)
            assert message.topic == f"sw/t/r{record}".encode()
            assert message.payload.startswith(f"r{record}-{i}".encode())


def test_another_record_is_no_message_and_what_is_not_there_is_left_out(journal):
    assert journal.messages_at([CONTROL, CONTROL + 1]) == {CONTROL: None}


def test_when_a_record_came_is_told_from_any_position_in_it(journal):
    assert [journal.received_ms_at(record * EACH + i) for record in (0, 7, 39) for i in (0, 4)] == [
        0, 0, 7, 7, 39, 39,
    ]  # fmt: skip
    assert journal.received_ms_at(CONTROL) == 7
    assert journal.received_ms_at(CONTROL + 1) is None


def test_reading_on_opens_no_segment_twice(journal, monkeypatch):
    opens = []
    make = reader.SegmentReader
    monkeypatch.setattr(reader, "SegmentReader", lambda segment: (opens.append(segment.path), make(segment))[1])
    journal.messages_at([0])
    opens.clear()
    for position in range(1, CONTROL):
        journal.messages_at([position])
    assert len(opens) == len(set(opens)) > 5


def test_what_is_no_longer_kept_is_left_out(tmp_path):
    with opened(tmp_path, replace(SMALL, keep_ms=Duration(0)), clock=HandClock(10**9)) as journal:
        for record in range(RECORDS):
            append_durably(journal, some(EACH, f"r{record}", size=100))
        journal.release(CONTROL)
        until(lambda: journal.status().oldest > 0)
        oldest = journal.status().oldest
        assert journal.messages_at([0, oldest]).keys() == {oldest}
        assert journal.received_ms_at(0) is None
