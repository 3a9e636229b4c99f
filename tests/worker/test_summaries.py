"""When windows are made, anew, or not: decided by the record's own times, a clock moved by hand beside them."""

from __future__ import annotations

import pytest

from ends import wait_for
from scenewatch.model.errors import TemporaryError
from scenewatch.model.level import Level
from scenewatch.worker import retention
from scenewatch.worker.lateness import SETTLE_MS
from scenewatch.worker.summaries import GRACE_MS
from summary_rig import DAY_MS, HOUR_MS, MIDNIGHT_MS, MINUTE_MS, SummaryRig, device_id, quick_database

SERIES = "brine.w1.vat-0.temp"


@pytest.fixture
def rig(tmp_path, caplog):
    caplog.set_level("INFO", "scenewatch")
    database = quick_database(tmp_path)
    yield SummaryRig(database)
    database.close()


def restart(rig, **keep):
    rig.keep = keep
    rig.start()


def go_on(rig, until_ms, every_ms=HOUR_MS):
    """A reading at each step, summarised at each step."""
    while rig.clock.ms < until_ms:
        rig.clock.ms += every_ms
        rig.write((0, rig.clock.ms, 1.0))
        rig.run()


def until(rig):
    progress = rig.summaries.state().progress
    return [progress.until_ms(level) - MIDNIGHT_MS for level in (Level.MINUTE, Level.HOUR, Level.DAY)]


def lines(caplog, *words):
    return [r.message for r in caplog.records if all(word in r.message for word in words)]


def test_an_empty_store_has_no_summaries(rig):
    rig.run()
    assert rig.summaries.state().progress is None
    assert rig.store.calls == []


def test_a_window_is_made_when_it_is_over_and_the_clocks_of_devices_agree(rig):
    rig.write((0, MIDNIGHT_MS + 5, 1.0))
    rig.clock.ms = MIDNIGHT_MS + MINUTE_MS + GRACE_MS
    rig.write((0, rig.clock.ms - 1, 1.0))
    rig.run()
    assert rig.store.rows[Level.MINUTE] == {}
    rig.write((2, rig.clock.ms, 1.0))
    rig.run()
    assert until(rig) == [MINUTE_MS, 0, 0]
    assert list(rig.store.rows[Level.MINUTE]) == [(SERIES, MIDNIGHT_MS)]


def test_hours_follow_their_minutes_and_days_their_hours(rig):
    rig.write((0, MIDNIGHT_MS, 1.0))
    go_on(rig, MIDNIGHT_MS + 25 * HOUR_MS)
    assert until(rig) == [25 * HOUR_MS - GRACE_MS, DAY_MS, DAY_MS]
    assert list(rig.store.rows[Level.DAY]) == [(SERIES, MIDNIGHT_MS)]
    assert rig.store.rows[Level.DAY][SERIES, MIDNIGHT_MS].count == 24
    rig.assert_right()


def test_a_reading_from_the_future_does_not_make_the_present_late(rig):
    rig.write((0, MIDNIGHT_MS, 1.0), (0, MIDNIGHT_MS + 900 * DAY_MS, 1.0))
    rig.clock.ms += HOUR_MS
    rig.run()
    assert until(rig)[0] == HOUR_MS - GRACE_MS


def test_a_long_record_is_gone_over_oldest_first_in_short_stretches(rig, caplog):
    for hour in range(72):
        rig.store.put(SERIES, MIDNIGHT_MS + hour * HOUR_MS, 1.0)
    rig.clock.ms = MIDNIGHT_MS + 71 * HOUR_MS
    rig.run()
    minutes = [(a, b) for level, a, b, _ in rig.store.calls if level is Level.MINUTE]
    assert minutes == sorted(minutes)
    assert all(b - a <= HOUR_MS for a, b in minutes)
    assert len(lines(caplog, "made of the record")) == 1
    assert len(lines(caplog, "up to date")) == 1
    rig.run_to_the_end()
    rig.assert_right()


def test_years_of_nothing_are_gone_over_in_longer_stretches(rig):
    rig.store.put(SERIES, MIDNIGHT_MS - 60 * DAY_MS, 1.0)
    rig.store.put(SERIES, MIDNIGHT_MS, 1.0)
    rig.clock.ms = MIDNIGHT_MS + HOUR_MS
    rig.run()
    assert sum(call[0] is Level.MINUTE for call in rig.store.calls) < 75
    rig.run_to_the_end()
    rig.assert_right()


