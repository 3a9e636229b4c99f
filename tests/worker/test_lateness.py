"""What comes late is marked before the store has it, and no summary is made over a batch on its way."""

from __future__ import annotations

import pytest

from scenewatch.model.errors import TemporaryError
from scenewatch.model.flags import Place
from scenewatch.store.latemarks import LateMarks
from scenewatch.worker import lateness as module
from scenewatch.worker.lateness import LONGEST_SETTLE_MS, SETTLE_MS
from summary_rig import HOUR_MS, MIDNIGHT_MS, MINUTE_MS, SummaryRig, device_id, quick_database

NOON_MS = MIDNIGHT_MS + 12 * HOUR_MS


@pytest.fixture
def rig(tmp_path):
    """Everything up to noon is summarised."""
    database = quick_database(tmp_path)
    rig = SummaryRig(database, now_ms=NOON_MS)
    rig.write((0, MIDNIGHT_MS, 1.0))
    rig.summaries.step()
    assert rig.lateness.claim(NOON_MS) == NOON_MS
    yield rig
    database.close()


def marks(rig):
    table = LateMarks(rig.database, "duckdb:a")
    return {(hour, mark.device): mark.revision for hour in table.hours_ms() for mark in table.of(hour)}


def note(rig, *rows, **how):
    rig.lateness.note(rig.batch(rows, **how))


def test_what_is_in_time_is_not_marked(rig, monkeypatch):
    monkeypatch.setattr(module.np, "unique", None)  # nothing is looked at but the oldest
    note(rig, (0, NOON_MS, 1.0), (3, NOON_MS + 5, 1.0))
    assert marks(rig) == {}


def test_each_late_device_and_hour_is_marked_once(rig):
    note(rig, *[(series, NOON_MS - ago, 1.0) for series in (0, 1, 4) for ago in (1, 2, HOUR_MS, HOUR_MS + 1, -1)])
    hours = (NOON_MS - HOUR_MS, NOON_MS - 2 * HOUR_MS)
    assert marks(rig) == {(hour, device_id(device)): 1 for hour in hours for device in (0, 2)}


def test_a_mark_that_waits_is_not_written_again(rig):
    for _ in range(3):
        note(rig, (0, NOON_MS - 1, 1.0))
        rig.lateness.stored()
    assert set(marks(rig).values()) == {1}


def test_duplicates_make_nothing_late(rig):
    note(rig, (0, NOON_MS - 1, 1.0), place=Place.DUPLICATE)
    assert marks(rig) == {}


def test_before_the_first_summary_nothing_is_late(tmp_path):
    database = quick_database(tmp_path)
    rig = SummaryRig(database)
    note(rig, (0, MIDNIGHT_MS, 1.0))
    assert marks(rig) == {}
    assert rig.lateness.claim(NOON_MS) == MIDNIGHT_MS, "the batch on its way is not in the store yet"
    database.close()


def test_the_claim_stops_at_a_batch_on_its_way(rig):
    note(rig, (0, NOON_MS + 90_000, 1.0), (1, NOON_MS - 1, 1.0))
    assert rig.lateness.claim(NOON_MS + HOUR_MS) == NOON_MS + MINUTE_MS
    rig.lateness.stored()
    assert rig.lateness.claim(NOON_MS + HOUR_MS) == NOON_MS + HOUR_MS
    assert rig.lateness.claim(NOON_MS) == NOON_MS + HOUR_MS, "it never goes back"


def test_an_hour_is_given_when_it_has_settled(rig):
    note(rig, (0, NOON_MS - 1, 1.0))
    rig.lateness.stored()
    rig.clock.ms += SETTLE_MS - 1
    assert rig.lateness.take() == []
    rig.clock.ms += 1
    assert rig.lateness.take() == [NOON_MS - HOUR_MS]
    assert rig.lateness.take() == []


def test_an_hour_that_never_settles_is_given_all_the_same(rig):
    for _ in range(LONGEST_SETTLE_MS // 30_000):
        assert rig.lateness.take() == []
        note(rig, (0, NOON_MS - 1, 1.0))
        rig.lateness.stored()
        rig.clock.ms += 30_000
    assert rig.lateness.take() == [NOON_MS - HOUR_MS]


def test_an_hour_is_not_given_while_a_batch_brings_more_of_it(rig):
    note(rig, (0, NOON_MS - 1, 1.0))
    rig.clock.ms += LONGEST_SETTLE_MS
    assert rig.lateness.take() == []
    rig.lateness.stored()
    assert rig.lateness.take() == [NOON_MS - HOUR_MS]


def test_what_comes_after_an_hour_was_given_marks_it_anew(rig):
    note(rig, (0, NOON_MS - 1, 1.0))
    rig.lateness.stored()
    rig.clock.ms += SETTLE_MS
    rig.lateness.take()
    note(rig, (0, NOON_MS - 1, 1.0))
    assert set(marks(rig).values()) == {2}


def test_hours_are_given_by_day_and_come_again_when_put_back(rig):
    yesterday = [MIDNIGHT_MS - 2 * HOUR_MS, MIDNIGHT_MS - HOUR_MS]
    note(rig, (0, NOON_MS - 1, 1.0), *((0, hour, 1.0) for hour in yesterday))
    rig.lateness.stored()
    rig.clock.ms += SETTLE_MS
    assert rig.lateness.take() == yesterday
    rig.lateness.put_back(yesterday)
    assert rig.lateness.take() == [NOON_MS - HOUR_MS]
    rig.clock.ms += SETTLE_MS
    assert rig.lateness.take() == yesterday


def test_without_its_mark_the_batch_does_not_go_on(rig, monkeypatch):
    def away(*_):
        raise TemporaryError("away")

    with monkeypatch.context() as patch:
        patch.setattr(LateMarks, "add", away)
        with pytest.raises(TemporaryError):
            note(rig, (0, NOON_MS - 1, 1.0))
    note(rig, (0, NOON_MS - 1, 1.0))
    assert len(marks(rig)) == 1


def test_marks_and_the_claim_outlive_a_crash(rig):
    rig.clock.ms = NOON_MS + 3 * MINUTE_MS
    rig.write((0, rig.clock.ms, 1.0))
    rig.run()
    rig.write((0, MIDNIGHT_MS + 1, 2.0))
    rig.start()
    note(rig, (2, NOON_MS - 1, 1.0))
    assert set(marks(rig)) == {(MIDNIGHT_MS, device_id(0)), (NOON_MS - HOUR_MS, device_id(1))}
    rig.lateness.stored()
    rig.start()
    rig.clock.ms += SETTLE_MS
    assert rig.lateness.take() == [MIDNIGHT_MS, NOON_MS - HOUR_MS]
