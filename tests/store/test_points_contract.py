"""What every store must do with alarms, events and figures; see `ports.Points`."""

import itertools
import math
import struct
import threading
from contextlib import closing
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stores import STORES

from scenewatch.model.errors import RefusedError
from scenewatch.model.level import Level
from scenewatch.model.point import Point

T_MS = 1_800_000_000_000
ALL_TIME = (-(2**63), 2**63 - 1)
ALARM = Point(
    measurement="alarm",
    tags={"scene": "kitchen", "site": "s001", "device": "fridge-1", "rule": "fridge_warm"},
    t_ms=T_MS,
    fields={"standing": 1, "cleared_ms": 0, "lasted_s": 0.0, "value": 9.25, "title_zh": "冷藏柜温度过高"},
    keep=Level.DAY,
)
EVENT = Point(
    measurement="event",
    tags={"scene": "kitchen", "site": "s001", "device": "fridge-1", "kind": "defrost"},
    t_ms=T_MS,
    fields={"level": "info", "text": 'said "done",\nthen 👍🏽\\ and = nothing', "value": 3.0},
    keep=Level.DAY,
)
FIGURE = Point(measurement="pipeline", tags={"worker": "one"}, t_ms=T_MS, fields={"received": 5}, keep=Level.MINUTE)


@pytest.fixture(scope="module")
def store(kind, tmp_path_factory):
    with closing(STORES[kind](tmp_path_factory.mktemp("points"))) as store:
        yield store


NUMBERS = itertools.count()


@pytest.fixture
def measurement():
    """One of its own for each test, so that they may share a store."""
    return f"m{next(NUMBERS)}"


def recorded(store, measurement, keep=Level.DAY, span=ALL_TIME, limit=1000):
    return list(store.recorded(measurement, keep, *span, limit))


def bits(fields):
    """Of floats what 64 bits say, so that -0.0 is not 0.0, nor 1 the same as 1.0."""
    return {key: struct.pack("<d", value) if isinstance(value, float) else value for key, value in fields.items()}


def same(found, expected):
    assert [replace(p, fields=bits(p.fields)) for p in found] == [
        replace(p, fields=bits(p.fields)) for p in expected
    ]


def test_what_was_never_recorded_is_empty(store, measurement):
    assert recorded(store, measurement) == []


@pytest.mark.parametrize("point", [ALARM, EVENT, FIGURE], ids=lambda p: p.measurement)
def test_a_point_comes_back_as_it_was_recorded(store, measurement, point):
    mine = replace(point, measurement=measurement)
    store.record([mine])
    same(recorded(store, measurement, point.keep), [mine])


def test_points_are_kept_apart_by_how_long_they_are_kept(store, measurement):
    day = replace(ALARM, measurement=measurement)
    minute = replace(day, keep=Level.MINUTE, fields={"standing": 0})
    store.record([day, minute])
    same(recorded(store, measurement, Level.DAY), [day])
    same(recorded(store, measurement, Level.MINUTE), [minute])
    assert recorded(store, measurement, Level.HOUR) == []


def test_recorded_again_its_fields_take_the_place_of_the_earlier_ones(store, measurement):
    raised = replace(ALARM, measurement=measurement)
    other = replace(raised, tags={**raised.tags, "device": "fridge-2"})
    later = replace(raised, t_ms=T_MS + 1)
    store.record([raised, other, later])
    cleared = replace(raised, fields={"standing": 0, "cleared_ms": T_MS + 60_000, "lasted_s": 60.0})
    store.record([cleared])
    store.record([cleared])
    same(recorded(store, measurement), [replace(raised, fields=raised.fields | cleared.fields), other, later])


def test_of_two_at_one_place_in_one_call_the_later_one_wins(store, measurement):
    one, two = (replace(FIGURE, measurement=measurement, fields={"received": n}) for n in (1, 2))
    store.record([one, two])
    same(recorded(store, measurement, FIGURE.keep), [two])


def test_the_order_of_tags_does_not_matter(store, measurement):
    point = replace(ALARM, measurement=measurement)
    store.record([point, replace(point, tags=dict(reversed(point.tags.items())))])
    same(recorded(store, measurement), [point])


def test_they_are_told_in_order_of_time_and_then_of_tags(store, measurement):
    points = [
        replace(FIGURE, measurement=measurement, t_ms=T_MS + t, tags={"worker": worker})
        for t in (0, 1, 2)
        for worker in ("a", "ab", "b")
    ]
    store.record(points[::-1])
    for limit in range(len(points) + 2):
        assert recorded(store, measurement, FIGURE.keep, limit=limit) == points[:limit]