def test_what_comes_late_is_made_anew_for_its_devices_alone(rig):
    rig.write((0, MIDNIGHT_MS, 1.0))
    go_on(rig, MIDNIGHT_MS + 26 * HOUR_MS)
    rig.store.calls.clear()
    rig.write((2, MIDNIGHT_MS + 5, 7.0), (4, MIDNIGHT_MS + 7, 7.0), (4, MIDNIGHT_MS + 2 * HOUR_MS, -1.0))
    assert rig.store.rows[Level.MINUTE].get(("brine.w1.vat-1.temp", MIDNIGHT_MS)) is None
    rig.clock.ms += SETTLE_MS
    rig.run()
    both, third = (device_id(1), device_id(2)), MIDNIGHT_MS + 2 * HOUR_MS
    assert rig.store.calls == [
        (Level.MINUTE, MIDNIGHT_MS, MIDNIGHT_MS + HOUR_MS, both),
        (Level.HOUR, MIDNIGHT_MS, MIDNIGHT_MS + HOUR_MS, both),
        (Level.MINUTE, third, third + HOUR_MS, both[1:]),
        (Level.HOUR, third, third + HOUR_MS, both[1:]),
        (Level.DAY, MIDNIGHT_MS, MIDNIGHT_MS + DAY_MS, both),
    ]
    rig.assert_right()


