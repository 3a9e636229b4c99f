"""What quality says of a reading, case by case. Times are seconds from a start; the device reports each 30 s."""

import numpy as np
import pytest
from quality_oracle import START_MS, batch_of, registry

from scenewatch.model import flags
from scenewatch.model.errors import CorruptError
from scenewatch.model.flags import Flag, Place
from scenewatch.quality.quality import Quality

AIR, PLAIN, SLOW_AIR = 0, 1, 2


def quality(*types):
    made = Quality()
    made.grow(registry(*(types or ("box", "slow"))))
    return made


def reading(t_s, value, *, series=AIR, received_s=None, live=True):
    received_ms = START_MS + round(1000 * (t_s if received_s is None else received_s))
    return series, START_MS + round(1000 * t_s), value, received_ms, live


def words(batch):
    """Such as "good", "late fail possible", "suspect stuck"."""
    return [
        " ".join(
            word
            for word in (
                "" if place == Place.NEW else Place(place).name.lower(),
                Flag(flag).name.lower(),
                "" if test == flags.Test.NONE else flags.Test(test).name.lower(),
            )
            if word
        )
        for place, flag, test in zip(batch.place, batch.flag, batch.test, strict=True)
    ]


def judged(readings):
    batch = batch_of(readings)
    quality().check(batch)
    return words(batch)


@pytest.mark.parametrize(
    ("value", "verdict"),
    [
        (5.0, "good"),
        (30.0, "good"),
        (30.1, "suspect expected"),
        (-10.1, "suspect expected"),
        (60.0, "suspect expected"),
        (60.1, "fail possible"),
        (-40.1, "fail possible"),
        (float("nan"), "fail possible"),
        (float("inf"), "fail possible"),
    ],
)
def test_a_value_is_held_against_its_spans(value, verdict):
    assert judged([reading(0, value)]) == [verdict]


def test_a_channel_without_limits_is_only_held_against_the_possible():
    values = [0.0, 60.0, -40.0, *[7.0] * 100, 61.0]
    verdicts = judged([reading(30 * i, v, series=PLAIN) for i, v in enumerate(values)])
    assert verdicts == ["good"] * 103 + ["fail possible"]


def test_a_change_quicker_than_the_fastest_is_suspect_and_so_is_the_way_back():
    assert judged([reading(0, 5.0), reading(30, 6.0), reading(60, 7.1), reading(90, 6.0)]) == [
        "good",
        "good",
        "suspect fastest",
        "suspect fastest",
    ]


def test_a_change_is_measured_from_the_last_reading_that_did_not_fail():
    assert judged([reading(0, 5.0), reading(30, 999.0), reading(60, 6.9), reading(61, 20.0)]) == [
        "good",
        "fail possible",
        "good",
        "suspect fastest",
    ]


def test_behind_a_gap_of_more_than_three_intervals_the_change_is_not_evaluated():
    assert judged([reading(0, 5.0), reading(90, 20.0), reading(180.001, 5.0), reading(210, 5.5)]) == [
        "good",
        "suspect fastest",
        "good gap",
        "good",
    ]


def test_the_gap_follows_the_reporting_interval_of_the_device_type():
    assert judged([reading(0, 5.0, series=SLOW_AIR), reading(1800, 6.0, series=SLOW_AIR)]) == ["good", "good"]


def test_a_failed_reading_does_not_fill_a_gap():
    assert judged([reading(0, 5.0), reading(60, 999.0), reading(120, 5.0)]) == [
        "good",
        "fail possible",
        "good gap",
    ]


def test_a_value_that_stands_still_for_ten_minutes_is_suspect_until_it_moves():
    readings = [reading(30 * i, 5.0) for i in range(22)] + [reading(660, 5.1)]
    assert judged(readings) == ["good"] * 20 + ["suspect stuck"] * 2 + ["good"]


def test_a_spike_that_cannot_be_does_not_end_a_standstill():
    readings = [reading(30 * i, 999.0 if i == 10 else 5.0) for i in range(21)]
    assert judged(readings) == ["good"] * 10 + ["fail possible"] + ["good"] * 9 + ["suspect stuck"]


def test_a_silence_ends_a_standstill():
    readings = [reading(30 * i, 5.0) for i in range(20)] + [reading(1000, 5.0), reading(1030, 5.0)]
    assert judged(readings) == ["good"] * 20 + ["good gap", "good"]


@pytest.mark.parametrize(
    ("value", "verdict"), [(5.0, "suspect clock"), (40.0, "suspect clock"), (99.0, "fail possible")]
)
def test_failing_goes_before_the_clock_and_the_clock_before_other_suspicions(value, verdict):
    assert judged([reading(61, value, received_s=0)]) == [verdict]


