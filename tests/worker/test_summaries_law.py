"""Whatever comes late, fails or is killed: in the end every window is what its readings give."""

from __future__ import annotations

from itertools import count

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scenewatch.model.errors import TemporaryError
from scenewatch.worker.lateness import LONGEST_SETTLE_MS, SETTLE_MS
from scenewatch.worker.summaries import GRACE_MS
from summary_rig import HOUR_MS, MINUTE_MS, NAMES, SummaryRig, quick_database

numbers = count()


@pytest.fixture(scope="module")
def database(tmp_path_factory):
    database = quick_database(tmp_path_factory.mktemp("law"))
    yield database
    database.close()


class KilledError(BaseException):
    """kill -9: nobody may catch it."""


class Mishap:
    """Lets so many calls pass, then one fails: before it has done anything, or when it has done all."""

    def __init__(self):
        self.left, self.error, self.done_before = None, None, False

    def arm(self, calls, error, *, done_before):
        self.left, self.error, self.done_before = calls, error, done_before

    def __call__(self, function):
        def call(*args, **kwargs):
            if self.left is None:
                return function(*args, **kwargs)
            self.left -= 1
            if self.left >= 0:
                return function(*args, **kwargs)
            self.left = None
            if self.done_before:
                function(*args, **kwargs)
            raise self.error

        return call


class Life(SummaryRig):
    """The rig with mishaps in all that is durable."""

    def __init__(self, database):
        self.mishap = Mishap()
        self.flying = None
        super().__init__(database, name=str(next(numbers)))
        self.store.summarise = self.mishap(self.store.summarise)

    def start(self):
        super().start()
        marks = self.lateness._marks
        for owner, name in (
            (self.summaries._table, "save"),
            (marks, "add"),
            (marks, "remove"),
        ):
            setattr(owner, name, self.mishap(getattr(owner, name)))

    def go(self, part):
        """Through failures, and through deaths: then the batch on its way comes again."""
        try:
            part()
        except TemporaryError:
            self.go(part)
        except KilledError:
            self.start()
            if self.flying is not None:
                self.go(self.take_off)

    def take_off(self):
        self.lateness.note(self.flying)

    def land(self):
        """The store has the batch on its way."""
        if self.flying is not None:
            self.store.write(self.flying, NAMES)
            self.lateness.stored()
            self.flying = None

    def fly(self, rows):
        self.land()
        self.flying = self.batch(rows)
        self.go(self.take_off)

    def act(self, what, value):
        if what == "pass":
            self.clock.ms += value
        elif what == "batch":
            self.fly([(series, self.clock.ms - ago_ms, number) for series, ago_ms, number in value])
        elif what == "land":
            self.land()
        elif what == "kill":
            self.go(lambda: self.die(*value))
        elif what == "fail":
            calls, done_before = value
            self.mishap.arm(calls, TemporaryError("away"), done_before=done_before)
        else:
            self.go(self.run)

    def die(self, calls, done_before):
        self.mishap.arm(calls, KilledError(), done_before=done_before)
        self.run()


SPANS_MS = (1000, MINUTE_MS // 2, SETTLE_MS, GRACE_MS, 5 * MINUTE_MS, LONGEST_SETTLE_MS, HOUR_MS, 26 * HOUR_MS)
spans = st.one_of(st.sampled_from(SPANS_MS), st.integers(0, HOUR_MS))
rows = st.lists(st.tuples(st.integers(0, len(NAMES) - 1), spans, st.integers(-3, 100).map(float)), max_size=4)
live = rows.map(lambda late: [*late, (0, 0, 50.0)])
"""In most batches something is of just now."""
mishaps = st.tuples(st.integers(0, 6), st.booleans())
acts = st.one_of(
    st.tuples(st.just("batch"), live),
    st.tuples(st.just("batch"), live),
    st.tuples(st.just("batch"), rows.filter(bool)),
    st.tuples(st.just("land"), st.none()),
    st.tuples(st.just("pass"), spans),
    st.tuples(st.just("pass"), spans),
    st.tuples(st.just("run"), st.none()),
    st.tuples(st.just("run"), st.none()),
    st.tuples(st.just("kill"), mishaps),
    st.tuples(st.just("fail"), mishaps),
)


@settings(max_examples=50, deadline=None)
@given(st.lists(acts, min_size=5, max_size=40))
def test_in_the_end_every_window_is_what_its_readings_give(database, story):
    life = Life(database)
    for what, value in story:
        life.act(what, value)
    life.land()
    life.mishap.left = None
    life.run_to_the_end()
    life.assert_right()
