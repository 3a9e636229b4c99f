"""The state on disk: the newest sound one is found, whatever happened while it was written."""

from __future__ import annotations

import pytest

from scenewatch.model.errors import TemporaryError
from scenewatch.worker.snapshots import KEPT, Snapshots


def save(snapshots, position, *pieces):
    snapshots.write(position, pieces)
    snapshots.keep(position)


def test_the_newest_comes_first_and_only_so_many_are_kept(tmp_path):
    snapshots = Snapshots(tmp_path)
    for position in (5, 40, 300):
        save(snapshots, position, b"state %d" % position)
    assert list(snapshots.newest_first()) == [(300, b"state 300"), (40, b"state 40")]
    assert len(list(tmp_path.iterdir())) == KEPT


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
