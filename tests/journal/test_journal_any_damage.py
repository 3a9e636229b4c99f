"""Whatever happens to the files of a journal: it opens or says why not, and what lay before the damage is whole."""

from __future__ import annotations

import shutil
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from journal_tools import SMALL, append_durably, opened, payloads, plain, read_all, some

from scenewatch.journal.journal import FileJournal
from scenewatch.journal.look import Look, Range
from scenewatch.journal.reader import Damage
from scenewatch.journal.segment import HEADER_BYTES, Header, new_mark
from scenewatch.model.errors import CorruptError, RefusedError, TemporaryError

if TYPE_CHECKING:
    from pathlib import Path

    from hypothesis.strategies import DataObject

TRIES = settings(deadline=None, max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture])
SIZES = (30, 1, 50, 2, 40, 33, 20, 60, 3)


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """Several segments, and what is in them."""
    path = tmp_path_factory.mktemp("written")
    with opened(path) as journal:
        for i, n in enumerate(SIZES):
            append_durably(journal, some(n, f"b{i}"))
        rows = plain(read_all(journal))
    assert len(list(path.glob("*.segment"))) >= 4
    return path, rows


@pytest.fixture(scope="module")
def scratch(tmp_path_factory):
    return tmp_path_factory.mktemp("scratch") / "journal"


def cut(data: DataObject, content: bytes) -> bytes:
    return content[: data.draw(st.integers(0, len(content)))]


def flip(data: DataObject, content: bytes) -> bytes:
    at = data.draw(st.integers(0, len(content) - 1))
    return content[:at] + bytes([content[at] ^ 1 << data.draw(st.integers(0, 7))]) + content[at + 1 :]


def overwrite(data: DataObject, content: bytes) -> bytes:
    at = data.draw(st.integers(0, len(content)))
    other = data.draw(st.binary(min_size=1, max_size=60))
    return content[:at] + other + content[at + len(other) :]


def insert(data: DataObject, content: bytes) -> bytes:
    at = data.draw(st.integers(0, len(content)))
    return content[:at] + data.draw(st.binary(min_size=1, max_size=60)) + content[at:]


def lose(data: DataObject, content: bytes) -> bytes:
    at = data.draw(st.integers(0, len(content)))
    return content[:at] + content[at + data.draw(st.integers(1, 400)) :]


def repeat(data: DataObject, content: bytes) -> bytes:
    at = data.draw(st.integers(0, len(content)))
    return content[:at] + content[data.draw(st.integers(0, at)) : at] + content[at:]


def zero(data: DataObject, content: bytes) -> bytes:
    at = data.draw(st.integers(0, len(content)))
    return content[:at] + bytes(len(content) - at)


MISHAPS = (cut, flip, overwrite, insert, lose, repeat, zero)


def read_on(journal: FileJournal) -> tuple[list, list[Damage]]:
    """All that can be read from the oldest position on, and what could not."""
    position, got = journal.status().oldest, []
    while position < journal.head:
        try:
            records = journal.read(position, most=40, wait_s=0)
        except CorruptError as error:
            position = next(d.end for d in journal.damaged if d.first <= position < d.end and str(d) == str(error))
        else:
            got += plain(records)
            assert all(a[1] <= b[0] for a, b in pairwise(plain(records)))
            position = records[-1].end
    return got, list(journal.damaged)


@TRIES
@given(data=st.data())
def test_any_mishaps_leave_what_lay_before_them_and_invent_nothing(written, scratch, data):
    path, rows = written
    shutil.rmtree(scratch, ignore_errors=True)
    shutil.copytree(path, scratch)
    segments = sorted(scratch.glob("*.segment"))
    whole_before = rows[-1][1]
    for segment in data.draw(st.lists(st.sampled_from(segments), min_size=1, max_size=3, unique=True)):
        content = segment.read_bytes()
        changed = data.draw(st.sampled_from(MISHAPS))(data, content)
        segment.write_bytes(changed)
        same = next((i for i, (a, b) in enumerate(zip(content, changed, strict=False)) if a != b), None)
        if changed != content:
            kept = min(len(content), len(changed)) if same is None else same
            whole_before = min(whole_before, reached(segment, content, kept))
    with opened(scratch) as journal:
        got, damaged = read_on(journal)
        assert [row for row in got if row not in rows] == [], "nothing is invented"
        assert len({row[0] for row in got}) == len(got), "nothing comes twice"
        assert [row for row in rows if row[1] <= whole_before] == [r for r in got if r[1] <= whole_before]
        lost = [row for row in rows if row not in got and row[1] <= journal.head]
        assert all(any(d.first <= row[0] and row[1] <= d.end for d in damaged) for row in lost), "all named"
        head = journal.head
        append_durably(journal, some(1, "after"))
        assert payloads(journal.read(head, most=1, wait_s=1)) == [b"after-0".ljust(20, b".")]