def test_expected_goes_before_fastest_and_before_a_gap():
    assert judged([reading(0, 5.0), reading(30, 40.0), reading(300, 41.0)]) == [
        "good",
        "suspect expected",
        "suspect expected",
    ]


@pytest.mark.parametrize(
    ("t_ms", "restamped"),
    [
        (START_MS + 60_000, False),
        (START_MS + 60_001, True),
        (START_MS - 10 * 365 * 86_400_000, False),
        (946_684_800_000, False),
        (946_684_799_999, True),
        (START_MS // 1000, True),
    ],
)
@pytest.mark.parametrize("live", [True, False])
def test_only_a_wrong_clock_gives_way_to_the_receive_time(t_ms, restamped, live):
    batch = batch_of([(AIR, t_ms, 5.0, START_MS, live)])
    quality().check(batch)
    assert batch.t_ms[0] == (START_MS if restamped else t_ms)
    assert batch.test[0] == (flags.Test.CLOCK if restamped else flags.Test.NONE)


def test_readings_restamped_to_one_receive_time_are_duplicates_of_the_first():
    readings = [(AIR, t_ms, 5.0 + t_ms, START_MS, True) for t_ms in (1, 2, 3)]
    assert judged(readings) == ["suspect clock", "duplicate suspect clock", "duplicate suspect clock"]


def test_late_and_double_readings_are_judged_alone_and_move_nothing():
    readings = [
        reading(60, 5.0),
        reading(30, 29.0),
        reading(0, 99.0),
        reading(60, 29.0),
        reading(90, 5.5),
    ]
    assert judged(readings) == ["good", "late good", "late fail possible", "duplicate good", "good"]


def test_history_is_late_wherever_it_lies_and_moves_nothing():
    readings = [reading(0, 5.0), reading(60, 29.0, live=False), reading(0, 29.0, live=False), reading(30, 5.5)]
    assert judged(readings) == ["good", "late good", "late good", "good"]


def test_series_do_not_touch_each_other():
    assert judged([reading(0, 5.0), reading(0, 25.0, series=SLOW_AIR), reading(30, 5.5)]) == ["good"] * 3


def test_the_last_readings_show_what_is_known_and_what_is_not():
    made = quality()
    made.check(batch_of([reading(0, 5.0), reading(30, 99.0), reading(10, 7.0), reading(20, 8.0, live=False)]))
    last = made.last(np.array([AIR, PLAIN]))
    assert last.t_ms[0] == START_MS + 30_000
    assert last.value[0] == 99.0
    assert (last.flag.tolist(), last.test[0]) == ([Flag.FAIL, Flag.MISSING], flags.Test.POSSIBLE)
    assert np.isnan(last.value[1])
    assert len(made.last().flag) == 3


def test_counts_account_for_every_reading_by_place_and_test():
    made = quality()
    made.check(batch_of([reading(0, 5.0), reading(0, 5.0), reading(30, 99.0), reading(10, 40.0)]))
    assert made.counts.sum() == 4
    assert made.counts[Place.NEW, flags.Test.NONE] == 1
    assert made.counts[Place.NEW, flags.Test.POSSIBLE] == 1
    assert made.counts[Place.DUPLICATE, flags.Test.NONE] == 1
    assert made.counts[Place.LATE, flags.Test.EXPECTED] == 1


def test_growing_keeps_what_is_known_of_the_series_before():
    made = quality("box")
    made.check(batch_of([reading(0, 5.0)]))
    made.grow(registry("box", "slow"))
    batch = batch_of([reading(30, 25.0), reading(30, 25.0, series=SLOW_AIR)])
    made.check(batch)
    assert words(batch) == ["suspect fastest", "good"]


def test_a_reading_of_an_unknown_series_is_refused():
    with pytest.raises(IndexError, match="not grown"):
        quality("box").check(batch_of([reading(0, 5.0, series=2)]))


def test_an_empty_batch_is_nothing():
    batch = batch_of([])
    quality().check(batch)
    assert len(batch) == 0


def test_a_snapshot_of_another_size_or_form_is_refused_and_changes_nothing():
    made = quality()
    made.check(batch_of([reading(0, 5.0)]))
    before = b"".join(made.snapshot())
    for damaged in (b"", b"\xc1", before[:-9], b"".join(quality("box").snapshot()), b"\x81\xa7version\x09"):
        with pytest.raises(CorruptError):
            made.restore(damaged)
        assert b"".join(made.snapshot()) == before