@pytest.mark.parametrize(("span", "expected"), [((0, 3), [0, 1, 2]), ((1, 2), [1]), ((3, 9), []), ((2, 1), [])])
def test_a_span_has_its_begin_and_not_its_end(store, measurement, span, expected):
    store.record([replace(FIGURE, measurement=measurement, t_ms=T_MS + t) for t in range(3)])
    found = recorded(store, measurement, FIGURE.keep, (T_MS + span[0], T_MS + span[1]))
    assert [point.t_ms - T_MS for point in found] == expected


REFUSED = {
    "no fields": {"fields": {}},
    "an empty tag": {"tags": {"site": ""}},
    "a line in a tag": {"tags": {"site": "a\nb"}},
    "a backslash at a tag's end": {"tags": {"site": "a\\"}},
    "a name twice": {"tags": {"received": "x"}},
    "a name that InfluxDB uses": {"fields": {"time": 1}},
    "an empty name": {"fields": {"": 1}},
    "a name with a backslash": {"fields": {"a\\b": 1}},
    "a comment": {"measurement": "#points"},
    "a number that is none": {"fields": {"received": math.nan}},
    "an endless number": {"fields": {"received": -math.inf}},
    "a truth value": {"fields": {"received": True}},
    "more than 64 bits": {"fields": {"received": 2**63}},
    "half a character": {"fields": {"text": "\ud83d"}},
    "a time before all": {"t_ms": -(2**60)},
}


@pytest.mark.parametrize("change", REFUSED.values(), ids=REFUSED.keys())
def test_what_no_line_can_carry_is_refused_and_the_rest_recorded(store, measurement, change):
    good = replace(FIGURE, measurement=measurement)
    with pytest.raises(RefusedError, match="1 of 2 points are refused: "):
        store.record([replace(good, **{"t_ms": T_MS + 1, **change}), good])
    same(recorded(store, measurement, FIGURE.keep), [good])


TAG_TEXTS = st.text(min_size=1, max_size=12).filter(lambda text: text.isprintable() and not text.endswith("\\"))
VALUES = {
    "float": st.floats(allow_nan=False, allow_infinity=False),
    "int": st.integers(-(2**63), 2**63 - 1),
    "text": st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
}


@settings(max_examples=60, deadline=None)
@given(
    st.dictionaries(st.sampled_from(["a", "b ,=c", "站点"]), TAG_TEXTS),
    st.fixed_dictionaries({}, optional={f"a {kind}": values for kind, values in VALUES.items()}).filter(bool),
    st.integers(-9_223_372_036_854, 9_223_372_036_854),
)
def test_all_texts_and_numbers_come_back_bit_for_bit(store, tags, fields, t_ms):
    point = Point(measurement=f"m{next(NUMBERS)}, of = all", tags=tags, t_ms=t_ms, fields=fields, keep=Level.DAY)
    store.record([point])
    same(recorded(store, point.measurement), [point])


def test_many_points_at_once_and_again(store, measurement):
    """More than one request takes."""
    points = [replace(ALARM, measurement=measurement, t_ms=T_MS + t, fields={"n": t}) for t in range(12_000)]
    store.record(points)
    store.record(points)
    assert recorded(store, measurement, limit=20_000) == points


def test_what_is_forgotten_is_gone_where_the_store_deletes(kind, store, measurement):
    points = [replace(FIGURE, measurement=measurement, t_ms=t) for t in (1, 2, 3)]
    others = [replace(point, keep=Level.DAY) for point in points]
    store.record([*points, *others])
    deleted = store.forget({Level.MINUTE: 3})
    assert deleted == (2 if kind == "duck" else 0)
    same(recorded(store, measurement, Level.MINUTE), points[deleted:])
    same(recorded(store, measurement), others)


def test_several_threads_record_at_once(store, measurement):
    def work(worker):
        for t in range(10):
            store.record([replace(FIGURE, measurement=measurement, t_ms=T_MS + t, tags={"worker": str(worker)})])

    threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(recorded(store, measurement, FIGURE.keep)) == 40


def test_points_are_there_after_opening_again(kind, tmp_path):
    with closing(STORES[kind](tmp_path)) as store:
        store.record([ALARM])
    with closing(STORES[kind](tmp_path)) as store:
        same(recorded(store, "alarm"), [ALARM])
