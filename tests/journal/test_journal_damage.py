"""Torn tails, flipped bits and missing files: found, named, and never turned into a message nobody sent."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from journal_tools import SMALL, append_durably, opened, payloads, plain, read_all, some

from scenewatch.journal.journal import FileJournal
from scenewatch.journal.segment import HEADER_BYTES, Header, new_mark, record_bytes
from scenewatch.model.errors import CorruptError, RefusedError
from scenewatch.model.ports import RecordKind

if TYPE_CHECKING:
    from pathlib import Path

TRIES = settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
SIZES = (3, 1, 5, 2, 4)


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """One segment of five records, and what is in it."""
    path = tmp_path_factory.mktemp("written")
    with opened(path) as journal:
        for i, n in enumerate(SIZES):
            append_durably(journal, some(n, f"b{i}"))
        return path, plain(read_all(journal))


@pytest.fixture(scope="module")
def scratch(tmp_path_factory):
    return tmp_path_factory.mktemp("scratch")


def copy(written: Path, scratch: Path) -> Path:
    shutil.rmtree(scratch)
    shutil.copytree(written, scratch)
    return next(scratch.glob("*.segment"))


def read_on(journal: FileJournal) -> tuple[list, list[str]]:
    """All that can be read, stepping over damage as its error tells."""
    position, got, errors = 0, [], []
    while position < journal.head:
        try:
            records = journal.read(position, most=2, wait_s=0)
        except CorruptError as error:
            errors.append(str(error))
            position = next(d.end for d in journal.damaged if d.first <= position < d.end)
        else:
            got += plain(records)
            position = records[-1].end
    return got, errors


@TRIES
@given(data=st.data())
def test_any_cut_leaves_a_prefix_of_whole_records_and_appends_go_on(written, scratch, data):
    path, rows = written
    segment = copy(path, scratch)
    size = data.draw(st.integers(HEADER_BYTES, segment.stat().st_size))
    with segment.open("r+b") as file:
        file.truncate(size)
    with opened(scratch) as journal:
        got = plain(read_all(journal))
        assert got == rows[: len(got)]
        assert journal.damaged == ()
        append_durably(journal, some(2, "after"))
    with opened(scratch) as journal:
        again = read_all(journal)
        assert plain(again)[: len(got)] == got
        assert payloads(again)[-2:] == [b"after-0".ljust(20, b"."), b"after-1".ljust(20, b".")]


@TRIES
@given(data=st.data())
def test_any_flipped_bit_costs_its_record_and_no_other(written, scratch, data):
    path, rows = written
    segment = copy(path, scratch)
    content = bytearray(segment.read_bytes())
    at = data.draw(st.integers(0, len(content) - 1))
    content[at] ^= 1 << data.draw(st.integers(0, 7))
    segment.write_bytes(content)
    with opened(scratch) as journal:
        got, errors = read_on(journal)
        lost = [row for row in rows if row not in got]
        assert [row for row in got if row not in rows] == [], "nothing is invented"
        assert len(lost) == (len(rows) if at < HEADER_BYTES else 1)
        torn = lost == rows[-1:]
        assert bool(errors) is not torn, "damage is told; only at the very end it looks like a torn tail"
        assert all(str(segment) in text for text in errors)
        head = journal.head
        assert torn or head >= rows[-1][1], "a position is never given away twice"
        append_durably(journal, some(1, "after"))
        assert payloads(journal.read(head, most=1, wait_s=1)) == [b"after-0".ljust(20, b".")]
    with opened(scratch) as journal:
        assert read_on(journal)[0][: len(got)] == got


@TRIES
@given(junk=st.binary(max_size=200))
def test_any_tail_of_junk_is_cut(written, scratch, junk):
    path, rows = written
    segment = copy(path, scratch)
    size = segment.stat().st_size
    with segment.open("ab") as file:
        file.write(junk)
    with opened(scratch) as journal:
        assert plain(read_all(journal)) == rows
    assert segment.stat().st_size == size


def test_the_cut_is_told_once_with_its_size(written, scratch, caplog):
    segment = copy(written[0], scratch)
    whole = segment.stat().st_size
    with opened(scratch) as journal:
        append_durably(journal, some(1))
    cut = segment.stat().st_size - 10 - whole
    with segment.open("r+b") as file:
        file.truncate(whole + cut)
    caplog.clear()
    with opened(scratch):
        pass
    assert [r.message.startswith(f"cut {cut} bytes") for r in caplog.records] == [True]
    caplog.clear()
    with opened(scratch):
        assert caplog.text == ""


def test_damage_in_an_older_segment_names_file_and_byte_and_the_way_on(tmp_path):
    with opened(tmp_path) as journal:
        for i in range(4):
            append_durably(journal, some(50, f"s{i}"))
    segment = sorted(tmp_path.glob("*.segment"))[1]
    content = bytearray(segment.read_bytes())
    content[HEADER_BYTES + 60] ^= 1
    segment.write_bytes(content)
    with opened(tmp_path) as journal:
        assert journal.damaged == (), "older segments are not read at the start"
        got = journal.read(0, most=1000, wait_s=0)
        assert got[-1].end == 50, "what comes before the damage is given first"
        for _ in range(2):
            with pytest.raises(
                CorruptError, match=f"{segment} is damaged at byte {HEADER_BYTES}: positions 50 to 99"
            ):
                journal.read(50, most=1000, wait_s=0)
        assert [(d.first, d.end) for d in journal.damaged] == [(50, 100)]
        assert [r.first for r in journal.read(100, most=1000, wait_s=0)] == [100, 150]


def test_a_missing_segment_is_damage_from_where_the_one_before_it_ends(tmp_path):
    with opened(tmp_path) as journal:
        for i in range(4):
            append_durably(journal, some(50, f"s{i}"))
    sorted(tmp_path.glob("*.segment"))[1].unlink()
    with opened(tmp_path) as journal:
        got, errors = read_on(journal)
        assert [row[0] for row in got] == [0, 100, 150]
        assert "positions 50 to 99 are lost" in errors[0]


def test_a_file_taken_away_under_the_reader_is_named(tmp_path):
    with opened(tmp_path) as journal:
        append_durably(journal, some(50))
    with opened(tmp_path) as journal:
        next(tmp_path.glob("*.segment")).unlink()
        with pytest.raises(CorruptError, match="segment is gone: position 0"):
            journal.read(0, most=1, wait_s=0)


def test_a_payload_that_looks_like_a_record_is_never_read_as_one(tmp_path):
    """A device that knows the format writes a record into its payload, and then the disk fails it."""
    forged = b"".join(record_bytes(new_mark(), RecordKind.INVENTORY, (1, 2), 5, (b"mine",)))
    with opened(tmp_path) as journal:
        append_durably(journal, some(1, "x" + "y" * 10))
        journal.append_record(RecordKind.HISTORY, forged * 3, 1)
        journal.append_record(RecordKind.LISTENING, b"", 2)
    segment = next(tmp_path.glob("*.segment"))
    content = segment.read_bytes()
    at = content.index(forged)
    segment.write_bytes(content[: at - 1] + bytes([content[at - 1] ^ 255]) + content[at:])
    with opened(tmp_path) as journal:
        got, errors = read_on(journal)
        assert [row[2] for row in got] == [RecordKind.MESSAGES, RecordKind.LISTENING]
        assert len(errors) == 1


def test_a_record_that_the_disk_shows_again_is_not_read_twice(written, scratch):
    path, rows = written
    segment = copy(path, scratch)
    content = segment.read_bytes()
    second = content.index(content[12:20], HEADER_BYTES + 1)
    again = content[HEADER_BYTES:second]
    segment.write_bytes(content[:second] + again + content[second:] + again)
    with opened(scratch) as journal:
        assert journal.head == rows[-1][1]
        assert read_on(journal) == (rows, [])
    assert segment.stat().st_size == len(content + again), "the one at the end is cut like any torn tail"


def test_a_segment_that_was_never_finished_is_swept_away(tmp_path):
    tmp_path.joinpath("00000000000000000000.unfinished").write_bytes(b"half a hea")
    with opened(tmp_path) as journal:
        append_durably(journal, some(1))
    assert sorted(p.suffix for p in tmp_path.iterdir()) == ["", ".segment"]


def test_a_newer_format_is_refused_by_name(tmp_path, monkeypatch):
    monkeypatch.setattr("scenewatch.journal.segment.VERSION", 2)
    header = Header(new_mark(), 0, 0).to_bytes()
    monkeypatch.undo()
    tmp_path.joinpath("00000000000000000000.segment").write_bytes(header)
    for _ in range(2):  # and lets go of the folder each time
        with pytest.raises(RefusedError, match="format 2, this program reads format 1"):
            FileJournal(tmp_path, clock=None, limits=SMALL)


def test_a_foreign_file_is_named(tmp_path):
    tmp_path.joinpath("notes.segment").write_text("?")
    with pytest.raises(CorruptError, match=r"notes\.segment is not a segment of a journal: move it away"):
        FileJournal(tmp_path, clock=None, limits=SMALL)
