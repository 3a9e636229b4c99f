"""Events on record: once each, found by what is asked, copied to the store, and gone when their time is over."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scenewatch.model.scene import Severity
from scenewatch.store import events as module
from scenewatch.store.events import EVERY_EVENT, EventFilter, EventRow, Events
from scenewatch.store.relational import Database

FIRST = EventRow(
    position=10,
    site="brine.w1",
    device="brine.w1.vat-1",
    device_type="vat",
    kind="lid_open",
    at_ms=1_000,
    received_ms=1_200,
    level=Severity.WARNING,
    text="开 'x'; drop table event",
    lat=31.25,
    lon=-121.5,
    media="https://cam.example/a.jpg",
    data={"by": [1, None, {"deep": "值"}]},
)


def row(position, at_ms, **more):
    return replace(FIRST, position=position, at_ms=at_ms, **more)


@pytest.fixture
def events(database):
    return Events(database)


def positions(events, limit=100, **wanted):
    return [one.position for one in events.events(limit, EventFilter(**wanted))]


def test_an_event_comes_back_as_it_was_recorded_also_by_another_process(events, url):
    events.record([FIRST])
    other = Database(url)
    assert Events(other).events(1) == [FIRST]
    other.close()


def test_nothing_is_recorded_for_nothing(events):
    events.record([])
    events.mark([])
    assert events.events(10) == []


def test_the_same_again_changes_nothing_and_is_not_copied_again(events):
    events.record([FIRST])
    events.mark([FIRST])
    events.record([FIRST])
    assert events.events(10) == [FIRST]
    assert events.missing(10) == []


def test_what_was_taken_in_parts_is_completed_in_its_place_and_copied_again(events):
    events.record([replace(FIRST, media="", lat=None, lon=None)])
    events.mark([FIRST])
    events.record([FIRST])
    assert events.events(10) == events.missing(10) == [FIRST]


def test_the_newest_come_first_those_of_one_time_in_the_order_they_came(events):
    events.record([row(1, 50), row(2, 70), row(3, 60), row(4, 60)])
    assert positions(events) == [2, 4, 3, 1]
    assert positions(events, limit=2) == [2, 4]


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ({}, [4, 3, 2, 1]),
        ({"sites": {"brine.w1"}}, [4, 2, 1]),
        ({"sites": {"brine.w1", "brine.w2"}}, [4, 3, 2, 1]),
        ({"sites": ()}, []),
        ({"device": "brine.w1.vat-2"}, [2]),
        ({"device": "brine.w1.vat%"}, []),
        ({"kind": "boiled_over"}, [4]),
        ({"level": Severity.ALARM}, [3]),
        ({"from_ms": 2, "to_ms": 4}, [3, 2]),
        ({"sites": {"brine.w1"}, "kind": "lid_open", "from_ms": 2}, [2]),
    ],
)
def test_all_that_is_asked_must_fit(events, wanted, found):
    events.record(
        [
            row(1, 1),
            row(2, 2, device="brine.w1.vat-2"),
            row(3, 3, site="brine.w2", device="brine.w2.vat-1", level=Severity.ALARM),
            row(4, 4, kind="boiled_over"),
        ]
    )
    assert positions(events, **wanted) == found


def test_what_is_before_a_time_is_forgotten_in_small_goes(events, monkeypatch):
    monkeypatch.setattr(module, "FORGOTTEN_AT_ONCE", 2)
    events.record([row(n, n) for n in range(7)])
    assert events.forget(5) == 5
    assert positions(events) == [6, 5]
    assert events.forget(5) == 0


def test_another_store_is_given_all_of_them_and_the_same_one_only_what_it_misses(events):
    events.begin("one", anew=False)
    events.record([row(1, 5), row(2, 3)])
    events.mark([row(1, 5)])
    events.begin("one", anew=False)
    assert [one.position for one in events.missing(10)] == [2]
    events.begin("two", anew=False)
    assert [one.position for one in events.missing(10)] == [1, 2]
    events.mark(events.missing(10))
    events.begin("two", anew=True)
    assert [one.position for one in events.missing(1)] == [1]


numbers = st.integers(-(2**70), 2**70) | st.floats(allow_nan=False, allow_infinity=False)
json_objects = st.dictionaries(
    st.text(max_size=5),
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers(-(2**70), 2**70)
        | st.floats(allow_nan=False, allow_infinity=False)
        | st.text(),
        lambda inner: st.lists(inner, max_size=3),
        max_leaves=5,
    ),
    max_size=4,
)


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    database = Database(f"sqlite:///{tmp_path_factory.mktemp('events') / 'e.sqlite'}")
    yield Events(database)
    database.close()


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=40), json_objects)
def test_any_text_and_data_survive(shared, text, data):
    told = replace(FIRST, text=text, data=data)
    shared.record([told])
    assert shared.events(1, EVERY_EVENT) == [told]
