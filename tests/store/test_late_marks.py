"""Marks and progress of summaries: each store's own, and a mark that was set again outlives its removal."""

import pytest

from scenewatch.model.level import Level
from scenewatch.store.latemarks import LateMark, LateMarks
from scenewatch.store.progress import Progress, ProgressTable
from scenewatch.store.relational import Database


@pytest.fixture
def database(tmp_path):
    database = Database(f"sqlite:///{tmp_path / 'rows.sqlite'}")
    yield database
    database.close()


def test_marks_are_kept_by_hour_and_device(database):
    marks = LateMarks(database, "a")
    marks.add([(7200, "b"), (3600, "a"), (7200, "a")])
    marks.add([])
    assert marks.hours_ms() == [3600, 7200]
    assert marks.of(7200) == [LateMark("a", 1), LateMark("b", 1)]
    assert marks.count() == 3


def test_a_mark_that_was_set_again_stays(database):
    marks = LateMarks(database, "a")
    marks.add([(3600, "a"), (3600, "b")])
    taken = marks.of(3600)
    marks.add([(3600, "b")])
    marks.remove(3600, taken)
    marks.remove(3600, [])
    assert marks.of(3600) == [LateMark("b", 2)]


def test_two_stores_do_not_see_each_other(database):
    ours, theirs = LateMarks(database, "a"), LateMarks(database, "b")
    ours.add([(3600, "x")])
    assert (theirs.hours_ms(), theirs.of(3600), theirs.count()) == ([], [], 0)
    theirs.remove(3600, ours.of(3600))
    theirs.clear()
    assert ours.count() == 1
    ours.clear()
    assert ours.count() == 0


def test_progress_is_kept_whole(database):
    table, other = ProgressTable(database, "a"), ProgressTable(database, "b")
    assert table.load() is None
    begun = Progress.begin(day_ms=1000, hour_ms=1000, utc_offset_minutes=480)
    table.save(begun)
    moved = begun.moved(Level.MINUTE, 2000).moved(Level.HOUR, 1500)
    table.save(moved)
    assert table.load() == moved
    assert [moved.until_ms(level) for level in (Level.MINUTE, Level.HOUR, Level.DAY)] == [2000, 1500, 1000]
    assert other.load() is None
    table.clear()
    assert table.load() is None