def reached(segment: Path, content: bytes, size: int) -> int:
    """The position up to which the first `size` bytes of a segment hold whole records."""
    header = Header.from_bytes(content)
    if size < HEADER_BYTES:
        return header.first
    marks = [i for i in range(HEADER_BYTES, len(content)) if content.startswith(header.mark, i)]
    ends = [*marks[1:], len(content)]
    counts = [int.from_bytes(content[at + 9 : at + 13], "little") for at in marks]
    assert int(segment.stem) == header.first
    return header.first + sum(n for n, end in zip(counts, ends, strict=True) if end <= size)


@TRIES
@given(data=st.data())
def test_any_segments_that_are_missing_are_named_and_the_others_are_whole(written, scratch, data):
    path, rows = written
    shutil.rmtree(scratch, ignore_errors=True)
    shutil.copytree(path, scratch)
    segments = sorted(scratch.glob("*.segment"))
    gone = data.draw(st.sets(st.sampled_from(segments), max_size=len(segments) - 1))
    for segment in gone:
        segment.unlink()
    starts = [int(s.stem) for s in segments]
    lost = {n for s, n in zip(segments, starts, strict=True) if s in gone}
    kept = [row for row in rows if max(n for n in starts if n <= row[0]) not in lost]
    with opened(scratch) as journal:
        got, damaged = read_on(journal)
        assert got == kept
        assert journal.status().oldest == kept[0][0]
        between = [row for row in rows if row not in kept and kept[0][0] < row[0] < kept[-1][0]]
        assert all(any(d.first <= row[0] < d.end for d in damaged) for row in between)


@TRIES
@given(
    name=st.one_of(st.integers(0, 10**20 - 1).map("{:020d}".format), st.text("019_-+a٣", min_size=1, max_size=21)),
    content=st.binary(max_size=80),
)
def test_any_file_that_calls_itself_a_segment_is_one_or_is_named(written, scratch, name, content):
    path, rows = written
    shutil.rmtree(scratch, ignore_errors=True)
    shutil.copytree(path, scratch)
    stranger = scratch / f"{name}.segment"
    stranger.write_bytes(content)
    if len(name) == 20 and name.isdigit() and int(name) < 2**62:
        with opened(scratch) as journal:
            assert [row for row in read_on(journal)[0] if row not in rows] == []
        return
    with pytest.raises(CorruptError) as caught, opened(scratch):
        pass
    assert str(caught.value) == f"{stranger} is not a segment of a journal: move it away"


@TRIES
@given(content=st.binary(max_size=400), known=st.booleans())
def test_any_bytes_are_looked_through_without_a_crash(scratch, content, known):
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir()
    header = Header(new_mark(), 7, 0)
    segment = scratch / f"{7:020d}.segment"
    segment.write_bytes((header.to_bytes() if known else b"") + content.replace(b"MARK", header.mark))
    look = Look(scratch)
    assert all(isinstance(item, Damage) for item in look.messages(Range()))
    assert [c.records for c in look.contents()] == [0]


def test_a_position_that_no_number_holds_is_no_segment(tmp_path):
    (tmp_path / f"{2**62:020d}.segment").write_bytes(b"")
    with pytest.raises(CorruptError, match="is not a segment of a journal: move it away"), opened(tmp_path):
        pass


def test_files_of_others_are_named_once_and_left_alone(tmp_path, caplog):
    (tmp_path / "notes.txt").touch()
    (tmp_path / "old").mkdir()
    with opened(tmp_path) as journal:
        append_durably(journal, some(1))
    assert [r.getMessage() for r in caplog.records] == [
        f"{tmp_path} holds 2 files that are not of a journal, and leaves them alone: notes.txt, old"
    ]
    assert (tmp_path / "notes.txt").exists()


def test_another_version_is_named_with_its_file(tmp_path, monkeypatch):
    monkeypatch.setattr("scenewatch.journal.segment.VERSION", 2)
    (tmp_path / f"{0:020d}.segment").write_bytes(Header(new_mark(), 0, 0).to_bytes())
    monkeypatch.undo()
    with (
        pytest.raises(RefusedError, match=r"0\.segment: the segment has format 2.*; use the release that wrote it"),
        opened(tmp_path),
    ):
        pass


@pytest.mark.parametrize("below", ["", "journal"])
def test_a_folder_that_cannot_be_written_is_named_with_the_setting(tmp_path, below):
    file = tmp_path / "file"
    file.touch()
    with pytest.raises(TemporaryError, match=r"cannot open the journal .*file.*check journal\.path"):
        FileJournal(file / below, clock=None, limits=SMALL)


def test_the_identity_of_a_folder_stays_and_is_made_anew_where_it_is_damaged(tmp_path):
    with opened(tmp_path / "a") as journal:
        first = journal.identity()
        assert journal.identity() == first
    with opened(tmp_path / "a") as journal, opened(tmp_path / "b") as other:
        assert journal.identity() == first != other.identity()
    (tmp_path / "a" / "identity").write_bytes(b"\xff")
    with opened(tmp_path / "a") as journal:
        assert journal.identity() != first
