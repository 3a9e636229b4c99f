"""What lies in a journal's files, seen from beside: whole, in order, and without touching what the worker holds."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from journal_tools import DEADLINE_S, SMALL, append_durably, opened, payloads, read_all, some

from scenewatch.journal.look import Look, Message, Range
from scenewatch.journal.reader import Damage
from scenewatch.journal.segment import HEADER_BYTES, SUFFIX
from scenewatch.model.errors import CorruptError, RefusedError
from scenewatch.model.ports import RecordKind

QUICK = replace(SMALL, group_ms=1)
GROUPS = 30
PER_GROUP = 5
HEAD = GROUPS * PER_GROUP + 1
TICK_AT = 10 * PER_GROUP


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """Several segments, a second between groups, and one control record."""
    path = tmp_path_factory.mktemp("written")
    with opened(path, QUICK) as journal:
        for i in range(GROUPS):
            if i == 10:
                journal.append_record(RecordKind.TICK, b"late", 9_500)
            append_durably(journal, some(PER_GROUP, f"g{i}", size=60, received_ms=i * 1000))
        return path, payloads(read_all(journal))


@pytest.fixture
def held(tmp_path):
    """A journal that is being written."""
    with opened(tmp_path / "journal", QUICK) as journal:
        for i in range(GROUPS):
            append_durably(journal, some(PER_GROUP, f"g{i}", size=60, received_ms=i * 1000))
        yield tmp_path / "journal", journal


def segments(path):
    return sorted(path.glob(f"*{SUFFIX}"))


def flip(path, offset):
    with path.open("r+b") as file:
        file.seek(offset)
        byte = file.read(1)
        file.seek(offset)
        file.write(bytes([byte[0] ^ 0xFF]))


def found(path, wanted=None):
    return list(Look(path).messages(wanted or Range()))


def test_segments_join_and_hold_everything(written):
    path, _ = written
    contents = list(Look(path).contents())
    assert len(contents) == len(segments(path)) > 2
    assert contents[0].first == 0
    assert [c.end for c in contents[:-1]] == [c.first for c in contents[1:]]
    assert contents[-1].end == HEAD
    assert sum(c.records for c in contents) == GROUPS + 1
    assert [c.bytes for c in contents] == [c.path.stat().st_size for c in contents]
    assert (contents[0].oldest_ms, contents[-1].newest_ms) == (0, (GROUPS - 1) * 1000)
    assert not any(c.damaged for c in contents)


def test_all_messages_come_back_in_order(written):
    path, sent = written
    messages = found(path)
    assert [m.payload for m in messages] == sent
    assert [m.position for m in messages] == [p for p in range(HEAD) if p != TICK_AT]
    assert messages[-1] == Message(HEAD - 1, (GROUPS - 1) * 1000, b"sw/t/g29", b"g29-4".ljust(60, b"."))


@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    positions=st.tuples(st.integers(0, HEAD + 5), st.integers(0, HEAD + 5)),
    times_ms=st.tuples(st.integers(0, 31_000), st.integers(0, 31_000)),
)
def test_a_range_gives_just_what_is_in_it(written, positions, times_ms):
    path, _ = written
    wanted = Range(*sorted(positions), *sorted(times_ms))
    expected = [
        m
        for m in found(path)
        if wanted.first <= m.position < wanted.end and wanted.from_ms <= m.received_ms < wanted.to_ms
    ]
    assert found(path, wanted) == expected


def test_old_segments_are_not_read_for_new_times(written, monkeypatch):
    path, sent = written
    read = []
    real = Look._items.__globals__["_read"]
    monkeypatch.setitem(Look._items.__globals__, "_read", lambda known: read.append(known) or real(known))
    assert [m.payload for m in found(path, Range(from_ms=28_000))] == sent[-2 * PER_GROUP :]
    assert 0 < len(read) < len(segments(path))


def test_one_record_is_found_by_any_position_in_it(written):
    path, _ = written
    record = Look(path).record(7)
    assert (record.first, record.end) == (5, 10)
    assert Look(path).record(TICK_AT).kind is RecordKind.TICK
    assert Look(path).record(TICK_AT).body == b"late"


@pytest.mark.parametrize("position", [HEAD, 10**12])
def test_a_position_that_never_was_is_refused(written, position):
    with pytest.raises(RefusedError, match=f"position {position} is not there"):
        Look(written[0]).record(position)


def test_no_folder_is_refused_and_none_is_made(tmp_path):
    with pytest.raises(RefusedError, match="there is no journal"):
        Look(tmp_path / "none")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_without_segments_holds_nothing(tmp_path):
    assert list(Look(tmp_path).contents()) == []
    assert found(tmp_path) == []


def test_a_journal_that_is_held_can_be_looked_at_and_written_on(held):
    path, journal = held
    before = {p.name: p.read_bytes() for p in path.iterdir()}
    assert len(found(path)) == journal.head
    assert {p.name: p.read_bytes() for p in path.iterdir()} == before
    append_durably(journal, some(1, "later"))
    assert found(path)[-1].topic == b"sw/t/later"


def test_looking_while_it_is_written_sees_a_beginning_and_no_damage(held):
    path, journal = held
    stop = threading.Event()

    def write():
        for i in range(400):
            append_durably(journal, some(3, f"w{i}", size=200))
        stop.set()

    writer = threading.Thread(target=write)
    writer.start()
    looks = 0
    while not stop.is_set() or looks == 0:
        seen = found(path)
        assert [m.position for m in seen] == list(range(len(seen)))
        looks += 1
    writer.join(DEADLINE_S)
    assert len(found(path)) == journal.head == GROUPS * PER_GROUP + 1200


def test_segments_that_the_worker_lets_go_of_are_passed_over(held):
    path, journal = held
    look = Look(path)
    first = segments(path)[0]
    first.unlink()
    kept = [m.position for m in look.messages(Range())]
    assert kept == list(range(int(segments(path)[0].stem), journal.head))
    assert kept[0] > 0


@pytest.mark.parametrize("size", [1, 20, 61])
def test_a_tail_that_is_being_written_is_no_damage(held, size):
    path, journal = held
    last = segments(path)[-1]
    whole = last.read_bytes()
    append_durably(journal, some(2, "torn", size=60))
    last = segments(path)[-1]
    cut = len(whole) + size if last.read_bytes().startswith(whole) else HEADER_BYTES + size
    with last.open("r+b") as file:
        file.truncate(cut)
    assert [m.position for m in found(path)] == list(range(GROUPS * PER_GROUP))
    assert not any(c.damaged for c in Look(path).contents())


def test_damage_is_told_in_its_place_and_the_rest_is_read(held):
    path, journal = held
    flip(segments(path)[1], HEADER_BYTES + 60)
    items = found(path)
    (damage,) = [item for item in items if isinstance(item, Damage)]
    lost = range(damage.first, damage.end)
    read = [item.position for item in items if isinstance(item, Message)]
    assert len(lost) == PER_GROUP
    assert read == [p for p in range(journal.head) if p not in lost]
    assert [c.damaged for c in Look(path).contents()][1] == (damage,)
    with pytest.raises(CorruptError, match=f"positions {lost[0]} to {lost[-1]} are lost"):
        Look(path).record(lost[2])
    assert Look(path).record(damage.end).first == damage.end


@pytest.mark.parametrize("which", [0, -1])
def test_a_damaged_header_loses_its_segment_alone(held, which):
    path, journal = held
    file = segments(path)[which]
    flip(file, 10)
    contents = list(Look(path).contents())[which]
    assert contents.records == 0
    assert contents.damaged[0].first == int(file.stem)
    read = [item.position for item in found(path) if isinstance(item, Message)]
    assert read == [p for p in range(journal.head) if not contents.first <= p < contents.end]


def parts(look, first, end):
    """Position and payload of what `records` gives; control records by their kind."""
    for item in look.records(first, end):
        if item.messages is None:
            yield item.first, item.kind
        else:
            assert item.end - item.first == len(item.messages)
            yield from ((item.first + i, item.messages.payload(i)) for i in range(len(item.messages)))


@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, HEAD), st.integers(0, HEAD))
def test_records_are_cut_to_the_positions_that_are_wanted(written, first, end):
    look = Look(written[0])
    whole = list(parts(look, 0, HEAD))
    assert [position for position, _ in whole] == list(range(HEAD))
    assert whole[TICK_AT] == (TICK_AT, RecordKind.TICK)
    assert list(parts(look, first, end)) == whole[first:end]


def test_where_it_begins_and_ends_and_what_was_received_when(written):
    look = Look(written[0])
    assert (look.oldest, look.end) == (0, HEAD)
    assert look.position_at(0) == 0
    assert look.position_at(3_001) == 4 * PER_GROUP
    assert look.position_at(9_500) == TICK_AT
    assert look.position_at(9_501) == TICK_AT + 1
    assert look.position_at(10**12) == HEAD


def test_a_journal_without_segments_begins_and_ends_at_0(tmp_path):
    look = Look(tmp_path)
    assert (look.oldest, look.end, look.position_at(5), list(look.records(0, 9))) == (0, 0, 0, [])


def test_damage_is_cut_like_records(written, tmp_path):
    copy = tmp_path / "copy"
    copy.mkdir()
    for path in segments(written[0]):
        (copy / path.name).write_bytes(path.read_bytes())
    flip(segments(copy)[0], HEADER_BYTES + 60)
    [damage, record] = Look(copy).records(2, PER_GROUP + 1)
    assert (damage.first, damage.end, record.first, record.end) == (2, PER_GROUP, PER_GROUP, PER_GROUP + 1)
