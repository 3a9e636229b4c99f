"""Local times come back as the moments they were written at, in every zone and order that tells them apart."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scenewatch.recorded.times import DOUBTFUL, IN_ORDER, PUT, SKIPPED, jumps, to_utc, zone_of

ZONES = ("Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Shanghai", "-05:00", "+05:30")
STEP_MS = 15 * 60_000
YEAR_2024_MS = 1_704_067_200_000
DAY_MS = 86_400_000


def written(utc_ms, zone):
    """What a logger that follows its zone writes."""
    moments = (datetime.fromtimestamp(t / 1000, UTC).astimezone(zone) for t in utc_ms.tolist())
    return np.array([round(m.replace(tzinfo=UTC).timestamp() * 1000) for m in moments], np.int64)


def one_series(times):
    return np.zeros(len(times), np.int64)


@settings(deadline=None, max_examples=40)
@given(
    zone=st.sampled_from(ZONES),
    around=st.sampled_from(("2024-03-10", "2024-03-31", "2024-04-06", "2024-10-05", "2024-10-27", "2024-11-03")),
    begin=st.integers(0, 80),
    newest_first=st.booleans(),
)
def test_what_a_logger_wrote_comes_back_as_it_was(zone, around, begin, newest_first):
    start_ms = int(np.datetime64(around, "ms").astype(np.int64)) - DAY_MS + begin * STEP_MS
    utc_ms = start_ms + np.arange(400, dtype=np.int64) * STEP_MS
    if newest_first:
        utc_ms = utc_ms[::-1].copy()
    found, what = to_utc(written(utc_ms, zone_of(zone)), one_series(utc_ms), zone_of(zone))
    assert np.array_equal(found, utc_ms)
    assert set(what.tolist()) <= {PUT, IN_ORDER}


def test_a_reading_an_hour_is_told_apart_too():
    utc_ms = YEAR_2024_MS + np.arange(366 * 24, dtype=np.int64) * 3_600_000
    found, what = to_utc(written(utc_ms, ZoneInfo("Europe/Berlin")), one_series(utc_ms), ZoneInfo("Europe/Berlin"))
    assert np.array_equal(found, utc_ms)
    assert np.count_nonzero(what == IN_ORDER) == 2


def test_the_order_is_that_of_each_series():
    utc_ms = np.repeat(1_729_983_600_000 + np.arange(12, dtype=np.int64) * STEP_MS, 2)
    series = np.tile(np.array([3, 8]), 12)
    found, what = to_utc(written(utc_ms, ZoneInfo("Europe/Berlin")), series, ZoneInfo("Europe/Berlin"))
    assert np.array_equal(found, utc_ms)
    assert DOUBTFUL not in what


@pytest.mark.parametrize(
    ("minutes", "told"),
    [
        ([120, 135, 150], [DOUBTFUL] * 3),  # once only
        ([120, 150, 120, 150, 120], [DOUBTFUL] * 5),  # a clock that goes back twice
        ([60, 180], [PUT, PUT]),
    ],
)
def test_an_hour_whose_order_tells_nothing_is_doubtful_and_taken_for_the_first(minutes, told):
    local_ms = int(np.datetime64("2024-10-27", "ms").astype(np.int64)) + np.array(minutes) * 60_000
    found, what = to_utc(local_ms, one_series(local_ms), ZoneInfo("Europe/Berlin"))
    assert what.tolist() == told
    doubtful = what == DOUBTFUL
    assert np.array_equal(found[doubtful], local_ms[doubtful] - 2 * 3_600_000)


def test_times_that_the_clocks_skipped_are_marked():
    local_ms = int(np.datetime64("2024-03-31", "ms").astype(np.int64)) + np.array([119, 120, 179, 180]) * 60_000
    _, what = to_utc(local_ms, one_series(local_ms), ZoneInfo("Europe/Berlin"))
    assert what.tolist() == [PUT, SKIPPED, SKIPPED, PUT]


def test_jumps_are_found_to_the_minute():
    found = jumps(ZoneInfo("Australia/Lord_Howe"), YEAR_2024_MS, YEAR_2024_MS + 366 * DAY_MS)
    spans = [(j.after_ms - j.before_ms) // 60_000 for j in found]
    assert spans == [-30, 30]
    assert [str(np.datetime64(j.at_ms, "ms")) for j in found] == [
        "2024-04-06T15:00:00.000",
        "2024-10-05T15:30:00.000",
    ]


@pytest.mark.parametrize("name", ["", "Mars/Olympus", "+8", "08:00", "../etc/passwd"])
def test_no_zone_is_refused_with_the_mend(name):
    with pytest.raises(ValueError, match=r"give a name such as Asia/Shanghai, or an offset such as \+08:00"):
        zone_of(name)