def test_late_windows_that_are_still_to_come_are_left_to_come(rig):
    rig.write((0, MIDNIGHT_MS, 1.0))
    go_on(rig, MIDNIGHT_MS + HOUR_MS // 2, every_ms=MINUTE_MS)
    rig.store.calls.clear()
    rig.write((2, MIDNIGHT_MS, 7.0))
    rig.clock.ms += SETTLE_MS
    rig.run()
    made_until_ms = MIDNIGHT_MS + HOUR_MS // 2 - GRACE_MS
    assert rig.store.calls == [(Level.MINUTE, MIDNIGHT_MS, made_until_ms, (device_id(1),))]


@pytest.mark.parametrize("missing", [Level.MINUTE, Level.HOUR, Level.DAY])
def test_a_missing_level_holds_up_only_what_is_made_of_it(rig, caplog, missing):
    rig.write((0, MIDNIGHT_MS, 1.0))
    whole, there = rig.store.summarise, False

    def summarise(level, *args, **kwargs):
        if level is missing and not there:
            raise TemporaryError(f"no bucket for {level.name}")
        return whole(level, *args, **kwargs)

    rig.store.summarise = summarise
    go_on(rig, MIDNIGHT_MS + 26 * HOUR_MS)
    assert [ms > 0 for ms in until(rig)] == [level < missing for level in (Level.MINUTE, Level.HOUR, Level.DAY)]
    [told] = lines(caplog, "cannot be made")
    assert told.endswith(f"that is caught up on later: no bucket for {missing.name}")
    there = True
    rig.run_to_the_end()
    rig.assert_right()
    assert len(lines(caplog, "are made again")) == 1


@pytest.mark.parametrize("deletes", [True, False], ids=["by the worker", "by the server"])
def test_a_summary_that_would_shrink_is_not_made_anew(rig, caplog, deletes):
    rig.deletes = deletes
    rig.write((0, MIDNIGHT_MS, 1.0))
    go_on(rig, MIDNIGHT_MS + 49 * HOUR_MS)
    restart(rig, readings_days=1, minutes_days=1, hours_days=2)
    go_on(rig, MIDNIGHT_MS + 51 * HOUR_MS)
    expected = dict(rig.store.rows[Level.DAY])
    rig.store.calls.clear()
    gone, whole = MIDNIGHT_MS + 3 * HOUR_MS, MIDNIGHT_MS + 50 * HOUR_MS
    rig.write((0, gone + 1, 9.0), (2, gone + 2, 9.0), (0, whole + 1, 9.0))
    rig.clock.ms += SETTLE_MS
    rig.run()
    assert {call[1] for call in rig.store.calls} == {whole}
    assert rig.store.rows[Level.DAY] == expected
    assert rig.summaries.state().dropped == 2
    assert rig.summaries.state().waiting == 0
    assert len(lines(caplog, "told once")) == 1


def test_a_day_whose_first_hours_are_gone_is_not_made_anew_but_its_last_hours_are(rig):
    rig.write((0, MIDNIGHT_MS, 1.0))
    go_on(rig, MIDNIGHT_MS + 49 * HOUR_MS)
    restart(rig, readings_days=2, minutes_days=2, hours_days=2)
    day = rig.store.rows[Level.DAY][SERIES, MIDNIGHT_MS]
    rig.write((0, MIDNIGHT_MS + 20 * HOUR_MS + 1, 9.0))
    rig.clock.ms += SETTLE_MS
    rig.run()
    assert rig.store.rows[Level.HOUR][SERIES, MIDNIGHT_MS + 20 * HOUR_MS].high == 9.0
    assert rig.store.rows[Level.DAY][SERIES, MIDNIGHT_MS] == day


def test_what_a_servers_retention_may_have_cut_is_not_begun_with(rig):
    rig.deletes = False
    restart(rig, readings_days=1, minutes_days=1, hours_days=2)
    rig.write((0, MIDNIGHT_MS, 1.0))
    rig.clock.ms = MIDNIGHT_MS + 3 * DAY_MS + HOUR_MS // 2
    rig.write((0, rig.clock.ms, 1.0))
    rig.run()
    first: dict[Level, int] = {}
    for level, from_ms, *_ in rig.store.calls:
        first.setdefault(level, from_ms - MIDNIGHT_MS)
    assert first[Level.MINUTE] == first[Level.HOUR] - HOUR_MS // 2 == 2 * DAY_MS + HOUR_MS // 2
    assert first[Level.DAY] == 2 * DAY_MS


@pytest.mark.parametrize("offset", [0, 330, 485])
def test_days_are_made_anew_when_they_begin_at_another_time(rig, caplog, offset):
    rig.write((0, MIDNIGHT_MS, 1.0), (0, MIDNIGHT_MS + 15 * HOUR_MS, 9.0))
    go_on(rig, MIDNIGHT_MS + 60 * HOUR_MS)
    restart(rig, utc_offset_minutes=offset)
    go_on(rig, MIDNIGHT_MS + 61 * HOUR_MS)
    rig.write((0, MIDNIGHT_MS + 16 * HOUR_MS, 11.0))
    rig.run_to_the_end()
    begins = {t for _, t in rig.store.rows[Level.DAY] if (t + offset * MINUTE_MS) % DAY_MS == 0}
    assert len(begins) >= 2
    for t in begins:
        inside = [w.high for (_, at), w in rig.store.readings.items() if t <= at < t + DAY_MS]
        assert rig.store.rows[Level.DAY][SERIES, t].high == max(inside)
    assert len(lines(caplog, "utc_offset_minutes is")) == 1


def test_a_new_store_under_an_old_name_begins_anew(rig):
    rig.write((0, MIDNIGHT_MS, 1.0))
    go_on(rig, MIDNIGHT_MS + 2 * HOUR_MS)
    rig.write((0, MIDNIGHT_MS + 1, 1.0))
    rig.store.readings.clear()
    rig.start()
    assert rig.summaries.state().progress is None
    assert rig.summaries.state().waiting == 0


def test_nothing_is_deleted_unless_the_settings_say_so(rig):
    rig.write((0, MIDNIGHT_MS, 1.0))
    go_on(rig, MIDNIGHT_MS + 3 * HOUR_MS)
    assert rig.store.forgotten == []


def test_what_is_kept_no_longer_is_told_then_deleted_once_an_hour(rig, caplog):
    restart(rig, readings_days=1, minutes_days=30)
    rig.write((0, MIDNIGHT_MS, 1.0))
    rig.run()
    [told] = lines(caplog, "deleted once an hour")
    assert told == (
        "deleted once an hour from 2027-01-15 16:10 UTC on, as [keep] says: readings older than 1 d (now: before "
        "2027-01-14 16:00 UTC); minutes older than 30 d (now: before 2026-12-16 16:00 UTC)"
    )
    go_on(rig, MIDNIGHT_MS + 27 * HOUR_MS, every_ms=HOUR_MS // 2)
    assert len(rig.store.forgotten) == 27
    assert rig.store.forgotten[-1] == {
        Level.READING: MIDNIGHT_MS + 2.5 * HOUR_MS,
        Level.MINUTE: rig.clock.ms - HOUR_MS // 2 - 30 * DAY_MS,
    }
    assert min(t for _, t in rig.store.readings) == MIDNIGHT_MS + 2.5 * HOUR_MS


def test_no_reading_is_deleted_before_its_minute_is_made(rig):
    for hour in range(100):
        rig.store.put(SERIES, MIDNIGHT_MS + hour * HOUR_MS, 1.0)
    rig.clock.ms = MIDNIGHT_MS + 99 * HOUR_MS
    restart(rig, readings_days=1)
    rig.summaries.step()
    rig.clock.ms += retention.FIRST_AFTER_MS
    rig.summaries.step()
    [before] = rig.store.forgotten
    assert before[Level.READING] == MIDNIGHT_MS + until(rig)[0]
    rig.run()
    assert len(rig.store.rows[Level.MINUTE]) == 99


def test_a_server_deletes_by_itself(rig):
    rig.deletes = False
    restart(rig, readings_days=1)
    rig.write((0, MIDNIGHT_MS, 1.0))
    go_on(rig, MIDNIGHT_MS + 3 * HOUR_MS)
    assert rig.store.forgotten == []


def test_the_thread_goes_along_and_ends_when_told(rig):
    rig.write((0, MIDNIGHT_MS, 1.0))
    rig.clock.ms += HOUR_MS
    rig.write((0, rig.clock.ms, 1.0))
    rig.summaries.start()
    wait_for(lambda: rig.summaries.state().progress and until(rig)[0] == HOUR_MS - GRACE_MS)
    rig.summaries.stop()


def test_a_thread_that_never_began_ends(rig):
    rig.summaries.stop()
