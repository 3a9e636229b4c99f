"""The state on disk: the newest sound one is found, whatever happened while it was written."""

from __future__ import annotations

import os

import pytest

from scenewatch.model.errors import TemporaryError
from scenewatch.worker.snapshots import ARCHIVED, ARCHIVED_EVERY_S, KEPT, Snapshots


def save(snapshots, position, *pieces):
    snapshots.write(position, pieces)
    snapshots.keep(position)


def save_at(snapshots, folder, position, at_s):
    save(snapshots, position, b"state %d" % position)
    os.utime(folder / f"{position:020d}.snapshot", (at_s, at_s))


def positions(snapshots):
    return [position for position, _ in snapshots.newest_first()]


def test_the_newest_come_first_and_of_older_ones_one_an_hour_stays(tmp_path):
    snapshots = Snapshots(tmp_path)
    half_hours = range(1, 10)
    for n in half_hours:
        save_at(snapshots, tmp_path, n, n * ARCHIVED_EVERY_S // 2)
    assert positions(snapshots) == [9, 8, 7, 5, 3, 1]
    assert next(snapshots.newest_first()) == (9, b"state 9")


def test_what_the_journal_does_not_reach_any_more_goes(tmp_path):
    snapshots = Snapshots(tmp_path, oldest=lambda: 4)
    for n in range(1, 7):
        save_at(snapshots, tmp_path, n, n * ARCHIVED_EVERY_S)
    assert positions(snapshots) == [6, 5, 4]


def test_the_archive_is_bounded(tmp_path):
    snapshots = Snapshots(tmp_path)
    for n in range(ARCHIVED + 10):
        save_at(snapshots, tmp_path, n, n * ARCHIVED_EVERY_S)
    assert positions(snapshots) == list(reversed(range(10 - KEPT, ARCHIVED + 10)))


def test_one_that_is_removed_while_others_are_read_is_no_mistake(tmp_path):
    snapshots = Snapshots(tmp_path)
    for n in (1, 2):
        save(snapshots, n, b"state")
    reading = snapshots.newest_first()
    next(reading)
    (tmp_path / f"{1:020d}.snapshot").unlink()
    assert list(reading) == []


def test_they_are_there_after_a_restart(tmp_path):
    save(Snapshots(tmp_path / "state"), 7, b"")
    assert list(Snapshots(tmp_path / "state").newest_first()) == [(7, b"")]


@pytest.mark.parametrize(
    "damage", [lambda b: b[:-1], lambda _: b"", lambda b: b[:4] + b"X" + b[5:], lambda b: b[1:]]
)
def test_a_damaged_one_is_passed_over(tmp_path, caplog, damage):
    snapshots = Snapshots(tmp_path)
    save(snapshots, 1, b"older state")
    save(snapshots, 2, b"newer state")
    newest = max(tmp_path.iterdir())
    newest.write_bytes(damage(newest.read_bytes()))
    assert list(snapshots.newest_first()) == [(1, b"older state")]
    assert str(newest) in caplog.text


def test_one_that_was_being_written_at_a_crash_does_not_count(tmp_path):
    snapshots = Snapshots(tmp_path)
    save(snapshots, 1, b"whole")
    (tmp_path / "00000000000000000002.partial").write_bytes(b"hal")
    assert [position for position, _ in snapshots.newest_first()] == [1]
    save(snapshots, 2, b"whole again")
    assert [position for position, _ in snapshots.newest_first()] == [2, 1]


def test_pieces_are_one_state_that_counts_once_it_is_kept(tmp_path):
    snapshots = Snapshots(tmp_path)
    snapshots.write(3, (b"one ", b"", b"state"))
    assert list(snapshots.newest_first()) == []
    snapshots.keep(3)
    assert list(snapshots.newest_first()) == [(3, b"one state")]


def test_one_that_was_never_kept_goes_with_the_next(tmp_path):
    snapshots = Snapshots(tmp_path)
    snapshots.write(1, (b"never kept",))
    save(snapshots, 2, b"kept")
    assert [path.name for path in tmp_path.iterdir()] == ["00000000000000000002.snapshot"]


def test_what_cannot_be_written_leaves_the_one_before(tmp_path):
    snapshots = Snapshots(tmp_path)
    save(snapshots, 1, b"kept")
    (tmp_path / "00000000000000000002.partial").mkdir()
    with pytest.raises(TemporaryError, match="cannot save the state"):
        snapshots.write(2, (b"lost",))
    with pytest.raises(TemporaryError, match="cannot save the state"):
        snapshots.keep(3)
    assert list(snapshots.newest_first()) == [(1, b"kept")]
